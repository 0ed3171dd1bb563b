"""Four nodes, each in a network namespace of its own, and what can be done to their
wire, clocks and disks. A module for `lab_run.py`, which enters the namespaces that
hold all this: when its process ends, the kernel removes every namespace, device,
mount and process that was made here, and nothing outside was changed.

A node has two devices: `wire`, 10.61.0.N, through the switch (`lab_switch.py`), where
faults happen, and `ask`, 10.62.N.2, straight to the lab, where JSON-RPC is asked.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from network import NODES, ROOT, Failure, Network

ALL = list(range(1, NODES + 1))
PORT = 26_000
FAKETIME = [Path(f"/usr/lib/{machine}-linux-gnu/faketime/libfaketimeMT.so.1") for machine in ("x86_64", "aarch64")]
# Bytes of the disk of a node whose disk is to be full.
SMALL_DISK = "256m"
# MiB of it below which the node takes no work.
LEAST_FREE = 64


@dataclass(frozen=True)
class Weather:
    """Shares lost, and seconds of delay, from one node to another; bits a second."""

    links: dict[tuple[int, int], tuple[float, float, float]]
    rate: dict[int, int]

    def line(self) -> str:
        links = [[*pair, *link] for pair, link in self.links.items()]
        return json.dumps({"links": links, "rate": self.rate})


CALM = Weather({}, {})
LOST = (1.0, 0.0, 0.0)


def everywhere(loss: float = 0.0, delay: float = 0.0, jitter: float = 0.0) -> Weather:
    link = (loss, delay, jitter)
    return Weather({(one, other): link for one in ALL for other in ALL if one != other}, {})


def cut(*pairs: tuple[int, int]) -> Weather:
    """Nothing passes from the first of a pair to the second."""
    return Weather({pair: LOST for pair in pairs}, {})


def apart(group: list[int]) -> Weather:
    """Nothing passes between these and the others."""
    others = [node for node in ALL if node not in group]
    pairs = [(one, other) for one in group for other in others]
    return cut(*pairs, *[(other, one) for one, other in pairs])


def ip(*arguments):
    run("ip", *arguments)


def run(*command):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if result.returncode != 0:
        raise Failure(f"{' '.join(map(str, command))}: {result.stderr.strip()}")


class Lab(Network):
    """A network whose wire, clocks and disks are ours."""

    def __init__(self, binaries: Path, directory: Path, seed: int):
        super().__init__(binaries, directory, PORT)
        self.preloads: list[Path] = []
        self.switch = self.lay_wire(seed)

    # -- making -----------------------------------------------------------

    def lay_wire(self, seed: int) -> subprocess.Popen:
        names = [f"wire{node}" for node in ALL]
        command = [sys.executable, Path(__file__).parent / "lab_switch.py", str(seed), *names]
        switch = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if switch.stdout.readline() != "ready\n":
            raise Failure("the switch did not open its devices: is there /dev/net/tun?")
        for node in ALL:
            self.make_namespace(node)
        return switch

    def make_namespace(self, node: int):
        space, wire, ask = f"node{node}", f"wire{node}", f"ask{node}"
        ip("netns", "add", space)
        ip("link", "set", wire, "netns", space)
        ip("link", "add", ask, "type", "veth", "peer", "name", "ask", "netns", space)
        ip("addr", "add", f"10.62.{node}.1/30", "dev", ask)
        ip("link", "set", ask, "up")
        ip("-n", space, "addr", "add", f"10.62.{node}.2/30", "dev", "ask")
        ip("-n", space, "addr", "add", f"10.61.0.{node}/24", "dev", wire)
        # The switch knows nodes by the last byte.
        ip("-n", space, "link", "set", wire, "address", mac(node), "addrgenmode", "none")
        for device in ("lo", "ask", wire):
            ip("-n", space, "link", "set", device, "up")
        for other in ALL:
            if other != node:
                ip("-n", space, "neigh", "add", f"10.61.0.{other}", "lladdr", mac(other), "dev", wire)

    def make(self, settings: str = ""):
        """`settings`: lines for `[consensus]` of each node."""
        super().make()
        ports = [place["p2p_port"] for place in self.layout()]
        for node in ALL:
            file = self.directory / f"node-{node}" / "node.toml"
            text = file.read_text()
            text = text.replace(f'"127.0.0.1:{ports[node - 1]}"', f'"10.61.0.{node}:{ports[node - 1]}"')
            for other in ALL:
                port = ports[other - 1]
                text = text.replace(f"/ip4/127.0.0.1/tcp/{port}/", f"/ip4/10.61.0.{other}/tcp/{port}/")
            text = re.sub(r'(\[rpc\]\nlisten = )"127\.0\.0\.1:', rf'\1"10.62.{node}.2:', text)
            file.write_text(text + (f"\n[consensus]\n{settings}" if settings else ""))

    def url(self, node: int) -> str:
        return f"http://10.62.{node}.2:{PORT + node - 1}"

    def many(self, node: int, method: str, params: list) -> list:
        """Answers to many questions of one parameter, asked at once."""
        calls = [{"jsonrpc": "2.0", "id": at, "method": method, "params": [each]} for at, each in enumerate(params)]
        request = urllib.request.Request(
            self.url(node), json.dumps(calls).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            answers = {answer["id"]: answer for answer in json.load(response)}
        bad = next((answer for answer in answers.values() if "error" in answer), None)
        if bad:
            raise Failure(f"{method} at node {node}: {bad['error']}")
        return [answers[at]["result"] for at in range(len(params))]

    # -- processes --------------------------------------------------------

    def start(self, node: int):
        if self.pid(node) is not None:
            return
        home = self.directory / f"node-{node}"
        environment = dict(os.environ)
        if self.preloads:
            environment |= {
                "LD_PRELOAD": ":".join(map(str, self.preloads)),
                "FAKETIME_TIMESTAMP_FILE": str(home / "clock"),
                "FAKETIME_CACHE_DURATION": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "SLOW_SYNC_FILE": str(home / "sync-ms"),
            }
        with open(home / "log", "ab") as log:
            self._made[node] = subprocess.Popen(
                ["nsenter", f"--net=/run/netns/node{node}", self.billchain, "run", "--config", home / "node.toml"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True,
            )  # fmt: skip

    def pause(self, node: int):
        os.kill(self.pid(node), signal.SIGSTOP)

    def go_on(self, node: int):
        os.kill(self.pid(node), signal.SIGCONT)

    def remove(self, keep: bool):
        for node in ALL:
            self.kill(node)
        self.switch.stdin.close()
        self.switch.wait(10)
        for node in ALL:
            # With its other end; the kernel would take its time.
            ip("link", "delete", f"ask{node}")
            ip("netns", "delete", f"node{node}")
            disk = self.data(node)
            if disk.is_mount():
                run("umount", disk)
        if not keep:
            shutil.rmtree(self.directory, ignore_errors=True)

    def data(self, node: int) -> Path:
        return self.directory / f"node-{node}" / "data"

    # -- wire, clocks, disks ----------------------------------------------

    def weather(self, weather: Weather):
        self.switch.stdin.write(weather.line() + "\n")
        self.switch.stdin.flush()
        if not self.switch.stdout.readline():
            raise Failure("the switch has ended")

    def fake_clocks(self):
        """Before nodes are started: lets their clocks be set."""
        library = next((path for path in FAKETIME if path.exists()), None)
        if library is None:
            raise Failure("libfaketime is missing: apt-get install libfaketime")
        self.preloads.append(library)
        for node in ALL:
            self.set_clock(node, 0)

    def set_clock(self, node: int, seconds: int):
        """Within a second: so many seconds ahead of ours."""
        replace(self.directory / f"node-{node}" / "clock", f"{seconds:+d}\n")

    def slow_disks(self):
        """Before nodes are started: lets their syncs be slowed."""
        library = self.directory / "slow.so"
        run("cc", "-shared", "-fPIC", "-O2", "-o", library, ROOT / "tests" / "faults" / "slow.c", "-ldl")
        self.preloads.append(library)

    def set_sync(self, node: int, milliseconds: int):
        """Each sync of a node's files takes so much longer."""
        replace(self.directory / f"node-{node}" / "sync-ms", f"{milliseconds}\n")

    def small_disk(self, node: int):
        """Before the node is started: its data has a small disk of its own."""
        self.data(node).mkdir(parents=True, exist_ok=True)
        run("mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "lab", self.data(node))
        config = self.directory / f"node-{node}" / "node.toml"
        least = f"[storage]\nmin_free_mib = {LEAST_FREE}\n"
        config.write_text(config.read_text().replace("[storage]\n", least))

    def fill_disk(self, node: int):
        with open(self.data(node) / "filler", "ab", buffering=0) as file:
            try:
                while file.write(bytes(1 << 16)):
                    pass
            except OSError:
                return

    def empty_disk(self, node: int):
        (self.data(node) / "filler").unlink()


def mac(node: int) -> str:
    return f"02:00:00:00:00:{node:02x}"


def replace(file: Path, text: str):
    """At once: a reader sees the old text or the new one."""
    new = file.with_suffix(".new")
    new.write_text(text)
    new.rename(file)
