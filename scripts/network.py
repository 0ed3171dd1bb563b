"""Four nodes on this machine: make, start, stop, kill, ask.

A module for the main job and the benchmarks, and the engine of
`scripts/devnet`. It signals only processes that it started, by the process ids
it wrote into the network's own directory.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NODES = 4


class Failure(Exception):
    """Something that was expected did not happen; the text says what."""


class Network:
    """The directory of a network and the processes that run it."""

    def __init__(self, binaries: Path, directory: Path, base_port: int | None):
        self.billchain = binaries / "billchain"
        self.bench = binaries / "billchain-bench"
        self.refs = binaries / "billchain-refs"
        self.directory = directory
        self.base_port = base_port
        self._made = {}
        self._bureau = None

    # -- making -----------------------------------------------------------

    def make(self):
        """Writes specification, keys and configurations, unless they are there."""
        if (self.directory / "network.json").exists():
            return
        command = [self.billchain, "devnet", "--dir", self.directory]
        if self.base_port is not None:
            command += ["--base-port", str(self.base_port)]
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode != 0:
            raise Failure(f"`billchain devnet` failed:\n{result.stderr}")

    # -- the bureau's service for payer references ------------------------

    def _home_of_bureau(self) -> Path:
        return self.directory / "references"

    def asks(self) -> Path:
        """Configuration of whoever asks for payer references: `--references`."""
        return self._home_of_bureau() / "client.toml"

    def start_bureau(self):
        """Makes the service's files, unless they are there, and starts it: at 9650, or
        at the port after the twelve of the nodes."""
        if self.bureau_pid() is not None:
            return
        home = self._home_of_bureau()
        if not self.asks().exists():
            port = 9650 if self.base_port is None else self.base_port + 12
            command = [self.refs, "devnet", "--dir", home, "--listen", f"127.0.0.1:{port}"]
            result = subprocess.run(command, capture_output=True, text=True)
            if result.returncode != 0:
                raise Failure(f"`billchain-refs devnet` failed:\n{result.stderr}")
        with open(home / "log", "ab") as log:
            child = subprocess.Popen(
                [self.refs, "run", "--config", home / "service.toml"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._bureau = child
        (home / "pid").write_text(str(child.pid))
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if child.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.bureau_url()}/health", timeout=5):
                    return
            except OSError:
                time.sleep(0.1)
        tail = (home / "log").read_text(errors="replace")[-2000:]
        raise Failure(f"the service for payer references does not answer; its log:\n{tail}")

    def bureau_url(self) -> str:
        text = (self._home_of_bureau() / "service.toml").read_text()
        return "http://" + text.split('listen = "')[1].split('"')[0]

    def bureau_pid(self) -> int | None:
        """Process id of the service, if this network started it and it lives."""
        if self._bureau is not None:
            return self._bureau.pid if self._bureau.poll() is None else None
        return self._living(self._home_of_bureau() / "pid")

    def stop_bureau(self):
        pid = self.bureau_pid()
        if pid is None:
            return
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 35
        while self.bureau_pid() is not None:
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                raise Failure("the service for payer references did not stop within 35 s")
            time.sleep(0.05)
        self._bureau = None
        (self._home_of_bureau() / "pid").unlink(missing_ok=True)

    def layout(self) -> list[dict]:
        """What `billchain devnet` wrote: per node its ports and directory."""
        path = self.directory / "network.json"
        if not path.exists():
            raise Failure(f"there is no network in {self.directory}")
        return json.loads(path.read_text())["nodes"]

    # -- processes --------------------------------------------------------

    def _pid_file(self, node: int) -> Path:
        return self.directory / f"node-{node}" / "pid"

    def pid(self, node: int) -> int | None:
        """Process id of a node (1…4) that this network started and that lives."""
        child = self._made.get(node)
        if child is not None:
            return child.pid if child.poll() is None else None
        return self._living(self._pid_file(node))

    def _living(self, pid_file: Path) -> int | None:
        try:
            pid = int(pid_file.read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        # A process id may have been given to somebody else since.
        return pid if str(self.directory).encode() in command else None

    def start(self, node: int):
        if self.pid(node) is not None:
            return
        home = self.directory / f"node-{node}"
        with open(home / "log", "ab") as log:
            child = subprocess.Popen(
                [self.billchain, "run", "--config", home / "node.toml"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._made[node] = child
        self._pid_file(node).write_text(str(child.pid))

    def abstain(self, node: int, height: int):
        """Lets a stopped node sign after `height`, whatever its key signed
        elsewhere before. A revision without a signing memory needs no word."""
        command = [self.billchain, "signing-memory"]
        if subprocess.run([*command, "--help"], capture_output=True).returncode != 0:
            return
        config = self.directory / f"node-{node}" / "node.toml"
        command += ["abstain", "--config", config, "--up-to", str(height)]
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode != 0:
            raise Failure(f"`billchain signing-memory abstain` failed:\n{result.stderr}")

    def start_all(self):
        for node in range(1, NODES + 1):
            self.start(node)

    def _signal(self, node: int, number: int, patience: float):
        pid = self.pid(node)
        if pid is None:
            return
        os.kill(pid, number)
        deadline = time.monotonic() + patience
        while self.pid(node) is not None:
            if time.monotonic() > deadline:
                raise Failure(f"node {node} did not stop within {patience:.0f} s")
            time.sleep(0.05)
        self._made.pop(node, None)
        self._pid_file(node).unlink(missing_ok=True)

    def kill(self, node: int):
        """SIGKILL: no chance to say goodbye."""
        self._signal(node, signal.SIGKILL, 10)

    def stop(self, node: int):
        """SIGTERM, and SIGKILL if that does not help."""
        try:
            self._signal(node, signal.SIGTERM, 30)
        except Failure:
            self.kill(node)
            raise

    def stop_all(self):
        failures = []
        try:
            self.stop_bureau()
        except Failure as failure:
            failures.append(str(failure))
        for node in range(1, NODES + 1):
            try:
                self.stop(node)
            except Failure as failure:
                failures.append(str(failure))
        if failures:
            raise Failure("; ".join(failures))

    # -- asking -----------------------------------------------------------

    def url(self, node: int) -> str:
        return f"http://127.0.0.1:{self.layout()[node - 1]['rpc_port']}"

    def rpc(self, node: int, method: str, *params, timeout: float = 10):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        request = urllib.request.Request(
            self.url(node), body.encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=timeout) as response:
            answer = json.load(response)
        if "error" in answer:
            raise Failure(f"{method} at node {node}: {answer['error']}")
        return answer["result"]

    def height(self, node: int) -> int:
        return int(self.rpc(node, "chain_getHeader")["number"], 16)

    def wait_height(self, node: int, height: int, patience: float):
        """Waits until a node is up and at least this high."""
        deadline = time.monotonic() + patience
        last = "no answer"
        while time.monotonic() < deadline:
            if self.pid(node) is None:
                raise Failure(f"node {node} is not running; its log:\n{self.log_tail(node)}")
            try:
                at = self.height(node)
                if at >= height:
                    return at
                last = f"height {at}"
            except (OSError, urllib.error.URLError, Failure) as problem:
                last = str(problem)
            time.sleep(0.1)
        raise Failure(
            f"node {node} did not reach height {height} within {patience:.0f} s: {last}; "
            f"its log:\n{self.log_tail(node)}"
        )

    def header_at(self, node: int, height: int) -> dict:
        """Hash and state root of the block of this height."""
        block_hash = self.rpc(node, "chain_getBlockHash", height)
        header = self.rpc(node, "chain_getHeader", block_hash)
        return {"height": height, "hash": block_hash, "state_root": header["stateRoot"]}

    def log_tail(self, node: int, lines: int = 15) -> str:
        try:
            text = (self.directory / f"node-{node}" / "log").read_text(errors="replace")
        except OSError:
            return "(no log)"
        return "\n".join(text.splitlines()[-lines:])


def tell(network: Network):
    """Prints of each node where it answers and how far it is."""
    if network.asks().exists():
        state = "" if network.bureau_pid() is not None else " (stopped)"
        print(f"payer references: {network.bureau_url()}{state}  --references {network.asks()}")
    for node, place in enumerate(network.layout(), 1):
        if network.pid(node) is None:
            print(f"node {node}: stopped")
            continue
        try:
            at = network.header_at(node, network.height(node))
        except (OSError, Failure) as problem:
            print(f"node {node}: runs, and does not answer at {network.url(node)}: {problem}")
            continue
        print(
            f"node {node}: {network.url(node)}  metrics http://127.0.0.1:{place['metrics_port']}/metrics\n"
            f"        height {at['height']}  hash {at['hash']}  state root {at['state_root']}"
        )


def follow(network: Network, nodes: list[int], lines: int):
    """Prints the ends of logs; `tail` goes on with them until it is interrupted."""
    logs = [network.directory / f"node-{node}" / "log" for node in nodes]
    missing = [log for log in logs if not log.exists()]
    if missing:
        raise Failure(f"there is no log {missing[0]}: the node was never started")
    sys.stdout.flush()
    os.execvp("tail", ["tail", f"--lines={lines}", "--follow=name", *map(str, logs)])


def play(network: Network, action: str, nodes: list[int], lines: int | None):
    """One of the actions of `scripts/devnet`."""
    if action == "up":
        network.make()
        network.start_all()
        network.start_bureau()
        for node in nodes:
            network.wait_height(node, 1, 60)
    network.layout()
    for node in nodes:
        if action == "start":
            network.start(node)
        elif action == "stop":
            network.stop(node)
        elif action == "kill":
            network.kill(node)
    if action == "start":
        for node in nodes:
            network.wait_height(node, 1, 60)
    if action == "down":
        network.stop_all()
        print("stopped")
    elif action == "logs" and lines is None:
        for node in nodes:
            print(f"==> node {node}\n{network.log_tail(node)}")
    elif action == "logs":
        follow(network, nodes, lines)
    else:
        tell(network)


def main() -> int:
    parser = argparse.ArgumentParser(prog="./scripts/devnet")
    parser.add_argument("--bin", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument(
        "action", choices=["up", "status", "stop", "start", "kill", "logs", "down"]
    )
    known = range(1, NODES + 1)
    parser.add_argument("nodes", nargs="*", type=int, metavar="NODE")
    parser.add_argument("--follow", type=int, nargs="?", const=15, metavar="LINES")
    parser.add_argument("--dir", type=Path, default=ROOT / ".devnet")
    parser.add_argument("--base-port", type=int)
    arguments = parser.parse_intermixed_args()
    action, nodes = arguments.action, list(dict.fromkeys(arguments.nodes))
    unknown = [node for node in nodes if node not in known]
    if unknown:
        parser.error(f"there is no node {unknown[0]}: nodes are 1 to {NODES}")
    if action in ("stop", "start", "kill", "logs") and not nodes:
        parser.error(f"{action}: which node? One or more of 1 to {NODES}")
    if action in ("up", "status", "down") and nodes:
        parser.error(f"{action} is for all nodes: {action} takes no number")
    network = Network(arguments.bin, arguments.dir.resolve(), arguments.base_port)
    try:
        play(network, action, nodes or list(known), arguments.follow)
    except Failure as failure:
        print(f"FAILED: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
