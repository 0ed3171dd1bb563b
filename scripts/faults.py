"""Lets faults befall networks of four nodes, and judges what they do then.

Several networks may run at once, each with ports of its own; a network is made for
its runs and removed afterwards, and only processes that were started here are
stopped. A run prints one line, and a summary of each case stands at the end; the
exit status says whether all runs of all cases passed.
"""

import argparse
import itertools
import os
import random
import shutil
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import lab_run  # noqa: E402
from faults_cases import ALL, BOUND, CASES, Outcome, Run  # noqa: E402
from network import NODES, ROOT, Failure, Network  # noqa: E402

# Networks at once, at most: while nodes start or are loaded, a network keeps up to
# one core busy, and the bound is one of a network that has it.
MOST = os.cpu_count() or 1
# First port of several networks, and ports of each.
PORTS, PORTS_EACH = 24_000, 3 * NODES


class Case:
    """All runs of a case, on some networks at once."""

    def __init__(self, arguments, name: str):
        self.arguments, self.name = arguments, name
        self.runs = iter(range(arguments.count))
        self.lock = threading.Lock()
        self.outcomes: list[Outcome] = []
        self.failed: list[str] = []
        self.networks: dict[int, Network] = {}

    def run(self):
        begun = time.monotonic()
        workers = [
            threading.Thread(target=self.work, args=(place,), daemon=True)
            for place in range(self.arguments.networks)
        ]
        for worker in workers:
            worker.start()
        try:
            for worker in workers:
                worker.join()
        finally:
            # Some are left if this was interrupted.
            for network in list(self.networks.values()):
                remove(network, keep=False)
        self.took = time.monotonic() - begun

    def work(self, place: int):
        """One network after the other, for as long as there are runs."""
        while (run := self.next()) is not None:
            if place not in self.networks:
                self.networks[place] = self.made(place)
            network = self.networks[place]
            mark = f"{self.name} {run + 1}/{self.arguments.count}"
            chance = random.Random(f"{self.arguments.seed} {self.name} {run}")
            try:
                outcome = CASES[self.name](Run(network, run, chance))
                self.outcomes.append(outcome)
                print(f"{mark}: {outcome.line}", flush=True)
            # Whatever goes wrong, the run has failed and the others go on.
            except Exception as failure:
                self.failed.append(f"{run + 1}")
                what = "" if isinstance(failure, Failure) else f"{type(failure).__name__}: "
                print(f"{mark}: FAILED: {what}{failure}", flush=True)
                remove(self.networks.pop(place), keep=self.arguments.keep)

    def next(self) -> int | None:
        with self.lock:
            return next(self.runs, None)

    def made(self, place: int) -> Network:
        port = self.arguments.base_port
        if port is None and self.arguments.networks > 1:
            port = PORTS
        if port is not None:
            port += place * PORTS_EACH
        directory = Path(tempfile.mkdtemp(prefix=f"{self.name}-", dir=self.arguments.out))
        network = Network(self.arguments.bin, directory, port)
        network.make()
        return network

    def summary(self) -> str:
        """For the documentation."""
        day = time.strftime("%d %B %Y").lstrip("0")
        arguments = self.arguments
        command = f"./scripts/faults {self.name} --count {arguments.count}"
        command += f" --seed {arguments.seed} --networks {arguments.networks}"
        text = f"`{command}`, {day}, {self.took / 60:.0f} minutes: {len(self.outcomes)} passed, "
        text += f"{len(self.failed)} failed"
        if self.failed:
            text += f" (runs {', '.join(self.failed)})"
        if self.outcomes:
            block = [outcome.block for outcome in self.outcomes]
            up = [outcome.answering for outcome in self.outcomes]
            text += (
                f". From when all three answer to the next block of each: median "
                f"{statistics.median(block):.1f} s, longest {max(block):.1f} s (bound {BOUND} s). "
                f"From start to answer: median {statistics.median(up):.1f} s, "
                f"longest {max(up):.1f} s."
            )
            notes = sorted(note for outcome in self.outcomes for note in outcome.notes)
            for note, number in itertools.groupby(notes):
                text += f" {note}: {len(list(number))} of them."
        return text


def remove(network: Network, keep: bool):
    for node in ALL:
        network.kill(node)
    if keep:
        print(f"its nodes' data and logs: {network.directory}", flush=True)
    else:
        shutil.rmtree(network.directory, ignore_errors=True)


def main() -> int:
    # The lab's cases are known by their names.
    if any(argument in lab_run.CASES for argument in sys.argv):
        return lab_run.main()
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=Path, required=True)
    parser.add_argument("cases", nargs="*", metavar="CASE")
    parser.add_argument("--count", type=int, default=NODES)
    parser.add_argument("--networks", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--base-port", type=int)
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.cases if name not in CASES]
    if unknown:
        parser.error(f"unknown case {', '.join(unknown)}; known: {', '.join(CASES)}; of the lab: {', '.join(lab_run.CASES)}")
    if arguments.count < 1:
        parser.error("--count: expected 1 or more")
    if not 1 <= arguments.networks <= MOST:
        parser.error(f"--networks: expected 1 to {MOST}, one for each core")
    arguments.out = ROOT / ".faults"
    arguments.out.mkdir(exist_ok=True)
    cases = [Case(arguments, name) for name in arguments.cases or CASES]
    for case in cases:
        case.run()
    print()
    for case in cases:
        print(case.summary())
    try:
        arguments.out.rmdir()
    except OSError:
        pass
    return 0 if all(len(case.outcomes) == arguments.count for case in cases) else 1


if __name__ == "__main__":
    sys.exit(main())
