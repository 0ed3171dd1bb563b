"""The moments at which nodes are killed. A module for `kills.py`.

A kind is a function that kills as it says, and leaves all nodes started."""

import random
import re
import shutil
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from faults_cases import undecided
from kills_nodes import Nodes, Senders
from lab import ALL
from lab_oracle import Watch
from network import NODES, Failure

# Seconds after its start within which a starting node is killed.
STARTING = 0.4
# What it logs when its database is open, and seconds in which it opens the rest.
OPENED, OPENING = " starting ", 0.04
# Seconds from the moment at which a proposal was stored to that of its commit, about.
COMMIT = 0.1
# Seconds in which what a killed command or node left has to be gone.
TIDY = 10
# Shares of groups that kill one, two and all four.
SIZES, SHARES = [1, 2, NODES], [70, 15, 15]
CUT_SHORT = {
    "reindex": "a billchain reindex was cut short",
    "restore": "a billchain snapshot restore or join was cut short",
}


@dataclass
class Play:
    """A network under load, and what was done to it."""

    nodes: Nodes
    chance: random.Random
    watch: Watch | None = None
    senders: Senders | None = None
    # SIGKILLs of each kind, and where starts had come to.
    kills: Counter = field(default_factory=Counter)
    phases: Counter = field(default_factory=Counter)
    # The newest whole snapshot, and seconds that each command took last.
    snapshot: Path | None = None
    number: int = 0
    took: dict[str, float] = field(default_factory=lambda: {"create": 0.4, "reindex": 1.0, "restore": 0.6})

    def some(self) -> list[int]:
        size = self.chance.choices(SIZES, SHARES)[0]
        return self.chance.sample(ALL, size)

    def strike(self, kind: str, nodes: list[int]):
        self.nodes.strike(nodes)
        self.kills[kind] += len(nodes)

    def start(self, nodes: list[int]):
        for node in nodes:
            self.nodes.start(node)

    def strike_starting(self, kind: str, nodes: list[int]):
        """Starts nodes, and kills each within moments of its own; starts them no more."""
        moments: dict[int, float] = {}
        for node in nodes:
            self.nodes.start(node)
            if self.chance.random() < 0.7:
                moments[node] = time.monotonic() + self.chance.uniform(0, STARTING)
        deadline = time.monotonic() + TIDY
        waiting = set(nodes)
        while waiting:
            for node in sorted(waiting):
                # What comes after the database takes milliseconds: it is waited for.
                if node not in moments and OPENED in self.nodes.log_since_start(node):
                    moments[node] = time.monotonic() + self.chance.uniform(0, OPENING)
                if time.monotonic() >= moments.get(node, deadline):
                    self.strike(kind, [node])
                    self.phases[self.nodes.phase(node)] += 1
                    waiting.remove(node)
            time.sleep(0.001)

    def struck(self, kind: str, tool: subprocess.Popen, node: int, may_fail: bool = False) -> bool:
        """Kills a command; it may have been faster, and must have succeeded then."""
        tool.kill()
        code = self.nodes.finish(node, tool)
        if code not in (0, -9) and not may_fail:
            raise Failure(f"a command that was to be killed had ended with {code}; {self.nodes.said(node)}")
        self.kills[kind] += code == -9
        return code == -9

    def timed(self, command: str, node: int, *words):
        """A command that nobody kills; how long it takes is known then."""
        begun = time.monotonic()
        self.nodes.whole(node, *words)
        self.took[command] = time.monotonic() - begun


# -- nodes ------------------------------------------------------------------------


def first_start(play: Play):
    for _ in range(2):
        play.strike_starting("first start", ALL)
    play.start(ALL)


def start(play: Play):
    nodes = play.some()
    play.strike("load", nodes)
    for _ in range(play.chance.randint(1, 4)):
        play.strike_starting("start", nodes)
    play.start(nodes)


