#!/usr/bin/env python3
"""Tests of a state with a cold part, which is built here."""

import unittest

import billchain_cold as cold
import billchain_key_proof as key_proofs
import billchain_state as state
import billchain_verifier as v
from billchain_scale import Reader, Refused
from billchain_sm import sm3
from chain_builder import (
    CODE, GENESIS, RECORDS, Ledger, Run, Segment, bill_key, certified, chunk, merkle_path,
    merkle_root, plain_bill, roots_of, u)
from test_parts import Case

# Groups of ten numbers that are no longer active in the first run: 5 is hot, 7 has no bills any
# more, and 9 was cooled again.
LEFT_THE_FIRST = (5, 7, 9)
KEYS = (b"1", b"3")


def shared(ten):
    """What the keys of ten bills share."""
    return bill_key(10 * ten)[:-1]


def segment(tens, left=(), status=1):
    """A segment of groups with two bills each."""
    groups = {shared(ten): {last: made(10 * ten + int(last), status) for last in KEYS}
              for ten in tens}
    return Segment(groups, {shared(ten) for ten in left})


def made(number, status=1):
    """A bill whose version is hashed as the certificates here show it."""
    bill = plain_bill(number, status=status)
    digest = sm3(b"%d" % number)
    assert bill.count(digest) == 1
    return bill.replace(digest, sm3(bytes(32), head_of(number)))


def head_of(number):
    """The head of a version that block 7 made by itself."""
    return bill_key(number)[32:] + b"\x01\x00\x00\x00\x07\x00\x00\x00" + bytes(1 + 8 + 32 + 1)


RUNS = (Run(segment(range(600), LEFT_THE_FIRST), segment(range(600, 630))),
        Run(segment((650, 652, 655), (652,))), Run(segment((9, 652), status=4)), Run())
HOT = {bill_key(number): made(number) for number in (50, 51, 53, 7001)}
LEDGER = Ledger(HOT, runs=RUNS)


def body(number, place):
    """The body of a certificate of a bill, or of its absence."""
    value = LEDGER.value(bill_key(number))
    if value is None:
        return 2, CODE + b"%010d" % number + place
    return 1, present(value, number, place)


def present(value, number, place):
    """The body of a bill's certificate."""
    return chunk(value) + place + bytes(32) + chunk(head_of(number)) + u(1, 0)


