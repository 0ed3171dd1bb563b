#!/usr/bin/env python3
"""Checks BillChain's certificates as docs/certificates.md describes them.

    python3 billchain_verifier.py FILE --genesis HASH

prints as JSON what the certificate proves and exits with 0, or prints one line with the
reason why it is refused on standard error and exits with 1.
"""

import argparse
import json
import sys
from typing import NamedTuple

from billchain_scale import MAX_CERTIFICATE, Reader, Refused, require
from billchain_sm import sm2_verify, sm3

BILL_PREFIX = bytes.fromhex("ddb7897921bdbb763063486812cab6446c7ac72eab834650c453b02faab9a4c6")
KINDS = ("blue", "red", "payment_notice")
PAYERS = ("person", "organisation")
STATUSES = ("pre_issued", "normal", "locked", "partly_reimbursed", "reimbursed",
            "red_reversed", "voided")


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


def read_chain(reader, genesis):
    """Genesis, changes and head; gives the head and the headers that name validators."""
    first = read_header(reader.bytes())
    require(first.hash == genesis, "the certificate is of another chain")
    require(first.number == 0, "the genesis is not block 0")
    require(first.change is not None, "the genesis names no validators")
    changes = [first]
    for _ in range(reader.big(2)):
        header = read_next(reader, changes, genesis)
        require(header.change is not None, f"block {header.number} names no validators")
        changes.append(header)
    return read_next(reader, changes, genesis), changes


def read_next(reader, changes, genesis):
    """A header that the last change's validators decided, after that change."""
    decided = read_decided(reader)
    header, last = decided[0], changes[-1]
    require(header.number > last.number, "blocks do not ascend")
    require(header.change is None or header.change.before == last.number,
            f"block {header.number}: a change of validators is left out")
    check_decided(decided, last.change.validators, genesis)
    return header


def read_earlier(reader, changes, head, genesis):
    """A decided header before the head, checked with the validators of its block."""
    decided = read_decided(reader)
    header = decided[0]
    require(0 < header.number < head.number, "the version's block is not before the head")
    last = [change for change in changes if change.number < header.number][-1]
    check_decided(decided, last.change.validators, genesis)
    known = [change.hash for change in changes if change.number == header.number]
    require(known == ([] if header.change is None else [header.hash]),
            "the version's block is not in line with the changes of validators")
    return header


# --- The state ---

def leaf_position(i):
    """The position of leaf i in the range."""
    return 2 * i - i.bit_count()


def find_peak(place, size):
    """Height of the peak over a leaf, and the numbers of peaks before and after it."""
    first, before = 0, 0
    for height in range(size.bit_length() - 1, -1, -1):
        if size >> height & 1:
            first += 1 << height
            if place < first:
                return height, before, size.bit_count() - before - 1
            before += 1
    raise Refused("the operation is not in the log")


def front_fold(digests):
    """The fold of peaks from the front."""
    total = digests[0]
    for digest in digests[1:]:
        total = sm3(total, digest)
    return total


def back_fold(digests):
    """The fold of peaks from the back."""
    total = digests[-1]
    for digest in reversed(digests[:-1]):
        total = sm3(digest, total)
    return total


def climb(place, height, operation, bits, beside):
    """The peak over an operation, from the digests beside the way."""
    digest = sm3(leaf_position(place).to_bytes(8, "big"), operation)
    for level in range(height + 1):
        if level:
            first = place >> level << level
            position = leaf_position(first) + (1 << level + 1) - 2
            other = beside[level - 1]
            pair = (other, digest) if place >> level - 1 & 1 else (digest, other)
            digest = sm3(position.to_bytes(8, "big"), *pair)
        if level == 8 and any(bits):
            digest = sm3(bits, digest)
    return digest


def fold_peaks(read, peak, before, after, inactive):
    """All peaks as one digest; `read` gives the next digest of the proof."""
    folded = min(inactive, before)
    row = [read() for _ in range(before - folded + (folded > 0))] + [peak]
    alone = min(after, max(0, inactive - before - 1))
    row += [read() for _ in range(alone + (after > alone))]
    # `row` begins with the front fold of the first `folded` peaks, if there are any.
    split = max(inactive, 1) - max(folded - 1, 0)
    front = front_fold(row[:split])
    return sm3(front, back_fold(row[split:])) if row[split:] else front


