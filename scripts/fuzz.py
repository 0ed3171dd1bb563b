"""Runs libFuzzer's programs, and brings back what adds coverage: `./scripts/fuzz`."""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "fuzz/corpus"
# Seconds for one input, and MiB of a program: the tests allow 5 s and 64 MiB an input.
LONGEST, MEMORY = 10, 1024
# What may come back into a target's corpus: files, bytes in all, bytes of one.
FILES, BYTES, LARGEST = 64, 256 << 10, 8 << 10
# Seconds for a merge.
MERGING = 3600
FOUND = "found-"
# What libFuzzer names inputs that end a run.
BAD = ("crash-", "timeout-", "oom-", "leak-")


@dataclass
class State:
    """What a target has had, in all runs of the directory."""

    inputs: int = 0
    seconds: float = 0.0
    edges: int = 0
    added: int = 0
    bad: list[str] = field(default_factory=list)


class Failure(Exception):
    """A run that says nothing of its target; the text says why."""


class Fuzzer:
    def __init__(self, arguments):
        self.arguments = arguments
        self.file = arguments.out / "state.json"
        known = json.loads(self.file.read_text()) if self.file.exists() else {}
        self.states = {name: State(**state) for name, state in known.items()}
        self.lock = threading.Lock()
        self.running: set[subprocess.Popen] = set()
        self.ended = False

    def save(self, name: str, state: State):
        """At once: an interrupted run leaves the old file or the new one."""
        with self.lock:
            self.states[name] = state
            new = self.file.with_suffix(".new")
            new.write_text(json.dumps({name: asdict(state) for name, state in sorted(self.states.items())}, indent=1))
            new.rename(self.file)

    def interrupt(self):
        """Programs end with their counts."""
        with self.lock:
            self.ended = True
            for program in self.running:
                program.send_signal(signal.SIGINT)

    # -- one target -------------------------------------------------------------

    def target(self, name: str) -> str:
        """Its row of the table."""
        state = State() if self.arguments.again else self.states.get(name, State())
        before = state.added
        if self.ended:
            return self.row(name, state, before, "not run")
        if not state.bad and state.inputs >= self.arguments.inputs:
            return self.row(name, state, before, "had its inputs before")
        try:
            # A bad input is tried again: it may be repaired.
            result = self.fuzz(name, state)
            if not state.bad and not self.ended:
                state.added += self.merge(name)
        except (Failure, OSError, subprocess.TimeoutExpired) as failure:
            state.bad = [str(failure)]
            result = f"**fails**: {failure}"
        self.save(name, state)
        row = self.row(name, state, before, result)
        print(row, flush=True)
        return row

    def row(self, name: str, state: State, before: int, result: str) -> str:
        return f"| `{name}` | {state.inputs:,} | {state.seconds:.0f} | {state.edges:,} | {state.added - before} | {result} |"

    def fuzz(self, name: str, state: State) -> str:
        home = self.arguments.out / name
        if self.arguments.again:
            shutil.rmtree(home, ignore_errors=True)
        (home / "corpus").mkdir(parents=True, exist_ok=True)
        bad = [str(path) for path in sorted(home.iterdir()) if path.name.startswith(BAD)]
        for path in bad:
            if self.run(name, "again", [path], 60 * LONGEST)[0] != 0:
                state.bad = [path]
                return f"**fails**: {path}"
            Path(path).rename(CORPUS / name / f"{FOUND}{Path(path).name[:16]}")
        state.bad = []
        options = [f"-runs={max(self.arguments.inputs - state.inputs, 1)}", "-print_final_stats=1"]
        options += [f"-artifact_prefix={home}/", f"-seed={self.arguments.seed + state.inputs}"]
        if self.arguments.seconds:
            options.append(f"-max_total_time={self.arguments.seconds}")
        begun = time.monotonic()
        code, text = self.run(name, "fuzz", [*options, home / "corpus", CORPUS / name])
        state.seconds += time.monotonic() - begun
        count = re.search(r"^stat::number_of_executed_units: +(\d+)", text, re.MULTILINE)
        if not count:
            raise Failure(f"{name} ended with {code} and no count; see {home / 'fuzz.log'}")
        state.inputs += int(count[1])
        state.edges = max(map(int, re.findall(r"\bcov: (\d+)", text)), default=state.edges)
        state.bad = [str(path) for path in sorted(home.iterdir()) if path.name.startswith(BAD)]
        if state.bad:
            return f"**fails**: {', '.join(state.bad)}"
        if code != 0 and not self.ended:
            raise Failure(f"{name} ended with {code}; see {home / 'fuzz.log'}")
        return "holds" if state.inputs >= self.arguments.inputs else "holds so far"

    def merge(self, name: str) -> int:
        """Copies what adds coverage to the corpus into it; how many files."""
        home, corpus = self.arguments.out / name, CORPUS / name
        merged = home / "merged"
        shutil.rmtree(merged, ignore_errors=True)
        shutil.copytree(corpus, merged)
        code, _ = self.run(name, "merge", ["-merge=1", merged, home / "corpus"], MERGING)
        if code != 0:
            raise Failure(f"merging {name} ended with {code}; see {home / 'merge.log'}")
        kept = {path.name: path.stat().st_size for path in corpus.iterdir()}
        files = sum(file.startswith(FOUND) for file in kept)
        size = sum(size for file, size in kept.items() if file.startswith(FOUND))
        added = 0
        new = [path for path in merged.iterdir() if path.name not in kept]
        for path in sorted(new, key=lambda path: (path.stat().st_size, path.name)):
            size += path.stat().st_size
            if files + added == FILES or size > BYTES or path.stat().st_size > LARGEST:
                break
            shutil.copyfile(path, corpus / f"{FOUND}{path.name[:16]}")
            added += 1
        shutil.rmtree(merged)
        return added

    def run(self, name: str, what: str, options: list, longest: float | None = None) -> tuple[int, str]:
        """A program to its end: exit code, and what it printed."""
        home = self.arguments.out / name
        command = [self.arguments.programs / name, f"-timeout={LONGEST}", f"-rss_limit_mb={MEMORY}", *options]
        # Of an input that ends the program, temporary files stay.
        with tempfile.TemporaryDirectory(prefix="fuzz-") as scratch:
            with open(home / f"{what}.log", "wb") as log:
                with self.lock:
                    if self.ended:
                        raise Failure("interrupted")
                    program = subprocess.Popen(
                        [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                        env=os.environ | {"TMPDIR": scratch}, start_new_session=True,
                    )  # fmt: skip
                    self.running.add(program)
                try:
                    code = program.wait(longest)
                finally:
                    if program.poll() is None:
                        # With what it started itself.
                        os.killpg(program.pid, signal.SIGKILL)
                        program.wait()
                    with self.lock:
                        self.running.discard(program)
        return code, (home / f"{what}.log").read_text(errors="replace")


def main() -> int:
    parser = argparse.ArgumentParser(prog="./scripts/fuzz")
    parser.add_argument("--programs", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--runs", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--inputs", type=int, default=10_000_000)
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_intermixed_args()
    known = sorted(path.stem for path in (ROOT / "fuzz/fuzz_targets").glob("*.rs"))
    unknown = [name for name in arguments.targets if name not in known]
    if unknown:
        parser.error(f"unknown target {', '.join(unknown)}; known: {', '.join(known)}")
    if min(arguments.inputs, arguments.jobs, arguments.seconds or 1) < 1 or arguments.seed < 1:
        parser.error("--inputs, --seconds, --jobs and --seed: expected 1 or more")
    arguments.out = (arguments.out or arguments.runs).resolve()
    arguments.out.mkdir(parents=True, exist_ok=True)
    fuzzer = Fuzzer(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: threading.Thread(target=fuzzer.interrupt).start())
    names = list(dict.fromkeys(arguments.targets)) or known
    begun = time.monotonic()
    with ThreadPoolExecutor(arguments.jobs) as pool:
        rows = list(pool.map(fuzzer.target, names))
    print("\n| target | inputs | seconds | edges | new files | result |\n|---|---:|---:|---:|---:|---|")
    print("\n".join(rows))
    states = [fuzzer.states.get(name, State()) for name in names]
    bad = [path for state in states for path in state.bad]
    rest = sum(state.inputs < arguments.inputs for state in states)
    day = time.strftime("%d %B %Y").lstrip("0")
    print(f"\n{day}, {(time.monotonic() - begun) / 60:.0f} minutes, {arguments.jobs} at once: "
          f"{len(names)} targets, {rest} without all of their inputs yet")
    for path in bad:
        print(f"FAILED: {path}", file=sys.stderr)
    return int(bool(bad) or fuzzer.ended)


if __name__ == "__main__":
    sys.exit(main())
