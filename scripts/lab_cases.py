"""What befalls the lab's nodes. A module for `lab_run.py`.

A case begins with four nodes that make blocks under load. It does its harm, holds it,
undoes it and ends; the time from then on is recovery. `known` names what does not hold
today, with its reason: the table shows it, and every other problem is a failure.
"""

import random
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lab import ALL, CALM, Lab, Weather, apart, cut, everywhere, run
from lab_oracle import Watch
from network import Failure

# The node that suffers where one does.
VICTIM = ALL[-1]
# Seconds that most faults last.
HOLD = 30
# Seconds in which `away` makes its blocks, at most.
AWAY_LONGEST = 3_600
# Seconds in which a node that refuses to start has ended.
REFUSES = 10
# Times that a node is killed until there are files to harm.
TRIES = 12

SHARED = "probably gossip of transactions takes the link from votes and proposals"


@dataclass
class Play:
    """One case under way."""

    lab: Lab
    watch: Watch
    chance: random.Random
    # Seconds that no fault exceeds, for short runs.
    longest: float
    # Blocks that `away` is away for.
    blocks: int
    notes: list[str] = field(default_factory=list)

    def hold(self, seconds: float = HOLD):
        time.sleep(min(seconds, self.longest))

    def bad_weather(self, weather: Weather, seconds: float = HOLD):
        self.lab.weather(weather)
        self.hold(seconds)
        self.lab.weather(CALM)

    def start(self, nodes: list[int]):
        """Starts nodes, and waits until each answers."""
        for node in nodes:
            self.lab.start(node)
        for node in nodes:
            self.lab.wait_height(node, 1, 60)


@dataclass(frozen=True)
class Case:
    what: str
    play: Callable[[Play], None]
    # Before nodes are started.
    prepare: Callable[[Lab], None] = lambda lab: None
    # Whether three that reach each other are left, which then have to go on.
    goes_on: bool = True
    # Transactions a second, and bills in each.
    rate: float = 40
    batch: int = 1
    # Lines of `[consensus]` of each node.
    settings: str = ""
    # Seconds in which all nodes are as high as the highest was at the end.
    follow: float = 60
    known: dict[str, str] = field(default_factory=dict)


# -- the wire -------------------------------------------------------------------


def weather(weather: Weather, seconds: float = HOLD) -> Callable[[Play], None]:
    return lambda play: play.bad_weather(weather, seconds)


# -- processes ------------------------------------------------------------------


def stop_one(play: Play):
    play.lab.pause(VICTIM)
    play.hold()
    play.lab.go_on(VICTIM)


def stop_each(play: Play):
    """Each in turn, longer than a round: whoever proposes, it happens to it."""
    for _ in range(2):
        for node in ALL:
            play.lab.pause(node)
            play.hold(4)
            play.lab.go_on(node)


def kill_all(play: Play):
    for node in play.chance.sample(ALL, len(ALL)):
        play.lab.kill(node)
    play.hold(5)
    play.start(ALL)


def restart_each(play: Play):
    for node in ALL:
        play.lab.stop(node)
        play.hold(1)
        play.start([node])
        play.hold(5)


def away(play: Play):
    """Nothing is gained by waiting: an old copy of the database is a node that was
    away. Its memory of what it signed is kept, as operators are told to."""
    lab, copy = play.lab, play.lab.directory / "old"
    lab.stop(VICTIM)
    shutil.copytree(lab.data(VICTIM) / "chain", copy)
    old = play.watch.heights[VICTIM]
    play.start([VICTIM])
    play.watch.wait_top_above(old + play.blocks, min(play.longest, AWAY_LONGEST))
    lab.stop(VICTIM)
    shutil.rmtree(lab.data(VICTIM) / "chain")
    copy.rename(lab.data(VICTIM) / "chain")
    play.notes.append(f"{play.watch.top() - old:,} blocks behind")
    play.start([VICTIM])


# -- clocks ---------------------------------------------------------------------


def clocks(seconds: dict[int, int], hold: float = HOLD) -> Callable[[Play], None]:
    """These nodes' clocks go wrong, and are set right again."""

    def play_clocks(play: Play):
        for node, ahead in seconds.items():
            play.lab.set_clock(node, ahead)
        play.hold(hold)
        for node in seconds:
            play.lab.set_clock(node, 0)

    return play_clocks


def clock_jumps(play: Play):
    for ahead in (10, -10, 300, -300, 3_600, 0):
        play.lab.set_clock(VICTIM, ahead)
        play.hold(5)


# -- disks ----------------------------------------------------------------------


def full_disk(play: Play):
    lab = play.lab
    lab.fill_disk(VICTIM)
    play.hold()
    lab.empty_disk(VICTIM)
    if lab.pid(VICTIM) is None:
        play.notes.append("the node ended when its disk was full, and was started again")
        play.start([VICTIM])
    else:
        play.notes.append("the node went on by itself")


def slow_disk(nodes: list[int], milliseconds: int) -> Callable[[Play], None]:
    def play_slow(play: Play):
        for node in nodes:
            play.lab.set_sync(node, milliseconds)
        play.hold()
        for node in nodes:
            play.lab.set_sync(node, 0)

    return play_slow


