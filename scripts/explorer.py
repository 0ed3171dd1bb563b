"""The auditors' explorer beside a network of this machine: started, asked, stopped."""

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from network import Failure, Network

# Behind the nodes' twelve ports; without a base port, beside them.
PORTS = 12
USUAL = 9980


class Explorer:
    """`billchain-explorer serve` with its files in the network's directory."""

    def __init__(self, network: Network, base_port: int | None = None):
        self.network = network
        self.program = network.billchain.parent / "billchain-explorer"
        self.directory = network.directory / "explorer"
        self.port = USUAL if base_port is None else base_port + PORTS

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def flags(self) -> list[str]:
        """What every command of it needs to know."""
        nodes = [self.network.url(node) for node in range(1, len(self.network.layout()) + 1)]
        return [
            *(part for node in nodes for part in ("--node", node)),
            "--chain", str(self.network.directory / "chain.json"),
            "--database", str(self.directory / "index.db"),
            "--own", str(self.directory / "own.db"),
            "--listen", f"127.0.0.1:{self.port}",
            "--metrics", f"127.0.0.1:{self.port + 1}",
        ]

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        """A command that ends."""
        self.directory.mkdir(exist_ok=True)
        return subprocess.run([self.program, *self.flags(), *arguments], capture_output=True, text=True)

    def start(self, *more: str):
        self.directory.mkdir(exist_ok=True)
        with open(self.directory / "log", "ab") as log:
            child = subprocess.Popen(
                [self.program, *self.flags(), *more, "serve"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )
        self.network.keep("explorer", child)

    def stop(self):
        self.network.end("explorer")

    def get(self, path: str, timeout: float = 10, **headers: str):
        """The answer's JSON, whatever its status."""
        request = urllib.request.Request(self.address + path, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            return json.load(refused)

    def wait(self, height: int, patience: float = 60) -> dict:
        """Waits until the index holds a block; its status then."""
        deadline = time.monotonic() + patience
        told = "it does not answer"
        while time.monotonic() < deadline:
            try:
                status = self.get("/api/v1/status")
                if status["indexed"] >= height:
                    return status
                told = f"it is at {status['indexed']}: {status['problem']}"
            except OSError as problem:
                told = str(problem)
                if not self.network.lives("explorer"):
                    break
            time.sleep(0.1)
        log = self.directory / "log"
        end = log.read_text(errors="replace")[-2000:] if log.exists() else ""
        raise Failure(f"the explorer did not reach block {height}: {told}\n{end}")
