"""Plays the lab's cases and judges them: `./scripts/faults lab`.

Everything happens in namespaces of its own (network, mounts, processes), which need
root, and which the kernel removes with the last process in them.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from lab import ALL, Lab, ip, run  # noqa: E402
from lab_cases import CASES, SHORT, SHORT_HOLD, Case, Play  # noqa: E402
from lab_load import Load  # noqa: E402
from lab_oracle import Judge, Problem, Watch  # noqa: E402
from network import ROOT  # noqa: E402

# Seconds after healing in which the next block has to come, and, where three nodes
# that reach each other are left, between two blocks while the fault lasts.
BOUND = 10
# Seconds until it is given up.
PATIENCE = 90
# Seconds of load before the fault, and after all nodes have followed.
BEFORE, AFTER = 4, 3
NAMESPACES = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
NEEDED = ["unshare", "nsenter", "ip", "mount", "umount"]
INSIDE = "--inside"


@dataclass
class Result:
    """A row of the table."""

    name: str
    case: Case
    stall: float | None = None
    block: float | None = None
    followed: float | None = None
    blocks: int = 0
    accepted: int = 0
    lost: int = 0
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def failures(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.kind not in self.case.known]

    def verdict(self) -> str:
        if self.failures():
            return f"**fails**: {', '.join(sorted({problem.kind for problem in self.failures()}))}"
        if self.problems:
            return f"fails, known: {', '.join(sorted({problem.kind for problem in self.problems}))}"
        return "holds"

    def row(self) -> str:
        def seconds(value: float | None) -> str:
            return "–" if value is None else f"{value:.1f}"

        return (
            f"| `{self.name}` | {self.case.what} | {seconds(self.stall)} | {seconds(self.block)} | "
            f"{seconds(self.followed)} | {self.blocks} | {self.accepted} | {self.lost} | {self.verdict()} |"
        )


HEAD = (
    "| case | fault | longest stall, s | next block, s | all follow, s | blocks meanwhile | accepted | lost | result |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


def play(name: str, arguments) -> Result:
    """A case with a network of its own."""
    case, result = CASES[name], Result(name, CASES[name])
    directory = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=arguments.out))
    seed = f"{arguments.seed} {name}"
    lab = Lab(arguments.bin, directory, arguments.seed)
    watch = load = None
    try:
        lab.make(case.settings)
        case.prepare(lab)
        lab.start_all()
        for node in ALL:
            lab.wait_height(node, 1, 60)
        watch = Watch(lab)
        load = Load(lab, random.Random(seed), case.rate, case.batch)
        time.sleep(BEFORE)
        suffer(Play(lab, watch, random.Random(seed), arguments.longest, arguments.blocks, result.notes), result)
        time.sleep(AFTER)
        load.stop()
        judge(Judge(lab, watch, load.ledger), result)
    # Whatever goes wrong, the case has failed and the others go on.
    except Exception as failure:
        result.problems.append(Problem("broken", f"{type(failure).__name__}: {failure}"))
    finally:
        if load:
            load.stop()
        if watch:
            watch.stop()
        lab.remove(keep=arguments.keep and bool(result.failures()))
    return result


def suffer(play: Play, result: Result):
    """The fault, and what came after it."""
    case, watch = result.case, play.watch
    begun = time.monotonic()
    case.play(play)
    healed, top = time.monotonic(), watch.top()
    result.stall = watch.stall(begun, healed)
    result.blocks = watch.grown(begun, healed)
    if case.goes_on and result.stall > BOUND:
        result.problems.append(Problem("stalled", f"no block for {result.stall:.1f} s, bound {BOUND} s"))
    result.block = watch.wait_top_above(top, PATIENCE)
    if result.block is None or result.block > BOUND:
        took = f"{PATIENCE} s and more" if result.block is None else f"{result.block:.1f} s"
        result.problems.append(Problem("late", f"the next block took {took}, bound {BOUND} s"))
    waited = time.monotonic() - healed
    rest = watch.wait_above(top, ALL, max(case.follow - waited, 0.1))
    result.followed = None if rest is None else waited + rest
    if result.followed is None:
        heights = ", ".join(f"node {node} at {watch.heights.get(node)}" for node in ALL)
        result.problems.append(Problem("behind", f"not all above {top} within {case.follow:.0f} s: {heights}"))


def judge(judge: Judge, result: Result):
    ledger = judge.ledger
    lost = judge.find_accepted()
    result.accepted, result.lost = len(ledger.accepted), len(lost)
    if lost:
        by_node = {node: sum(ledger.accepted[name].node == node for name in lost) for node in ALL}
        text = f"{len(lost)} of {result.accepted} accepted are in no block; by the node that took them: {by_node}"
        result.problems.append(Problem("lost", text))
    if not ledger.accepted:
        result.problems.append(Problem("broken", f"no node accepted anything: {ledger.refused}"))
    result.notes += [f"{count} refused: {reason}" for reason, count in ledger.refused.items()]
    if ledger.unanswered:
        result.notes.append(f"{ledger.unanswered} requests unanswered")
    result.problems += judge.chains()


def show(result: Result):
    print(result.row(), flush=True)
    for problem in result.problems:
        known = result.case.known.get(problem.kind)
        print(f"    {problem.kind}: {problem.text}{f' (known: {known})' if known else ''}")
    for note in result.notes:
        print(f"    {note}", flush=True)


def inside(arguments) -> int:
    """In namespaces of our own."""
    run("mount", "-t", "tmpfs", "lab", "/run")
    Path("/run/netns").mkdir()
    ip("link", "set", "lo", "up")
    arguments.out = ROOT / ".faults"
    arguments.out.mkdir(exist_ok=True)
    begun, results = time.monotonic(), []
    for name in arguments.cases:
        results.append(play(name, arguments))
        show(results[-1])
    day = time.strftime("%d %B %Y").lstrip("0")
    took = (time.monotonic() - begun) / 60
    # Without what `scripts/faults` and `main` put before.
    said = " ".join(["./scripts/faults lab", *sys.argv[4:]])
    print(f"\n`{said}`, {day}, {took:.0f} minutes\n\n{HEAD}")
    for result in results:
        print(result.row())
    failed = sum(bool(result.failures()) for result in results)
    known = sum(bool(result.problems) for result in results) - failed
    print(f"\n{len(results) - failed - known} passed, {known} failed as known, {failed} failed")
    try:
        arguments.out.rmdir()
    except OSError:
        pass
    return 1 if failed else 0


def hindrance() -> str | None:
    """Why there can be no lab here."""
    if os.geteuid() != 0:
        return "the lab makes network namespaces, mounts and TAP devices, and so needs root"
    missing = [tool for tool in NEEDED if not shutil.which(tool)]
    if missing:
        return f"{', '.join(missing)} missing: apt-get install iproute2 mount util-linux"
    probe = [*NAMESPACES, "sh", "-c", "mount -t tmpfs lab /run && ip tuntap add dev lab0 mode tap"]
    result = subprocess.run(probe, capture_output=True, text=True)
    if result.returncode != 0:
        return f"namespaces are not allowed here: {result.stderr.strip()}"
    return None


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./scripts/faults lab")
    parser.add_argument("--bin", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument(INSIDE, action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("cases", nargs="*", metavar="CASE")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--where-allowed", action="store_true")
    parser.add_argument("--longest", type=float)
    parser.add_argument("--blocks", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.cases if name not in CASES]
    if unknown:
        parser.error(f"unknown case {', '.join(unknown)}; known: {', '.join(CASES)}")
    arguments.cases = arguments.cases or (SHORT if arguments.short else list(CASES))
    if arguments.longest is None:
        arguments.longest = SHORT_HOLD if arguments.short else float("inf")
    return arguments


def main() -> int:
    arguments = options()
    if arguments.inside:
        return inside(arguments)
    if why := hindrance():
        print(f"{'skipped' if arguments.where_allowed else 'FAILED'}: {why}")
        return 0 if arguments.where_allowed else 1
    own = [sys.executable, __file__, INSIDE, *sys.argv[1:]]
    os.execvp(NAMESPACES[0], [*NAMESPACES, *own])


if __name__ == "__main__":
    sys.exit(main())
