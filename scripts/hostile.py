"""Lets one validator of four attack the others, and judges what they do then.

Each attack has one network of its own, made for it and removed afterwards; only
processes that were started here are stopped. A run prints one line, and a table
stands at the end; the exit status says whether all of them passed.

A proposer can let its own turns go by, or fill them with what it likes: nobody can
speak for it. So latency is judged without what waited for the attacker's turns. The
turns are known, not guessed: each header names the round that decided its parent and the
members that took turns then. They propose in order, one a round, so the attacker had a
turn at a height if one of the rounds up to that one was its own.
A transaction that was due while such a height was being decided, or that is in its
block, is cut out.
"""

import argparse
import bisect
import csv
import itertools
import json
import os
import re
import shutil
import struct
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
# At most: times four honest nodes' p99, without what waited for the attacker's turns.
P99 = 2.0
# p99 of all of it at most, in milliseconds: the chain waits two seconds for a proposal,
# and then takes away the turns of who let it wait.
P99_OF_ALL = 5_000.0
# The attacker has a machine of its own where it is real: here it takes no time that
# the others want.
NICE = 10
# Seconds in which the block after the last that was counted comes.
NEXT_BLOCK = 20
# Transactions beside the attacker's turns without which there is no p99.
ENOUGH = 100
ATTACKS = {
    "silence": "votes, lets its turns go by",
    "announcements": "of rounds 0 to 2, this height and the next",
    "parts": "floods parts and announcements",
    "late-blocks": "others' blocks under wrong hashes",
    "withheld": "compact blocks of transactions nobody has",
    "equivocation": "double votes, double proposals",
    "votes": "floods its own and forged votes",
    "polkas": "floods forged and old certificates, and claims of them",
    "catch-up": "lies about its height, asks for old blocks",
    "gossip": "garbage, fetch questions at full rate",
    "mesh": "disorderly control messages of gossipsub",
    "reconnect": "connects and disconnects on both networks",
}


class Hostile:
    """The program in the fourth node's place."""

    def __init__(self, network: Network, arguments, attack: str):
        self.home = network.directory / f"node-{FOURTH}"
        genesis = network.rpc(HONEST[0], "chain_getBlockHash", 0)
        self.log = open(self.home / "log", "ab")
        self.process = subprocess.Popen(
            ["nice", "-n", str(NICE), arguments.bin / "billchain-hostile", "--home", self.home, "--genesis", genesis,
             "--attack", attack, "--intensity", str(arguments.intensity)],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
        )

    def turn(self) -> tuple[int, int]:
        """Its place among how many members: it proposes where height and round add
        up to the first, modulo the second."""
        found = re.search(r"^turn (\d+) of (\d+)$", (self.home / "log").read_text(), re.M)
        if not found:
            raise Failure("the attacker did not say which turns are its own")
        return int(found[1]), int(found[2])

    def check(self):
        if self.process.poll() is not None:
            text = (self.home / "log").read_text(errors="replace")
            raise Failure(f"the attacker has ended: {text[-1500:]}")

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.log.close()


class Turns:
    """At which heights the attacker had a turn."""

    def __init__(self, network: Network, place: tuple[int, int], blocks: list[dict]):
        turn, members = place
        self.at = [block["at"] for block in blocks]
        self.heights = [block["height"] for block in blocks]
        had = []
        for height in self.heights:
            round, order = decided_in(network, height, members)
            rounds = range(round + 1)
            had.append(any(order[(height + each) % len(order)] == turn for each in rounds))
        # How many of the blocks before each.
        self.before = [0, *itertools.accumulate(had)]
        self.number = self.before[-1]

    def waited(self, due: float, height: int) -> bool:
        """Whether one of the heights that were decided since a transaction was due
        (seconds, as the blocks' times), up to that of its block, had one."""
        first = bisect.bisect_right(self.at, due)
        last = bisect.bisect_left(self.heights, height)
        return self.before[last + 1] > self.before[min(first, last)]


