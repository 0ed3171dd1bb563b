"""Validators come, change and go on a live network.

A fifth node joins from the chain specification, its keys and the address of one peer. An
operator rotates the key of a node. A validator is removed. All by `billchain admin`,
as the council does it.
"""

import argparse
import re
import sys
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from drills import PATIENCE, Drill  # noqa: E402
from network import NODES, Network  # noqa: E402

FIFTH = NODES + 1


class Five(Network):
    """The network, with a fifth node of whom `billchain devnet` knows nothing."""

    fifth: dict | None = None

    def layout(self) -> list[dict]:
        return super().layout() + ([self.fifth] if self.fifth else [])

    def stop_all(self):
        self.stop(FIFTH)
        super().stop_all()


class Members(Drill):
    def __init__(self, arguments):
        super().__init__(Five(arguments.bin, arguments.dir, arguments.base_port))
        self.ports = [arguments.base_port + offset for offset in (12, 13, 14)]

    # -- what operators do ------------------------------------------------

    def motion(self, *arguments):
        self.done("admin", *arguments, "--rpc", self.network.url(2), "--development-council")

    def new_key(self, node: int, name: str) -> str:
        """A new SM2 key, encrypted with the node's password."""
        home = self.home(node)
        arguments = ["--out", home / name, "--password-file", home / "password"]
        return self.done("keys", "generate", *arguments).splitlines()[0].split()[-1]

    def make_fifth(self) -> dict:
        """The files of a fifth node: keys, a configuration, one peer's address."""
        home = self.home(FIFTH)
        home.mkdir()
        (home / "password").write_text("fifth")
        (home / "password").chmod(0o600)
        keys = {"operator": self.new_key(FIFTH, "operator.pem")}
        keys["consensus"] = self.new_key(FIFTH, "consensus.pem")
        keys["peer"] = self.done("keys", "network", "--out", home / "network.key").split()[-1]
        text = (self.home(1) / "node.toml").read_text()
        first, rpc, p2p, metrics = self.network.layout()[0], *self.ports
        for name, port in (("rpc_port", rpc), ("p2p_port", p2p), ("metrics_port", metrics)):
            text = text.replace(f"127.0.0.1:{first[name]}", f"127.0.0.1:{port}")
        peer = self.done("keys", "peer-id", self.home(1) / "network.key").split()[-1]
        one = f'peers = ["/ip4/127.0.0.1/tcp/{first["p2p_port"]}/p2p/{peer}"]'
        text = re.sub(r"peers = \[.*?\]", one, text, flags=re.DOTALL)
        text = text.replace('"node-1"', '"node-5"')
        (home / "node.toml").write_text(text)
        names = ("rpc_port", "p2p_port", "metrics_port")
        self.network.fifth = dict(zip(names, self.ports), name="node-5")
        return keys

    # -- what is seen -----------------------------------------------------

    def get(self, node: int, path: str) -> str:
        port = self.network.layout()[node - 1]["metrics_port"]
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.read().decode()

    def gauge(self, node: int, name: str) -> int:
        lines = self.get(node, "/metrics").splitlines()
        return next(int(line.split()[-1]) for line in lines if line.startswith(f"{name} "))

    def validators(self) -> list[dict]:
        return self.network.rpc(2, "validator_list")["validators"]

    def operator_of(self, node: int) -> str:
        return self.validators()[node - 1]["operator"]

    def go_on(self, what: str, nodes: list[int]):
        """All of these nodes make some blocks and have one chain."""
        height = self.network.height(nodes[0]) + 3
        for node in nodes:
            self.network.wait_height(node, height, PATIENCE)
        headers = [self.network.header_at(node, height) for node in nodes]
        self.holds(what, all(header == headers[0] for header in headers), headers)

    # -- the drill --------------------------------------------------------

    def run(self):
        self.network.make()
        self.network.start_all()
        for node in range(1, NODES + 1):
            self.network.wait_height(node, 2, PATIENCE)
        self.joins()
        self.rotates()
        self.changes()
        self.leaves()
        self.network.stop_all()

    def joins(self):
        keys = self.make_fifth()
        self.network.start(FIFTH)
        self.network.wait_height(FIFTH, 0, PATIENCE)
        said = "it joins, or was removed"
        self.within("a node that is no member says so", lambda: said in self.log(FIFTH))
        health = self.get(FIFTH, "/health")
        self.holds("its health says so", health.startswith("no member"), health)
        self.motion(
            "validators", "add", "--name", "Node 5", "--operator", keys["operator"],
            "--consensus-key", keys["consensus"], "--peer-id", keys["peer"],
        )
        self.holds("the chain has five validators", len(self.validators()) == 5)
        self.network.wait_height(FIFTH, self.network.height(1), PATIENCE)
        self.within("it votes", lambda: self.gauge(FIFTH, "billchain_is_validator") == 1)
        self.within("its health is ok", lambda: self.get(FIFTH, "/health") == "ok\n")
        # Four of five are needed now.
        self.network.kill(4)
        self.go_on("without the fourth the chain goes on by the fifth's votes", [1, 2, 3, FIFTH])
        self.network.start(4)
        self.go_on("all five go on", [1, 2, 3, 4, FIFTH])

    def rotates(self):
        """The first node votes with another key, with a restart after the motion."""
        key = self.new_key(1, "next.pem")
        self.motion("validators", "rotate-key", "--operator", self.operator_of(1),
                    "--consensus-key", key)
        self.holds("the chain has the new key", self.validators()[0]["consensus_key"] == key)
        said = "consensus key is no validator's"
        self.within("the node says that its key votes no more", lambda: said in self.log(1))
        self.holds("and counts it", self.gauge(1, "billchain_is_validator") == 0)
        self.network.stop(1)
        config = self.home(1) / "node.toml"
        config.write_text(config.read_text().replace("consensus.pem", "next.pem"))
        self.network.start(1)
        self.network.wait_height(1, self.network.height(2), PATIENCE)
        self.within("it votes with the new key", lambda: self.gauge(1, "billchain_is_validator") == 1)
        self.network.kill(4)
        self.go_on("without the fourth the chain goes on by the first's votes", [1, 2, 3, FIFTH])
        self.network.start(4)
        self.go_on("all five go on with it", [1, 2, 3, 4, FIFTH])

    def changes(self):
        """Power and operator's account."""
        self.motion("validators", "set-power", "--operator", self.operator_of(5), "--power", "2")
        self.holds("the fifth's votes count twice", self.validators()[4]["power"] == 2)
        key = self.new_key(FIFTH, "other-operator.pem")
        before = self.operator_of(5)
        self.motion("validators", "set-operator", "--operator", before, "--to", key)
        self.holds("the fifth has another operator", self.operator_of(5) != before)
        self.go_on("all five go on after that", [1, 2, 3, 4, FIFTH])

    def leaves(self):
        self.motion("validators", "remove", "--operator", self.operator_of(5))
        self.holds("the chain has four validators", len(self.validators()) == 4)
        said = "it joins, or was removed"
        self.within("the removed node says so", lambda: self.log(FIFTH).count(said) == 2)
        health = lambda: self.get(FIFTH, "/health").startswith("no member")  # noqa: E731
        self.within("its health says so as well", health)
        self.go_on("the four go on", [1, 2, 3, 4])


def main() -> int:
    parser = argparse.ArgumentParser(prog="./tests/members/run")
    parser.add_argument("--bin", type=Path, required=True)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--base-port", type=int, required=True)
    return Members(parser.parse_args()).main()


if __name__ == "__main__":
    sys.exit(main())
