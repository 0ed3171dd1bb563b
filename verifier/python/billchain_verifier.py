#!/usr/bin/env python3
"""Checks BillChain's certificates as docs/certificates.md describes them.

    python3 billchain_verifier.py FILE --genesis HASH
    python3 billchain_verifier.py FILE --checkpoint HASH

prints as JSON what the certificate, or the one whose JSON twin FILE is, proves and exits with 0, or prints one line with the
reason why it is refused on standard error and exits with 1.
"""

import argparse
import json
import sys
from typing import NamedTuple

from billchain_bill import BILL_PREFIX, read_bill
from billchain_scale import MAX_CERTIFICATE, Reader, Refused, require
from billchain_sm import sm2_verify, sm3
from billchain_state import read_place, read_roots
from billchain_totals import read_month, read_numbers
from billchain_twin import MAX_TEXT, from_twin
from billchain_version import read_content, read_later, read_version_head


# --- Headers and who decided them ---

class Change(NamedTuple):
    """Who decides from the next block on, as (key, power), and the change before."""
    before: int
    validators: list


class Header(NamedTuple):
    """What is needed of a block's header."""
    number: int
    state_root: bytes
    transactions_root: bytes
    change: Change | None
    hash: bytes


def read_change(data):
    """The item `BCVS` of a header."""
    reader = Reader(data, "a set of validators")
    before = reader.little(4)
    count = reader.compact()
    require(1 <= count <= 64, "a set of validators has 1 to 64 of them")
    validators = [(reader.take(33), reader.little(8)) for _ in range(count)]
    reader.end()
    require(all(power for _, power in validators), "a validator has no voting power")
    require(len({key for key, _ in validators}) == count, "a validator stands there twice")
    return Change(before, validators)


def read_header(data):
    """A header from its encoding."""
    reader = Reader(data, "a header")
    reader.hash()
    number, state_root, transactions_root = reader.compact(), reader.hash(), reader.hash()
    change = None
    count = reader.compact()
    require(count <= 16, "a header has more than 16 items")
    for _ in range(count):
        kind = reader.big(1)
        require(kind in (0, 4, 5, 6), f"a header has an item of unknown kind {kind}")
        if kind == 0:
            reader.text(8192)
            continue
        name, text = reader.take(4), reader.text(8192)
        if kind == 4 and name == b"BCVS":
            require(change is None, "a header names validators twice")
            change = read_change(text)
    reader.end()
    return Header(number, state_root, transactions_root, change, sm3(data))


def read_decided(reader):
    """A decided header's parts: header, round and signatures by place."""
    header, turn = read_header(reader.bytes()), reader.big(4)
    count = reader.big(1)
    require(count <= 64, "a decided header has more than 64 signatures")
    signatures = [(reader.big(1), reader.take(64)) for _ in range(count)]
    places = [place for place, _ in signatures]
    require(all(a < b for a, b in zip(places, places[1:])), "signatures do not ascend")
    return header, turn, signatures


def check_decided(decided, validators, genesis):
    """Refuses a header that these validators did not decide."""
    header, turn, signatures = decided
    at = f"block {header.number}"
    require(all(place < len(validators) for place, _ in signatures),
            f"{at}: a signature of no validator")
    signed = sum(validators[place][1] for place, _ in signatures)
    require(3 * signed > 2 * sum(power for _, power in validators),
            f"{at}: not more than two thirds of the voting power signed")
    vote = (b"billchain/consensus/1" + genesis + b"\x02" + header.number.to_bytes(8, "little")
            + b"\x01" + turn.to_bytes(4, "little") + b"\x01" + header.hash)
    for place, signature in signatures:
        key = validators[place][0]
        require(sm2_verify(key, vote + sm3(key), signature),
                f"{at}: the signature of validator {place} is wrong")


class Chain:
    """Who decides: the headers that name validators, and the trusted one, which is None before
    it was read."""

    def __init__(self, genesis, start, trusted):
        self.genesis, self.trusted = genesis.hash, trusted
        self.changes, self.checkpoint = [], None
        self.add(start)

    def add(self, header):
        """A header that names validators, above the others."""
        self.changes.append(header)
        if header.hash == self.trusted:
            self.checkpoint = header

    def start(self):
        """The header at which the certificate starts."""
        return self.changes[0]

    def check(self, decided, validators):
        """Refuses a header that these did not decide. Before the trusted one nobody is
        believed, and nothing checked."""
        if self.checkpoint is not None and decided[0].number > self.checkpoint.number:
            check_decided(decided, validators, self.genesis)