def certificate(number):
    """What the state holds of a number."""
    kind, data = body(number, LEDGER.place(shared(number // 10)))
    return certified(kind, LEDGER, data)


class Trees(Case):
    """Paths of trees of every form."""

    def test_paths(self):
        for count in (1, 2, 3, 5, 8, 31, 33):
            contents = [b"leaf %d" % at for at in range(count)]
            root = merkle_root(7, contents)
            for first in range(count):
                for end in range(first + 1, min(count, first + 2) + 1):
                    reader = Reader(merkle_path(7, contents, first, end), "it")
                    shown = contents[first:end]
                    self.assertEqual(cold.read_shown(reader, 7, shown), (count, first, root))
                    reader.end()
        self.assertEqual(cold.read_shown(Reader(bytes(16), "it"), 7, [])[2], merkle_root(7, []))

    def test_bounds(self):
        for count, first in ((5, 5), (5, (1 << 64) - 1), ((1 << 40) + 1, 0), (0, 0)):
            data = u(8, count) + u(8, first) + bytes(9999)
            self.refuses("not so many leaves", cold.read_shown, Reader(data, "it"), 7, [b""])
        cold.read_shown(Reader(u(8, 1 << 40) + bytes(9999), "it"), 7, [b""])
        self.refuses("of a tree that has leaves", cold.read_shown, Reader(u(16, 5 << 64), "it"), 7, [])
        path = merkle_path(0xC3, [chunk(b"a" * 1024) + bytes(64)], 0, 1)
        for length in (1024, 1025):
            data = u(1, 1) + chunk(b"a" * length) + bytes(64) + path
            run = merkle_root(0xC3, [chunk(b"a" * length) + bytes(64)])
            if length == 1024:
                cold.read_coverage(Reader(data, "it"), run, b"b")
            else:
                self.refuses("too many bytes", cold.read_coverage, Reader(data, "it"), run, b"b")
        for read in (cold.read_coverage, cold.read_exclusion):
            self.refuses("more than two", read, Reader(u(1, 3) + bytes(999), "it"), bytes(32), b"b")
        self.refuses("too many runs", state.read_roots, Reader(bytes(32) + u(1, 65) + bytes(9999), "it"),
                     bytes(32))


class Places(Case):
    """Where groups are."""

    def judge(self, place, group, roots=None):
        """The last bytes of a group's keys."""
        reader = Reader(place, "it")
        roots = roots or state.Roots(LEDGER.hot, LEDGER.run_roots, RECORDS)
        found = state.read_place(reader, group, roots)
        reader.end()
        return bytes(sorted(found))

    def test_each(self):
        groups = {shared(5): b"013", shared(700): b"1", shared(4): b"13", shared(601): b"13",
                  shared(9): b"13", shared(652): b"13", shared(650): b"13", shared(7): b"",
                  shared(640): b"", shared(651): b"", shared(9000): b"", b"a": b"", b"z": b"",
                  shared(3) + b"x": b""}
        places = {group: LEDGER.place(group) for group in groups}
        for group, lasts in groups.items():
            self.assertEqual(self.judge(places[group], group), lasts)
            for other in groups:
                if other != group:
                    self.refuses("", self.judge, places[group], other)

    def test_every_bit_counts(self):
        for group in (shared(4), shared(5), shared(7), shared(651)):
            place = LEDGER.place(group)
            for bit in range(8 * len(place)):
                changed = bytearray(place)
                changed[bit // 8] ^= 1 << bit % 8
                self.refuses("", self.judge, bytes(changed), group)
            for length in range(len(place)):
                self.refuses("", self.judge, place[:length], group)
            self.refuses("behind its end", self.judge, place + b"\x00", group)

    def test_runs_are_all_gone_through(self):
        group, missing = shared(7), [run.missing(shared(7)) for run in RUNS]
        for other in ([], missing[:3], missing + missing[:1]):
            self.refuses("in each run", self.judge, LEDGER.neighbour(group, other), group)
        exchanged = [missing[1], missing[0], *missing[2:]]
        self.refuses("not of the run", self.judge, LEDGER.neighbour(group, exchanged), group)
        uncovered = [u(1, 0) + RUNS[0].coverage(group), *missing[1:]]
        self.refuses("said otherwise", self.judge, LEDGER.neighbour(group, uncovered), group)
        self.refuses("unknown number", self.judge,
                     LEDGER.neighbour(group, [u(1, 3) + missing[0][1:], *missing[1:]]), group)

    def test_hidden(self):
        # A gap of the hot part hides no group that is active in a segment.
        group = shared(4)
        missing = [run.missing(group) for run in RUNS]
        self.refuses("is active in a segment", self.judge, LEDGER.neighbour(group, missing), group)
        first, cover = RUNS[0].segments[0], RUNS[0].coverage(group)
        for at in (6, 8):
            between = u(1, 1) + cover + first.exclusion(shared(at) + b"+")
            self.refuses("not between these neighbours", self.judge,
                         LEDGER.neighbour(group, [between, *missing[1:]]), group)
        # The neighbours of a wider gap, with the path of two others.
        rows = b"".join(chunk(shared(at)) + sm3(first.group(shared(at))[1:]) for at in (3, 5))
        wide = u(1, 2) + rows + merkle_path(0xC1, first.leaves, 3, 5)
        self.refuses("not of the segment", self.judge,
                     LEDGER.neighbour(group, [u(1, 1) + cover + wide, *missing[1:]]), group)

    def test_former(self):
        # A group as it was before it was written to.
        for group in (shared(5), shared(7), shared(9)):
            self.refuses("no longer active", self.judge, RUNS[0].place(group, 0), group)
        place, bit = RUNS[0].place(shared(9), 0), RUNS[0].find(shared(9)).bit(shared(9))
        turned = bytearray(bit)
        turned[1] ^= 2
        self.refuses("the bits are not of", self.judge, place.replace(bit, bytes(turned)), shared(9))

    def test_other_parts(self):
        group, place = shared(4), LEDGER.place(shared(4))
        first, last = RUNS[0].segments
        cover, bit, way = RUNS[0].coverage(group), first.bit(group), first.inclusion(group)
        for reason, old, new in (
                ("do not tell", cover, RUNS[0].coverage(shared(601))),
                ("not of the run", cover, RUNS[2].coverage(shared(9))),
                ("of other groups", bit, first.bit(shared(550))),
                ("the bits are not of", bit, last.bit(shared(604))),
                ("has not this group", way, first.inclusion(shared(6)))):
            self.assertEqual(place.count(old), 1)
            self.refuses(reason, self.judge, place.replace(old, new), group)
        number = 1 + len(first.group(group))
        for run, reason in ((1, ""), (4, "no such run")):
            self.refuses(reason, self.judge, place[:number] + u(1, run) + place[number + 1:], group)

    def test_roots(self):
        good, root = LEDGER.roots, LEDGER.root
        self.assertEqual(state.read_roots(Reader(good, "it"), root).runs, LEDGER.run_roots)
        runs = LEDGER.run_roots
        for other in (runs[:3], [runs[1], runs[0], *runs[2:]], runs + [bytes(32)], []):
            data = roots_of(LEDGER.hot, other)
            self.refuses("not the roots", state.read_roots, Reader(data, "it"), root)
        data = roots_of(LEDGER.hot, runs, bytes(32))
        self.refuses("not the roots", state.read_roots, Reader(data, "it"), root)
        for bit in range(8 * len(good)):
            changed = bytearray(good)
            changed[bit // 8] ^= 1 << bit % 8
            self.refuses("", state.read_roots, Reader(bytes(changed), "it"), root)


class Certificates(Case):
    """Whole certificates."""

    def test_present(self):
        for number, status in ((41, "normal"), (6011, "normal"), (6501, "normal"),
                               (91, "reimbursed"), (6523, "reimbursed"), (51, "normal")):
            bill = v.verify(certificate(number), sm3(GENESIS))["bill"]
            self.assertEqual((bill["number"], bill["status"]), (f"{number:010}", status))

    def test_absent(self):
        for number in (42, 58, 6511, 6401, 6531, 90001, 71):
            proved = v.verify(certificate(number), sm3(GENESIS))
            self.assertEqual(proved["absent"]["number"], f"{number:010}")

    def test_forged(self):
        for reason, kind, data in (
                ("no longer active", 1, present(made(51), 51, RUNS[0].place(shared(5), 0))),
                ("no longer active", 1, present(made(91), 91, RUNS[0].place(shared(9), 0))),
                ("not in its group", 1, present(made(71), 71, LEDGER.place(shared(7)))),
                ("not in its group", 1, present(made(91), 91, LEDGER.place(shared(9)))),
                ("is active", 2, CODE + b"%010d" % 41 + LEDGER.neighbour(shared(4))),
                ("is in its group", 2, CODE + b"%010d" % 41 + LEDGER.place(shared(4)))):
            self.refused(reason, certified(kind, LEDGER, data))

    def test_roots_of_another_state(self):
        kind, data = body(41, LEDGER.place(shared(4)))
        for other in (Ledger(HOT), Ledger(HOT, runs=RUNS[:3])):
            good = certified(kind, LEDGER, data)
            forged = good.replace(LEDGER.roots, other.roots)
            self.assertNotEqual(good, forged)
            self.refused("not the roots", forged)

    def test_numbers(self):
        numbers = range(41, 73)
        parts = b"".join(
            LEDGER.part([bill_key(number) for number in numbers if number // 10 == ten])
            for ten in (4, 5, 6, 7))
        data = CODE + b"%010d" % 41 + b"%010d" % 72 + parts
        proved = v.verify(certified(3, LEDGER, data), sm3(GENESIS))
        self.assertEqual((proved["numbers"]["missing"], proved["tally"]["bills"]), (25, 7))


class KeyProofs(Case):
    """Key proofs."""

    def test_keys(self):
        for number, there in ((41, True), (42, False), (51, True), (58, False), (71, False),
                              (91, True), (6511, False)):
            key = bill_key(number)
            value = LEDGER.value(key)
            data = LEDGER.roots + LEDGER.place(key[:-1])
            data += b"" if value is None else u(4, len(value)) + value
            self.assertEqual(value is not None, there)
            self.assertEqual(key_proofs.value_of(data, key, LEDGER.root), value)
            for wrong in (data + b"\x00", data[:-1], data[:40] + u(1, data[40] ^ 1) + data[41:]):
                with self.assertRaises(Refused):
                    key_proofs.value_of(wrong, key, LEDGER.root)


if __name__ == "__main__":
    result = unittest.main(exit=False).result
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    raise SystemExit(failed != 0)
