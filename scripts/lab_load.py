"""Clients of the lab's nodes: they register bills at all four, as a platform does that
knows nothing of SCALE (`transaction_prepare`, `transaction_submitSigned`), and keep
every hash that a node answered with.

A client has an issuer for as long as its node answers. When an answer fails, it takes
a new one: what became of the last transaction is unknown then, and what was accepted
and lost would hold up all that stands behind it in the order of nonces.
"""

import hashlib
import http.client
import random
import secrets
import threading
import time
from dataclasses import dataclass, field

from lab import ALL, Lab
from network import NODES, Failure

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
SEED_DOMAIN = b"BillChain SM2 key from seed, version 1"
# Issuers //hospital-1 … of the development chain.
ISSUERS = 51
# Seconds in which a node has to answer a client.
PATIENCE = 5.0
# Seconds until a client tries again at a node that does not answer.
PAUSE = 1.0

Point = tuple[int, int]


def sm3(data: bytes) -> bytes:
    return hashlib.new("sm3", data).digest()


def add(one: Point | None, other: Point | None) -> Point | None:
    """On the curve; `None` is its neutral element."""
    if one is None or other is None:
        return one or other
    (x1, y1), (x2, y2) = one, other
    if x1 == x2:
        if (y1 + y2) % P == 0:
            return None
        slope = 3 * (x1 - 1) * (x1 + 1) * pow(2 * y1, -1, P) % P
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, P) % P
    x = (slope * slope - x1 - x2) % P
    return x, (slope * (x1 - x) - y1) % P


def powers() -> list[list[Point | None]]:
    """Of the generator: 0 to 255 times 256 to the place."""
    table, base = [], G
    for _ in range(32):
        row: list[Point | None] = [None]
        for _ in range(255):
            row.append(add(row[-1], base))
        table.append(row)
        base = add(row[-1], base)
    return table


class Signer:
    """The SM2 key of a development seed (GB/T 32918.2)."""

    table: list[list[Point | None]] = []

    def __init__(self, seed: str):
        if not Signer.table:
            Signer.table = powers()
        self.secret = int.from_bytes(sm3(SEED_DOMAIN + bytes(4) + seed.encode()))
        x, y = Signer.times(self.secret)
        self.public = f"sm2:{2 + y % 2:02x}{x:064x}"

    @staticmethod
    def times(factor: int) -> Point:
        found = None
        for place, digit in enumerate(factor.to_bytes(32, "little")):
            found = add(found, Signer.table[place][digit])
        return found

    def sign(self, digest: bytes) -> str:
        e = int.from_bytes(digest)
        while True:
            k = 1 + secrets.randbelow(N - 1)
            r = (e + Signer.times(k)[0]) % N
            s = pow(1 + self.secret, -1, N) * (k - r * self.secret) % N
            if r and s and r + k != N:
                return f"0x{r:064x}{s:064x}"


@dataclass(frozen=True)
class Accepted:
    node: int
    at: float
    bills: int


@dataclass
class Ledger:
    """What nodes accepted, by hash, and what they refused, by reason."""

    accepted: dict[str, Accepted] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    unanswered: int = 0


class Bills:
    """Bills that nobody has."""

    def __init__(self, chance: random.Random):
        self.chance = chance
        self.number = 0
        self.lock = threading.Lock()

    def new(self, issuer: int) -> dict:
        with self.lock:
            self.number += 1
            number = self.number
            hashes = ["0x" + self.chance.randbytes(32).hex() for _ in range(5)]
        names = ["payer_ref", "biz_no_hash", "xml_hash", "pdf_hash", "location_hash"]
        return dict(zip(names, hashes)) | {
            "key": {"code": "31060126", "number": f"{number:010}"}, "check_code": "aZ09bY",
            "kind": "blue", "issue_date": 20260105, "issue_time": 93015, "total": 11050,
            "issuer": f"did:bill:hospital-{issuer}", "issuer_uscc": "91350100M000100Y43",
            "payer_type": "person", "scene": 1,
        }  # fmt: skip


class Client(threading.Thread):
    """Sends to one node, transactions of so many bills, so many a second."""

    def __init__(self, lab: Lab, node: int, ledger: Ledger, bills: Bills, rate: float, batch: int):
        super().__init__(daemon=True)
        self.lab, self.node, self.ledger, self.bills = lab, node, ledger, bills
        self.rate, self.batch = rate, batch
        self.issuers = iter(range(node, ISSUERS + 1, NODES))
        self.ended = threading.Event()
        self.next_issuer()

    def next_issuer(self):
        self.issuer = next(self.issuers, None)
        self.signer = Signer(f"//hospital-{self.issuer}") if self.issuer else None
        self.nonce = 0

    def run(self):
        due = time.monotonic()
        while not self.ended.is_set() and self.issuer:
            wait = max(due - time.monotonic(), 0)
            if self.ended.wait(wait):
                return
            # What a node was too slow for is not made up for.
            due = max(due, time.monotonic() - 1 / self.rate) + 1 / self.rate
            try:
                self.send()
            except Failure as refusal:
                self.note(str(refusal))
            except (OSError, ValueError, http.client.HTTPException):
                self.ledger.unanswered += 1
                if self.nonce:
                    self.next_issuer()
                self.ended.wait(PAUSE)

    def send(self):
        bills = [self.bills.new(self.issuer) for _ in range(self.batch)]
        if self.batch == 1:
            call = {"call": "register", "args": {"summary": bills[0]}}
        else:
            call = {"call": "register_batch", "args": {"bills": bills, "mode": "per_item"}}
        call["pallet"] = "BillRegister"
        prepared = self.ask("transaction_prepare", call, self.signer.public, self.nonce)
        signature = self.signer.sign(bytes.fromhex(prepared["digest"][2:]))
        # From here on it may be in the pool, whatever is heard.
        self.nonce += 1
        try:
            name = self.ask("transaction_submitSigned", prepared["unsigned"], signature)
        except Failure:
            self.nonce -= 1
            raise
        self.ledger.accepted[name] = Accepted(self.node, time.monotonic(), self.batch)

    def ask(self, method: str, *params):
        return self.lab.rpc(self.node, method, *params, timeout=PATIENCE)

    def note(self, refusal: str):
        reason = refusal[:120]
        self.ledger.refused[reason] = self.ledger.refused.get(reason, 0) + 1


class Load:
    """A client at each node, `rate` transactions a second of all together."""

    def __init__(self, lab: Lab, chance: random.Random, rate: float, batch: int):
        self.ledger = Ledger()
        bills = Bills(chance)
        self.clients = [Client(lab, node, self.ledger, bills, rate / NODES, batch) for node in ALL]
        for client in self.clients:
            client.start()

    def stop(self):
        for client in self.clients:
            client.ended.set()
        for client in self.clients:
            client.join(3 * PATIENCE)
