"""Faults of a soak: each takes seconds and is undone when it returns. A module for
`soak.py`, made of what the lab can do.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from lab import ALL, CALM, Lab, Weather, apart, cut, everywhere

# Seconds that a fault lasts: time is left in its minute to recover.
SHORTEST, LONGEST = 8, 25


@dataclass
class Fault:
    """What happened, to whom, for how long."""

    what: str
    play: Callable[[Lab, float], None]
    seconds: float

    def __str__(self) -> str:
        return f"{self.what}, {self.seconds:.0f} s"


def weather(weather: Weather) -> Callable[[Lab, float], None]:
    def play(lab: Lab, seconds: float):
        lab.weather(weather)
        time.sleep(seconds)
        lab.weather(CALM)

    return play


def paused(nodes: list[int]) -> Callable[[Lab, float], None]:
    def play(lab: Lab, seconds: float):
        for node in nodes:
            lab.pause(node)
        time.sleep(seconds)
        for node in nodes:
            lab.go_on(node)

    return play


def ended(nodes: list[int], how: Callable[[Lab, int], None]) -> Callable[[Lab, float], None]:
    def play(lab: Lab, seconds: float):
        for node in nodes:
            how(lab, node)
        time.sleep(seconds)
        for node in nodes:
            lab.start(node)

    return play


def slow_disk(nodes: list[int], milliseconds: int) -> Callable[[Lab, float], None]:
    def play(lab: Lab, seconds: float):
        for node in nodes:
            lab.set_sync(node, milliseconds)
        time.sleep(seconds)
        for node in nodes:
            lab.set_sync(node, 0)

    return play


def some(chance: random.Random, count: int) -> list[int]:
    return sorted(chance.sample(ALL, count))


def named(nodes: list[int]) -> str:
    return f"node{'s' * (len(nodes) > 1)} {', '.join(map(str, nodes))}"


def next_fault(chance: random.Random) -> Fault:
    """The next one by chance."""
    one, two = some(chance, 1), some(chance, 2)
    hears_nobody = cut(*[(other, one[0]) for other in ALL if other != one[0]])
    unheard = cut(*[(one[0], other) for other in ALL if other != one[0]])
    kinds = [
        (f"{named(one)} alone", weather(apart(one))),
        (f"{named(two)} apart from the others", weather(apart(two))),
        (f"{named(one)} hears nobody", weather(hears_nobody)),
        (f"nobody hears {named(one)}", weather(unheard)),
        ("each link loses 10 %", weather(everywhere(loss=0.1))),
        ("100 ± 30 ms on each link, reordered", weather(everywhere(delay=0.1, jitter=0.03))),
        (f"SIGSTOP of {named(one)}", paused(one)),
        (f"SIGKILL of {named(one)}", ended(one, Lab.kill)),
        (f"SIGKILL of {named(two)}", ended(two, Lab.kill)),
        ("SIGKILL of all", ended(ALL, Lab.kill)),
        (f"SIGTERM of {named(one)}", ended(one, Lab.stop)),
        (f"each sync of {named(one)} +100 ms", slow_disk(one, 100)),
    ]
    what, play = chance.choice(kinds)
    return Fault(what, play, chance.randint(SHORTEST, LONGEST))
