"""Runs many schedules of the simulation of consensus, on all cores.

The simulation is a test (consensus/src/driver/simulation): this runs its binary once
for each chunk of seeds, tells how far it is, and ends with the first seed that fails.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEST = (
    "driver::simulation::schedules::"
    "honest_validators_agree_and_go_on_whatever_the_schedule"
)
# Schedules of one process, and seconds between two lines.
CHUNK, TELL = 2_000, 10


def binary() -> str:
    """The tests of consensus, built."""
    command = ["cargo", "test", "--release", "--locked", "--workspace", "--lib", "--no-run"]
    built = subprocess.run(
        [*command, "--message-format=json"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    if built.returncode != 0:
        sys.exit("FAILED: cargo test --no-run")
    for line in built.stdout.splitlines():
        message = json.loads(line)
        if message.get("target", {}).get("name") == "billchain_consensus" and message.get("executable"):
            return message["executable"]
    sys.exit("FAILED: cargo names no test binary of billchain_consensus")


def run(path: str, first: int, count: int) -> tuple[int, str]:
    """So many schedules; how many, and what went wrong."""
    environment = os.environ | {
        "BILLCHAIN_FIRST_SEED": str(first), "BILLCHAIN_SCHEDULES": str(count),
    }  # fmt: skip
    environment.pop("BILLCHAIN_SEED", None)
    done = subprocess.run(
        [path, "--exact", TEST, "--nocapture"], cwd=ROOT / "consensus", env=environment,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    passed = done.returncode == 0 and "1 passed" in done.stdout
    return count, "" if passed else done.stdout


def main() -> int:
    parser = argparse.ArgumentParser(prog="./scripts/faults schedules")
    parser.add_argument("count", type=int, nargs="?", default=1_000_000, metavar="COUNT")
    parser.add_argument("first", type=int, nargs="?", default=0, metavar="SEED")
    arguments = parser.parse_args()
    if arguments.count < 1 or arguments.first < 0:
        parser.error("expected COUNT 1 or more, SEED 0 or more")
    path, begun, told, done = binary(), time.monotonic(), time.monotonic(), 0
    end = arguments.first + arguments.count
    chunks = iter(range(arguments.first, end, CHUNK))
    cores = os.cpu_count() or 1
    with ThreadPoolExecutor(cores) as pool:

        def begin(number: int):
            firsts = [first for _, first in zip(range(number), chunks)]
            return {pool.submit(run, path, first, min(CHUNK, end - first)) for first in firsts}

        under_way = begin(cores)
        while under_way:
            finished, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            for count, problem in (future.result() for future in finished):
                if problem:
                    return failed(problem)
                done += count
            under_way |= begin(len(finished))
            if time.monotonic() >= told + TELL:
                told = time.monotonic()
                rate = done / (told - begun)
                left = (arguments.count - done) / rate / 60
                print(f"{done:,} of {arguments.count:,}, {rate:.0f}/s, {left:.0f} min left", flush=True)
    took = time.monotonic() - begun
    print(
        f"{done:,} schedules from seed {arguments.first} passed in {took / 60:.1f} minutes, "
        f"{done / took:.0f}/s on {cores} cores"
    )
    return 0


def failed(problem: str) -> int:
    """Names the seed, when those under way are finished."""
    print(problem[-8_000:])
    seed = re.search(r"BILLCHAIN_SEED=(\d+)", problem)
    if seed:
        print(f"FAILED: seed {seed[1]}; alone: ./scripts/faults schedules 1 {seed[1]}")
    else:
        print("FAILED: the test did not run to its end")
    return 1


if __name__ == "__main__":
    sys.exit(main())
