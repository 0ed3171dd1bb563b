"""Lets faults befall networks of four nodes, and judges what they do then.

Each case has one network of its own, made for it and removed afterwards; only
processes that were started here are stopped. A run prints one line; the exit
status says whether all runs of all cases passed.
"""

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from network import NODES, ROOT, Failure, Network  # noqa: E402

ALL = list(range(1, NODES + 1))


class Load:
    """A load generator that runs until it is stopped. It has begun when a block
    holds its transactions; it signs most of them as it sends them."""

    def __init__(self, network: Network, seed: int, rate: int, nodes=tuple(ALL)):
        options = [part for node in nodes for part in ("--rpc", network.url(node))]
        self.log = open(network.directory / "load.log", "ab")
        self.process = subprocess.Popen(
            [network.bench, "load", *options, "--rate", str(rate), "--duration", "600",
             "--seed", str(seed), "--prepare", "2000"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
        )
        self.network, self.node = network, nodes[0]

    def begun(self):
        """Waits until there is load."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            self.check()
            block = self.network.rpc(self.node, "chain_getBlock")["block"]
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


class Runs:
    """Runs a case several times on one network."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.chance = random.Random(arguments.seed)

    def kill_all_start_three(self, network: Network, run: int) -> str:
        """See scripts/faults."""
        away = ALL[run % NODES]
        network.start_all()
        for node in ALL:
            network.wait_height(node, 1, 60)
        load = Load(network, self.arguments.seed * 1000 + run, 400)
        try:
            load.begun()
            time.sleep(2 + self.chance.random())
            load.check()
            before = max(network.height(node) for node in ALL)
            marks = [network.header_at(ALL[0], network.height(ALL[0]))]
            # One after the other, some milliseconds apart, as a power cut would.
            for node in self.chance.sample(ALL, NODES):
                network.kill(node)
        finally:
            load.stop()
        time.sleep(20)
        three = [node for node in ALL if node != away]
        for node in three:
            network.start(node)
        begun = time.monotonic()
        heights = {node: network.wait_height(node, 1, 60) for node in three}
        top = max(max(heights.values()), before)
        answered = time.monotonic()
        # One deadline for all: a slow node gives the next no more time.
        for node in three:
            left = answered + 10 - time.monotonic()
            network.wait_height(node, top + 1, max(left, 0.1))
        took = time.monotonic() - begun
        for mark in marks:
            for node in three:
                found = network.header_at(node, mark["height"])
                if found != mark:
                    raise Failure(f"node {node} has {found}, expected {mark}")
        network.start(away)
        network.wait_height(away, top + 1, 60)
        return (
            f"without node {away}: height {top + 1} after {took:.1f} s, "
            f"of which {answered - begun:.1f} s until all three answered"
        )


CASES = {"kill-all-start-three": Runs.kill_all_start_three}


def run_case(arguments, name: str) -> tuple[int, int]:
    """Passed and failed runs."""
    runs = Runs(arguments)
    passed = failed = 0
    directory = network = None
    for run in range(arguments.count):
        if network is None:
            directory = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=arguments.out))
            network = Network(arguments.bin, directory, arguments.base_port)
            network.make()
        try:
            line = CASES[name](runs, network, run)
            passed += 1
            print(f"{name} {run + 1}/{arguments.count}: {line}", flush=True)
        except (Failure, OSError) as failure:
            failed += 1
            print(f"{name} {run + 1}/{arguments.count}: FAILED: {failure}", flush=True)
            remove(network, keep=arguments.keep)
            network = None
    if network is not None:
        remove(network, keep=False)
    return passed, failed


def remove(network: Network, keep: bool):
    for node in ALL:
        network.kill(node)
    if keep:
        print(f"its nodes' data and logs: {network.directory}", flush=True)
    else:
        shutil.rmtree(network.directory, ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=Path, required=True)
    parser.add_argument("cases", nargs="*", metavar="CASE")
    parser.add_argument("--count", type=int, default=NODES)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--base-port", type=int)
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.cases if name not in CASES]
    if unknown:
        parser.error(f"unknown case {', '.join(unknown)}; known: {', '.join(CASES)}")
    if arguments.count < 1:
        parser.error("--count: expected 1 or more")
    arguments.out = ROOT / ".faults"
    arguments.out.mkdir(exist_ok=True)
    results = {}
    for name in arguments.cases or CASES:
        results[name] = run_case(arguments, name)
    for name, (passed, failed) in results.items():
        print(f"{name}: {passed} passed, {failed} failed")
    try:
        arguments.out.rmdir()
    except OSError:
        pass
    return 1 if any(failed for _, failed in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
