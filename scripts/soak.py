"""Runs four nodes for a long time under load and faults: `./scripts/soak`.

The load comes in parts of some minutes, each of which accounts for all that it sent. In
each minute of a part there is one fault. What the nodes use is looked at every five
seconds; what the last quarter has more than the first half is growth.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from lab import ALL, Lab, ip, run  # noqa: E402
from lab_load import Ledger  # noqa: E402
from lab_oracle import Judge, Watch  # noqa: E402
from lab_run import NAMESPACES, hindrance  # noqa: E402
from network import ROOT, Failure  # noqa: E402
from soak_faults import next_fault  # noqa: E402

INSIDE = "--inside"
MINUTE = 60
# Minutes of a part of the load.
PART = 5
# Seconds into its minute at which a fault begins.
BEGINS = 5
# Seconds after a fault in which the next block has to come, and until it is given up.
BOUND, PATIENCE = 10, 60
# Seconds for what was sent to become final, after a part.
DRAIN = 180
# Seconds between two looks at what nodes use.
EVERY = 5
MIB = 1 << 20
# Memory that a bill takes for good (the index of the commitment's keys) and disk that one
# takes before compaction, as docs/performance.md says; a transaction of the mix takes no
# more than one that registers.
MEMORY_OF_BILL, DISK_OF_BILL = 47, 1_198
# What does not grow with bills: caches and buffers that fill, undo of recent blocks, files
# of fixed size, the journal; files and threads of connections that come and go.
MEMORY_ROOM, DISK_ROOM = 96 * MIB, 400 * MIB
FILES_ROOM, THREADS_ROOM = 64, 8


@dataclass(frozen=True)
class Use:
    """What a node used at a moment."""

    at: float
    node: int
    memory: int
    files: int
    threads: int
    disk: int


@dataclass
class Uses:
    """Looks at the nodes until it is ended."""

    lab: Lab
    seen: list[Use] = field(default_factory=list)

    def __post_init__(self):
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.follow, daemon=True)
        self.thread.start()

    def follow(self):
        while not self.ended.wait(EVERY):
            for node in ALL:
                use = look(self.lab, node)
                if use is not None:
                    self.seen.append(use)

    def stop(self):
        self.ended.set()
        self.thread.join()


def look(lab: Lab, node: int) -> Use | None:
    """None of a node that does not run."""
    pid = lab.pid(node)
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        values = dict(line.split(":", 1) for line in status.splitlines())
        memory, threads = int(values["VmRSS"].split()[0]) * 1024, int(values["Threads"])
        files = len(os.listdir(f"/proc/{pid}/fd"))
    except (OSError, KeyError, ValueError):
        return None
    return Use(time.monotonic(), node, memory, files, threads, disk(lab.data(node)))


def disk(directory: Path) -> int:
    total = 0
    for place, _, names in os.walk(directory):
        for name in names:
            try:
                total += os.stat(os.path.join(place, name)).st_blocks * 512
            except OSError:
                # Removed meanwhile.
                pass
    return total


@dataclass
class Row:
    """A fault, and what came of it."""

    minute: int
    fault: str
    stall: float
    block: float | None


class Soak:
    def __init__(self, arguments):
        self.arguments = arguments
        self.chance = random.Random(arguments.seed)
        self.lab = Lab(arguments.bin, arguments.dir / "network", arguments.seed)
        self.rows: list[Row] = []
        self.records: list[dict] = []
        self.problems: list[str] = []
        self.watch = self.uses = None

    def run(self):
        lab, minutes = self.lab, self.arguments.minutes
        lab.make()
        lab.slow_disks()
        for node in ALL:
            lab.set_sync(node, 0)
        lab.start_all()
        for node in ALL:
            lab.wait_height(node, 1, PATIENCE)
        self.watch, self.uses = Watch(lab), Uses(lab)
        self.watch.wait_top_above(0, PATIENCE)
        self.begun = time.monotonic()
        done = 0
        while done < minutes:
            length = min(PART, minutes - done)
            self.part(done, length)
            done += length
        self.took = time.monotonic() - self.begun
        self.uses.stop()
        self.same_chains()

    def part(self, first: int, minutes: int):
        """Load for so many minutes, a fault in each, and the accounts."""
        out = self.arguments.dir / f"part-{first}.json"
        command = [self.lab.bench, "load", "--mix", "--rate", str(self.arguments.rate)]
        command += ["--duration", str(minutes * MINUTE), "--drain", str(DRAIN), "--out", out]
        command += ["--reads-per-write", "1", "--seed", str(self.arguments.seed + first)]
        for node in ALL:
            command += ["--rpc", self.lab.url(node)]
        log = self.arguments.dir / "load.log"
        with open(log, "wb") as file:
            load = subprocess.Popen([str(word) for word in command], stdout=file, stderr=file)
        try:
            self.sending(load)
            begun = time.monotonic()
            for minute in range(minutes):
                self.minute(first + minute, begun + minute * MINUTE)
                rest = begun + (minute + 1) * MINUTE - time.monotonic()
                time.sleep(max(rest, 0))
            load.wait(DRAIN + 2 * PATIENCE)
        finally:
            if load.poll() is None:
                load.kill()
                load.wait()
        if not out.exists():
            raise Failure(f"the load ended with {load.returncode}: {log.read_text()[-1000:]}")
        self.records.append(json.loads(out.read_text()))

    def sending(self, load: subprocess.Popen):
        """Waits until what was signed ahead is on its way: blocks come more often than
        those of an idle chain."""
        deadline = time.monotonic() + 10 * MINUTE
        while time.monotonic() < deadline and load.poll() is None:
            now = time.monotonic()
            if self.watch.grown(now - 2, now) >= 4:
                return
            time.sleep(0.2)
        raise Failure(f"the load does not send; it ended with {load.poll()}")

    def minute(self, number: int, begun: float):
        time.sleep(max(begun + BEGINS - time.monotonic(), 0))
        fault = next_fault(self.chance)
        since = time.monotonic()
        fault.play(self.lab, fault.seconds)
        healed, top = time.monotonic(), self.watch.top()
        block = self.watch.wait_top_above(top, PATIENCE)
        stall = self.watch.stall(since, time.monotonic())
        self.rows.append(Row(number + 1, str(fault), stall, block))
        took = f"{block:.1f} s" if block is not None else f"none within {PATIENCE} s"
        print(f"minute {number + 1}: {fault}: longest stall {stall:.1f} s, next block {took}", flush=True)
        if block is None or block > BOUND:
            self.problems.append(f"minute {number + 1}: the next block took {took}, bound {BOUND} s")
        for node in ALL:
            if self.lab.pid(node) is None:
                self.problems.append(f"minute {number + 1}: node {node} does not run: {self.lab.log_tail(node, 3)}")
                self.lab.start(node)

    # -- judging ---------------------------------------------------------------

    def same_chains(self):
        top = self.watch.top()
        if self.watch.wait_above(top - 1, ALL, PATIENCE) is None:
            self.problems.append(f"not all nodes reached {top}: {self.watch.heights}")
        chains = Judge(self.lab, self.watch, Ledger()).chains()
        self.problems += [f"{problem.kind}: {problem.text}" for problem in chains]

    def total(self, name: str) -> int:
        return sum(record[name] for record in self.records)

    def span(self, node: int, since: float, until: float) -> list[Use]:
        """A node's uses between two shares of the run."""
        first, last = (self.begun + share * self.took for share in (since, until))
        return [use for use in self.uses.seen if use.node == node and first <= use.at < last]

    def growth(self) -> list[dict]:
        """Of each node: peaks in the first half and the last quarter, and the bounds."""
        # The load comes evenly.
        bills = self.total("committed") / 2
        found = []
        for node in ALL:
            first, last = self.span(node, 0, 0.5), self.span(node, 0.75, 1)
            if not first or not last:
                self.problems.append(f"node {node} was not seen in the first half or the last quarter")
                continue
            peak = lambda uses, what: max(getattr(use, what) for use in uses)  # noqa: E731
            row = {"node": node}
            rooms = {
                "memory": MEMORY_ROOM + MEMORY_OF_BILL * bills, "files": FILES_ROOM,
                "threads": THREADS_ROOM, "disk": DISK_ROOM + DISK_OF_BILL * bills,
            }  # fmt: skip
            for what, room in rooms.items():
                before, after = peak(first, what), peak(last, what)
                row[what] = (before, after, room)
                if after - before > room:
                    self.problems.append(f"node {node}: {what} grew from {before} to {after}, room is {room:.0f}")
            found.append(row)
        return found

    def report(self) -> str:
        growth = self.growth()
        lost, missing = self.total("lost"), sum(record["outcome"]["missing"] for record in self.records)
        if lost or missing:
            self.problems.append(f"{lost} transactions and {missing} bills are lost")
        if not self.total("committed"):
            self.problems.append("nothing became final")
        return page(self, growth, lost, missing)

    def remove(self, keep: bool):
        if self.uses:
            self.uses.stop()
        if self.watch:
            self.watch.stop()
        self.lab.remove(keep)