def read_chain(reader, genesis, checkpoint):
    """Genesis, changes and head; gives the head and the chain."""
    first = read_header(reader.bytes())
    require(genesis in (None, first.hash), "the certificate is of another chain")
    require(first.number == 0, "the genesis is not block 0")
    require(first.change is not None, "the genesis names no validators")
    start = first
    if reader.choice((False, True)):
        start = read_header(reader.bytes())
        require(start.number > 0 and start.change is not None,
                "the block at which the certificate starts is no change of validators")
    chain = Chain(first, start, checkpoint or first.hash)
    for _ in range(reader.big(2)):
        header = read_next(reader, chain)
        require(header.change is not None, f"block {header.number} names no validators")
        chain.add(header)
    if start.number > 0:
        require(chain.checkpoint is not None, f"the certificate starts at block {start.number} and "
                f"is checked with the checkpoint {start.hash.hex()}, or a later one in it")
    require(chain.checkpoint is not None, "the checkpoint is neither the certificate's genesis nor "
            "a change of the validators before its block")
    return read_next(reader, chain), chain


def read_next(reader, chain):
    """A header that the last change's validators decided, after that change."""
    decided = read_decided(reader)
    header, last = decided[0], chain.changes[-1]
    require(header.number > last.number, "blocks do not ascend")
    require(header.change is None or header.change.before == last.number,
            f"block {header.number}: a change of validators is left out")
    chain.check(decided, last.change.validators)
    return header


def read_earlier(reader, chain, head):
    """A decided header before the head, checked with the validators of its block."""
    decided = read_decided(reader)
    header, changes = decided[0], chain.changes
    require(chain.start().number < header.number < head.number,
            "the version's block is not between the certificate's start and its head")
    last = [change for change in changes if change.number < header.number][-1]
    chain.check(decided, last.change.validators)
    known = [change.hash for change in changes if change.number == header.number]
    require(known == ([] if header.change is None else [header.hash]),
            "the version's block is not in line with the changes of validators")
    return header


# --- The path of a transaction ---

class Node(NamedTuple):
    """A node of the trie; the value is None or ("value" or "hash", bytes)."""
    digits: list
    value: tuple | None
    children: dict | None


def to_digits(data):
    """Two digits a byte, the higher first."""
    return [digit for byte in data for digit in (byte >> 4, byte & 15)]


def encode_compact(value):
    """The compact number of a `u32`."""
    if value < 1 << 6:
        return (value << 2).to_bytes(1, "little")
    if value < 1 << 14:
        return (value << 2 | 1).to_bytes(2, "little")
    if value < 1 << 30:
        return (value << 2 | 2).to_bytes(4, "little")
    return b"\x03" + value.to_bytes(4, "little")