def consensus_file(what: str, harm: Callable[[Path], None]) -> Callable[[Play], None]:
    """Kills a node, harms files of its consensus, and starts it. If it refuses to
    start in words, what they ask for is done."""

    def play_harm(play: Play):
        lab = play.lab
        files = kill_with_files(play, lab.data(VICTIM) / "consensus" / what)
        for file in files:
            harm(file)
        play.hold(5)
        lab.start(VICTIM)
        if not refuses(play):
            play.notes.append(f"it starts without {len(files)} files, or with them damaged")
        else:
            run(lab.billchain, "signing-memory", "abstain", "--config", lab.directory / f"node-{VICTIM}" / "node.toml")
            play.notes.append("it refuses to start, in words; after `signing-memory abstain` it starts")
        play.start([VICTIM])

    return play_harm


def kill_with_files(play: Play, place: Path) -> list[Path]:
    """Kills the node when there are files in a directory; some are there for less than
    a height only."""
    for _ in range(TRIES):
        deadline = time.monotonic() + HOLD
        while not any(place.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.001)
        play.lab.kill(VICTIM)
        if files := sorted(place.iterdir()):
            return files
        play.start([VICTIM])
    raise Failure(f"no file in {place} outlived the node in {TRIES} tries")


def refuses(play: Play) -> bool:
    try:
        play.lab._made[VICTIM].wait(REFUSES)
    except subprocess.TimeoutExpired:
        return False
    log = play.lab.log_tail(VICTIM)
    if "signing-memory abstain" not in log:
        raise Failure(f"node {VICTIM} ended without saying what to do:\n{log}")
    return True


def damage(file: Path):
    """Turns a byte over in the middle."""
    content = bytearray(file.read_bytes())
    if content:
        content[len(content) // 2] ^= 0xFF
        file.write_bytes(content)


ONE_WAY_OUT = cut(*[(VICTIM, node) for node in ALL if node != VICTIM])
ONE_WAY_IN = cut(*[(node, VICTIM) for node in ALL if node != VICTIM])
SLOW_LINKS = Weather({}, {node: 1_000_000 for node in ALL})

CASES: dict[str, Case] = {
    "partition-1-3": Case("node 4 alone, 30 s", weather(apart([VICTIM]))),
    "partition-2-2": Case("two and two, 30 s", weather(apart(ALL[:2])), goes_on=False),
    "partition-2-2-long": Case("two and two, 120 s", weather(apart(ALL[:2]), 120), goes_on=False),
    "one-way-out": Case("nobody hears node 4, 30 s", weather(ONE_WAY_OUT)),
    "one-way-in": Case("node 4 hears nobody, 30 s", weather(ONE_WAY_IN)),
    "one-way-pair": Case("node 2 does not hear node 1, 30 s", weather(cut((1, 2)))),
    "loss-10": Case("each link loses 10 %, 30 s", weather(everywhere(loss=0.1))),
    "loss-30": Case("each link loses 30 %, 30 s", weather(everywhere(loss=0.3))),
    "delay": Case("200 ± 50 ms each way, reordered, 30 s", weather(everywhere(delay=0.2, jitter=0.05))),
    "slow-links": Case(
        "1 Mbit/s each, a batch of 500 bills a second, 30 s", weather(SLOW_LINKS), rate=1, batch=500,
        known={"stalled": SHARED},
    ),
    "stop-one": Case("SIGSTOP of node 4, 30 s", stop_one),
    "stop-each": Case("SIGSTOP of each in turn, 4 s, twice", stop_each),
    "kill-all": Case("SIGKILL of all four, 5 s", kill_all, goes_on=False),
    "restart-each": Case("SIGTERM of each in turn, 1 s, 5 s apart", restart_each),
    "away": Case(
        "database of node 4 older by `--blocks` blocks", away, rate=8, follow=600,
        settings="empty_block_interval_ms = 100\n",
    ),
    "clock-ahead-10-s": Case("clock of node 4 +10 s, 30 s", clocks({VICTIM: 10}), Lab.fake_clocks),
    "clock-ahead-5-min": Case("clock of node 4 +5 min, 30 s", clocks({VICTIM: 300}), Lab.fake_clocks),
    "clock-behind-5-min": Case("clock of node 4 −5 min, 30 s", clocks({VICTIM: -300}), Lab.fake_clocks),
    "clock-jumps": Case("clock of node 4 jumps up to an hour every 5 s", clock_jumps, Lab.fake_clocks),
    "clocks-back": Case(
        "all clocks back by 60 s, 75 s", clocks({node: -60 for node in ALL}, 75), Lab.fake_clocks,
    ),
    "two-clocks": Case(
        "clock of node 3 +5 min, of node 4 −5 min, 30 s", clocks({3: 300, 4: -300}), Lab.fake_clocks,
        goes_on=False,
    ),
    "disk-full": Case("disk of node 4 full, 30 s", full_disk, lambda lab: lab.small_disk(VICTIM)),
    "disk-slow": Case("each sync of node 4 +200 ms, 30 s", slow_disk([VICTIM], 200), Lab.slow_disks),
    "disks-slow": Case("each sync of all four +50 ms, 30 s", slow_disk(ALL, 50), Lab.slow_disks),
    "log-lost": Case("consensus log of node 4 lost", consensus_file("wal", Path.unlink)),
    "log-damaged": Case("consensus log of node 4 damaged", consensus_file("wal", damage)),
    "undecided-lost": Case("undecided blocks of node 4 lost", consensus_file("undecided", Path.unlink)),
    "undecided-damaged": Case("undecided blocks of node 4 damaged", consensus_file("undecided", damage)),
}  # fmt: skip

# Under a minute together, with faults of SHORT_HOLD seconds at most.
SHORT = ["partition-2-2", "kill-all"]
SHORT_HOLD = 6.0
