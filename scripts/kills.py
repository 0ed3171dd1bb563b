"""Kills nodes at moments of all of their life, and judges what is left: `./scripts/kills`.

Several networks may run at once, each with ports and chance of its own. All of them
together reach the number of kills that was asked for; then each is judged by itself.
"""

import argparse
import os
import random
import re
import shutil
import signal
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter, defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from kills_kinds import KINDS, OPENING, STARTING, Play, first_start  # noqa: E402
from kills_nodes import Nodes, Senders  # noqa: E402
from lab import ALL  # noqa: E402
from lab_oracle import Judge, Watch  # noqa: E402
from network import NODES, ROOT, Failure  # noqa: E402

MOST = os.cpu_count() or 1
PORTS, PORTS_EACH = 24_000, 3 * NODES
# Seconds in which all nodes have to answer after a group of kills, and then to have a new
# block each; to follow to the end.
ANSWER, BOUND, FOLLOW = 30, 20, 60
# A chain of some thousand blocks, not of some ten thousand.
SETTINGS = "\n[consensus]\nmin_block_interval_ms = 100\n"
WHAT = {
    "first start": f"0 to {STARTING * 1000:.0f} ms after the start of a node without data, or as below",
    "start": f"0 to {STARTING * 1000:.0f} ms after a start, or within {OPENING * 1000:.0f} ms of its open database",
    "load": "while it takes transactions and commits blocks",
    "catch-up": "while it fetches the blocks that it lacks",
    "stop": "0 to 3 s after SIGTERM",
    "snapshot: node": "the node that is copied",
    "snapshot: command": "`billchain snapshot create`",
    "reindex": "`billchain reindex`",
    "restore": "`billchain snapshot restore`",
}


class Total:
    """SIGKILLs of all networks together."""

    def __init__(self, count: int):
        self.count, self.lock = count, threading.Lock()
        self.reached = 0

    def add(self, number: int) -> int:
        with self.lock:
            before, self.reached = self.reached, self.reached + number
        if before // 100 < self.reached // 100:
            print(f"{self.reached} SIGKILLs", flush=True)
        return self.reached

    def enough(self) -> bool:
        return self.reached >= self.count