def read_node(data):
    """A node of the trie from its encoding."""
    reader = Reader(data, "a node of the transactions")
    first = reader.big(1)
    for low, width, branch, value in ((0xC0, 6, True, "value"), (0x80, 6, True, None),
                                      (0x40, 6, False, "value"), (0x20, 5, False, "hash"),
                                      (0x10, 4, True, "hash"), (256, 0, False, None)):
        if first >= low:
            break
    count = first - low
    require(0 <= count < (1 << width) - 1, "a node of the transactions has an unknown kind")
    digits = to_digits(reader.take((count + 1) // 2))
    if count % 2:
        require(digits.pop(0) == 0, "an odd number of digits is not filled up with a zero")
    bitmap = reader.little(2) if branch else 0
    if value:
        value = value, (reader.hash() if value == "hash" else reader.text(32))
    children = {i: reader.text(32) for i in range(16) if bitmap >> i & 1}
    reader.end()
    return Node(digits, value, children if branch else None)


def find_value(nodes, root, key):
    """The value at the key, by the nodes from the root on, all of which are used."""
    left, reference = list(nodes), root
    while True:
        if len(reference) == 32:
            require(left, "the path of the transaction is cut short")
            require(sm3(left[0]) == reference, "the path does not lead from the root")
            reference = left.pop(0)
        node = read_node(reference)
        count = len(node.digits)
        require(key[:count] == node.digits, "the path leads to another transaction")
        key = key[count:]
        if not key:
            require(node.value is not None, "there is no transaction at the end of the path")
            require(not left, "the path of the transaction goes on behind its end")
            return node.value
        require(node.children and key[0] in node.children, "the path leads to no transaction")
        reference, key = node.children[key[0]], key[1:]


def read_path(reader, root, place):
    """The hash of the transaction at a place in the block."""
    count = reader.big(1)
    require(count <= 11, "the path of the transaction has more than 11 nodes")
    nodes = [reader.bytes() for _ in range(count)]
    kind, value = find_value(nodes, root, to_digits(encode_compact(place)))
    return value if kind == "hash" else sm3(value)


# --- The certificate ---

def read_current(reader, roots):
    """A bill that the head's state holds, and its code and number."""
    raw = reader.bytes()
    bill, group = read_bill(raw), read_place(reader, BILL_PREFIX + raw[:17], roots)
    require(group.get(raw[17]) == sm3(raw), "the bill is not in its group")
    return bill, raw[:18]


def read_transaction(reader, where, version, head, chain):
    """The transaction of a version, or None, also if nobody who is trusted decided its block."""
    require((where == "none") == (version.place is None),
            "the version's transaction is at another place")
    if where in ("none", "hidden"):
        require(version.block <= head.number, "the version is of a later block")
        return None
    header = head if where == "head" else read_earlier(reader, chain, head)
    require(version.block == header.number, "the version is of another block")
    digest = read_path(reader, header.transactions_root, version.place)
    if header.number < chain.checkpoint.number:
        return None
    return {"block": version.block, "index": version.place, "hash": digest.hex()}


def read_present(reader, head, chain, roots):
    """Body 1: the bill is there."""
    bill, name = read_current(reader, roots)
    before, data = reader.hash(), reader.bytes()
    version = read_version_head(data)
    require(version.name == name, "the version is of another bill")
    require(version.version == bill["version"], "the version is another one")
    require(sm3(before, data).hex() == bill["version_hash"], "the version's hash is another one")
    where = reader.choice(("none", "head", "earlier", "hidden"))
    require(where != "hidden" or version.block <= chain.start().number,
            "the version's transaction is left out")
    transaction = read_transaction(reader, where, version, head, chain)
    return {"bill": bill, "transaction": transaction}


def read_version(reader, head, chain, roots):
    """Body 5: an earlier version."""
    present, name = read_current(reader, roots)
    before, data = reader.hash(), reader.bytes()
    version, version_hash = read_version_head(data), sm3(before, data)
    require(version.name == name, "the version is of another bill")
    last, last_hash = read_later(reader, name, version, version_hash)
    require(last == present["version"], "the last version is not the present one")
    require(last_hash.hex() == present["version_hash"],
            "the versions do not lead to the present bill")
    bill, change = read_content(reader.bytes(), version, version_hash, present)
    where = reader.choice(("none", "head", "earlier", "hidden"))
    transaction = read_transaction(reader, where, version, head, chain)
    return {"bill": bill, "change": change, "present": present, "transaction": transaction}


def read_absent(reader, roots):
    """Body 2: there is no such bill."""
    name = reader.digits(18)
    group = read_place(reader, BILL_PREFIX + name[:17].encode("ascii"), roots)
    require(ord(name[17]) not in group, "the bill is in its group")
    return {"absent": {"code": name[:8], "number": name[8:]}, "transaction": None}


def verify(certificate, genesis=None, checkpoint=None):
    """What a certificate proves to whoever trusts the genesis with this hash, or the block with
    this one, whose header names validators, or both; or raises Refused."""
    trusted = [hash for hash in (genesis, checkpoint) if hash is not None]
    require(trusted, "a genesis or a checkpoint has to be trusted")
    require(all(len(hash) == 32 for hash in trusted), "a hash has 32 bytes")
    require(len(certificate) <= MAX_CERTIFICATE, "the certificate is too large")
    reader = Reader(certificate, "the certificate")
    require(reader.take(4) == b"BCPF", "this is no certificate")
    require(reader.big(1) == 2, "the certificate has an unknown format")
    kind = reader.big(1)
    require(1 <= kind <= 5, "the certificate has an unknown kind")
    head, chain = read_chain(reader, genesis, checkpoint)
    roots = read_roots(reader, head.state_root)
    if kind == 1:
        proved = read_present(reader, head, chain, roots)
    elif kind == 2:
        proved = read_absent(reader, roots)
    elif kind == 3:
        proved = read_numbers(reader, roots)
    elif kind == 4:
        proved = read_month(reader, roots)
    else:
        proved = read_version(reader, head, chain, roots)
    reader.end()
    if checkpoint is not None:
        trusted = chain.checkpoint
        proved["from"] = {"number": trusted.number, "hash": trusted.hash.hex()}
    return {"genesis": chain.genesis.hex(),
            "block": {"number": head.number, "hash": head.hash.hex()}, **proved}


def read_file(name):
    """The certificate in a file, or the one whose twin it is."""
    with open(name, "rb") as file:
        data = file.read(MAX_TEXT + 1)
    return from_twin(data) if data.startswith(b"{") else data


def main(arguments=None):
    """The command."""
    parser = argparse.ArgumentParser(description="Checks a certificate of BillChain.")
    parser.add_argument("file", metavar="FILE", help="the certificate, or its JSON twin")
    parser.add_argument("--genesis", metavar="HASH",
                        help="hash of the chain's genesis block, in hexadecimal")
    parser.add_argument("--checkpoint", metavar="HASH",
                        help="hash of a block that named validators: what was before it is not "
                        "believed")
    options = parser.parse_args(arguments)
    if options.genesis is None and options.checkpoint is None:
        parser.error("--genesis or --checkpoint is required")
    try:
        hashes = [text and bytes.fromhex(text.removeprefix("0x"))
                  for text in (options.genesis, options.checkpoint)]
        proved = verify(read_file(options.file), *hashes)
    except (Refused, OSError, ValueError) as reason:
        print(" ".join(str(reason).split()), file=sys.stderr)
        return 1
    print(json.dumps(proved, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
