"""What drills on a live network share: they count what holds, and go on after what does
not."""

import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))
from network import Failure, Network  # noqa: E402

PATIENCE = 60


class Drill:
    """`run` plays it; `main` counts, and stops what still runs."""

    def __init__(self, network: Network):
        self.network = network
        self.passed = self.failed = 0

    def run(self):
        raise NotImplementedError

    def main(self) -> int:
        try:
            self.run()
        except (Failure, OSError, subprocess.TimeoutExpired) as failure:
            self.failed += 1
            print(f"FAILED: {failure}", file=sys.stderr)
        finally:
            self.network.stop_all()
        print(f"{self.passed} passed, {self.failed} failed")
        return int(self.failed > 0)

    def holds(self, what: str, does: bool, otherwise: object = ""):
        self.passed += does
        self.failed += not does
        print(f"ok     {what}" if does else f"FAILED {what}: {otherwise}", flush=True)

    def within(self, what: str, asks, patience: float = PATIENCE):
        """Waits until something holds."""
        deadline = time.monotonic() + patience
        while not (does := asks()) and time.monotonic() < deadline:
            time.sleep(0.1)
        self.holds(what, bool(does))

    def done(self, *arguments, binary: Path | None = None) -> str:
        """What a command of `billchain` prints, which must succeed."""
        command = [binary or self.network.billchain, *arguments]
        result = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        if result.returncode != 0:
            words = " ".join(map(str, arguments))
            raise Failure(f"billchain {words}: {result.stdout}{result.stderr}")
        return result.stdout.strip()

    def home(self, node: int) -> Path:
        return self.network.directory / f"node-{node}"

    def log(self, node: int) -> str:
        return (self.home(node) / "log").read_text(errors="replace")