def page(soak: Soak, growth: list[dict], lost: int, missing: int) -> str:
    """The report as it stands in the documents."""
    arguments, records = soak.arguments, soak.records
    day = time.strftime("%d %B %Y").lstrip("0")
    latency = ", ".join(f"{record['latency_ms']['p99'] / 1000:.1f}" for record in records)
    lines = [
        "# Soak",
        "",
        "Four nodes in network namespaces on one machine under the load model's mix, one read a",
        "write, with a fault in each minute ([scripts/soak](../scripts/soak)). This page is the",
        "command's own output.",
        "",
        f"`{arguments.said}`, {day}: {arguments.minutes} minutes of load at {arguments.rate}/s, "
        f"{soak.took / MINUTE:.0f} minutes in all, {len(soak.rows)} faults, seed {arguments.seed}.",
        "",
        "| sent | accepted | final | lost | bills missing | refused | unanswered | height |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|",
        f"| {soak.total('sent')} | {soak.total('accepted')} | {soak.total('committed')} | {lost} | {missing} | "
        f"{sum(sum(record['rejected'].values()) for record in records)} | {soak.total('unanswered')} | "
        f"{soak.watch.top()} |",
        "",
        f"Submit to final, p99 of each {PART} minutes, faults included: {latency} s.",
        "",
        "Peaks of the first half and of the last quarter. The room for memory and disk is "
        f"{MEMORY_OF_BILL} and {DISK_OF_BILL:,} bytes",
        f"for each transaction that became final in the second half, and {MEMORY_ROOM // MIB} and "
        f"{DISK_ROOM // MIB} MiB for what does not grow",
        f"with bills; {FILES_ROOM} files and {THREADS_ROOM} threads for connections that come and go.",
        "",
        "| node | memory, MiB | room | disk, MiB | room | open files | threads |",
        "|---:|---:|---:|---:|---:|---:|---:|",
    ]
    mib = lambda use: f"{use[0] / MIB:.0f} → {use[1] / MIB:.0f} | {use[2] / MIB:.0f}"  # noqa: E731
    plain = lambda use: f"{use[0]} → {use[1]}"  # noqa: E731
    lines += [
        f"| {row['node']} | {mib(row['memory'])} | {mib(row['disk'])} | {plain(row['files'])} | {plain(row['threads'])} |"
        for row in growth
    ]
    lines += ["", "| minute | fault | longest stall, s | next block, s |", "|---:|---|---:|---:|"]
    lines += [
        f"| {row.minute} | {row.fault} | {row.stall:.1f} | {'–' if row.block is None else f'{row.block:.1f}'} |"
        for row in soak.rows
    ]
    lines += ["", "Everything holds." if not soak.problems else "**It fails:**", ""]
    lines += [f"- {problem.splitlines()[0]}" for problem in soak.problems]
    return "\n".join(lines).rstrip() + "\n"