def load(play: Play):
    nodes = play.some()
    time.sleep(play.chance.uniform(0, 0.8))
    if play.chance.random() < 0.5:
        at_proposal(play, nodes[0])
    play.strike("load", nodes)
    play.start(nodes)


def at_proposal(play: Play, node: int):
    """Waits for the next proposal that a node stores, and some part of what follows."""
    known = undecided(play.nodes, node)
    deadline = time.monotonic() + 2
    while not undecided(play.nodes, node) - known and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(play.chance.uniform(0, COMMIT))


def stop(play: Play):
    node = play.chance.choice(ALL)
    play.kills["stop"] += play.nodes.end(node, play.chance.uniform(0, 0.3))
    play.start([node])


def catch_up(play: Play):
    node = play.chance.choice(ALL)
    play.strike("load", [node])
    time.sleep(play.chance.uniform(2, 4))
    follow(play, node, play.chance.randint(1, 4))


def follow(play: Play, node: int, times: int):
    """Starts a node that is behind, and kills it so many times as it follows."""
    for _ in range(times):
        play.start([node])
        consensus_begins(play.nodes, node)
        time.sleep(play.chance.uniform(0, 0.25))
        top = play.watch.top()
        play.nodes.strike([node])
        behind = decided(play.nodes, node) < top - 1
        play.kills["catch-up" if behind else "load"] += 1
        if not behind:
            break
    play.start([node])


def consensus_begins(nodes: Nodes, node: int):
    deadline = time.monotonic() + TIDY
    while "consensus begins" not in nodes.log_since_start(node):
        if nodes.pid(node) is None or time.monotonic() > deadline:
            raise Failure(f"node {node} did not come to consensus within {TIDY} s; its log:\n{nodes.log_tail(node)}")
        time.sleep(0.005)


def decided(nodes: Nodes, node: int) -> int:
    """The last height that a node has decided, by its log."""
    text = nodes.log_since_start(node)
    found = re.findall(r" decided height=(\d+)", text) or re.findall(r" height=(\d+) peer=", text)
    return int(found[-1]) if found else 0


# -- commands ---------------------------------------------------------------------


def snapshot(play: Play):
    nodes, node = play.nodes, play.chance.choice(ALL)
    out = new_place(play)
    tool = nodes.begin(node, "snapshot", "create", "--out", out)
    time.sleep(play.chance.uniform(0, 1.2 * play.took["create"]))
    whom = play.chance.choice([["node"], ["command"], ["node", "command"], ["command", "node"]])
    for each in whom:
        if each == "node":
            play.strike("snapshot: node", [node])
        else:
            # Without its node it fails.
            play.struck("snapshot: command", tool, node, may_fail=whom[0] == "node")
    if "command" not in whom and nodes.finish(node, tool) != 0 and out.exists():
        raise Failure(f"{out} was left by a command that failed; {nodes.said(node)}")
    if "node" in whom:
        play.start([node])
    judge_snapshot(play, node, out)
    answers(play, node)
    within(lambda: not (nodes.data(node) / "staging").exists(), f"node {node} keeps its staging directory")
    if play.snapshot is None or play.chance.random() < 0.5:
        whole_snapshot(play, node)


def judge_snapshot(play: Play, node: int, out: Path):
    """What has a manifest is whole."""
    if (out / "manifest.json").exists():
        command = [play.nodes.billchain, "snapshot", "verify", out, "--chain-spec", chain_spec(play, node)]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60)
        if result.returncode != 0:
            raise Failure(f"a snapshot that has a manifest is not whole: {result.stdout}{result.stderr}")
    shutil.rmtree(out, ignore_errors=True)


def chain_spec(play: Play, node: int) -> Path:
    home = play.nodes.home(node)
    return home / re.search(r'chain_spec = "(.+)"', (home / "node.toml").read_text())[1]


def new_place(play: Play) -> Path:
    play.number += 1
    return play.nodes.directory / f"snapshot-{play.number}"


