"""Plays runbooks against real networks: `./scripts/runbooks`.

A page's blocks of commands run in the order of the page. A comment before each block says
where: at a node, in its directory and its network, or at an operator, in the same
directory and outside. Another comment names what is done meanwhile that is no command: the
harm, a cable that is plugged in again. What a command prints of motions and keys is set
for the next ones, as the page tells its reader to.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from lab import ALL, ip, run  # noqa: E402
from lab_run import NAMESPACES, hindrance  # noqa: E402
from network import ROOT, Failure  # noqa: E402
from runbooks_cases import CASES, Case  # noqa: E402

PAGES = ROOT / "docs/runbooks"
INSIDE = "--inside"
# The page that needs another release.
NEXT = "upgrade"
# Seconds for a block of commands.
PATIENCE = 120
LINE = re.compile(
    r"^<!-- (?P<kind>at|meanwhile): (?P<what>[\w -]+) -->$|^```(?P<fence>\w*)$", re.MULTILINE
)
# What is taken from what commands print.
PRINTED = {
    "MOTION": re.compile(r"^motion +(0x[0-9a-f]{64})$", re.MULTILINE),
    "NEW_KEY": re.compile(r"^public key: (\S+)$", re.MULTILINE),
    "MANIFEST": re.compile(r"^(0x[0-9a-f]{64})$", re.MULTILINE),
}


@dataclass(frozen=True)
class Block:
    """Commands, and where they run; or the name of what is done meanwhile."""

    places: tuple[str, ...] = ()
    text: str = ""
    meanwhile: str = ""


def blocks(page: Path) -> list[Block]:
    """A page's steps. A block that nobody runs is an error."""
    found, places, opened = [], (), None
    text = page.read_text("utf-8")
    for match in LINE.finditer(text):
        if opened is not None:
            if match["fence"] == "":
                found.append(Block(places, text[opened:match.start()]))
                opened, places = None, ()
        elif match["kind"] == "meanwhile":
            found.append(Block(meanwhile=match["what"]))
        elif match["kind"] == "at":
            places = tuple(match["what"].split())
        elif not places:
            raise Failure(f"{page.name}: a block without a comment that says where it runs")
        else:
            opened = match.end() + 1
    if opened is not None or places:
        raise Failure(f"{page.name}: its last block is not whole")
    return found


class Play:
    """One page on a network of its own."""

    def __init__(self, name: str, arguments):
        self.name = name
        directory = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=arguments.out))
        self.case: Case = CASES[name](arguments.bin, arguments.next, directory)

    def run(self):
        case = self.case
        page = PAGES / f"{self.name}.md"
        steps = blocks(page)
        if steps != blocks(page.with_suffix(".zh.md")):
            raise Failure("the page's two languages have other commands")
        case.begin()
        for step in steps:
            if step.meanwhile:
                getattr(case, step.meanwhile)()
            for place in step.places:
                self.block(place, step.text)
        case.end()

    def block(self, place: str, text: str):
        kind, number = place.rsplit("-", 1)
        node = int(number)
        home = self.case.lab.directory / f"node-{node}"
        command = ["bash", "-ec", text]
        if kind == "node":
            command = ["nsenter", f"--net=/run/netns/node{node}", *command]
        begun = time.monotonic()
        try:
            result = subprocess.run(
                command, cwd=home, env=self.case.environment(kind, node), capture_output=True,
                text=True, timeout=PATIENCE,
            )  # fmt: skip
        except subprocess.TimeoutExpired as late:
            raise Failure(f"at {place}, after {PATIENCE} s:\n{text}\n{late.stdout}\n{late.stderr}")
        print(f"{self.name}: at {place}, {time.monotonic() - begun:.1f} s: {text.splitlines()[0][:70]}")
        if result.returncode != 0:
            raise Failure(
                f"at {place}, exit code {result.returncode}:\n{text}\n{result.stdout}{result.stderr}"
            )
        for variable, pattern in PRINTED.items():
            if match := pattern.search(result.stdout):
                self.case.variables[variable] = match[1]


def play(name: str, arguments) -> str | None:
    """Why the page does not hold; none if it does."""
    begun, failure, page = time.monotonic(), None, None
    try:
        page = Play(name, arguments)
        page.run()
    # Whatever goes wrong, the page has failed and the others go on.
    except Exception as problem:
        failure = f"{type(problem).__name__}: {problem}"
    finally:
        if page:
            page.case.remove(keep=arguments.keep and failure is not None)
    took = time.monotonic() - begun
    print(f"{'FAILED' if failure else 'ok    '} {name}, {took:.0f} s{': ' + failure if failure else ''}", flush=True)
    return failure


def inside(arguments) -> int:
    """In namespaces of our own: one page."""
    run("mount", "-t", "tmpfs", "lab", "/run")
    Path("/run/netns").mkdir()
    ip("link", "set", "lo", "up")
    arguments.out = ROOT / ".runbooks"
    arguments.out.mkdir(exist_ok=True)
    failed = sum(play(name, arguments) is not None for name in arguments.pages)
    return int(failed > 0)


def outside(arguments) -> int:
    """Each page in namespaces of its own, some at once."""

    def one(name: str) -> int:
        own = [sys.executable, __file__, INSIDE, name, "--bin", arguments.bin, "--next", arguments.next]
        own += ["--keep"] * arguments.keep
        result = subprocess.run(
            [*NAMESPACES, *own], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        print(result.stdout, end="", flush=True)
        return result.returncode

    begun = time.monotonic()
    with ThreadPoolExecutor(arguments.jobs) as pool:
        codes = list(pool.map(one, arguments.pages))
    failed = sum(code != 0 for code in codes)
    try:
        (ROOT / ".runbooks").rmdir()
    except OSError:
        pass
    day = time.strftime("%d %B %Y").lstrip("0")
    print(f"\n{day}, {time.monotonic() - begun:.0f} s, {arguments.jobs} at once")
    print(f"{len(codes) - failed} passed, {failed} failed")
    return int(failed > 0)


def main() -> int:
    parser = argparse.ArgumentParser(prog="./scripts/runbooks")
    parser.add_argument("--bin", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--next", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument(INSIDE, action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("pages", nargs="*", metavar="PAGE")
    parser.add_argument("--jobs", type=int, default=max(2, (os.cpu_count() or 2) // 2))
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--where-allowed", action="store_true")
    parser.add_argument("--needs-next", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    unknown = [name for name in arguments.pages if name not in CASES]
    if unknown:
        parser.error(f"unknown page {', '.join(unknown)}; known: {', '.join(CASES)}")
    arguments.pages = arguments.pages or [name for name in CASES if name != NEXT or not arguments.quick]
    if arguments.needs_next:
        return int(NEXT not in arguments.pages or hindrance() is not None)
    if arguments.inside:
        return inside(arguments)
    if why := hindrance():
        print(f"{'skipped' if arguments.where_allowed else 'FAILED'}: {why}")
        return 0 if arguments.where_allowed else 1
    return outside(arguments)


if __name__ == "__main__":
    sys.exit(main())
