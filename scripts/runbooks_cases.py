"""What the runbooks are about, done to real networks. A module for `runbooks.py`.

A case makes four nodes under load, does its harm before the page's first block or where
the page's comments say, and at the end looks at the chain by JSON-RPC alone.
"""

import os
import random
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

from lab import ALL, CALM, Lab, apart, run
from lab_load import Load
from lab_oracle import Judge, Watch
from network import Failure

SEED = 1
# Transactions a second while a page is played.
RATE = 20
# Seconds in which an end is awaited.
PATIENCE = 60
# Stands for the machine's service manager: tells the network what the page asks.
SYSTEMCTL = """#!{python}
import socket, sys
with socket.socket(socket.AF_UNIX) as manager:
    manager.connect({path!r})
    manager.sendall(" ".join(sys.argv[1:]).encode() + b"\\n")
    sys.exit(int(manager.makefile().readline()))
"""


class Machines(Lab):
    """The lab's nodes, whose JSON-RPC is reached over the wire as well."""

    supervised = False

    def make(self, settings: str = ""):
        super().make(settings)
        for node in ALL:
            file = self.directory / f"node-{node}" / "node.toml"
            text = file.read_text().replace(f'listen = "10.62.{node}.2:', 'listen = "0.0.0.0:')
            file.write_text(text.replace("[keys]\n", '[keys]\ndirectory = "keys"\n'))
            (file.parent / "keys").mkdir()
            command = ["keys", "generate", "--out", file.parent / "operator.pem"]
            command += ["--password-file", file.parent / "password", "--development-seed", f"//node-{node}"]
            run(self.billchain, *command)

    def near(self, node: int, of: int) -> str:
        """JSON-RPC of a node as another's machine reaches it."""
        port = self.url(of).rsplit(":", 1)[1]
        return f"http://127.0.0.1:{port}" if node == of else f"http://10.61.0.{of}:{port}"

    def start(self, node: int):
        if not self.supervised:
            return super().start(node)
        if self.pid(node) is not None:
            return
        home = self.directory / f"node-{node}"
        command = [self.billchain, "release", "run", "--config", home / "node.toml"]
        with open(home / "log", "ab") as log:
            self._made[node] = subprocess.Popen(
                ["nsenter", f"--net=/run/netns/node{node}", *command, "--releases", home / "releases"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def wipe(self, node: int):
        """The machine is gone, or its disk."""
        self.kill(node)
        shutil.rmtree(self.data(node))


class Case:
    """See the module's documentation; the page's comments name methods."""

    # Nodes that may have the newest block at the end.
    lasting = ALL

    def __init__(self, binaries: Path, following: Path, directory: Path):
        self.lab = Machines(binaries, directory, SEED)
        self.following = following
        self.variables: dict[str, str] = {}
        self.watch = self.load = None
        self.manager = self.serve()

    # -- what a page's commands find --------------------------------------

    def environment(self, kind: str, node: int) -> dict[str, str]:
        place = self.lab.layout()[node - 1]
        path = f"{self.lab.directory / 'bin'}:{self.lab.billchain.parent}:{os.environ['PATH']}"
        answers = self.answers()
        return os.environ | self.variables | {
            "PATH": path,
            "RPC": self.lab.near(node, answers) if kind == "node" else self.lab.url(answers),
            "METRICS": f"http://127.0.0.1:{place['metrics_port']}",
            "UNIT": f"billchain@node-{node}",
            "DATA": str(self.lab.data(node)),
            "BACKUP": str(self.lab.directory / f"backup-{node}"),
        }  # fmt: skip

    def answers(self) -> int:
        """The first node that runs."""
        return next(node for node in ALL if self.lab.pid(node) is not None)

    def serve(self) -> socket.socket:
        """The service manager, which `systemctl` of the page asks."""
        tools = self.lab.directory / "bin"
        tools.mkdir()
        path = str(tools / "manager")
        (tools / "systemctl").write_text(SYSTEMCTL.format(python=sys.executable, path=path))
        (tools / "systemctl").chmod(0o755)
        server = socket.socket(socket.AF_UNIX)
        server.bind(path)
        server.listen()

        def listen():
            while True:
                try:
                    asked = server.accept()[0]
                except OSError:
                    return
                with asked:
                    try:
                        answer = self.manage(*asked.makefile().readline().split())
                    # As a service manager: it says so and goes on.
                    except Exception as failure:
                        print(f"systemctl: {type(failure).__name__}: {failure}")
                        answer = 1
                    asked.sendall(f"{answer}\n".encode())

        threading.Thread(target=listen, daemon=True).start()
        return server

    def manage(self, action: str, unit: str) -> int:
        node = int(re.fullmatch(r"billchain@node-(\d)", unit)[1])
        if action in ("stop", "restart"):
            self.lab.stop(node)
        if action in ("start", "restart"):
            self.lab.start(node)
        return int(action == "is-active" and self.lab.pid(node) is None)

    # -- from the beginning to the end -------------------------------------

    def begin(self):
        self.lab.make("empty_block_interval_ms = 500\n")
        self.prepare()
        self.lab.start_all()
        for node in ALL:
            self.lab.wait_height(node, 2, PATIENCE)
        self.watch = Watch(self.lab)
        self.load = Load(self.lab, random.Random(SEED), RATE, 1)
        self.grow(10)
        self.harm()

    def prepare(self):
        """Before nodes are started."""

    def harm(self):
        """Before the page's first block."""

    def end(self):
        """All four have one chain, which goes on, and nothing final is lost."""
        self.finished()
        top = self.watch.top()
        if self.watch.wait_top_above(top, PATIENCE) is None:
            raise Failure(f"the chain does not go on from {top}")
        if self.watch.wait_above(top, self.lasting, PATIENCE) is None:
            raise Failure(f"not all follow: {self.watch.heights}, above {top} are expected")
        self.load.stop()
        problems = self.judge(Judge(self.lab, self.watch, self.load.ledger))
        if problems:
            raise Failure("; ".join(problems))

    def finished(self):
        """What the page has to have brought about."""

    def judge(self, judge: Judge) -> list[str]:
        lost = judge.find_accepted()
        problems = [f"{problem.kind}: {problem.text}" for problem in judge.chains()]
        if not judge.ledger.accepted:
            problems.append(f"no node accepted anything: {judge.ledger.refused}")
        if lost:
            problems.append(f"{len(lost)} of {len(judge.ledger.accepted)} accepted are in no block")
        return problems

    def remove(self, keep: bool):
        if self.load:
            self.load.stop()
        if self.watch:
            self.watch.stop()
        self.manager.close()
        self.lab.remove(keep)

    # -- aids ----------------------------------------------------------------

    def grow(self, blocks: int):
        top = self.watch.top()
        if self.watch.wait_top_above(top + blocks, PATIENCE) is None:
            raise Failure(f"no {blocks} blocks within {PATIENCE} s")

    def stands(self):
        """No block comes any more."""
        top = self.watch.top()
        time.sleep(3)
        top = max(top, self.watch.top())
        if self.watch.wait_top_above(top, 3) is not None:
            raise Failure("the chain goes on, where the page says that it stands")

    def validator(self, place: int) -> dict:
        return self.lab.rpc(self.answers(), "validator_list")["validators"][place - 1]

    def metric(self, node: int, name: str) -> int:
        """Of a running node, from its own machine."""
        url = f"http://127.0.0.1:{self.lab.layout()[node - 1]['metrics_port']}/metrics"
        command = ["nsenter", f"--net=/run/netns/node{node}", "curl", "-s", url]
        text = subprocess.run(command, capture_output=True, text=True, timeout=10).stdout
        values = re.findall(rf"^{name}(?:\{{.*\}})? (\d+)", text, re.MULTILINE)
        return sum(map(int, values))


class TwoValidatorsLost(Case):
    def harm(self):
        self.lab.kill(3)
        self.lab.kill(4)
        self.stands()

    def machine_gone(self):
        # With what only they had accepted.
        self.gone = {3, 4}
        for node in self.gone:
            shutil.rmtree(self.lab.data(node))

    def finished(self):
        """The other one in the same way, as the page says."""
        height = self.lab.height(1)
        home = self.lab.directory / "node-4"
        run(self.lab.billchain, "signing-memory", "abstain", "--config", home / "node.toml", "--up-to", height)
        self.lab.start(4)

    def judge(self, judge: Judge) -> list[str]:
        accepted = judge.ledger.accepted
        for name in [name for name, kept in accepted.items() if kept.node in self.gone]:
            del accepted[name]
        return super().judge(judge)


class LongPartition(Case):
    def harm(self):
        self.lab.weather(apart(ALL[:2]))
        self.stands()

    def heal(self):
        # The longer, the more rounds have failed.
        time.sleep(20)
        stood = time.monotonic() - self.watch.moments[-1]
        self.lab.weather(CALM)
        if (took := self.watch.wait_top_above(self.watch.top(), 10)) is None:
            raise Failure("no block within 10 s after the partition")
        print(f"a block {took:.1f} s after {stood:.0f} s without one")


class FullDisk(Case):
    def prepare(self):
        self.lab.small_disk(4)

    def harm(self):
        self.lab.fill_disk(4)
        # The others go on meanwhile.
        self.grow(20)

    def make_room(self):
        self.lab.empty_disk(4)


class StolenConsensusKey(Case):
    def harm(self):
        self.before = self.validator(4)
        self.variables["OPERATOR"] = self.before["operator"]
        self.process = self.lab.pid(4)

    def finished(self):
        now = self.validator(4)
        if now["consensus_key"] != self.variables["NEW_KEY"]:
            raise Failure(f"the chain has {now}")
        if self.lab.pid(4) != self.process:
            raise Failure("the node was started again")
        # It votes: without it and another the chain would stand.
        self.lab.kill(1)
        self.grow(5)
        # And after its next start as well.
        self.lab.stop(4)
        self.lab.start(4)
        self.lab.wait_height(4, 1, PATIENCE)
        self.grow(5)
        self.lab.start(1)


class StolenCouncilKey(Case):
    def harm(self):
        """The thief proposes that a validator be removed."""
        self.variables["STOLEN"] = self.validator(4)["operator"]
        removed = ["validators", "remove", "--operator", self.validator(1)["operator"]]
        command = [self.lab.billchain, "admin", *removed, "--rpc", self.lab.url(1), "--json"]
        done = subprocess.run(
            [*command, "--development-key", "//node-4", "--motion"], capture_output=True, text=True
        )
        if done.returncode != 0:
            raise Failure(f"{done.stdout}{done.stderr}")
        self.variables["MOTION"] = re.search(r'"motion":"(0x[0-9a-f]{64})"', done.stdout)[1]

    def finished(self):
        command = [self.lab.billchain, "admin", "validators", "set-power", "--operator"]
        command += [self.validator(1)["operator"], "--power", "2", "--rpc", self.lab.url(1)]
        thief = subprocess.run([*command, "--development-key", "//node-4"], capture_output=True, text=True)
        if thief.returncode == 0:
            raise Failure(f"the stolen key still proposes: {thief.stdout}")
        home = self.lab.directory / "node-4"
        key = ["--key", home / "operator-new.pem", "--password-file", home / "password"]
        run(*command, *key)


class WrongClock(Case):
    def prepare(self):
        self.lab.fake_clocks()

    def harm(self):
        self.lab.set_clock(4, 300)
        # A block that the others have decided before it is looked at is not judged by the
        # clock.
        for _ in range(10):
            self.grow(20)
            if self.metric(4, "billchain_consensus_untimely_blocks_total") > 0:
                return
        raise Failure("the node with the wrong clock found no block untimely")

    def set_right(self):
        self.lab.set_clock(4, 0)


class Divergence(Case):
    def prepare(self):
        """Another network of the same genesis, whose fourth database gets here."""
        self.lab.start_all()
        for node in ALL:
            self.lab.wait_height(node, 8, PATIENCE)
        for node in ALL:
            self.lab.stop(node)
        self.lab.data(4).joinpath("chain").rename(self.lab.directory / "foreign")
        for node in ALL:
            shutil.rmtree(self.lab.data(node))
        self.height = 6

    def harm(self):
        # The key has signed higher than the wrong database is.
        self.grow(30)
        self.lab.stop(4)
        shutil.rmtree(self.lab.data(4) / "chain")
        (self.lab.directory / "foreign").rename(self.lab.data(4) / "chain")
        self.lab.start(4)
        self.lab.wait_height(4, self.height, PATIENCE)
        if len(self.hashes()) != 2:
            raise Failure(f"no divergence: {self.hashes()}")
        self.variables |= {
            "HEIGHT": str(self.height),
            "RPCS": " ".join(self.lab.url(node) for node in ALL),
        }

    def hashes(self) -> set[str]:
        return {self.lab.rpc(node, "chain_getBlockHash", self.height) for node in ALL}

    def finished(self):
        if len(self.hashes()) != 1:
            raise Failure(f"they still diverge: {self.hashes()}")

    def judge(self, judge: Judge) -> list[str]:
        # What the wrong database called final is not the chain's.
        judge.watch.finals = {final for final in judge.watch.finals if final[2] != 4}
        accepted = judge.ledger.accepted
        for name in [name for name, kept in accepted.items() if kept.node == 4]:
            del accepted[name]
        return super().judge(judge)


class Upgrade(Case):
    def prepare(self):
        self.lab.supervised = True
        rules = self.rules(self.lab.billchain)
        for node in ALL:
            place = self.lab.directory / f"node-{node}" / "releases" / rules
            place.mkdir(parents=True)
            shutil.copy2(self.lab.billchain, place / "billchain")
            run(self.lab.billchain, "release", "manifest", place)

    @staticmethod
    def rules(program: Path) -> str:
        return subprocess.run([program, "release", "rules"], capture_output=True, text=True).stdout.strip()

    def harm(self):
        self.variables |= {"NEXT": str(self.following), "RULES": self.rules(self.following)}
        # Far: it is called off.
        self.variables["HEIGHT"] = str(self.lab.height(1) + 5_000)

    def again(self):
        status = self.lab.rpc(1, "upgrade_status")
        if status["scheduled"] is not None:
            raise Failure(f"it is still scheduled: {status}")
        self.height = self.lab.height(1) + 500
        self.variables["HEIGHT"] = str(self.height)

    def finished(self):
        for node in ALL:
            rules = self.lab.rpc(node, "upgrade_status")["rules"]
            if str(rules) != self.variables["RULES"]:
                raise Failure(f"node {node} has the rules {rules}")


class RestoreEverything(Case):
    def harm(self):
        for node in ALL:
            (self.lab.directory / f"backup-{node}").mkdir()

    def disaster(self):
        for node in ALL:
            self.lab.wait_height(node, 1, PATIENCE)
        self.grow(20)
        self.load.stop()
        self.watch.stop()
        self.top = self.watch.top()
        for node in ALL:
            self.lab.wipe(node)
            for name in ("node.toml", "consensus.pem", "network.key", "password"):
                (self.lab.directory / f"node-{node}" / name).unlink()

    def answers(self) -> int:
        # With every node down, the first one's address.
        return next((node for node in ALL if self.lab.pid(node) is not None), 1)

    def end(self):
        """The chain goes on from a backup; what came after that is gone, as the page says."""
        print(f"it was at {self.top}, and is at {self.lab.height(1)}")
        self.watch = Watch(self.lab)
        self.grow(10)
        super().end()

    def finished(self):
        """It takes transactions."""
        home = self.lab.directory / "node-1"
        command = [self.lab.billchain, "admin", "validators", "set-address", "--rpc", self.lab.url(1)]
        command += ["--peer-id", self.validator(1)["peer_id"], "--address", "node-1.example.cn:30333"]
        run(*command, "--key", home / "operator.pem", "--password-file", home / "password")

    def judge(self, judge: Judge) -> list[str]:
        return [f"{problem.kind}: {problem.text}" for problem in judge.chains()]


CASES: dict[str, type[Case]] = {
    "two-validators-lost": TwoValidatorsLost,
    "long-partition": LongPartition,
    "full-disk": FullDisk,
    "stolen-consensus-key": StolenConsensusKey,
    "stolen-council-key": StolenCouncilKey,
    "wrong-clock": WrongClock,
    "divergence": Divergence,
    "upgrade": Upgrade,
    "restore-everything": RestoreEverything,
}
