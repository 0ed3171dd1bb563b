"""An upgrade at height, on four real nodes under load.

Each node runs under `billchain release run` with a directory of releases of its own.
Node 4's operator forgets to install the next release until the others have gone over.
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from drills import PATIENCE, Drill  # noqa: E402
from network import NODES, Network  # noqa: E402

# Exit code of a node that does not have the rules of the next block.
OTHER_RULES = 76
# Storage key of the limits (Performance, Next), whose first four bytes are the largest
# block: the next release's migration halves it.
LIMITS = "0xc70500281f46381095484bd58e6f286efb02f64605cf15ddd5388f35e740c11c"
# Blocks from a motion to its height: time for the confirmations.
NOTICE = 250


class Supervised(Network):
    """Nodes that run the release that the chain needs."""

    def start(self, node: int):
        if self.pid(node) is not None:
            return
        home = self.directory / f"node-{node}"
        command = [self.billchain, "release", "run", "--config", home / "node.toml"]
        with open(home / "log", "ab") as log:
            child = subprocess.Popen(
                [*command, "--releases", home / "releases"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._made[node] = child
        self._pid_file(node).write_text(str(child.pid))

    def ended(self, node: int, patience: float) -> int:
        """Exit code of a node's supervisor that ends by itself."""
        return self._made[node].wait(patience)