def read_operation_proof(reader, operation, state_root):
    """Refuses unless the operation is active in the log that the state root commits to."""
    place, size, inactive = reader.big(8), reader.big(8), reader.big(1)
    require(size <= 1 << 62, "the log is too long")
    require(place < size, "the operation is not in the log")
    require(inactive <= size.bit_count(), "more inactive peaks than peaks")
    plain, bits = reader.hash(), reader.hash()
    partial = reader.hash() if size % 256 else None
    require(bits[place % 256 // 8] >> place % 8 & 1, "the operation is not active")
    if place // 256 == size // 256:
        require(sm3(bits) == partial, "the bits of the partial chunk are others")
    height, before, after = find_peak(place, size)
    peak = climb(place, height, operation, bits, [reader.hash() for _ in range(height)])
    peaks = fold_peaks(reader.hash, peak, before, after, inactive)
    count = inactive.to_bytes(8, "big") if inactive else b""
    root = [plain, sm3(b"\x00\x01", size.to_bytes(8, "big"), count, peaks)]
    if partial is not None:
        root += [(size % 256).to_bytes(8, "big"), partial]
    require(sm3(*root) == state_root, "the operation is not in the head's state")


def read_group(reader):
    """What is in a group: its bytes, and SM3 of each value by last byte."""
    count = reader.big(1)
    require(count, "a group is empty")
    data = reader.take(33 * count)
    rows = [(data[i], data[i + 1:i + 33]) for i in range(0, len(data), 33)]
    require(all(a[0] < b[0] for a, b in zip(rows, rows[1:])), "the keys of a group do not ascend")
    return data, dict(rows)


# --- The bill ---

def read_lock(reader):
    """The lock of a bill."""
    lock = {"holder": reader.string(64)}
    if reader.choice(("claim", "evidence")) == "claim":
        lock["purpose"] = {"scene": reader.little(2), "claim_no": reader.string(64),
                           "grant": reader.optional(lambda: reader.hash().hex())}
    else:
        lock["purpose"] = {"evidence": reader.hash().hex()}
    reader.take(8)
    reader.optional(lambda: reader.little(4))
    reader.take(8)
    lock["expires"] = reader.optional(lambda: reader.little(8))
    reader.choice(STATUSES)
    return lock


def read_reimbursements(reader):
    """The reimbursements of a bill."""
    count = reader.compact()
    require(count <= 8, "a bill has more than 8 reimbursements")
    rows = []
    for _ in range(count):
        rows.append({"payer": reader.string(64), "scene": reader.little(2),
                     "amount": reader.little(8, signed=True)})
        reader.choice(STATUSES)
    return rows


def read_bill(data):
    """A bill as an object for JSON."""
    reader = Reader(data, "the bill")
    bill = {"code": reader.ascii(8), "number": reader.ascii(10), "check_code": reader.ascii(6),
            "kind": reader.choice(KINDS), "issue_date": reader.little(4),
            "issue_time": reader.little(4), "total": reader.little(8, signed=True),
            "issuer": reader.string(64), "issuer_uscc": reader.ascii(18),
            "payer": reader.choice(PAYERS), "payer_ref": reader.hash().hex(),
            "scene": reader.little(2)}
    for name in ("biz_no_hash", "xml_hash", "pdf_hash", "location_hash"):
        bill[name] = reader.hash().hex()
    bill["related"] = reader.optional(lambda: reader.ascii(18))
    bill["status"] = reader.choice(STATUSES)
    bill["version"], bill["version_hash"] = reader.little(4), reader.hash().hex()
    bill["lock"] = reader.optional(lambda: read_lock(reader))
    bill["reimbursements"] = read_reimbursements(reader)
    bill["updated"] = reader.little(8)
    reader.take(1)
    bill["registered"] = [reader.compact(), reader.compact()]
    reader.take(1)
    reader.end()
    return bill


def read_version_head(data, bill, raw_bill, before):
    """Block and place of the version's transaction, from the head of the version."""
    reader = Reader(data, "the head of the version")
    require(reader.take(18) == raw_bill[:18], "the version is of another bill")
    require(reader.little(4) == bill["version"], "the version is another one")
    block, place = reader.little(4), reader.optional(lambda: reader.little(4))
    reader.take(8 + 32)
    reader.optional(reader.hash)
    reader.end()
    require(sm3(before, data).hex() == bill["version_hash"], "the version's hash is another one")
    return block, place


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

def read_present(reader, head, changes, genesis):
    """Body 1: the bill is there."""
    raw = reader.bytes()
    bill, shared = read_bill(raw), BILL_PREFIX + raw[:17]
    data, group = read_group(reader)
    read_operation_proof(reader, b"\xd2" + sm3(shared) + sm3(data) + reader.hash(), head.state_root)
    require(group.get(raw[17]) == sm3(raw), "the bill is not in its group")
    before = reader.hash()
    block, place = read_version_head(reader.bytes(), bill, raw, before)
    where = reader.choice(("none", "head", "earlier"))
    require((where == "none") == (place is None), "the version's transaction is at another place")
    if where == "none":
        require(block <= head.number, "the version is of a later block")
        return {"bill": bill, "transaction": None}
    header = head if where == "head" else read_earlier(reader, changes, head, genesis)
    require(block == header.number, "the version is of another block")
    digest = read_path(reader, header.transactions_root, place)
    return {"bill": bill,
            "transaction": {"block": block, "index": place, "hash": digest.hex()}}


def read_absent(reader, head):
    """Body 2: there is no such bill."""
    name = reader.ascii(18)
    require(all("0" <= digit <= "9" for digit in name), "code and number are not digits")
    key = sm3(BILL_PREFIX, name[:17].encode("ascii"))
    if reader.choice(("none", "others")) == "others":
        data, group = read_group(reader)
        read_operation_proof(reader, b"\xd2" + key + sm3(data) + reader.hash(), head.state_root)
        require(ord(name[17]) not in group, "the bill is in its group")
    else:
        before, value, after = reader.hash(), reader.hash(), reader.hash()
        read_operation_proof(reader, b"\xd2" + before + value + after, head.state_root)
        between = before < key < after
        around = before >= after and (key > before or key < after)
        require(between or around, "the bill's group is not between these groups")
    return {"absent": {"code": name[:8], "number": name[8:]}, "transaction": None}


def verify(certificate, genesis):
    """What a certificate proves on the chain with this genesis hash; or raises Refused."""
    require(len(genesis) == 32, "a genesis hash has 32 bytes")
    require(len(certificate) <= MAX_CERTIFICATE, "the certificate is too large")
    reader = Reader(certificate, "the certificate")
    require(reader.take(4) == b"BCPF", "this is no certificate")
    require(reader.big(1) == 1, "the certificate has an unknown format")
    kind = reader.big(1)
    require(kind in (1, 2), "the certificate has an unknown kind")
    head, changes = read_chain(reader, genesis)
    if kind == 1:
        proved = read_present(reader, head, changes, genesis)
    else:
        proved = read_absent(reader, head)
    reader.end()
    return {"genesis": genesis.hex(), "block": {"number": head.number, "hash": head.hash.hex()},
            **proved}


def main(arguments=None):
    """The command."""
    parser = argparse.ArgumentParser(description="Checks a certificate of BillChain.")
    parser.add_argument("file", metavar="FILE", help="the certificate")
    parser.add_argument("--genesis", metavar="HASH", required=True,
                        help="hash of the chain's genesis block, in hexadecimal")
    options = parser.parse_args(arguments)
    try:
        genesis = bytes.fromhex(options.genesis.removeprefix("0x"))
        with open(options.file, "rb") as file:
            proved = verify(file.read(MAX_CERTIFICATE + 1), genesis)
    except (Refused, OSError, ValueError) as reason:
        print(" ".join(str(reason).split()), file=sys.stderr)
        return 1
    print(json.dumps(proved, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