class Series(threading.Thread):
    """One network, until there were kills enough."""

    def __init__(self, arguments, place: int, total: Total):
        super().__init__(daemon=True)
        self.arguments, self.place, self.total = arguments, place, total
        port = arguments.base_port
        if port is None and arguments.networks > 1:
            port = PORTS
        if port is not None:
            port += place * PORTS_EACH
        self.directory = Path(tempfile.mkdtemp(prefix=f"kills-{place + 1}-", dir=arguments.out))
        self.nodes = Nodes(arguments.bin, self.directory, port)
        chance = random.Random(f"{arguments.seed} {place}")
        self.play = Play(self.nodes, chance)
        self.kind = "making the network"
        self.groups: dict[str, list[float]] = defaultdict(list)
        self.answering: list[float] = []
        self.failure: str | None = None
        self.ended = threading.Event()
        self.blocks = 0

    def run(self):
        try:
            self.all_of_it()
        # Whatever goes wrong, this network has failed and the others go on.
        except Exception as failure:
            if self.nodes.closed:
                return
            what = "" if isinstance(failure, Failure) else f"{type(failure).__name__}: "
            self.failure = (
                f"seed {self.arguments.seed}, network {self.place + 1}, SIGKILL "
                f"{self.play.kills.total()}, {self.kind}: {what}{failure}\n"
                f"its nodes' data and logs: {self.directory}"
            )
            print(f"FAILED: {self.failure}", flush=True)
        finally:
            self.close(self.failure is not None)
            self.ended.set()

    def all_of_it(self):
        play = self.play
        self.nodes.make()
        for node in ALL:
            with open(self.nodes.home(node) / "node.toml", "a") as config:
                config.write(SETTINGS)
        play.watch = Watch(self.nodes)
        self.group("first start", first_start)
        # Threads of their own: what they take of chance must not change the kills.
        play.senders = Senders(self.nodes, random.Random(f"{self.arguments.seed} {self.place} bills"))
        weights = {name: KINDS[name][1] for name in self.arguments.only or KINDS}
        while not self.total.enough():
            name = play.chance.choices(list(weights), list(weights.values()))[0]
            self.group(name, KINDS[name][0])
        self.judge()

    def group(self, name: str, kill):
        self.kind = name
        before = self.play.kills.total()
        kill(self.play)
        self.goes_on()
        self.total.add(self.play.kills.total() - before)

    def goes_on(self):
        """All nodes answer, and each has a new block soon after."""
        begun = time.monotonic()
        heights = [self.nodes.wait_height(node, 0, ANSWER) for node in ALL]
        answered = time.monotonic()
        top = max(*heights, self.play.watch.top())
        while self.play.watch.wait_above(top, ALL, 0.2) is None:
            for node in ALL:
                if self.nodes.pid(node) is None:
                    raise Failure(f"node {node} has ended by itself; its log:\n{self.nodes.log_tail(node)}")
            if time.monotonic() > answered + BOUND:
                raise Failure(f"no new block on each node within {BOUND} s, above {top}: {self.play.watch.heights}")
        self.answering.append(answered - begun)
        self.groups[self.kind].append(time.monotonic() - answered)

    # -- judging ---------------------------------------------------------------

    def judge(self):
        play = self.play
        self.kind = "the end"
        play.senders.stop()
        top = play.watch.top()
        if play.watch.wait_above(top - 1, ALL, FOLLOW) is None:
            raise Failure(f"not all nodes reached {top} within {FOLLOW} s: {play.watch.heights}")
        ledger = play.senders.ledger
        oracle = Judge(self.nodes, play.watch, ledger)
        problems = []
        if lost := oracle.find_accepted():
            problems.append(f"{len(lost)} of {len(ledger.accepted)} accepted transactions are in no block: {self.known(lost)}")
        if not ledger.accepted:
            problems.append(f"no node accepted anything: {ledger.refused}")
        problems += [f"{problem.kind}: {problem.text}" for problem in oracle.chains()]
        problems += [text for node in ALL for text in self.signed_twice(node)]
        self.blocks = min(self.nodes.height(node) for node in ALL)
        play.watch.stop()
        problems += [f"node {node} did not stop" for node in ALL if self.nodes.end(node, FOLLOW)]
        for node in ALL:
            self.nodes.whole(node, "check-state")
            if "panicked at" in (self.nodes.home(node) / "log").read_text(errors="replace"):
                problems.append(f"node {node} panicked, see its log")
        if problems:
            raise Failure("; ".join(problems))

    def known(self, lost: set[str]) -> str:
        """What nodes say of some that are missing."""
        told = []
        for name in sorted(lost)[:5]:
            accepted = self.play.senders.ledger.accepted[name]
            status = self.nodes.rpc(accepted.node, "transaction_status", name)
            told.append(f"{name} at node {accepted.node}: {status}")
        return ", ".join(told)

    def signed_twice(self, node: int) -> list[str]:
        """By the chain's record, what waits for it, and the node's log."""
        record = self.nodes.rpc(node, "validator_equivocations")["items"]
        place = self.nodes.layout()[node - 1]["metrics_port"]
        with urllib.request.urlopen(f"http://127.0.0.1:{place}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        counts = re.findall(r"^(billchain_\w*equivocations\w*)(?:\{.*\})? (\d+)", text, re.MULTILINE)
        if len(counts) < 3:
            return [f"node {node} has no metrics of equivocations: {counts}"]
        found = [f"node {node}: {name} is {count}" for name, count in counts if int(count)]
        if record:
            found.append(f"node {node} has equivocations on record: {record}")
        if "a validator signed twice" in (self.nodes.home(node) / "log").read_text(errors="replace"):
            found.append(f"node {node} logs that a validator signed twice")
        return found

    def close(self, keep: bool):
        self.nodes.close()
        if self.play.senders:
            self.play.senders.stop()
        if self.play.watch:
            self.play.watch.stop()
        if not keep:
            shutil.rmtree(self.directory, ignore_errors=True)


def table(all_series: list[Series]) -> str:
    """For the documentation."""
    kills = sum((series.play.kills for series in all_series), Counter())
    lines = ["| kind | killed | SIGKILLs |", "|---|---|---:|"]
    lines += [f"| {kind} | {what} | {kills[kind]} |" for kind, what in WHAT.items()]
    phases = sum((series.play.phases for series in all_series), Counter())
    starts = ", ".join(f"{phase} {number}" for phase, number in phases.most_common())
    blocks = [took for series in all_series for each in series.groups.values() for took in each]
    answering = [took for series in all_series for took in series.answering]
    ledgers = [series.play.senders.ledger for series in all_series if series.play.senders]
    lines += ["", f"Where the starts had come to by their logs: {starts}."]
    if blocks:
        lines.append(
            f"{len(blocks)} groups. From the last start until all four answer: median "
            f"{statistics.median(answering):.1f} s, longest {max(answering):.1f} s; from then to a new block of "
            f"each: median {statistics.median(blocks):.1f} s, longest {max(blocks):.1f} s (bound {BOUND} s)."
        )
    lines.append(
        f"{sum(len(ledger.accepted) for ledger in ledgers)} transactions accepted with "
        f"{sum(each.bills for ledger in ledgers for each in ledger.accepted.values())} bills, "
        f"{sum(sum(ledger.refused.values()) for ledger in ledgers)} refused, "
        f"{sum(ledger.unanswered for ledger in ledgers)} unanswered; "
        f"{sum(series.blocks for series in all_series)} blocks."
    )
    return "\n".join(lines)


def play(arguments) -> int:
    total = Total(arguments.count)
    all_series = [Series(arguments, place, total) for place in range(arguments.networks)]
    begun = time.monotonic()
    try:
        for series in all_series:
            series.start()
        # Not by joining: Python takes a thread for ended when a signal interrupts that.
        while not all(series.ended.is_set() for series in all_series):
            time.sleep(0.2)
    finally:
        # If this was interrupted, what still runs ends here.
        for series in all_series:
            if not series.ended.is_set():
                series.nodes.close()
        for series in all_series:
            series.ended.wait(FOLLOW)
    failed = [series for series in all_series if series.failure]
    took = (time.monotonic() - begun) / 60
    day = time.strftime("%d %B %Y").lstrip("0")
    print(f"\n{table(all_series)}\n")
    refused = sum((Counter(series.play.senders.ledger.refused) for series in all_series if series.play.senders), Counter())
    for reason, number in refused.most_common(5):
        print(f"refused {number} times: {reason}")
    outcome = "FAILED" if failed else "one chain and one state root on all nodes, nothing lost, nobody signed twice"
    print(
        f"{total.reached} SIGKILLs in {took:.0f} minutes, seed {arguments.seed}, {arguments.networks} "
        f"networks, {day}: {outcome}"
    )
    return int(bool(failed) or not total.enough())


def lent(arguments) -> str | None:
    """A port that the system lends to clients may be taken while its node is down."""
    if arguments.base_port is None:
        return None
    first, last = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    end = arguments.base_port + arguments.networks * PORTS_EACH
    if arguments.base_port > last or end <= first:
        return None
    return f"--base-port: the system lends ports {first} to {last} to clients: expected {arguments.base_port} to {end - 1} outside of them"


def main() -> int:
    parser = argparse.ArgumentParser(prog="./scripts/kills")
    parser.add_argument("--bin", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--networks", type=int, default=1)
    parser.add_argument("--base-port", type=int)
    parser.add_argument("--out", type=Path, default=ROOT / ".faults")
    parser.add_argument("--only", action="append", choices=KINDS)
    arguments = parser.parse_args()
    if arguments.count < 1:
        parser.error("--count: expected 1 or more")
    if not 1 <= arguments.networks <= MOST:
        parser.error(f"--networks: expected 1 to {MOST}, one for each core")
    if why := lent(arguments):
        parser.error(why)
    arguments.out = arguments.out.resolve()
    arguments.out.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    code = play(arguments)
    try:
        arguments.out.rmdir()
    except OSError:
        pass
    return code


if __name__ == "__main__":
    sys.exit(main())