class Upgrade(Drill):
    def __init__(self, arguments):
        super().__init__(Supervised(arguments.bin, arguments.dir, arguments.base_port))
        self.next = arguments.next

    # -- what operators do ------------------------------------------------

    def admin(self, *arguments) -> str:
        return self.done("admin", "upgrades", *arguments, "--rpc", self.network.url(1))

    def confirm(self, node: int, release: list[str]):
        self.admin("confirm", *release, "--development-key", f"//node-{node}")

    def install(self, node: int, rules: str, program: Path) -> str:
        """Installs a release at a node; the digest of its manifest."""
        place = self.home(node) / "releases" / rules
        place.mkdir(parents=True)
        shutil.copy2(program, place / "billchain")
        return self.done("release", "manifest", place)

    def status(self, node: int) -> dict:
        return self.network.rpc(node, "upgrade_status")

    def limit(self, node: int, height: int) -> int:
        """Bytes of the largest block, in the state after a block."""
        block_hash = self.network.rpc(node, "chain_getBlockHash", height)
        value = self.network.rpc(node, "state_getStorage", LIMITS, block_hash)
        return int.from_bytes(bytes.fromhex(value[2:10]), "little")

    def load(self, rate: int, seconds: int) -> subprocess.Popen:
        """Registrations at nodes 1 to 3."""
        command = [self.network.bench, "load", "--rate", str(rate), "--duration", str(seconds)]
        for node in (1, 2, 3):
            command += ["--rpc", self.network.url(node)]
        out = self.network.directory / "load.json"
        with open(self.network.directory / "load.log", "wb") as log:
            return subprocess.Popen([*command, "--out", out], stdout=log, stderr=log)

    # -- the drill --------------------------------------------------------

    def run(self):
        network = self.network
        network.make()
        old, new = (self.done("release", "rules", binary=binary / "billchain")
                    for binary in (network.billchain.parent, self.next))
        self.holds("the next release has newer rules", int(new) > int(old), (old, new))
        for node in range(1, NODES + 1):
            self.install(node, old, network.billchain)
        digests = {self.install(node, new, self.next / "billchain") for node in (1, 2, 3)}
        self.holds("a release is the same everywhere", len(digests) == 1, digests)
        release = ["--rules", new, "--manifest", digests.pop()]

        command = [self.next / "billchain", "run", "--config", self.home(4) / "node.toml"]
        code = subprocess.run(command, capture_output=True, timeout=PATIENCE).returncode
        self.holds("a release without the rules ends with a code of its own", code == OTHER_RULES, code)
        network.start_all()
        for node in range(1, NODES + 1):
            network.wait_height(node, 2, PATIENCE)
        self.too_early(old, new)
        load = self.load(200, 60)
        self.rehearsal(old, new)
        self.too_few(old, release)
        height = self.enough(old, release)
        self.over(int(new), height)
        self.forgotten(new, height)
        load.wait(90)
        self.accounts(load.returncode)
        network.stop_all()

    def rehearsal(self, old: str, new: str):
        """What the next release makes of the last blocks of nodes that run."""
        height = self.network.height(1) + 60
        self.wait(height)
        rehearse = ["release", "rehearse", "--height", str(height), "--blocks", "50", "--config"]
        said = [self.done(*rehearse, self.home(node) / "node.toml",
                          binary=self.next / "billchain") for node in (1, 2)]
        found = [dict(line.split(maxsplit=1) for line in text.splitlines()
                      if line.startswith(("transactions", "differences"))) for text in said]
        under = f"decided under rules {old}, under rules {new}"
        self.holds("the next release executes old blocks under its rules", under in said[0], said)
        self.holds("with what clients sent in them", int(found[0]["transactions"]) > 0, found)
        self.holds("and all of it comes to the same", found[0]["differences"] == "0", said)
        root = f"state root    {self.network.header_at(1, height)['state_root']}"
        roots = {line for text in said for line in text.splitlines() if "state root  " in line}
        self.holds("operators come to one root, and not to the old one",
                   len(roots) == 1 and root not in roots, roots)
        text = self.done(*rehearse, self.home(3) / "node.toml")
        self.holds("the old release comes to what was decided", root in text, text)

    def too_early(self, old: str, new: str):
        """The newest release ran first, and made way for the one that is needed."""
        log = self.log(1)
        tried = log.find(f"running the release with rules {new}")
        taken = log.find(f"running the release with rules {old}")
        self.holds("a release that comes too early makes way", 0 <= tried < taken, (tried, taken))
        says = f"the chain begins under rules {old}, this release has rules {new}"
        self.holds("and says which rules are needed", says in log, self.network.log_tail(1))
        needed = json.loads((self.home(1) / "data" / "release.json").read_text())
        self.holds("the need is written down", needed["rules"] == int(old), needed)

    def schedule(self, release: list[str], notice: int) -> int:
        height = self.network.height(1) + notice
        self.admin("schedule", *release, "--height", str(height), "--development-council")
        return height

    def wait(self, height: int):
        for node in (1, 2, 3):
            self.network.wait_height(node, height, PATIENCE)

    def too_few(self, old: str, release: list[str]):
        height = self.schedule(release, NOTICE)
        for node in (1, 2):
            self.confirm(node, release)
        status = self.status(3)
        self.holds("two of four are ready", (status["ready"], status["of"]) == (2, 4), status)
        self.wait(height + 2)
        status = self.status(2)
        self.holds("too few: the old rules go on", status["rules"] == int(old), status)
        self.holds("and the release is scheduled no more", status["scheduled"] is None, status)

    def enough(self, old: str, release: list[str]) -> int:
        height = self.schedule(release, NOTICE)
        for node in (1, 2, 3):
            self.confirm(node, release)
        before = self.status(1)
        self.holds("three of four are ready", before["ready"] == 3, before)
        self.holds("until the height the old rules hold", before["rules"] == int(old), before)
        code = self.network.ended(4, PATIENCE)
        self.holds("the node of who forgot ends", code == OTHER_RULES, code)
        says = f"the chain needs the release with rules {release[1]}"
        self.holds("and says what is missing", says in self.log(4), self.network.log_tail(4))
        return height

    def over(self, new: int, height: int):
        self.wait(height + 20)
        for node in (1, 2, 3):
            status = self.status(node)
            expected = (new, new, None)
            found = (status["rules"], status["release"], status["scheduled"])
            self.holds(f"node {node} has gone over", found == expected, status)
        halved = self.limit(1, height) * 2 == self.limit(1, height - 1)
        self.holds("the migration ran in the first block", halved)
        headers = [self.network.header_at(node, height + 1) for node in (1, 2, 3)]
        same = all(header == headers[0] for header in headers)
        self.holds("all come to the same state", same, headers)

    def forgotten(self, new: str, height: int):
        """The operator installs the release, and the node catches up."""
        self.install(4, new, self.next / "billchain")
        self.network._made.pop(4)
        self.network.start(4)
        self.network.wait_height(4, self.network.height(1), PATIENCE)
        same = self.network.header_at(4, height + 1) == self.network.header_at(1, height + 1)
        self.holds("the node of who forgot catches up", same)

    def accounts(self, code: int):
        log = (self.network.directory / "load.log").read_text()
        self.holds("the load lost nothing", code == 0, log[-2000:])
        record = json.loads((self.network.directory / "load.json").read_text())
        accounts = {name: record[name] for name in ("sent", "accepted", "committed", "lost")}
        self.holds("all of it is final", accounts["committed"] == accounts["sent"], accounts)
        print(f"load: {accounts}, p99 {record['latency_ms']['p99']:.0f} ms")


def main() -> int:
    parser = argparse.ArgumentParser(prog="./tests/upgrade/run")
    parser.add_argument("--bin", type=Path, required=True)
    parser.add_argument("--next", type=Path, required=True)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--base-port", type=int)
    return Upgrade(parser.parse_args()).main()


if __name__ == "__main__":
    sys.exit(main())
