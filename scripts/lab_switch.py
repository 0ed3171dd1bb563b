"""The wire between the lab's four nodes: a switch of TAP devices that loses, delays,
reorders and holds up frames as it is told. A process of its own, so that nothing
else holds it up; works on every kernel with TAP devices, without netem.

Standard input takes one JSON object a line:

    {"links": [[from, to, loss, delay, jitter], …], "rate": {"node": bits per second}}

which replaces what was before; a link that is not named is perfect, a node without a
rate sends as fast as it likes. Loss is a share, delay and jitter are seconds, each
frame's delay is drawn alone, so that frames overtake each other. A node's frames
stand in a queue before its rate; what would wait longer than QUEUE is dropped. Each
object is answered by a line with the frames forwarded and dropped so far.
"""

import fcntl
import heapq
import json
import os
import random
import select
import struct
import sys
import time
from dataclasses import dataclass, field

TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000
# Longest frame, and frames of one device that are read at once.
FRAME, BURST = 2_048, 64
# Seconds that a frame may wait for its sender's rate.
QUEUE = 1.0
# Frames that are held at most; more are dropped.
MOST_HELD = 100_000


@dataclass(frozen=True)
class Link:
    """What happens to frames from one node to another."""

    loss: float = 0.0
    delay: float = 0.0
    jitter: float = 0.0


PERFECT = Link()


def open_tap(name: str) -> int:
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return device


@dataclass
class Switch:
    taps: dict[int, int]
    chance: random.Random
    links: dict[tuple[int, int], Link] = field(default_factory=dict)
    rate: dict[int, float] = field(default_factory=dict)
    # When a node's queue is empty again.
    free: dict[int, float] = field(default_factory=dict)
    held: list[tuple[float, int, int, bytes]] = field(default_factory=list)
    sequence: int = 0
    forwarded: int = 0
    dropped: int = 0

    def told(self, line: str):
        order = json.loads(line)
        self.links = {(link[0], link[1]): Link(*link[2:]) for link in order["links"]}
        self.rate = {int(node): bits for node, bits in order["rate"].items()}
        self.free.clear()

    def take(self, node: int, frame: bytes, now: float):
        """One frame from a node. The last byte of a node's address is its number."""
        left = self.departure(node, len(frame), now)
        if left is None:
            self.dropped += 1
            return
        to = frame[5]
        for other in [to] if to in self.taps else [each for each in self.taps if each != node]:
            self.carry(node, other, frame, left, now)

    def departure(self, node: int, length: int, now: float) -> float | None:
        """When a frame has left its node; never, if the queue is full."""
        bits = self.rate.get(node)
        if bits is None:
            return now
        free = max(self.free.get(node, now), now)
        if free - now > QUEUE:
            return None
        self.free[node] = free + length * 8 / bits
        return self.free[node]

    def carry(self, node: int, other: int, frame: bytes, left: float, now: float):
        link = self.links.get((node, other), PERFECT)
        if self.chance.random() < link.loss or len(self.held) >= MOST_HELD:
            self.dropped += 1
            return
        due = left + link.delay + self.chance.uniform(-link.jitter, link.jitter)
        if due <= now:
            self.give(other, frame)
            return
        self.sequence += 1
        heapq.heappush(self.held, (due, self.sequence, other, frame))

    def give(self, other: int, frame: bytes):
        try:
            os.write(self.taps[other], frame)
            self.forwarded += 1
        # The device is down, or full.
        except OSError:
            self.dropped += 1

    def give_due(self) -> float:
        """Gives what is due; seconds until the next is."""
        while self.held and self.held[0][0] <= time.monotonic():
            _, _, other, frame = heapq.heappop(self.held)
            self.give(other, frame)
        return self.held[0][0] - time.monotonic() if self.held else 1.0

    def drain(self, node: int):
        for _ in range(BURST):
            try:
                frame = os.read(self.taps[node], FRAME)
            except OSError:
                return
            self.take(node, frame, time.monotonic())


def main():
    seed, names = int(sys.argv[1]), sys.argv[2:]
    switch = Switch({node: open_tap(name) for node, name in enumerate(names, 1)}, random.Random(seed))
    poll = select.epoll()
    by_device = {device: node for node, device in switch.taps.items()}
    for device in [*by_device, sys.stdin.fileno()]:
        poll.register(device, select.EPOLLIN)
    print("ready", flush=True)
    while True:
        for device, _ in poll.poll(max(switch.give_due(), 0)):
            if device in by_device:
                switch.drain(by_device[device])
                continue
            line = sys.stdin.readline()
            if not line:
                return
            switch.told(line)
            print(switch.forwarded, switch.dropped, flush=True)


if __name__ == "__main__":
    main()
