"""Members come, change and go on a live network under load.

A fifth node joins from the chain specification, its keys and the address of one peer, and
is dialled by the others where the chain says that it is. A validator's key is rotated
while its node runs. Powers, operators and network identities change, observers come and
go, a dead validator is replaced. All by `billchain admin`, as operators and the council
do it.
"""

import argparse
import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from drills import PATIENCE, Drill  # noqa: E402
from network import NODES, Network  # noqa: E402

FIFTH, SIXTH = NODES + 1, NODES + 2
ALL_FIVE = [1, 2, 3, 4, FIFTH]
# Seconds of load, at nodes that no step stops: the whole drill.
LOAD_SECONDS, LOAD_RATE = 60, 150


class Grown(Network):
    """The network, with nodes of whom `billchain devnet` knows nothing."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.more: list[dict] = []

    def layout(self) -> list[dict]:
        return super().layout() + self.more

    def stop_all(self):
        for number in range(len(self.more)):
            self.stop(NODES + 1 + number)
        super().stop_all()


class Members(Drill):
    network: Grown

    def __init__(self, arguments):
        super().__init__(Grown(arguments.bin, arguments.dir, arguments.base_port))
        self.ports = iter(range(arguments.base_port + 12, arguments.base_port + 18))

    # -- what operators do ------------------------------------------------

    def motion(self, *arguments):
        self.done("admin", *arguments, "--rpc", self.network.url(2), "--development-council")

    def new_key(self, node: int, name: str) -> str:
        """A new SM2 key, encrypted with the node's password."""
        home = self.home(node)
        arguments = ["--out", home / name, "--password-file", home / "password"]
        return self.done("keys", "generate", *arguments).splitlines()[0].split()[-1]

    def new_identity(self, node: int, name: str) -> str:
        return self.done("keys", "network", "--out", self.home(node) / name).split()[-1]

    def configure(self, node: int, before: str, after: str):
        config = self.home(node) / "node.toml"
        text = config.read_text()
        if before not in text:
            raise ValueError(f"{config} has no {before!r}")
        config.write_text(text.replace(before, after))

    def make_node(self, node: int, peer: int) -> dict:
        """The files of a further node: keys, a configuration, one peer's address."""
        home = self.home(node)
        home.mkdir()
        (home / "keys").mkdir()
        (home / "password").write_text(f"password of {node}")
        (home / "password").chmod(0o600)
        keys = {name: self.new_key(node, f"{name}.pem") for name in ("operator", "consensus")}
        keys["peer"] = self.new_identity(node, "network.key")
        text = (self.home(1) / "node.toml").read_text()
        ports = {name: next(self.ports) for name in ("rpc_port", "p2p_port", "metrics_port")}
        layout = self.network.layout()
        for name, port in ports.items():
            text = text.replace(f"127.0.0.1:{layout[0][name]}", f"127.0.0.1:{port}")
        identity = self.done("keys", "peer-id", self.home(peer) / "network.key").split()[-1]
        one = f'peers = ["/ip4/127.0.0.1/tcp/{layout[peer - 1]["p2p_port"]}/p2p/{identity}"]'
        text = re.sub(r"peers = \[.*?\]", one, text, flags=re.DOTALL)
        (home / "node.toml").write_text(text.replace('"node-1"', f'"node-{node}"'))
        self.network.more.append(dict(ports, name=f"node-{node}"))
        return keys

    def add(self, node: int, keys: dict):
        self.motion(
            "validators", "add", "--name", f"Node {node}", "--operator", keys["operator"],
            "--consensus-key", keys["consensus"], "--peer-id", keys["peer"],
        )

    def say_where(self, node: int, keys: dict):
        """Its operator says on the chain where a node is reached."""
        home = self.home(node)
        self.done(
            "admin", "validators", "set-address", "--peer-id", keys["peer"],
            "--address", self.address(node), "--rpc", self.network.url(2),
            "--key", home / "operator.pem", "--password-file", home / "password",
        )

    def address(self, node: int) -> str:
        return f"127.0.0.1:{self.network.layout()[node - 1]['p2p_port']}"

    # -- what is seen -----------------------------------------------------

    def get(self, node: int, path: str) -> str:
        port = self.network.layout()[node - 1]["metrics_port"]
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.read().decode()

    def samples(self, node: int, name: str) -> list[tuple[str, int]]:
        """A metric's labels and values."""
        lines = self.get(node, "/metrics").splitlines()
        found = (re.fullmatch(rf"{name}(?:\{{(.*)\}})? (\d+)(?:\.0)?", line) for line in lines)
        return [(match[1] or "", int(match[2])) for match in found if match]

    def gauge(self, node: int, name: str) -> int:
        return sum(value for _, value in self.samples(node, name))

    def validators(self) -> list[dict]:
        return self.network.rpc(2, "validator_list")["validators"]

    def operator_of(self, place: int) -> str:
        return self.validators()[place - 1]["operator"]

    def has_peers(self, what: str, node: int, count: int):
        """Of transactions and of consensus."""
        connected = "malachitebft_core_consensus_connected_peers"
        both = lambda: (  # noqa: E731
            len(self.network.rpc(node, "system_peers")), self.gauge(node, connected),
        )
        self.within(what, lambda: both() == (count, count))

    def plain_log(self, node: int) -> str:
        """Without the colours."""
        return re.sub(r"\x1b\[[0-9;]*m", "", self.log(node))

    def votes(self, what: str, node: int, does: bool = True):
        self.within(what, lambda: self.gauge(node, "billchain_is_validator") == int(does))

    def go_on(self, what: str, nodes: list[int]):
        """All of these nodes make some blocks and have one chain."""
        height = self.network.height(nodes[0]) + 3
        for node in nodes:
            self.network.wait_height(node, height, PATIENCE)
        headers = [self.network.header_at(node, height) for node in nodes]
        self.holds(what, all(header == headers[0] for header in headers), headers)

    def without(self, node: int, what: str, nodes: list[int]):
        """The chain needs every one of the others while a node is away."""
        self.network.kill(node)
        self.go_on(what, nodes)
        self.network.start(node)
        self.network.wait_height(node, self.network.height(nodes[0]), PATIENCE)

    def load(self) -> subprocess.Popen:
        """Registrations at the nodes that no step stops."""
        command = [self.network.bench, "load", "--rate", str(LOAD_RATE)]
        command += ["--duration", str(LOAD_SECONDS)]
        for node in (2, 3):
            command += ["--rpc", self.network.url(node)]
        out = self.network.directory / "load.json"
        with open(self.network.directory / "load.log", "wb") as log:
            return subprocess.Popen([*command, "--out", out], stdout=log, stderr=log)

    def nothing_lost(self, load: subprocess.Popen):
        code = load.wait(LOAD_SECONDS + PATIENCE)
        log = (self.network.directory / "load.log").read_text()
        self.holds("the load lost nothing", code == 0, log[-2000:])
        record = json.loads((self.network.directory / "load.json").read_text())
        accounts = {name: record[name] for name in ("sent", "accepted", "committed", "lost")}
        self.holds("all of it is final", accounts["committed"] == accounts["sent"], accounts)
        print(f"load: {accounts}, p99 {record['latency_ms']['p99']:.0f} ms")

    # -- the drill --------------------------------------------------------

    def run(self):
        self.network.make()
        for node in range(1, NODES + 1):
            (self.home(node) / "keys").mkdir()
            self.configure(node, "[keys]\n", '[keys]\ndirectory = "keys"\n')
        self.network.start_all()
        for node in range(1, NODES + 1):
            self.network.wait_height(node, 2, PATIENCE)
        load = self.load()
        keys = self.joins()
        self.rotates_running()
        self.rotates_stopped()
        self.changes()
        self.leaves(keys)
        self.observes(keys)
        self.identity_changes()
        self.is_replaced()
        self.nothing_lost(load)
        self.network.stop_all()

    def joins(self) -> dict:
        keys = self.make_node(FIFTH, 1)
        self.network.start(FIFTH)
        self.network.wait_height(FIFTH, 0, PATIENCE)
        said = "it joins, or was removed"
        self.within("a node that is no member says so", lambda: said in self.log(FIFTH))
        health = self.get(FIFTH, "/health")
        self.holds("its health says so", health.startswith("no member"), health)
        self.add(FIFTH, keys)
        self.holds("the chain has five validators", len(self.validators()) == 5)
        self.network.wait_height(FIFTH, self.network.height(1), PATIENCE)
        self.votes("it votes", FIFTH)
        self.within("its health is ok", lambda: self.get(FIFTH, "/health") == "ok\n")
        self.say_where(FIFTH, keys)
        where = self.validators()[4]["address"]
        self.holds("the chain says where it is", where == self.address(FIFTH), where)
        self.has_peers("all four dial it, and it knew one address", FIFTH, 4)
        # Four of five are needed now, and the only one whose address it knew is away.
        self.without(1, "without the first the chain goes on by the fifth's votes", [2, 3, 4, FIFTH])
        self.go_on("all five go on", ALL_FIVE)
        return keys

    def rotates_running(self):
        """The first node votes with another key, and nobody starts it again."""
        process, before = self.network.pid(1), self.validators()[0]["consensus_key"]
        key = self.new_key(1, "keys/next.pem")
        held = lambda: self.gauge(1, "billchain_consensus_keys_held")  # noqa: E731
        self.within("the node holds the new key beside the old", lambda: held() == 2)
        said = self.plain_log(1).rsplit("this node votes", 1)[1].splitlines()[0]
        self.holds("and votes with the old", before in said, said)
        self.motion("validators", "rotate-key", "--operator", self.operator_of(1),
                    "--consensus-key", key)
        now = self.validators()[0]
        self.holds("the chain has the new key", now["consensus_key"] == key, now)
        said = f"this node votes height={now['key_since'] - 1} key={key}"
        self.within("the node says that it votes with it", lambda: said in self.plain_log(1))
        self.within("consensus goes over to it",
                    lambda: "another key of this node signs" in self.log(1))
        aside = list((self.home(1) / "data" / "consensus").glob("signing-memory-of-*"))
        self.within("the memory of the old key is kept", lambda: len(aside) == 1)
        self.has_peers("it is connected again", 1, 4)
        self.without(4, "without the fourth the chain goes on by the first's votes", [1, 2, 3, FIFTH])
        self.go_on("all five go on with it", ALL_FIVE)
        self.holds("the process is the same", self.network.pid(1) == process)
        rounds = self.samples(1, "malachitebft_core_consensus_height")
        self.holds("its metrics go on, once each", len(rounds) == 1, rounds)
        ages = [value for labels, value in self.samples(2, "billchain_consensus_key_from_height")
                if key in labels]
        self.holds("the age of the key is a metric", ages == [now["key_since"]], ages)
        self.back_to(before)

    def back_to(self, key: str):
        """The council takes the rotation back: the file of the old key is there."""
        self.motion("validators", "rotate-key", "--operator", self.operator_of(1),
                    "--consensus-key", key)
        self.within("it goes back to the old key",
                    lambda: self.log(1).count("another key of this node signs") == 2)
        (self.home(1) / "keys" / "next.pem").unlink()
        self.within("and forgets the other",
                    lambda: self.gauge(1, "billchain_consensus_keys_held") == 1)
        self.without(4, "without the fourth it goes on by the old key's votes", [1, 2, 3, FIFTH])

    def rotates_stopped(self):
        """The fifth's operator names the new key in the configuration, after the motion."""
        key = self.new_key(FIFTH, "next.pem")
        self.motion("validators", "rotate-key", "--operator", self.operator_of(5),
                    "--consensus-key", key)
        said = "consensus key is no validator's"
        self.within("the fifth says that its key votes no more",
                    lambda: self.log(FIFTH).count(said) == 2)
        self.votes("and counts it", FIFTH, False)
        self.network.stop(FIFTH)
        self.configure(FIFTH, '"consensus.pem"', '"next.pem"')
        self.network.start(FIFTH)
        self.network.wait_height(FIFTH, self.network.height(2), PATIENCE)
        self.votes("it votes with the new key", FIFTH)
        self.without(4, "without the fourth the chain goes on by the fifth's votes", [1, 2, 3, FIFTH])

    def changes(self):
        """Power and operator's account."""
        self.motion("validators", "set-power", "--operator", self.operator_of(5), "--power", "2")
        self.holds("the fifth's votes count twice", self.validators()[4]["power"] == 2)
        key = self.new_key(FIFTH, "other-operator.pem")
        before = self.operator_of(5)
        self.motion("validators", "set-operator", "--operator", before, "--to", key)
        self.holds("the fifth has another operator", self.operator_of(5) != before)
        self.go_on("all five go on after that", ALL_FIVE)

    def leaves(self, keys: dict):
        self.motion("validators", "remove", "--operator", self.operator_of(5))
        self.holds("the chain has four validators", len(self.validators()) == 4)
        said = "it joins, or was removed"
        self.within("the removed node says so", lambda: self.log(FIFTH).count(said) == 2)
        health = lambda: self.get(FIFTH, "/health").startswith("no member")  # noqa: E731
        self.within("its health says so as well", health)
        self.go_on("the four go on", [1, 2, 3, 4])

    def observes(self, keys: dict):
        """The node that was removed follows as an observer, and is removed again."""
        self.motion("observers", "add", "--name", "Watcher", "--peer-id", keys["peer"])
        self.motion("observers", "set-address", "--peer-id", keys["peer"],
                    "--address", self.address(FIFTH))
        observers = self.network.rpc(2, "validator_list")["observers"]
        expected = [{"name": "Watcher", "peer_id": keys["peer"], "address": self.address(FIFTH)}]
        self.holds("the chain has an observer, and its address", observers == expected, observers)
        self.within("its health is ok again", lambda: self.get(FIFTH, "/health") == "ok\n")
        self.network.wait_height(FIFTH, self.network.height(2), PATIENCE)
        self.has_peers("the validators dial it", FIFTH, 4)
        self.votes("it follows without a vote", FIFTH, False)
        self.motion("observers", "remove", "--peer-id", keys["peer"])
        # Its peers may drop it before it has fetched the block that removes it.
        words = ("no member", "stalled")
        health = lambda: self.get(FIFTH, "/health").startswith(words)  # noqa: E731
        self.within("removed, it says that it is no member or gets no blocks", health)
        self.network.stop(FIFTH)

    def identity_changes(self):
        """The fourth node gets another network key; it is where it was."""
        before = self.validators()[3]["peer_id"]
        self.motion("validators", "set-address", "--peer-id", before,
                    "--address", self.address(4))
        peer = self.new_identity(4, "next.key")
        self.network.stop(4)
        self.motion("validators", "set-peer-id", "--operator", self.operator_of(4),
                    "--peer-id", peer)
        fourth = self.validators()[3]
        found = (fourth["peer_id"], fourth["address"])
        self.holds("the chain has the new identity at the old address",
                   found == (peer, self.address(4)), fourth)
        self.configure(4, '"network.key"', '"next.key"')
        self.network.start(4)
        self.network.wait_height(4, self.network.height(2), PATIENCE)
        self.has_peers("the others know it again", 4, 3)
        self.without(1, "without the first the chain goes on by the fourth's votes", [2, 3, 4])

    def is_replaced(self):
        """The fourth is gone for good: another machine with other keys takes its place."""
        self.network.kill(4)
        keys = self.make_node(SIXTH, 2)
        self.network.start(SIXTH)
        self.motion("validators", "remove", "--operator", self.operator_of(4))
        self.add(SIXTH, keys)
        self.say_where(SIXTH, keys)
        names = [one["name"] for one in self.validators()]
        self.holds("the chain has another fourth", len(names) == 4 and names[3] == "Node 6", names)
        self.network.wait_height(SIXTH, self.network.height(2), PATIENCE)
        self.votes("it votes", SIXTH)
        self.has_peers("the three others dial it", SIXTH, 3)
        self.without(1, "without the first the chain goes on by its votes", [2, 3, SIXTH])
        self.go_on("the new four go on", [1, 2, 3, SIXTH])


def main() -> int:
    parser = argparse.ArgumentParser(prog="./tests/members/run")
    parser.add_argument("--bin", type=Path, required=True)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--base-port", type=int, required=True)
    return Members(parser.parse_args()).main()


if __name__ == "__main__":
    sys.exit(main())
