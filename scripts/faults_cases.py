"""What befalls a network of four nodes. A module for `faults.py`."""

import os
import random
import re
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from network import NODES, Failure, Network

ALL = list(range(1, NODES + 1))
# Seconds in which three nodes that all answer must have a new block each.
BOUND = 10
# Seconds between the end of the last node and the start of three.
AWAY = 20
# Transactions a second.
RATE = 400
# Times that the moment between proposal and decision is looked for in a run.
TRIES = 12


@dataclass
class Run:
    """One run of a case."""

    network: Network
    number: int
    chance: random.Random


@dataclass
class Outcome:
    """What a run that passed shows."""

    line: str
    # Seconds from the start of three nodes until all of them answered.
    answering: float
    # And from then until each had a block more.
    block: float
    # What is counted over all runs.
    notes: list[str] = field(default_factory=list)


class Load:
    """A load generator that runs until it is stopped. It has begun when a block
    holds its transactions; it signs most of them as it sends them."""

    def __init__(self, network: Network, seed: int):
        options = [part for node in ALL for part in ("--rpc", network.url(node))]
        self.log = open(network.directory / "load.log", "ab")
        self.process = subprocess.Popen(
            [network.bench, "load", *options, "--rate", str(RATE), "--duration", "600",
             "--seed", str(seed), "--prepare", "2000"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
        )
        self.network = network

    def begun(self):
        """Waits until there is load."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            self.check()
            block = self.network.rpc(ALL[0], "chain_getBlock")["block"]
            if len(block["extrinsics"]) > 10:
                return
            time.sleep(0.05)
        raise Failure("no block with the load's transactions within 60 s")

    def check(self):
        if self.process.poll() is not None:
            raise Failure("the load generator has ended; see load.log")

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.log.close()


@dataclass
class Before:
    """What was there before the nodes were killed."""

    top: int
    mark: dict

    @staticmethod
    def of(network: Network) -> "Before":
        top = max(network.height(node) for node in ALL)
        return Before(top, network.header_at(ALL[0], network.height(ALL[0])))


def under_load(run: Run, kill):
    """Starts all four, and lets `kill` end them all under load; what was before, and
    what `kill` says."""
    network = run.network
    network.start_all()
    for node in ALL:
        network.wait_height(node, 1, 60)
    load = Load(network, run.chance.randrange(1 << 32))
    try:
        load.begun()
        time.sleep(2 + run.chance.random())
        load.check()
        before = Before.of(network)
        return before, kill(run)
    finally:
        load.stop()


def start_three(run: Run, away: int, before: Before) -> tuple[float, float, int]:
    """Starts all but one; seconds until they answer, from then until each has a block
    more, and its height. What was final is still there."""
    network = run.network
    three = [node for node in ALL if node != away]
    for node in three:
        network.start(node)
    begun = time.monotonic()
    heights = [network.wait_height(node, 1, 60) for node in three]
    top = max(*heights, before.top)
    answered = time.monotonic()
    # One deadline for all: a slow node gives the next no more time.
    for node in three:
        left = answered + BOUND - time.monotonic()
        network.wait_height(node, top + 1, max(left, 0.1))
    took = time.monotonic() - answered
    for node in three:
        found = network.header_at(node, before.mark["height"])
        if found != before.mark:
            raise Failure(f"node {node} has {found}, expected {before.mark}")
    return answered - begun, took, top + 1


def start_fourth(run: Run, away: int, height: int):
    run.network.start(away)
    run.network.wait_height(away, height, 60)


def kill_all_start_three(run: Run) -> Outcome:
    """See scripts/faults."""
    away = ALL[run.number % NODES]
    before, _ = under_load(run, kill_all)
    time.sleep(AWAY)
    answering, took, height = start_three(run, away, before)
    start_fourth(run, away, height)
    line = f"without node {away}: all three answer after {answering:.1f} s, "
    return Outcome(f"{line}each has block {height} {took:.1f} s later", answering, took)


def kill_all(run: Run):
    """One after the other, some milliseconds apart, as a power cut would."""
    for node in run.chance.sample(ALL, NODES):
        run.network.kill(node)


# -- between proposal and decision ----------------------------------------------


def kill_at_proposal(run: Run) -> Outcome:
    """See scripts/faults."""
    away = ALL[run.number % NODES]
    for attempt in range(1, TRIES + 1):
        before, moment = under_load(run, kill_three_at_proposal)
        stored = {node: undecided(run.network, node) for node in ALL}
        ends = {node: log_of(run.network, node).stat().st_size for node in ALL}
        time.sleep(AWAY)
        answering, took, height = start_three(run, away, before)
        three = [node for node in ALL if node != away]
        since = {node: log_since(run.network, node, ends[node]) for node in three}
        start_fourth(run, away, height)
        begins = {begin_height(since[node]) for node in three}
        holders = [node for node in ALL if stored[node] & begins]
        # A block is on a disk, and none of the three has decided its height.
        if len(begins) == 1 and holders:
            break
        for node in ALL:
            run.network.kill(node)
    else:
        raise Failure(f"no block was undecided on a disk in {TRIES} tries")
    polka = any("repeating what two thirds voted for" in text for text in since.values())
    notes = [f"The block lay on {len(holders)} of the four disks"]
    if polka:
        notes.append("Two thirds had pre-voted for it, and a node repeated that")
    return Outcome(
        f"{moment}; height {begins.pop()} undecided on the disks of nodes {said(holders)} "
        f"(try {attempt}); without node {away}: all three answer after {answering:.1f} s, each "
        f"has block {height} {took:.1f} s later{', a polka was repeated' if polka else ''}",
        answering, took, notes,
    )  # fmt: skip


def kill_three_at_proposal(run: Run) -> str:
    """Kills three when a proposal has just been stored, and the fourth soon after."""
    network, chance = run.network, run.chance
    order = chance.sample(ALL, NODES)
    delay = chance.uniform(0.040, 0.055)
    pids = [network.pid(node) for node in order]
    known = max(height for node in ALL for height in undecided(network, node) | {0})
    deadline = time.monotonic() + 30
    while not any(height > known for node in ALL for height in undecided(network, node)):
        if time.monotonic() > deadline:
            raise Failure("no proposal was stored within 30 s")
        time.sleep(0.001)
    time.sleep(delay)
    for pid in pids[:-1]:
        os.kill(pid, signal.SIGKILL)
    time.sleep(chance.random())
    os.kill(pids[-1], signal.SIGKILL)
    for node in order:
        network.kill(node)
    return f"nodes {said(sorted(order[:-1]))} killed {delay * 1000:.0f} ms after the proposal"


def undecided(network: Network, node: int) -> set[int]:
    """Heights of the blocks in a node's store of undecided ones."""
    directory = network.directory / f"node-{node}" / "data" / "consensus" / "undecided"
    try:
        names = os.listdir(directory)
    except FileNotFoundError:
        return set()
    return {int(name.split("-")[0]) for name in names if name.endswith(".block")}


def log_of(network: Network, node: int) -> Path:
    return network.directory / f"node-{node}" / "log"


def log_since(network: Network, node: int, place: int) -> str:
    with open(log_of(network, node), "rb") as log:
        log.seek(place)
        return log.read().decode(errors="replace")


def begin_height(text: str) -> int:
    """Of a run's log: the first height that the node had not decided."""
    found = re.search(r"consensus begins height=(\d+)", text)
    if not found:
        raise Failure(f"no height at which consensus begins in the log:\n{text[-800:]}")
    return int(found[1])


def said(nodes: list[int]) -> str:
    return ", ".join(map(str, nodes))


CASES = {
    "kill-all-start-three": kill_all_start_three,
    "kill-at-proposal": kill_at_proposal,
}
