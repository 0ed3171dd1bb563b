"""Lets one validator of four attack the others, and judges what they do then.

Each attack has one network of its own, made for it and removed afterwards; only
processes that were started here are stopped. A run prints one line; the exit
status says whether all of them passed.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from network import NODES, ROOT, Failure, Network  # noqa: E402

HONEST = list(range(1, NODES))
FOURTH = NODES
RATE = 400
# Of four honest nodes' throughput, at least.
THROUGHPUT = 0.90
# Times three nodes' p99, at most.
P99 = 2.0
ATTACKS = [
    "silence", "announcements", "parts", "late-blocks", "withheld", "equivocation", "votes",
    "catch-up", "gossip", "reconnect",
]  # fmt: skip


class Hostile:
    """The program in the fourth node's place."""

    def __init__(self, network: Network, arguments, attack: str):
        self.home = network.directory / f"node-{FOURTH}"
        genesis = network.rpc(HONEST[0], "chain_getBlockHash", 0)
        self.log = open(self.home / "log", "ab")
        self.process = subprocess.Popen(
            [arguments.bin / "billchain-hostile", "--home", self.home, "--genesis", genesis,
             "--attack", attack, "--intensity", str(arguments.intensity)],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
        )

    def check(self):
        if self.process.poll() is not None:
            text = (self.home / "log").read_text(errors="replace")
            raise Failure(f"the attacker has ended: {text[-1500:]}")

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.log.close()


class Result:
    """What a run measured."""

    def __init__(self, record: dict, network: Network):
        self.rate = record["transactions_per_second"]
        self.p50, self.p99 = record["latency_ms"]["p50"], record["latency_ms"]["p99"]
        self.late = record["late"]
        self.memory = max(record["costs"]["rss_mib"])
        logs = [network.directory / f"node-{node}" / "log" for node in HONEST]
        self.log = max(log.stat().st_size for log in logs) / 2**20
        self.problems = [
            f"{record[name]} {name}" for name in ("lost", "unanswered") if record[name]
        ]
        self.problems += [f"{count} refused: {why}" for why, count in record["rejected"].items()]
        if record["outcome"]["missing"]:
            self.problems.append(f"{record['outcome']['missing']} bills are missing")

    def line(self) -> str:
        return (
            f"{self.rate:.0f}/s, p50 {self.p50:.0f} ms, p99 {self.p99:.0f} ms, "
            f"{self.memory:.0f} MiB, log {self.log:.1f} MiB"
        )


class Suite:
    def __init__(self, arguments):
        self.arguments = arguments

    def run(self, name: str) -> Result:
        """A network: `honest`, `stopped`, or under an attack."""
        directory = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.arguments.out))
        network = Network(self.arguments.bin, directory, self.arguments.base_port)
        hostile = None
        try:
            network.make()
            for node in HONEST + ([FOURTH] if name == "honest" else []):
                network.start(node)
            for node in HONEST:
                network.wait_height(node, 1, 60)
            if name in ATTACKS:
                hostile = Hostile(network, self.arguments, name)
                time.sleep(3)
                hostile.check()
            result = self.load(network)
            if hostile is not None:
                hostile.check()
            self.same_chain(network)
            return result
        finally:
            if hostile is not None:
                hostile.stop()
            for node in range(1, NODES + 1):
                network.kill(node)
            if self.arguments.keep:
                print(f"its nodes' data and logs: {directory}", flush=True)
            else:
                shutil.rmtree(directory, ignore_errors=True)

    def load(self, network: Network) -> Result:
        file = network.directory / "load.json"
        options = []
        for node in HONEST:
            home = network.directory / f"node-{node}"
            options += ["--rpc", network.url(node)]
            options += ["--node", f"node-{node}={network.pid(node)}:{home / 'data'}"]
        command = [
            network.bench, "load", *options, "--rate", RATE, "--warm-up", 3,
            "--duration", self.arguments.seconds, "--out", file,
        ]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        if not file.exists():
            raise Failure(f"the load generator gave no result: {done.stderr.strip()[-800:]}")
        return Result(json.loads(file.read_text()), network)

    def same_chain(self, network: Network):
        """That the honest nodes run, go on, and have one chain."""
        top = max(network.height(node) for node in HONEST)
        for node in HONEST:
            network.wait_height(node, top + 2, 30)
        headers = [network.header_at(node, top) for node in HONEST]
        if any(header != headers[0] for header in headers):
            raise Failure(f"the nodes differ: {headers}")
        for node in HONEST:
            text = (network.directory / f"node-{node}" / "log").read_text(errors="replace")
            panic = re.search(r"panicked at .*", text)
            if panic:
                raise Failure(f"node {node}: {panic[0]}")


def judge(
    result: Result, honest: Result | None, stopped: Result | None, seconds: int
) -> list[str]:
    """What is wrong with a run of so many seconds."""
    problems = list(result.problems)
    expected = honest.rate if honest else RATE
    # On their way when the counted seconds ended: they are not lost.
    on_their_way = RATE * result.p99 / 1000 / seconds
    if result.rate + on_their_way < THROUGHPUT * expected:
        problems.append(f"{result.rate:.0f}/s, expected {THROUGHPUT:.0%} of {expected:.0f}/s")
    if stopped and result.p99 > P99 * stopped.p99:
        problems.append(f"p99 {result.p99:.0f} ms, expected {P99:g} times {stopped.p99:.0f} ms")
    return problems


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=Path, required=True)
    parser.add_argument("attacks", nargs="*", metavar="ATTACK")
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--intensity", type=int, default=1)
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--base-port", type=int)
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.attacks if name not in ATTACKS]
    if unknown:
        parser.error(f"unknown attack {', '.join(unknown)}; known: {', '.join(ATTACKS)}")
    if arguments.seconds < 5:
        parser.error("--seconds: expected 5 or more")
    if arguments.intensity < 1:
        parser.error("--intensity: expected 1 or more")
    arguments.out = ROOT / ".hostile"
    arguments.out.mkdir(exist_ok=True)
    suite, failed = Suite(arguments), 0
    compared = {}
    for name in [] if arguments.alone else ["honest", "stopped"]:
        compared[name] = suite.run(name)
        print(f"{name}: {compared[name].line()}", flush=True)
    honest, stopped = compared.get("honest"), compared.get("stopped")
    for name in arguments.attacks or ATTACKS:
        try:
            result = suite.run(name)
            ratios = f" ({result.rate / honest.rate:.0%}, " if honest else ""
            ratios += f"{result.p99 / stopped.p99:.2f} times the p99)" if stopped else ""
            line, problems = result.line() + ratios, judge(result, honest, stopped, arguments.seconds)
        except (Failure, OSError) as failure:
            line, problems = "no result", [str(failure)]
        failed += bool(problems)
        print(f"{name}: {line}{': FAILED: ' if problems else ''}{'; '.join(problems)}", flush=True)
    try:
        arguments.out.rmdir()
    except OSError:
        pass
    print(f"{len(arguments.attacks or ATTACKS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
