"""A disk that fills up under node 4, whose data lies on a small file system of its own.

Below the least room it takes no work, and votes. At several amounts of room down to
nothing it is stopped by the disk wherever that strikes; with room again it goes on, and
has lost nothing.
"""

import argparse
import errno
import json
import os
import random
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from drills import PATIENCE, Drill  # noqa: E402
from network import NODES, Network  # noqa: E402

from lab_load import Bills, Client, Ledger, Signer  # noqa: E402

FULL = 4
MIB = 1 << 20
DISK = 384 * MIB
LEAST = 128 * MIB
# Room that is left, from some blocks' to none.
LEFT = [12 * MIB, 3 * MIB, MIB // 2, 0]
# Transactions a second at each node, and bills of each.
RATE, BATCH = 4, 20
CODE = 2020
# An issuer that sends to the full node only.
SENDER = 48


class Disk(Drill):
    def __init__(self, arguments):
        super().__init__(Network(arguments.bin, arguments.dir, arguments.base_port))
        self.ledger, self.bills, self.loads = Ledger(), Bills(random.Random(1)), 0

    # -- disk and load ----------------------------------------------------

    @property
    def data(self) -> Path:
        return self.home(FULL) / "data"

    def free(self) -> int:
        found = os.statvfs(self.data)
        return found.f_bavail * found.f_frsize

    def leave(self, room: int):
        """Fills the disk up to so many bytes. The node writes meanwhile, and may take
        what was just seen to be free."""
        with open(self.data / "ballast", "ab") as ballast:
            while (more := self.free() - room) > 0:
                try:
                    os.posix_fallocate(ballast.fileno(), os.fstat(ballast.fileno()).st_size, more)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise

    def make_room(self):
        (self.data / "ballast").unlink()

    def load(self, nodes: list[int]) -> list[Client]:
        clients = [Client(self.network, node, self.ledger, self.bills, RATE, BATCH) for node in nodes]
        for client in clients:
            # Of those that have sent nothing yet.
            for _ in range(2 * self.loads):
                client.next_issuer()
            client.start()
        self.loads += 1
        return clients

    def stop(self, clients: list[Client]):
        for client in clients:
            client.ended.set()
        for client in clients:
            client.join(PATIENCE)

    # -- what is seen -----------------------------------------------------

    def get(self, path: str) -> str:
        port = self.network.layout()[FULL - 1]["metrics_port"]
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.read().decode()

    def metric(self, name: str) -> float:
        lines = self.get("/metrics").splitlines()
        return next(float(line.split()[-1]) for line in lines if line.split("{")[0].split()[0] == name)

    def status(self, node: int) -> dict:
        return self.network.rpc(node, "consensus_status")

    def vote_age(self) -> float:
        """Seconds since node 1 saw a vote of the full node."""
        status = self.status(1)
        key = self.status(FULL)["node"]["key"]
        last = next(one["last"] for one in status["validators"] if one["key"] == key)
        return (status["node"]["time"] - last["at"]) / 1_000

    def submit(self, node: int) -> dict:
        """The answer to a transaction: a bill of somebody who has sent none."""
        client = Client(self.network, node, Ledger(), self.bills, 1, 1)
        client.signer = Signer(f"//hospital-{SENDER}")
        summary = self.bills.new(SENDER)
        call = {"pallet": "BillRegister", "call": "register", "args": {"summary": summary}}
        prepared = client.ask("transaction_prepare", call, client.signer.public, None)
        signature = client.signer.sign(bytes.fromhex(prepared["digest"][2:]))
        params = [prepared["unsigned"], signature]
        body = {"jsonrpc": "2.0", "id": 1, "method": "transaction_submitSigned", "params": params}
        request = urllib.request.Request(
            self.network.url(node), json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def in_transactions(self) -> float:
        names = ["billchain_proposal_references_total", "billchain_proposal_transactions_in_full_total"]
        return sum(map(self.metric, names))

    # -- the drill --------------------------------------------------------

    def run(self):
        self.network.make()
        for node in range(1, NODES + 1):
            config = self.home(node) / "node.toml"
            text = config.read_text() + "\n[consensus]\nempty_block_interval_ms = 500\n"
            if node == FULL:
                text = text.replace("[storage]\n", f"[storage]\nmin_free_mib = {LEAST // MIB}\n")
            config.write_text(text)
        self.data.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "disk", self.data], check=True)
        self.network.start_all()
        for node in range(1, NODES + 1):
            self.network.wait_height(node, 3, PATIENCE)
        self.takes_no_work()
        self.takes_up()
        for room in LEFT:
            self.survives(room)
        self.network.stop(FULL)
        self.done("check-state", "--config", self.home(FULL) / "node.toml")
        self.holds("its state holds every rule", True)

    def takes_no_work(self):
        clients = self.load([1, 2, 3])
        self.within("it is well while there is room", lambda: self.get("/health") == "ok\n")
        self.leave(LEAST - 8 * MIB)
        self.within("health says that the disk is low", lambda: self.get("/health").startswith("disk low: "), 10)
        self.holds("so does the metric", self.metric("billchain_disk_low") == 1)
        self.holds("and the log", "no work is taken: the disk of data_dir has" in self.log(FULL))
        self.holds("and the node itself", self.status(FULL)["machine"]["disk"]["is_low"])
        refusal = self.submit(FULL).get("error", {})
        named = "storage.min_free_mib" in refusal.get("message", "")
        self.holds("a client is told why, and where to", named, refusal)
        self.holds("with a code of its own", refusal.get("data", {}).get("code") == CODE, refusal)
        proposed = self.metric("billchain_consensus_proposed_blocks_total")
        referred, height = self.in_transactions(), self.network.height(FULL)
        accepted = len(self.ledger.accepted)
        enough = lambda: self.metric("billchain_consensus_proposed_blocks_total") >= proposed + 3  # noqa: E731
        self.within("it proposes", enough)
        self.holds("blocks of nobody's transactions", self.in_transactions() == referred)
        self.within("the others' blocks go on to it", lambda: self.network.height(FULL) > height + 8)
        self.holds("with their clients' bills", len(self.ledger.accepted) > accepted)
        self.holds("and it votes", self.vote_age() < 3, self.vote_age())
        doctor = subprocess.run(
            [self.network.billchain, "doctor", "--rpc", self.network.url(FULL), "--json"], capture_output=True, text=True
        )
        codes = [finding["code"] for finding in json.loads(doctor.stdout)["findings"]]
        self.holds("the doctor says so", doctor.returncode == 5 and "disk-low" in codes, doctor.stdout)
        self.stop(clients)

    def takes_up(self):
        self.make_room()
        self.within("with room again it is well by itself", lambda: self.get("/health") == "ok\n", 10)
        self.holds("its metric says so", self.metric("billchain_disk_low") == 0)
        accepted = self.submit(FULL)
        self.holds("it takes a client's bill", "result" in accepted, accepted)
        final = lambda: self.network.rpc(1, "transaction_status", accepted["result"])["state"] == "final"  # noqa: E731
        self.within("which comes into a block", final)

    def survives(self, room: int):
        """With so much room left, and work of the others."""
        what = f"{room // 1024} KiB left"
        keys = {name: (self.home(FULL) / name).read_bytes() for name in ("consensus.pem", "network.key")}
        clients = self.load([1, 2, 3])
        before = self.network.height(1)
        self.leave(room)
        self.within(f"{what}: the others go on", lambda: self.network.height(1) > before + 10)
        self.stop(clients)
        ended = self.network.pid(FULL) is None
        self.make_room()
        if ended:
            last = self.log(FULL).strip().splitlines()[-1]
            self.holds(f"{what}: it ended with one line that names the cause", last.startswith("billchain: "), last)
            self.network.start(FULL)
        top = self.network.height(1)
        self.network.wait_height(FULL, top + 2, PATIENCE)
        self.holds(f"{what}: with room it goes on {'when started' if ended else 'by itself'}", True)
        same = self.network.header_at(1, top) == self.network.header_at(FULL, top)
        self.holds(f"{what}: it has the others' blocks and state", same)
        kept = {name: (self.home(FULL) / name).read_bytes() for name in keys} == keys
        self.holds(f"{what}: its keys are as they were", kept)
        self.within(f"{what}: it votes", lambda: self.vote_age() < 3)
        self.holds(f"{what}: nothing panicked", "panicked" not in self.log(FULL))


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=Path, required=True)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--base-port", type=int, required=True)
    arguments = parser.parse_args()
    # The list of mounts of the namespace ends with this process.
    return Disk(arguments).main()


if __name__ == "__main__":
    sys.exit(main())
