#!/usr/bin/env python3
"""Tests of earlier versions of a bill, over a small ledger that is built here."""

import unittest

import billchain_verifier as v
import billchain_version as versions
from billchain_scale import Reader, Refused
from billchain_sm import sm3
from billchain_state import Roots
from chain_builder import (
    BILL_PREFIX, GENESIS, NAME, RECORDS, SECRETS, Ledger, block_path, certificate, certified, chunk,
    compact, decided, header, le, text, u)
from test_parts import Case

SUMMARY = (NAME + b"a1b2c3" + b"\x00" + le(4, 20240131) + le(4, 93005) + le(8, -12345)
           + text(b"did:bill:issuer") + b"91110000123456789X" + b"\x01" + sm3(b"payer") + le(2, 258)
           + bytes(32) * 4 + b"\x01" + b"9" * 18)
OPERATOR = b"did:bill:operator"
# By version: block, place of the transaction in it, status.
MADE = {1: (5, 70, 1), 2: (7, 3, 2), 3: (8, None, 1)}
LOCK = (text(b"did:bill:holder") + b"\x01" + sm3(b"evidence") + le(4, 2) + le(4, 7) + b"\x01"
        + le(4, 3) + le(8, 700) + b"\x00" + b"\x01")
VALUES = [bytes([i]) * 99 for i in range(80)]


def optional(data):
    """An optional value."""
    return b"\x00" if data is None else b"\x01" + data


def place_of(version):
    """The optional place of a version's transaction."""
    place = MADE[version][1]
    return optional(None if place is None else le(4, place))


def content(version):
    """What a version says."""
    block, _, status = MADE[version]
    entry = {1: b"\x00\x00", 2: b"\x00\x07", 3: b"\x01"}[version] + text(OPERATOR)
    if version == 2:
        entry += optional(text("核查".encode())) + optional(sm3(b"evidence")) + optional(text(OPERATOR))
    else:
        entry += bytes(3)
    return (le(4, version) + entry + le(4, block) + place_of(version) + le(8, 100 * block) + SUMMARY
            + u(1, status) + optional(LOCK if version == 2 else None) + compact(0))


def head_of(version, said=None, block=None):
    """The head of a version."""
    block = block or MADE[version][0]
    digest = sm3(b"\x05", sm3(b"\x04", said or content(version)))
    difference = None if version == 1 else sm3(b"difference", u(1, version))
    return (NAME + le(4, version) + le(4, block) + place_of(version) + le(8, 100 * block) + digest
            + optional(difference))


def hashes(heads=None):
    """Zeros and the hash of each version."""
    found = [bytes(32)]
    for head in heads or [head_of(version) for version in MADE]:
        found.append(sm3(found[-1], head))
    return found


def present(version_hash=None):
    """The present bill."""
    return (SUMMARY + u(1, 1) + le(4, 3) + (version_hash or hashes()[3]) + b"\x00" + compact(0)
            + le(8, 800) + b"\x00" + compact(5) + compact(70) + b"\x00")


KEY = BILL_PREFIX + NAME
LEDGER = Ledger({KEY: present(), KEY[:-1] + b"0": b"another"})


def front(ledger=LEDGER, bill=None):
    """The bill, its group and the group's operation."""
    return chunk(bill or ledger.value(KEY)) + ledger.place(KEY[:-1])


def body(version, where=None, later=None, before=None, head=None, said=None):
    """The body of a version's certificate."""
    later = [head_of(i) for i in range(version + 1, 4)] if later is None else later
    where = (u(1, 0) if MADE[version][1] is None else u(1, 3)) if where is None else where
    return (front() + (before or hashes()[version - 1]) + chunk(head or head_of(version))
            + u(2, len(later)) + b"".join(map(chunk, later)) + chunk(said or content(version)) + where)


