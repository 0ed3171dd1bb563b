"""Runs measurements on networks of four nodes and writes a report.

Each run has a network of its own, made for it and removed afterwards; only
processes that were started here are stopped.
"""

import argparse
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from network import NODES, ROOT, Failure, Network  # noqa: E402

STANDARD = ["registrations", "batches", "mix", "stopped", "clients", "certificates", "join"]
EXTRA = ["saturated-stopped", "steps", "growth"]
# Bills of a block while days pass.
DAYS_BLOCK_BILLS = 1000
ALL = list(range(1, NODES + 1))
# Files that the nodes and a thousand clients' connections need.
FILES = 65_536


class Side:
    """What is measured: this revision, or the one it is compared with."""

    def __init__(self, name: str, binaries: Path, commit: str):
        self.name = name
        self.binaries = binaries
        self.commit = commit


class Bench:
    """Runs cases and collects their results."""

    def __init__(self, arguments, out: Path):
        self.arguments = arguments
        self.out = out
        self.generator = arguments.bin / "billchain-bench"
        self.rules = rules_of(arguments.bin)
        self.results: list[Path] = []
        self.failures: list[str] = []

    # -- networks ---------------------------------------------------------

    def network(self, side: Side) -> Network:
        directory = Path(tempfile.mkdtemp(prefix="network-", dir=self.out))
        network = Network(side.binaries, directory, self.arguments.base_port)
        network.make()
        return network

    def start(self, network: Network):
        network.start_all()
        for node in ALL:
            network.wait_height(node, 1, 60)

    def remove(self, network: Network):
        try:
            network.stop_all()
        finally:
            shutil.rmtree(network.directory, ignore_errors=True)

    def places(self, network: Network, nodes: list[int]) -> list[str]:
        """The generator's options for these nodes."""
        options = []
        for node in nodes:
            home = network.directory / f"node-{node}"
            options += ["--rpc", network.url(node)]
            options += ["--node", f"node-{node}={network.pid(node)}:{home / 'data'}"]
        return options

    # -- runs -------------------------------------------------------------

    def file(self, case: str, side: Side, run: int, part: str = "") -> Path:
        name = re.sub(r"[^A-Za-z0-9.-]", "_", f"{case}{part}-{side.name}-{run}")
        return self.out / f"{name}.json"

    def generate(self, command: str, case: str, side: Side, file: Path, *options) -> dict:
        """Runs the generator, shows what it printed, and keeps the result."""
        generator = self.generator
        if rules_of(side.binaries) != self.rules:
            # This revision's refuses nodes of other rules.
            generator = side.binaries / "billchain-bench"
        whole = [
            str(generator), command, *map(str, options), "--case", case,
            "--side", side.name, "--commit", side.commit, "--out", str(file),
        ]
        result = subprocess.run(whole, stdout=subprocess.PIPE, text=True)
        print(result.stdout, end="", flush=True)
        if not file.exists():
            raise Failure(f"`{command}` gave no result (exit code {result.returncode})")
        self.results.append(file)
        if result.returncode != 0:
            raise Failure(
                f"`{command}`: transactions or bills were lost, or none was committed, "
                "or a certificate was refused, or none given"
            )
        return json.loads(file.read_text())

    def values(self, case: str, side: Side, file: Path, machine: dict, values: list[tuple]):
        """Keeps figures (name, unit, better, value) that were found here."""
        names = ["name", "unit", "better", "value"]
        record = {
            "record": "values", "case": case, "side": side.name, "commit": side.commit,
            "machine": machine, "values": [dict(zip(names, value)) for value in values],
        }
        file.write_text(json.dumps(record, indent=1))
        self.results.append(file)
        for name, unit, _, value in values:
            print(f"{name:42}{value:>12} {unit}", flush=True)

    def load(self, case: str, side: Side, run: int, *options, nodes=tuple(ALL), kill=()):
        network = self.network(side)
        try:
            self.start(network)
            for node in kill:
                network.kill(node)
            seconds = self.arguments.seconds
            return self.generate(
                "clients" if case == "clients" else "load", case, side,
                self.file(case, side, run), *self.places(network, list(nodes)),
                "--duration", seconds, "--seed", run, *options,
            )
        finally:
            self.remove(network)

    def saturated(self, *options) -> list:
        """Options of a load as fast as the network takes it."""
        prepare = self.arguments.prepare
        ahead = [] if prepare is None else ["--prepare", prepare]
        return ["--saturate", "--warm-up", 5, *ahead, *options]

    def registrations(self, side: Side, run: int):
        self.load("registrations", side, run, *self.saturated())

    def batches(self, side: Side, run: int):
        self.load("batches", side, run, *self.saturated("--batch", 100, "--in-flight", 300))

    def mix(self, side: Side, run: int):
        self.load(
            "mix", side, run, "--mix", "--rate", 1200, "--warm-up", 10, "--preload", 50_000
        )

    def stopped(self, side: Side, run: int):
        self.load(
            "stopped", side, run, "--rate", 1200, "--warm-up", 5, nodes=(1, 2, 3), kill=(4,)
        )

    def saturated_stopped(self, side: Side, run: int):
        options = self.saturated()
        self.load("saturated-stopped", side, run, *options, nodes=(1, 2, 3), kill=(4,))

    def clients(self, side: Side, run: int):
        self.load("clients", side, run, "--clients", 1000)

    def certificates(self, side: Side, run: int):
        self.load(
            "certificates", side, run, "--rate", 400, "--certificates", 8, "--warm-up", 5,
            "--preload", 10_000,
        )

    def steps(self, side: Side, run: int):
        network = self.network(side)
        try:
            self.start(network)
            self.generate(
                "load", "steps", side, self.file("steps", side, run), *self.places(network, ALL),
                "--steps", "500:500:5", "--duration", 60, "--seed", run,
            )
        finally:
            self.remove(network)

    def join(self, side: Side, run: int):
        """Makes a chain, empties node 4, and times how it fetches the chain."""
        network = self.network(side)
        try:
            self.start(network)
            made = self.generate(
                "load", "join: the chain is made", side, self.file("join", side, run, "-made"),
                *self.places(network, ALL), *self.saturated(),
                "--duration", max(5, self.arguments.seconds // 2), "--seed", run,
            )
            network.stop(4)
            shutil.rmtree(network.directory / "node-4" / "data")
            target = network.height(1)
            network.abstain(4, target)
            began = time.monotonic()
            network.start(4)
            first = None
            while True:
                if time.monotonic() - began > 600:
                    raise Failure(f"node 4 did not reach block {target} within 600 s")
                at = self.height_or_zero(network, 4)
                if first is None and at > 0:
                    first = time.monotonic()
                if at >= target:
                    break
                time.sleep(0.05)
            took = time.monotonic() - began
            expected, found = network.header_at(1, target), network.header_at(4, target)
            if expected != found:
                raise Failure(f"node 4 differs: {found}, expected {expected}")
            rate, produced = made["committed"] / took, made["transactions_per_second"]
            self.values("join", side, self.file("join", side, run), made["machine"], [
                ("transactions in the chain", "", "neither", made["committed"]),
                ("produced", "1/s", "higher", produced),
                ("replayed, from the process's start", "1/s", "higher", round(rate, 1)),
                ("until the first block", "s", "lower", round(first - began, 2)),
                ("until the head", "s", "lower", round(took, 2)),
                ("replayed over produced", "", "higher", round(rate / max(produced, 0.1), 2)),
            ])
        finally:
            self.remove(network)

    def height_or_zero(self, network: Network, node: int) -> int:
        if network.pid(node) is None:
            raise Failure(f"node {node} is not running; its log:\n{network.log_tail(node)}")
        try:
            return network.height(node)
        except (OSError, Failure):
            return 0

    def growth(self, side: Side, run: int):
        """Fills a ledger, and starts a real node on it at each milestone."""
        network = self.network(side)
        home = network.directory / "node-1"
        try:
            self.make_alone(network)
            restarts, joins, last = [], [], None
            options = ["--compact"] if self.arguments.compact else []
            steps = self.arguments.bills.split(",")
            if self.arguments.bills_a_day:
                # A node would add blocks of its own time.
                steps = [self.arguments.bills]
                options += ["--bills-a-day", self.arguments.bills_a_day]
                options += ["--block-bills", DAYS_BLOCK_BILLS]
            for bills in steps:
                part = self.file("growth", side, run)
                if part in self.results:
                    self.results.remove(part)
                # The ledger is filled in the generator's process, so by the
                # revision's own.
                self.generator = side.binaries / "billchain-bench"
                last = self.generate(
                    "growth", "growth", side, part, "--dir", home / "data",
                    "--spec", network.directory / "chain.json", "--bills", bills,
                    "--seed", run, *options,
                )
                milestone = last["milestones"][-1]
                restarts += self.restart(network, milestone)
                if not self.arguments.bills_a_day:
                    joins += self.join_state(network, milestone)
            self.values(
                "growth: restart of a node", side, self.file("growth", side, run, "-restart"),
                last["machine"], restarts,
            )
            if joins:
                self.values(
                    "growth: a node joins", side, self.file("growth", side, run, "-joined"),
                    last["machine"], joins,
                )
        finally:
            self.generator = self.arguments.bin / "billchain-bench"
            self.remove(network)

    def make_alone(self, network: Network):
        """Makes node 1 the only operator of the network's chain, and node 2 an observer."""
        file = network.directory / "chain.json"
        spec = json.loads(file.read_text())
        observer = {"name": "node-2", "peerId": spec["operators"][1]["peerId"]}
        spec["operators"], spec["council"] = spec["operators"][:1], spec["council"][:1]
        spec["observers"] = [observer]
        if self.arguments.cold_after:
            spec["cooling"] = {
                "afterDays": self.arguments.cold_after, "lapDays": self.arguments.cold_after,
                # A block of DAYS_BLOCK_BILLS bills adds a tenth as many groups.
                "groupsPerBlock": 250, "segmentGroups": 1 << 17, "mergeGroups": 500,
            }
        file.write_text(json.dumps(spec, ensure_ascii=False, indent=2))
        config = network.directory / "node-1" / "node.toml"
        config.write_text(re.sub(r"peers = \[.*?\]", "peers = []", config.read_text(), flags=re.S))
        config = network.directory / "node-2" / "node.toml"
        text = re.sub(r"(?m)^(consensus|password_file) = .*\n", "", config.read_text())
        config.write_text(re.sub(r"(?m)^.*/p2p/.*\n", self.only_first(), text))

    @staticmethod
    def only_first():
        """Keeps the first of the lines that a pattern finds."""
        found = []

        def keep(match) -> str:
            found.append(match)
            return match[0] if len(found) == 1 else ""

        return keep

    def join_state(self, network: Network, milestone: dict) -> list[tuple]:
        """Times how node 2 joins by the state that node 1 serves."""
        bills, node = milestone["bills"], network.directory / "node-2"
        config = network.directory / "node-1" / "node.toml"
        before = config.read_text()
        # One copy, of a block that the node makes at once.
        at = milestone["height"] + 4
        config.write_text(before.replace("[storage]\n", f"[storage]\ncopy_interval = {at}\n"))
        network.start(1)
        copy = network.directory / "node-1" / "data" / "copies" / str(at) / "target"
        deadline = time.monotonic() + 600
        while not copy.exists():
            if time.monotonic() > deadline:
                raise Failure(f"node 1 made no copy of its state within 600 s: {copy}")
            time.sleep(0.2)
        began, most = time.monotonic(), 0
        with open(node / "join.log", "wb") as log:
            joining = subprocess.Popen(
                [network.billchain, "join", "--config", node / "node.toml"], stdout=log, stderr=log
            )
            while joining.poll() is None:
                status = Path(f"/proc/{joining.pid}/status").read_text()
                found = re.search(r"VmHWM:\s+(\d+)", status)
                most = max(most, int(found[1]) / 1024 if found else 0)
                time.sleep(0.05)
        took = time.monotonic() - began
        said = (node / "join.log").read_text(errors="replace")
        if joining.returncode != 0:
            raise Failure(f"billchain join failed:\n{said}")
        received = int(re.search(r"received\s+(\d+) bytes", said)[1])
        head = network.height(1)
        network.start(2)
        network.wait_height(2, head, 600)
        follows = time.monotonic() - began
        while self.index_gap(network):
            if time.monotonic() - began > 3600:
                raise Failure("node 2 has no whole index within an hour")
            time.sleep(0.2)
        indexed = time.monotonic() - began
        network.stop(2)
        network.stop(1)
        shutil.rmtree(node / "data")
        shutil.rmtree(copy.parent.parent)
        config.write_text(before)
        at = f"at {bills:,} bills"
        return [
            (f"joined, {at}", "s", "lower", round(took, 2)),
            (f"follows the head, {at}", "s", "lower", round(follows, 2)),
            (f"has the whole index, {at}", "s", "lower", round(indexed, 2)),
            (f"received for the state, {at}", "MB", "lower", round(received / 1e6, 1)),
            (f"memory of the joining, {at}", "MiB", "lower", round(most, 1)),
        ]

    @staticmethod
    def index_gap(network: Network) -> bool:
        port = network.layout()[1]["metrics_port"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            found = re.search(r"(?m)^billchain_state_sync_index_gap (\d)", answer.read().decode())
        return found is None or found[1] != "0"

    def restart(self, network: Network, milestone: dict) -> list[tuple]:
        """Times a node from its start to a block of its own."""
        bills, head = milestone["bills"], milestone["height"]
        # The generator signed these blocks with the node's key.
        network.abstain(1, head)
        began = time.monotonic()
        network.start(1)
        up = None
        while time.monotonic() - began < 600:
            at = self.height_or_zero(network, 1)
            if at > 0 and up is None:
                up = time.monotonic()
            if at > head:
                break
            time.sleep(0.02)
        else:
            raise Failure("node 1 made no block within 600 s")
        voted = time.monotonic()
        status = Path(f"/proc/{network.pid(1)}/status").read_text()
        memory = int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024
        network.stop(1)
        at = f"at {bills:,} bills"
        return [
            (f"until it answers, {at}", "s", "lower", round(up - began, 2)),
            (f"until its first block, {at}", "s", "lower", round(voted - began, 2)),
            (f"memory, {at}", "MiB", "lower", round(memory, 1)),
        ]

    # -- all --------------------------------------------------------------

    def run(self, cases: list[str], sides: list[Side]):
        for case in cases:
            for run in range(1, self.arguments.runs + 1):
                for side in sides:
                    print(f"\n==> {case}, {side.name}, run {run}", flush=True)
                    began = time.monotonic()
                    try:
                        getattr(self, case.replace("-", "_"))(side, run)
                    except Failure as failure:
                        self.failures.append(f"{case}, {side.name}, run {run}: {failure}")
                        print(f"FAILED: {failure}", file=sys.stderr, flush=True)
                    print(f"--- {time.monotonic() - began:.0f} s", flush=True)

    def report(self):
        if not self.results:
            return
        html, summary = self.out / "report.html", self.out / "summary.json"
        subprocess.run(
            [self.generator, "report", "--html", html, "--summary", summary, *self.results],
            check=True,
        )
        print(f"\nReport: {html}\nMedians: {summary}")


def git(*arguments: str) -> str:
    result = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    if result.returncode != 0:
        raise Failure(f"git {' '.join(arguments)}: {result.stderr.strip()}")
    return result.stdout.strip()


def this_commit() -> str:
    try:
        dirty = "-changed" if git("status", "--porcelain", "--untracked-files=no") else ""
        return git("rev-parse", "--short", "HEAD") + dirty
    except (Failure, OSError):
        return "unknown"


def rules_of(binaries: Path) -> str:
    """The rules that a revision's nodes execute; empty of one that cannot say so."""
    command = [str(binaries / "billchain"), "release", "rules"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def build_other(revision: str, target: Path, worktree: Path) -> Side:
    """Builds another revision in a worktree and a target directory of its own."""
    commit = git("rev-parse", "--short", f"{revision}^{{commit}}")
    git("worktree", "add", "--detach", str(worktree), commit)
    print(f"\n==> Building {revision} ({commit})", flush=True)
    target = target / "against"
    command = ["cargo", "build", "--release", "--locked", "--workspace"]
    environment = {**os.environ, "CARGO_TARGET_DIR": str(target)}
    if subprocess.run(command, cwd=worktree, env=environment).returncode != 0:
        raise Failure(f"building {revision} failed")
    return Side(revision, target / "release", commit)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--bin", type=Path, required=True)
    parser.add_argument("--only", action="append", choices=STANDARD + EXTRA)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--against", metavar="REV")
    parser.add_argument("--base-port", type=int)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--bills", default="1000000,2000000")
    parser.add_argument("--compact", action="store_true")
    parser.add_argument("--bills-a-day", type=int)
    parser.add_argument("--cold-after", type=int, metavar="DAYS")
    parser.add_argument("--prepare", type=int)
    arguments = parser.parse_args()
    if arguments.seconds < 1 or arguments.runs < 1:
        parser.error("--seconds and --runs: expected at least 1")
    if arguments.prepare is not None and arguments.prepare < 1:
        parser.error("--prepare: expected at least 1")
    if arguments.bills_a_day is not None and arguments.bills_a_day < 1:
        parser.error("--bills-a-day: expected at least 1")
    if arguments.cold_after is not None and not (arguments.bills_a_day and arguments.cold_after > 0):
        parser.error("--cold-after: expected at least 1 day, and --bills-a-day with it")
    if not re.fullmatch(r"[1-9]\d*(,[1-9]\d*)*", arguments.bills):
        parser.error("--bills: expected numbers with commas between them")
    return arguments


def main() -> int:
    arguments = parse()
    arguments.bin = arguments.bin.resolve()
    out = arguments.out or ROOT / ".bench" / time.strftime("%Y%m%d-%H%M%S")
    out = out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = FILES if most == resource.RLIM_INFINITY else min(FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))

    # Asked to stop, it removes its networks, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    bench = Bench(arguments, out)
    worktree = out / "against"
    try:
        sides = [Side("this", arguments.bin, this_commit())]
        if arguments.against:
            sides.append(build_other(arguments.against, arguments.bin.parent, worktree))
        bench.run(arguments.only or STANDARD, sides)
    except Failure as failure:
        bench.failures.append(str(failure))
    finally:
        if worktree.exists():
            git("worktree", "remove", "--force", str(worktree))
    bench.report()
    for failure in bench.failures:
        print(f"FAILED: {failure}", file=sys.stderr)
    return 1 if bench.failures else 0


if __name__ == "__main__":
    sys.exit(main())
