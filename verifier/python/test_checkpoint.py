#!/usr/bin/env python3
"""Tests of certificates that are checked from a later block on."""

import unittest

import billchain_verifier as v
from billchain_sm import sm3
from chain_builder import (
    GENESIS, SECRETS, VERSION_BEFORE, bill, block_path, certificate, chunk, decided, header, state_of, u,
    validators, version_head)
from test_parts import Case

FIRST, SECOND, THIRD, FORGERS = SECRETS[:1], SECRETS[1:3], SECRETS[2:], [2001, 2002]
AT3, AT6 = header(3, [validators(SECOND, 0)]), header(6, [validators(THIRD, 3)])
CHANGES = [decided(AT3, 3, FIRST), decided(AT6, 6, SECOND)]
ROOT, PATH = block_path([b"t" * 50], 0)
RAW = bill(5, 0)
STATE, FRONT = state_of(RAW)
MADE = decided(header(5, (), bytes(32), ROOT), 5, SECOND)


def made(changes=CHANGES, earlier=MADE, path=PATH, genesis=GENESIS, signers=THIRD, start=None,
         where=None):
    """The certificate of a bill whose transaction is in block 5, between the changes."""
    where = where or u(1, 2) + earlier + path
    body = FRONT + VERSION_BEFORE + chunk(version_head(5, 0)) + where
    return certificate(1, decided(header(9, (), STATE), 9, signers), body, changes, genesis, start)


HIDDEN = u(1, 3)
FROM3, FROM6 = made(CHANGES[1:], start=AT3), made([], start=AT6, where=HIDDEN)


class Checkpoints(Case):
    """From a checkpoint on."""

    def refused_from(self, reason, data, checkpoint=sm3(AT6)):
        """The certificate is refused from the checkpoint on."""
        self.refuses(reason, v.verify, data, None, checkpoint)

    def test_from_each(self):
        whole = v.verify(made(), sm3(GENESIS))
        self.assertEqual(whole["transaction"]["block"], 5)
        for checkpoint, number, transaction in (
                (GENESIS, 0, whole["transaction"]), (AT3, 3, whole["transaction"]), (AT6, 6, None)):
            proved = v.verify(made(), None, sm3(checkpoint))
            self.assertEqual(proved.pop("from"), {"number": number, "hash": sm3(checkpoint).hex()})
            self.assertEqual(proved, {**whole, "transaction": transaction})
        v.verify(made(), sm3(GENESIS), sm3(AT6))
        self.refuses("of another chain", v.verify, made(), bytes(32), sm3(AT6))

    def test_what_is_before_is_not_believed(self):
        good = v.verify(made(), None, sm3(AT6))
        root, path = block_path([b"f" * 50], 0)
        forged = decided(header(5, (), bytes(32), root), 5, FORGERS)
        for data in (made(earlier=forged, path=path),
                     made([decided(header(3, [validators(FORGERS, 0)]), 3, FORGERS), CHANGES[1]])):
            self.refuses("", v.verify, data, sm3(GENESIS))
            self.assertEqual(v.verify(data, None, sm3(AT6)), good)
        self.refused_from("left out", made(CHANGES[1:]))
        self.refused_from("cut short", made([CHANGES[0][:1] + b"\x01" + CHANGES[0][2:], CHANGES[1]]))
        at6 = decided(header(6, (), bytes(32), ROOT), 6, SECOND)
        self.refused_from("not in line", made(earlier=at6))
        # Neither is a block that names validators, and is not among the changes.
        unlisted = decided(header(5, [validators(FORGERS, 3)], bytes(32), ROOT), 5, SECOND)
        self.refused_from("not in line", made(earlier=unlisted))
        self.refuses("not in line", v.verify, made(earlier=unlisted), sm3(GENESIS))
        # Nor is a node of the path with a byte behind its end.
        node = PATH[3:] + b"\x00"
        longer = decided(header(5, (), bytes(32), sm3(node)), 5, FORGERS)
        self.refused_from("behind its end", made(earlier=longer, path=u(1, 1) + chunk(node)))

    def test_the_genesis_is_that_of_the_signatures(self):
        other = header(0, [validators(FIRST, 0)], sm3(b"other"))
        self.refused_from("is wrong", made(genesis=other))

    def test_what_follows_is_checked(self):
        self.refused_from("is wrong", made(signers=SECOND))
        forged = [CHANGES[0], decided(AT6, 6, FORGERS)]
        self.refused_from("is wrong", made(forged), sm3(AT3))
        v.verify(made(forged), None, sm3(AT6))

    def test_a_checkpoint_that_is_not_there(self):
        for checkpoint in (bytes(32), sm3(header(5, (), bytes(32), ROOT)), sm3(header(9, (), STATE))):
            self.refused_from("the checkpoint is neither", made(), checkpoint)
        self.refuses("has to be trusted", v.verify, made())
        self.refuses("32 bytes", v.verify, made(), None, b"short")


class LaterStarts(Case):
    """Certificates that start at a change."""

    def test_from_each(self):
        whole = v.verify(made(), sm3(GENESIS))
        for data, checkpoint, number, transaction in (
                (FROM3, AT3, 3, whole["transaction"]), (FROM3, AT6, 6, None), (FROM6, AT6, 6, None)):
            proved = v.verify(data, sm3(GENESIS), sm3(checkpoint))
            self.assertEqual(proved.pop("from"), {"number": number, "hash": sm3(checkpoint).hex()})
            self.assertEqual(proved, {**whole, "transaction": transaction})

    def test_which_checkpoint_it_needs(self):
        words = f"starts at block 6 and is checked with the checkpoint {sm3(AT6).hex()}"
        for trusted in ((sm3(GENESIS),), (None, sm3(GENESIS)), (None, sm3(AT3)), (None, bytes(32))):
            self.refuses(words, v.verify, FROM6, *trusted)
        self.refuses("of another chain", v.verify, FROM6, bytes(32))

    def test_transactions(self):
        self.refuses("between the certificate's start", v.verify, made([], start=AT6), None, sm3(AT6))
        for data, checkpoint in ((made(where=HIDDEN), GENESIS), (made(where=HIDDEN), AT6), (
                made(CHANGES[1:], start=AT3, where=HIDDEN), AT6)):
            self.refuses("is left out", v.verify, data, None, sm3(checkpoint))
        for where in (u(1, 0), u(1, 1) + PATH):
            self.refuses("", v.verify, made([], start=AT6, where=where), None, sm3(AT6))

    def test_what_follows_is_whole(self):
        for reason, data, checkpoint in (
                ("is wrong", made([], start=AT3), AT3),
                ("do not ascend", made(CHANGES, start=AT3), AT3),
                ("no change of validators", made([], start=GENESIS, where=HIDDEN), GENESIS),
                ("no change of validators", made([], start=header(6), where=HIDDEN), header(6)),
                ("left out", made([decided(header(6, [validators(THIRD, 2)]), 6, SECOND)],
                                  start=AT3), AT3)):
            self.refuses(reason, v.verify, data, None, sm3(checkpoint))

    def test_no_bit_may_be_another(self):
        for at in range(0, len(FROM6), 7):
            data = bytearray(FROM6)
            data[at] ^= 1 << at % 8
            self.refuses("", v.verify, bytes(data), None, sm3(AT6))
        for length in range(len(FROM6)):
            self.refuses("", v.verify, FROM6[:length], None, sm3(AT6))


if __name__ == "__main__":
    result = unittest.main(exit=False).result
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    raise SystemExit(failed != 0)