class Versions(Case):
    """Earlier versions."""

    def test_versions(self):
        for version, cause, status in ((1, "register", "normal"), (2, "admin_lock", "locked"),
                                       (3, "summary", "normal")):
            proved = v.verify(certified(5, LEDGER, body(version)), sm3(GENESIS))
            bill, change = proved["bill"], proved["change"]
            self.assertEqual((bill["version"], bill["status"], change["cause"]),
                             (version, status, cause))
            self.assertEqual(bill["version_hash"], hashes()[version].hex())
            self.assertEqual((bill["updated"], bill["registered"]), (100 * MADE[version][0], [5, 70]))
            self.assertEqual((change["block"], change["index"]), MADE[version][:2])
            self.assertEqual(change["reason"], "核查" if version == 2 else None)
            self.assertEqual(proved["present"]["version"], 3)
            self.assertIsNone(proved["transaction"])
            same = {"status", "version", "version_hash", "updated", "lock"}
            for name in proved["present"].keys() - same:
                self.assertEqual(bill[name], proved["present"][name], name)

    def test_transactions(self):
        root, path = block_path(VALUES, 70)
        earlier = u(1, 2) + decided(header(5, (), bytes(32), root), 5, SECRETS[:1]) + path
        proved = v.verify(certified(5, LEDGER, body(1, earlier)), sm3(GENESIS))
        self.assertEqual(proved["transaction"],
                         {"block": 5, "index": 70, "hash": sm3(VALUES[70]).hex()})
        head = decided(header(7, (), LEDGER.root, block_path(VALUES, 3)[0]), 7, SECRETS[:1])
        data = certificate(5, head, LEDGER.roots + body(2, u(1, 1) + block_path(VALUES, 3)[1]))
        self.assertEqual(v.verify(data, sm3(GENESIS))["transaction"]["block"], 7)
        for reason, data in (("another place", body(1, u(1, 0))), ("another place", body(3, u(1, 3))),
                             ("another block", body(2, earlier)), ("unknown number", body(1, u(1, 4))),
                             ("goes on", body(1, u(1, 3)) + b"\x00")):
            self.refused(reason, certified(5, LEDGER, data))
        before = decided(header(4, (), LEDGER.root), 4, SECRETS[:1])
        self.refused("later block", certificate(5, before, LEDGER.roots + body(1)))

    def test_order(self):
        heads = {i: head_of(i) for i in MADE}
        for reason, data in (
                ("not the present", body(1, later=[])), ("left out", body(1, later=[heads[3]])),
                ("not the present", body(1, later=[heads[2]])),
                ("left out", body(1, later=[heads[3], heads[2]])),
                ("left out", body(3, later=[heads[3]])),
                ("do not lead", body(1, before=sm3(b"before"))),
                ("do not lead", body(2, before=bytes(32))),
                ("do not lead", body(1, later=[head_of(2, b"other"), heads[3]])),
                ("not what the version says", body(2, said=content(1))),
                ("left out", body(2, head=heads[1], said=content(1))),
                ("another bill", body(1, later=[b"0" * 18 + heads[2][18:], heads[3]])),
                ("another bill", body(1, head=b"0" * 18 + heads[1][18:]))):
            self.refused(reason, certified(5, LEDGER, data))

    def test_content(self):
        # Heads that name a content, and say another thing than it does.
        good = content(1)
        for said, block in ((le(4, 2) + good[4:], None), (good, 6),
                            (good.replace(NAME, NAME[:-1] + b"0"), None),
                            (good.replace(le(8, 500), le(8, 501)), None)):
            head = versions.read_version_head(head_of(1, said, block))
            self.refuses("another thing", versions.read_content, said, head, bytes(32),
                         {"registered": None})
        for said in (good + b"\x00", good[:-1], good[:4] + b"\x00\x0d" + good[6:],
                     good[:4] + b"\x02" + good[5:]):
            head = versions.read_version_head(head_of(1, said))
            self.refuses("", versions.read_content, said, head, bytes(32), {"registered": None})

    def test_another_bill(self):
        other = present(sm3(b"other"))
        self.refused("not in its group", certified(5, LEDGER, front(bill=other) + body(1)[len(front()):]))
        ledger = Ledger({KEY: other})
        data = front(ledger) + body(1)[len(front()):]
        self.refused("do not lead", certified(5, ledger, data))

    def test_every_bit_counts(self):
        head = v.read_header(header(9, (), LEDGER.root))
        for version in (2, 3):
            data = body(version)

            def judge(changed):
                reader = Reader(bytes(changed), "it")
                chain = v.Chain(*[v.read_header(GENESIS)] * 2, sm3(GENESIS))
                v.read_version(reader, head, chain, Roots(LEDGER.hot, LEDGER.run_roots, RECORDS))
                reader.end()

            judge(data)
            for bit in range(8 * len(data)):
                changed = bytearray(data)
                changed[bit // 8] ^= 1 << bit % 8
                with self.assertRaises(Refused, msg=f"bit {bit}"):
                    judge(changed)
            for length in range(len(data)):
                self.refuses("", judge, data[:length])


if __name__ == "__main__":
    result = unittest.main(exit=False).result
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    raise SystemExit(failed != 0)