def whole_snapshot(play: Play, node: int):
    out = new_place(play)
    words = ["snapshot", "create", "--out", out]
    deadline = time.monotonic() + TIDY
    begun = time.monotonic()
    # The node may not have noticed yet that the one before was killed.
    while play.nodes.finish(node, play.nodes.begin(node, *words)) != 0:
        said = play.nodes.said(node)
        if "wait for its end" not in said or time.monotonic() > deadline:
            raise Failure(f"billchain snapshot create failed; {said}")
        begun = time.monotonic()
    play.took["create"] = time.monotonic() - begun
    if play.snapshot:
        shutil.rmtree(play.snapshot)
    play.snapshot = out


def reindex(play: Play):
    nodes, node = play.nodes, play.chance.choice(ALL)
    play.kills["stop"] += nodes.end(node, play.chance.uniform(0, 3))
    aside = nodes.data(node) / "chain.before-reindex"
    for _ in range(play.chance.randint(1, 3)):
        begun = time.monotonic()
        tool = nodes.begin(node, "reindex")
        if play.chance.random() < 0.5:
            wait_for(tool, begun + play.chance.uniform(0, 1.1 * play.took["reindex"]), lambda: False)
        else:
            # Its last renames are over within moments.
            wait_for(tool, begun + TIDY + 10 * play.took["reindex"], aside.exists)
            time.sleep(play.chance.uniform(0, 0.002))
        if not play.struck("reindex", tool, node):
            play.took["reindex"] = time.monotonic() - begun
    whole = (nodes.data(node) / "chain").exists()
    if not whole:
        refuses(play, node, "reindex")
    if not whole or play.chance.random() < 0.5:
        play.timed("reindex", node, "reindex")
    follow(play, node, play.chance.randint(0, 2))


def restore(play: Play):
    nodes, node = play.nodes, play.chance.choice(ALL)
    if play.snapshot is None:
        whole_snapshot(play, node)
    play.strike("load", [node])
    shutil.rmtree(nodes.data(node) / "chain")
    words = ["snapshot", "restore", "--from", play.snapshot]
    words += ["--quick"] * (play.chance.random() < 0.5)
    chain = nodes.data(node) / "chain"
    for _ in range(play.chance.randint(1, 3)):
        begun = time.monotonic()
        tool = nodes.begin(node, *words)
        wait_for(tool, begun + play.chance.uniform(0, 1.1 * play.took["restore"]), lambda: False)
        play.struck("restore", tool, node)
        if chain.exists():
            break
        if (nodes.data(node) / "chain.restoring").exists():
            refuses(play, node, "restore")
    if not chain.exists():
        play.timed("restore", node, *words)
    follow(play, node, play.chance.randint(0, 3))


def refuses(play: Play, node: int, command: str):
    """A node does not start on what is half done, and says what to do."""
    code = play.nodes.finish(node, play.nodes.begin(node, "run"))
    if code == 0 or CUT_SHORT[command] not in play.nodes.said(node):
        raise Failure(f"node {node} was to refuse its start, exit code {code}; {play.nodes.said(node)}")


def wait_for(tool: subprocess.Popen, moment: float, happens):
    """Until a moment, unless something happens or the command ends before."""
    while time.monotonic() < moment and tool.poll() is None and not happens():
        time.sleep(0.0005)


def answers(play: Play, node: int):
    play.nodes.wait_height(node, 1, 60)


def within(holds, otherwise: str):
    deadline = time.monotonic() + TIDY
    while not holds():
        if time.monotonic() > deadline:
            raise Failure(f"{otherwise}, after {TIDY} s")
        time.sleep(0.05)


# How often each is played, of a hundred groups.
KINDS = {
    "load": (load, 24),
    "start": (start, 26),
    "catch-up": (catch_up, 12),
    "stop": (stop, 6),
    "snapshot": (snapshot, 16),
    "reindex": (reindex, 8),
    "restore": (restore, 8),
}
