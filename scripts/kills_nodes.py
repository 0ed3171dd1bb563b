"""Nodes that are killed, and the clients that send to them. A module for `kills.py`."""

import random
import signal
import subprocess
import time
from functools import cached_property
from pathlib import Path

from lab import ALL, Lab
from lab_load import ISSUERS, PATIENCE, Bills, Client, Ledger, Signer
from lab_oracle import UNHEARD
from network import NODES, Failure, Network

# Seconds in which a command has to end that nobody kills.
LONGEST = 300
# Seconds that an issuer rests whose last transaction was not answered: it is in a block
# then, or nowhere.
REST = 15
# Of each node's issuers, how many register bills one by one; the others register batches.
SINGLE = 8
# Transactions a second over all nodes, and bills of one.
LOADS = [(32, 1), (4, 10)]
# What a node logs as it starts, and how its life is called before that.
PHASES = [
    (" starting ", "opening the database"),
    ("consensus begins", "opening journal, consensus log and signing memory"),
    (" ready", "joining the others"),
]
RUNNING = "ready"


class Nodes(Network):
    """A network whose processes are known to be killed by us alone."""

    # As the lab asks many questions at once.
    many = Lab.many

    def __init__(self, binaries: Path, directory: Path, base_port: int | None):
        super().__init__(binaries, directory, base_port)
        self.closed = False
        self.marks: dict[int, int] = {}
        self.tools: list[subprocess.Popen] = []

    @cached_property
    def places(self) -> list[dict]:
        return super().layout()

    def layout(self) -> list[dict]:
        return self.places if (self.directory / "network.json").exists() else super().layout()

    def home(self, node: int) -> Path:
        return self.directory / f"node-{node}"

    def data(self, node: int) -> Path:
        return self.home(node) / "data"

    def start(self, node: int):
        if self.closed:
            raise Failure("the run was ended")
        log = self.home(node) / "log"
        self.marks[node] = log.stat().st_size if log.exists() else 0
        super().start(node)

    def log_since_start(self, node: int) -> str:
        with open(self.home(node) / "log", "rb") as log:
            log.seek(self.marks[node])
            return log.read().decode(errors="replace")

    def phase(self, node: int) -> str:
        """How far the last start of a node came, by its log."""
        text = self.log_since_start(node)
        return next((phase for mark, phase in PHASES if mark not in text), RUNNING)

    def strike(self, nodes: list[int]):
        """SIGKILL of nodes that run, as nearly at once as can be."""
        children = {node: self._made[node] for node in nodes}
        for child in children.values():
            child.kill()
        for node, child in children.items():
            if (code := child.wait(10)) != -signal.SIGKILL:
                raise Failure(f"node {node} had ended by itself with {code}; its log:\n{self.log_tail(node)}")
            self.forget(node)

    def end(self, node: int, patience: float) -> bool:
        """SIGTERM, and SIGKILL after so many seconds; whether that was needed."""
        child = self._made[node]
        child.terminate()
        try:
            code = child.wait(patience)
        except subprocess.TimeoutExpired:
            self.strike([node])
            return True
        self.forget(node)
        if code != 0:
            raise Failure(f"node {node}, told to stop, ended with {code}; its log:\n{self.log_tail(node)}")
        return False

    def forget(self, node: int):
        self._made.pop(node, None)
        self._pid_file(node).unlink(missing_ok=True)

    # -- commands -------------------------------------------------------------

    def begin(self, node: int, *words) -> subprocess.Popen:
        """A command of `billchain` for a node, which goes on meanwhile."""
        if self.closed:
            raise Failure("the run was ended")
        command = [self.billchain, *words, "--config", self.home(node) / "node.toml"]
        with open(self.home(node) / "commands", "ab") as log:
            log.write(f"\n> {' '.join(map(str, words))}\n".encode())
            log.flush()
            tool = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.tools.append(tool)
        return tool

    def finish(self, node: int, tool: subprocess.Popen) -> int:
        """Its exit code."""
        try:
            code = tool.wait(LONGEST)
        except subprocess.TimeoutExpired:
            raise Failure(f"a command for node {node} takes more than {LONGEST} s; {self.said(node)}")
        self.tools.remove(tool)
        return code

    def whole(self, node: int, *words):
        """A command that nobody kills; it must succeed."""
        if (code := self.finish(node, self.begin(node, *words))) != 0:
            raise Failure(f"billchain {' '.join(map(str, words))}: exit code {code}; {self.said(node)}")

    def said(self, node: int) -> str:
        """The end of what the last command for a node printed."""
        text = (self.home(node) / "commands").read_text(errors="replace").rpartition("\n> ")[2]
        return "it said:\n" + "\n".join(text.splitlines()[-12:])

    def close(self):
        """Ends all that was started here. Another thread may be about to."""
        self.closed = True
        for child in [*self.tools, *self._made.values()]:
            child.kill()
            child.wait()


class Sender(Client):
    """A client that comes back to its issuers, and then asks all nodes for their nonces: the
    one that it sends to may be behind, and another may not know what that one accepted."""

    def __init__(self, own: list[int], *arguments):
        self.own, self.issuer = own, None
        # Until when an issuer rests.
        self.rests: dict[int, float] = {}
        super().__init__(*arguments)

    def next_issuer(self):
        now = time.monotonic()
        if self.issuer:
            self.rests[self.issuer] = now + REST
        self.issuer = min(self.own, key=lambda one: self.rests.get(one, 0.0))
        self.ended.wait(max(self.rests.get(self.issuer, 0.0) - now, 0.0))
        self.signer = Signer(f"//hospital-{self.issuer}")
        self.nonce = None

    def send(self):
        if self.nonce is None:
            summary = self.bills.new(self.issuer)
            call = {"pallet": "BillRegister", "call": "register", "args": {"summary": summary}}
            self.nonce = max(self.next_nonces(call))
        super().send()

    def next_nonces(self, call: dict) -> list[int]:
        asked = ["transaction_prepare", call, self.signer.public, None]
        found = [self.ask(*asked)["nonce"]]
        for node in ALL:
            try:
                found.append(self.lab.rpc(node, *asked, timeout=PATIENCE)["nonce"])
            except UNHEARD:
                # It does not run.
                pass
        return found

    def note(self, refusal: str):
        super().note(refusal)
        self.next_issuer()


class Senders:
    """Clients at each node, and what nodes accepted of them."""

    def __init__(self, nodes: Nodes, chance: random.Random):
        self.ledger = Ledger()
        bills = Bills(chance)
        self.clients = []
        for node in ALL:
            own = list(range(node, ISSUERS + 1, NODES))
            for (rate, batch), issuers in zip(LOADS, (own[:SINGLE], own[SINGLE:])):
                self.clients.append(Sender(issuers, nodes, node, self.ledger, bills, rate / NODES, batch))
        for client in self.clients:
            client.start()

    def stop(self):
        for client in self.clients:
            client.ended.set()
        for client in self.clients:
            client.join(3 * PATIENCE)