def inside(arguments) -> int:
    """In namespaces of our own."""
    run("mount", "-t", "tmpfs", "lab", "/run")
    Path("/run/netns").mkdir()
    ip("link", "set", "lo", "up")
    shutil.rmtree(arguments.dir, ignore_errors=True)
    (arguments.dir / "network").mkdir(parents=True)
    soak = Soak(arguments)
    try:
        soak.run()
        arguments.out.write_text(soak.report())
    # Whatever goes wrong, it has failed, and what was made is removed.
    except Exception as failure:
        soak.problems.append(f"{type(failure).__name__}: {failure}")
    finally:
        kept = arguments.keep and bool(soak.problems)
        soak.remove(kept)
        if not kept:
            shutil.rmtree(arguments.dir, ignore_errors=True)
    for problem in soak.problems:
        print(f"FAILED: {problem}")
    if not soak.problems:
        print(f"passed: {soak.total('committed')} transactions final, 0 lost; {arguments.out}")
    return int(bool(soak.problems))


def main() -> int:
    parser = argparse.ArgumentParser(prog="./scripts/soak")
    parser.add_argument("--bin", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument(INSIDE, action="store_true", help=argparse.SUPPRESS)
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--hours", type=float)
    length.add_argument("--minutes", type=int)
    parser.add_argument("--rate", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=ROOT / "docs/soak.md")
    parser.add_argument("--dir", type=Path, default=ROOT / ".soak")
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    if arguments.hours is not None:
        arguments.minutes = round(arguments.hours * MINUTE)
    if arguments.minutes < 1 or arguments.rate < 1:
        parser.error("--hours, --minutes and --rate: expected a minute and one transaction at least")
    if arguments.inside:
        # Without what `scripts/soak` and `main` put before.
        arguments.said = " ".join(["./scripts/soak", *sys.argv[4:]])
        return inside(arguments)
    if why := hindrance():
        print(f"FAILED: {why}")
        return 1
    own = [sys.executable, __file__, INSIDE, *sys.argv[1:]]
    os.execvp(NAMESPACES[0], [*NAMESPACES, *own])


if __name__ == "__main__":
    sys.exit(main())
