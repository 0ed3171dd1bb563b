"""What the lab's nodes say, by JSON-RPC alone, and whether it holds together: one
hash and one root a height on all nodes, nothing lost that a node ever called final,
everything found that a node accepted.
"""

import bisect
import hashlib
import http.client
import threading
import time
from dataclasses import dataclass, field

from lab import ALL, Lab
from lab_load import Ledger
from network import Failure

# Seconds between two questions to a node, and in which it has to answer.
EVERY, PATIENCE = 0.1, 2.0
# Hashes and headers that are asked for at once.
PAGE, HEADERS = 1_000, 250
# Seconds without one more found after which what is accepted and not found is lost,
# and seconds in which all has to be found.
QUIET, LONGEST = 10.0, 120.0

UNHEARD = (OSError, ValueError, Failure, http.client.HTTPException)


@dataclass(frozen=True)
class Problem:
    """`kind` is what a case may name as known: stalled, late, behind, fork, final,
    lost."""

    kind: str
    text: str


@dataclass
class Watch:
    """The heads of all nodes, as they were told."""

    lab: Lab
    # Moments at which the highest head known grew, and to what.
    moments: list[float] = field(default_factory=list)
    tops: list[int] = field(default_factory=list)
    heights: dict[int, int] = field(default_factory=dict)
    # What a node called final: height, hash, node.
    finals: set[tuple[int, str, int]] = field(default_factory=set)

    def __post_init__(self):
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self.follow, args=(node,), daemon=True) for node in ALL]
        for thread in self.threads:
            thread.start()

    def follow(self, node: int):
        while not self.ended.wait(EVERY):
            try:
                height = int(self.lab.rpc(node, "chain_getHeader", timeout=PATIENCE)["number"], 16)
                if height == self.heights.get(node):
                    continue
                name = self.lab.rpc(node, "chain_getBlockHash", height, timeout=PATIENCE)
            except UNHEARD:
                continue
            with self.lock:
                self.heights[node] = height
                self.finals.add((height, name, node))
                if not self.tops or height > self.tops[-1]:
                    self.moments.append(time.monotonic())
                    self.tops.append(height)

    def stop(self):
        self.ended.set()
        for thread in self.threads:
            thread.join()

    def top(self) -> int:
        with self.lock:
            return self.tops[-1] if self.tops else 0

    def stall(self, begun: float, ended: float) -> float:
        """The longest time between them without a new block anywhere."""
        with self.lock:
            within = [moment for moment in self.moments if begun < moment < ended]
        moments = [begun, *within, ended]
        return max(later - earlier for earlier, later in zip(moments, moments[1:]))

    def grown(self, begun: float, ended: float) -> int:
        """Blocks that came between them."""
        with self.lock:
            before, after = (bisect.bisect_right(self.moments, moment) for moment in (begun, ended))
            return self.tops[max(after - 1, 0)] - self.tops[max(before - 1, 0)]

    def wait_above(self, height: int, nodes: list[int], patience: float) -> float | None:
        """Seconds until all these are above a height; `None` if it takes longer."""
        begun = time.monotonic()
        while time.monotonic() < begun + patience:
            with self.lock:
                if all(self.heights.get(node, 0) > height for node in nodes):
                    return time.monotonic() - begun
            time.sleep(0.05)
        return None

    def wait_top_above(self, height: int, patience: float) -> float | None:
        begun = time.monotonic()
        while time.monotonic() < begun + patience:
            if self.top() > height:
                return time.monotonic() - begun
            time.sleep(0.05)
        return None


class Judge:
    """Reads all of the chain from all nodes, at rest."""

    def __init__(self, lab: Lab, watch: Watch, ledger: Ledger):
        self.lab, self.watch, self.ledger = lab, watch, ledger
        self.found: set[str] = set()
        self.scanned = 0

    def find_accepted(self) -> set[str]:
        """What was accepted and is in no block, when nothing more comes."""
        begun = quiet = time.monotonic()
        missing = self.ledger.accepted.keys() - self.found
        while missing:
            before = len(missing)
            self.scan()
            missing = missing - self.found
            now = time.monotonic()
            if len(missing) < before:
                quiet = now
            if now > quiet + QUIET or now > begun + LONGEST:
                break
            time.sleep(0.5)
        return missing

    def scan(self):
        """The transactions of new blocks, by the node that has most."""
        node = max(ALL, key=lambda node: self.watch.heights.get(node, 0))
        try:
            for height in range(self.scanned + 1, self.watch.heights[node] + 1):
                name = self.lab.rpc(node, "chain_getBlockHash", height)
                for text in self.lab.rpc(node, "chain_getBlock", name)["block"]["extrinsics"]:
                    self.found.add("0x" + hashlib.new("sm3", bytes.fromhex(text[2:])).hexdigest())
                self.scanned = height
        except UNHEARD:
            return

    def chains(self) -> list[Problem]:
        """One hash and one root a height, and what was called final among them."""
        common = min(self.lab.height(node) for node in ALL)
        hashes = {node: self.hashes(node, common) for node in ALL}
        problems = []
        for height, names in enumerate(zip(*hashes.values())):
            if len(set(names)) > 1 or None in names:
                problems.append(Problem("fork", f"height {height}: {dict(zip(ALL, names))}"))
                break
        problems += self.roots(common, hashes)
        for height, name, node in sorted(self.watch.finals):
            if height <= common and hashes[ALL[0]][height] != name:
                text = f"node {node} called {name} final at {height}, now it is {hashes[ALL[0]][height]}"
                problems.append(Problem("final", text))
                break
        return problems

    def hashes(self, node: int, last: int) -> list[str | None]:
        found = []
        for first in range(0, last + 1, PAGE):
            numbers = list(range(first, min(first + PAGE, last + 1)))
            found += self.lab.rpc(node, "chain_getBlockHash", numbers)
        return found

    def roots(self, last: int, hashes: dict[int, list[str | None]]) -> list[Problem]:
        """Of each height, as each node has it under the hash it names."""
        for first in range(0, last + 1, HEADERS):
            page = range(first, min(first + HEADERS, last + 1))
            headers = [self.lab.many(node, "chain_getHeader", [hashes[node][at] for at in page]) for node in ALL]
            for height, found in zip(page, zip(*headers)):
                roots = [header and header["stateRoot"] for header in found]
                if len(set(roots)) > 1 or None in roots:
                    return [Problem("fork", f"state roots at height {height}: {dict(zip(ALL, roots))}")]
        return []