def decided_in(network: Network, height: int, members: int) -> tuple[int, list[int]]:
    """The round that decided a block, and who took turns: both stand in the digest of
    the next block's header."""
    node = HONEST[0]
    deadline = time.monotonic() + NEXT_BLOCK
    while (block := network.rpc(node, "chain_getBlockHash", height + 1)) is None:
        if time.monotonic() > deadline:
            raise Failure(f"no block follows block {height} within {NEXT_BLOCK} s")
        time.sleep(0.1)
    for log in network.rpc(node, "chain_getHeader", block)["digest"]["logs"]:
        item = bytes.fromhex(log[2:])
        # A consensus item, its name, the length, then round u32, signers and turns u64,
        # least byte first.
        if item[:5] == b"\x04BCPC":
            round, _, turns = struct.unpack_from("<IQQ", item, 6)
            return round, [member for member in range(members) if turns >> member & 1]
    raise Failure(f"block {height + 1} says nothing of who decided block {height}")


def percentile(values: list[float], percent: int) -> float:
    """By the nearest rank, as the load generator's."""
    return sorted(values)[max(-(-len(values) * percent // 100), 1) - 1]


class Result:
    """What a run measured."""

    def __init__(self, record: dict, network: Network):
        self.rate = record["transactions_per_second"]
        self.p50, self.p99 = record["latency_ms"]["p50"], record["latency_ms"]["p99"]
        self.memory = max(record["costs"]["rss_mib"])
        logs = [network.directory / f"node-{node}" / "log" for node in HONEST]
        self.log = max(log.stat().st_size for log in logs) / 2**20
        self.problems = [
            f"{record[name]} {name}" for name in ("lost", "unanswered") if record[name]
        ]
        self.problems += [f"{count} refused: {why}" for why, count in record["rejected"].items()]
        if record["outcome"]["missing"]:
            self.problems.append(f"{record['outcome']['missing']} bills are missing")
        self.cut = self.p99_beside = None

    def beside(self, turns: Turns, times: Path, record: dict):
        """The p99 of the counted transactions that waited for no turn of the
        attacker's."""
        begin = record["setting"]["warm_up"]
        end = begin + record["setting"]["duration"]
        kept, self.counted = [], 0
        with open(times, newline="") as file:
            for row in csv.DictReader(file):
                due, final = float(row["due_ms"]) / 1000, float(row["final_ms"]) / 1000
                if begin <= due < end:
                    self.counted += 1
                    if not turns.waited(due, int(row["height"])):
                        kept.append((final - due) * 1000)
        self.cut, self.blocks, self.turns = self.counted - len(kept), len(turns.at), turns.number
        if len(kept) >= ENOUGH:
            self.p99_beside = percentile(kept, 99)

    def line(self) -> str:
        text = (
            f"{self.rate:.0f}/s, p50 {self.p50:.0f} ms, p99 {self.p99:.0f} ms, "
            f"{self.memory:.0f} MiB, log {self.log:.1f} MiB"
        )
        if self.cut is not None:
            text += (
                f"; {self.turns} of {self.blocks} blocks had a turn of its own, "
                f"{self.cut} of {self.counted} transactions cut out for them"
            )
        if self.p99_beside is not None:
            text += f", p99 of the others {self.p99_beside:.0f} ms"
        return text


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
            result = self.load(network, hostile.turn() if hostile else None)
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

    def load(self, network: Network, place: tuple[int, int] | None) -> Result:
        """Under load; `place` is the attacker's among the members."""
        file, times = network.directory / "load.json", network.directory / "times.csv"
        options = []
        for node in HONEST:
            home = network.directory / f"node-{node}"
            options += ["--rpc", network.url(node)]
            options += ["--node", f"node-{node}={network.pid(node)}:{home / 'data'}"]
        command = [
            network.bench, "load", *options, "--rate", RATE, "--warm-up", 3,
            "--duration", self.arguments.seconds, "--out", file, "--times", times,
        ]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        if not file.exists():
            raise Failure(f"the load generator gave no result: {done.stderr.strip()[-800:]}")
        record = json.loads(file.read_text())
        result = Result(record, network)
        if place is not None:
            result.beside(Turns(network, place, record["blocks"]), times, record)
        return result

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


def judge(result: Result, honest: Result | None, seconds: int) -> list[str]:
    """What is wrong with a run of so many seconds."""
    problems = list(result.problems)
    expected = honest.rate if honest else RATE
    # On their way when the counted seconds ended: they are not lost.
    on_their_way = RATE * result.p99 / 1000 / seconds
    if result.rate + on_their_way < THROUGHPUT * expected:
        problems.append(f"{result.rate:.0f}/s, expected {THROUGHPUT:.0%} of {expected:.0f}/s")
    beside = result.p99_beside
    if honest and beside is None:
        problems.append(f"fewer than {ENOUGH} transactions beside its turns: run longer")
    elif honest and beside > P99 * honest.p99:
        problems.append(
            f"p99 beside its turns {beside:.0f} ms, expected {P99:g} times {honest.p99:.0f} ms"
        )
    if result.p99 > P99_OF_ALL:
        problems.append(f"p99 {result.p99:.0f} ms, expected at most {P99_OF_ALL:.0f} ms")
    return problems


def table(rows: list[tuple[str, Result | None, list[str]]], honest: Result | None) -> str:
    """All runs, for the documentation."""

    def seconds(ms: float | None) -> str:
        return "" if ms is None else f"{ms / 1000:.2f} s"

    def part(value: float | None, of: float | None) -> str:
        return "" if value is None or of is None else f"{value / of:.2f}"

    lines = [
        "| the fourth validator | committed/s | of honest | p99, all "
        "| p99 beside its turns | to honest | cut out | largest node | |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, result, problems in rows:
        verdict = "failed: " + "; ".join(problems) if problems else "kept"
        if name in ATTACKS:
            name = f"`{name}`: {ATTACKS[name]}"
        if result is None:
            lines.append(f"| {name} | | | | | | | | {verdict} |")
            continue
        beside = result.p99_beside
        cells = [
            name, f"{result.rate:.0f}", part(result.rate, honest and honest.rate),
            seconds(result.p99), seconds(beside),
            part(beside, honest and honest.p99),
            "" if result.cut is None else f"{result.cut:,} of {result.counted:,}",
            f"{result.memory:.0f} MiB", verdict,
        ]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=Path, required=True)
    parser.add_argument("attacks", nargs="*", metavar="ATTACK")
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--intensity", type=int, default=1)
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--base-port", type=int)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--out", type=Path, default=ROOT / ".hostile")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.attacks if name not in ATTACKS]
    if unknown:
        parser.error(f"unknown attack {', '.join(unknown)}; known: {', '.join(ATTACKS)}")
    if arguments.seconds < 5:
        parser.error("--seconds: expected 5 or more")
    if arguments.intensity < 1:
        parser.error("--intensity: expected 1 or more")
    arguments.out.mkdir(parents=True, exist_ok=True)
    suite, rows = Suite(arguments), []
    compared = {}
    for name in [] if arguments.alone else ["honest", "stopped"]:
        compared[name] = suite.run(name)
        rows.append((f"is {name}", compared[name], compared[name].problems))
        print(f"{name}: {compared[name].line()}", flush=True)
    honest = compared.get("honest")
    for name in arguments.attacks or ATTACKS:
        result = None
        try:
            result = suite.run(name)
            line, problems = result.line(), judge(result, honest, arguments.seconds)
        except (Failure, OSError) as failure:
            line, problems = "no result", [str(failure)]
        rows.append((name, result, problems))
        print(f"{name}: {line}{': FAILED: ' if problems else ''}{'; '.join(problems)}", flush=True)
    try:
        arguments.out.rmdir()
    except OSError:
        pass
    print(f"\n{description(arguments)}\n\n{table(rows, honest)}\n")
    failed = sum(bool(problems) for _, _, problems in rows)
    print(f"{len(rows) - failed} passed, {failed} failed")
    return 1 if failed else 0


def description(arguments) -> str:
    """What was run, and when."""
    options = [f"--seconds {arguments.seconds}"]
    if arguments.intensity > 1:
        options.append(f"--intensity {arguments.intensity}")
    command = " ".join(["./scripts/hostile", *arguments.attacks, *options])
    day = time.strftime("%d %B %Y").lstrip("0")
    return f"`{command}`, {day}, {RATE}/s offered to three nodes, {os.cpu_count()} cores."


if __name__ == "__main__":
    sys.exit(main())
