#!/usr/bin/env python3
"""Tests of ranges of numbers and issuers' months, over a small ledger that is built here."""

import unittest

import billchain_totals as totals
import billchain_verifier as v
from billchain_scale import MAX_CERTIFICATE, Reader, Refused
from billchain_sm import sm3
from billchain_state import Roots
from chain_builder import (
    CODE, GENESIS, RECORDS, Ledger, bill_key, block_key, certified, chunk, compact, month_key,
    plain_bill, tally, u)
from test_parts import Case

ISSUER = b"did:bill:issuer"
# Bills 98 to 212, without 107; 150 is a red one, and 105 was voided.
NUMBERS = [number for number in range(98, 213) if number != 107]


def of_bill(number):
    """Kind, status and total of a bill."""
    if number == 150:
        return 1, 1, -70
    return 0, 6 if number == 105 else 1, 100 + number


def lines_of(numbers):
    """The lines of a tally of these bills."""
    lines = {}
    for number in numbers:
        kind, status, total = of_bill(number)
        bills, fen = lines.get((kind, status), (0, 0))
        lines[kind, status] = bills + 1, fen + total
    return [(*place, *lines[place]) for place in sorted(lines)]


def state():
    """What the state holds."""
    values = {}
    for number in NUMBERS:
        kind, status, total = of_bill(number)
        values[bill_key(number)] = plain_bill(number, kind, status, total)
    for size, digits in ((100, 8), (10_000, 6), (1_000_000, 4)):
        for first in range(0, 300, size):
            within = [number for number in NUMBERS if first <= number < first + size]
            if within:
                values[block_key(first, digits)] = tally(*lines_of(within))
    values[month_key(ISSUER, b"202401")] = tally(*lines_of(NUMBERS))
    return values


LEDGER = Ledger(state())


def question(first, last):
    """The beginning of the body of a range."""
    return CODE + b"%010d" % first + b"%010d" % last


def keys_of(first, last):
    """The keys of a range, group by group."""
    groups = []
    for number, size, digits in totals.items(first, last):
        key = bill_key(number) if size == 1 else block_key(number, digits)
        if groups and groups[-1][0][:-1] == key[:-1]:
            groups[-1].append(key)
        else:
            groups.append([key])
    return groups


def parts_of(first, last, ledger=LEDGER):
    """The parts of the body of a range."""
    return [ledger.part(keys) for keys in keys_of(first, last)]


def numbers(first, last, ledger=LEDGER):
    """A certificate of a range."""
    return certified(3, ledger, question(first, last) + b"".join(parts_of(first, last, ledger)))


def month(issuer, which, ledger=LEDGER):
    """A certificate of an issuer's month."""
    part = ledger.part([month_key(issuer, which)])
    return certified(4, ledger, chunk(issuer) + which + part)


class Tallies(Case):
    """Tallies."""

    def test_tally(self):
        lines = [(0, 1, 1, 5), (0, 6, 1 << 40, -5), (2, 0, (1 << 64) - 2 - (1 << 40), 1 << 100)]
        read, bills = totals.read_tally(tally(*lines))
        self.assertEqual([(*place, bills, fen) for place, bills, fen in read], lines)
        self.assertEqual(bills, (1 << 64) - 1)

    def test_refused(self):
        one = (0, 1, 1, 5)
        for reason, data in (
                ("1 to 21", tally()), ("1 to 21", tally(*[one] * 22)),
                ("do not ascend", tally(one, one)), ("do not ascend", tally((1, 0, 1, 0), one)),
                ("no bill", tally((0, 1, 0, 5))), ("goes on", tally(one) + b"\x00"),
                ("cut short", tally(one)[:-1]), ("cut short", tally(one)[:-32]), ("unknown number", tally((3, 1, 1, 5))),
                ("unknown number", tally((0, 7, 1, 5))),
                ("too many bills", tally((0, 1, (1 << 64) - 1, 0), (1, 1, 1, 0))),
                ("too large", tally((0, 1, 1, (1 << 127) - 1), (1, 1, 1, 1))),
                ("compact number is too large", tally((0, 1, 1 << 64, 0))),
                ("shortest", compact(1) + b"\x00\x01" + b"\x07" + bytes(5) + bytes(48))):
            self.refuses(reason, totals.read_tally, data)

    def test_items(self):
        rows = list(totals.items(98, 10_201))
        self.assertEqual([row[:2] for row in rows[:3]], [(98, 1), (99, 1), (100, 100)])
        self.assertEqual([row[:2] for row in rows[-4:]],
                         [(10_000, 100), (10_100, 100), (10_200, 1), (10_201, 1)])
        self.assertEqual(list(totals.items(0, 9_999_999_999))[-1], (9_999_000_000, 1_000_000, 4))
        for first, last in ((1, 99_999_998), (7, 7), (999_999, 1_000_000)):
            at = first
            for number, size, _ in totals.items(first, last):
                self.assertEqual(number, at)
                at += size
            self.assertEqual(at, last + 1)

    def test_keys(self):
        rows = {item[:2]: totals.item_key(CODE, item) for item in totals.items(99, 3_000_000)}
        self.assertEqual(rows[99, 1], bill_key(99))
        self.assertEqual(rows[100, 100], block_key(100, 8))
        self.assertEqual(rows[20_000, 10_000], block_key(20_000, 6))
        self.assertEqual(rows[1_000_000, 1_000_000], block_key(1_000_000, 4))
        for issuer in (b"did:x", b"did:" + b"y" * 59, b"did:" + b"y" * 60):
            self.assertEqual(totals.MONTHS_PREFIX + totals.text(issuer) + b"202401",
                             month_key(issuer, b"202401"))


class Numbers(Case):
    """Ranges of numbers."""

    def check(self, first, last):
        """The range is proved as it is."""
        proved = v.verify(numbers(first, last), sm3(GENESIS))
        there = [number for number in NUMBERS if first <= number <= last]
        lines = lines_of(there)
        self.assertEqual(proved["numbers"], {
            "code": "12345678", "first": f"{first:010}", "last": f"{last:010}",
            "missing": last - first + 1 - len(there)})
        self.assertEqual(proved["tally"]["bills"], len(there))
        self.assertEqual(proved["tally"]["fen"], sum(line[3] for line in lines))
        self.assertEqual(
            [(totals.KINDS.index(line["kind"]), totals.STATUSES.index(line["status"]),
              line["bills"], line["fen"]) for line in proved["tally"]["lines"]], lines)

    def test_ranges(self):
        for first, last in ((98, 212), (107, 107), (105, 105), (0, 99), (0, 9_999), (95, 301),
                            (0, 1_000_099), (213, 280), (20_000, 20_199), (150, 199)):
            self.check(first, last)

    def test_question(self):
        parts = b"".join(parts_of(98, 201))
        for first, last in ((99, 201), (98, 200), (98, 202), (97, 201), (100, 201), (98, 301)):
            data = certified(3, LEDGER, question(first, last) + parts)
            if first == 97:
                # The group of 98 tells that nobody has 97.
                self.assertEqual(v.verify(data, sm3(GENESIS))["numbers"]["missing"], 2)
            else:
                with self.assertRaises(Refused, msg=f"{first} to {last}"):
                    v.verify(data, sm3(GENESIS))
        self.refused("above the last", certified(3, LEDGER, question(201, 98) + parts))
        self.refused("not digits", certified(3, LEDGER, b"1234567x" + question(98, 201)[8:] + parts))

    def test_exchanged(self):
        one, blocks, more = parts_of(98, 201)
        ask = question(98, 201)
        a, b = chunk(state()[bill_key(98)]), chunk(state()[bill_key(99)])
        hundred = chunk(state()[block_key(100, 8)])
        for reason, body in (
                ("in its group", one.replace(a + b, b + a) + blocks + more),
                ("in its group", one.replace(a, b) + blocks + more),
                ("cut short", one + blocks + more.replace(chunk(state()[bill_key(201)]), b"")),
                ("in its group", one + blocks.replace(hundred, a) + more),
                ("in the head's state", blocks + one + more),
                ("in the head's state", one + more),
                ("in the head's state", one.replace(b"8" + sm3(a[2:]), b"7" + sm3(a[2:])) + blocks
                 + more),
                ("not between", LEDGER.neighbour(bill_key(500)[:-1]) + blocks + more)):
            self.refused(reason, certified(3, LEDGER, ask + body))

    def test_another_block(self):
        singles, blocks = parts_of(98, 299)
        one, other = (chunk(state()[block_key(first, 8)]) for first in (100, 200))
        self.assertTrue(blocks.endswith(one + other))
        front = question(98, 299) + singles + blocks[:-len(one + other)]
        for values in (other + one, one + one, other + other):
            self.refused("in its group", certified(3, LEDGER, front + values))
        v.verify(certified(3, LEDGER, front + one + other), sm3(GENESIS))

    def test_dropped(self):
        values = state()
        del values[bill_key(201)]
        ledger = Ledger(values)
        # A state without the bill has another root, and says that a number is missing.
        proved = v.verify(numbers(98, 201, ledger), sm3(GENESIS))
        self.assertEqual(proved["numbers"]["missing"], 2)
        forged = question(98, 201) + b"".join(parts_of(98, 201, ledger))
        self.refused("in the head's state", certified(3, LEDGER, forged))

    def test_crowded(self):
        values = state()
        values[block_key(100, 8)] = tally((0, 1, 101, 5))
        self.refused("more bills than", numbers(98, 201, Ledger(values)))
        values[block_key(100, 8)] = tally((0, 1, 100, 5))
        proved = v.verify(numbers(98, 201, Ledger(values)), sm3(GENESIS))
        self.assertEqual(proved["numbers"]["missing"], 0)
        values = state()
        values[bill_key(98)] = plain_bill(99)
        self.refused("another number", numbers(98, 201, Ledger(values)))

    def test_every_bit_counts(self):
        ledger, roots = LEDGER, Roots(LEDGER.hot, LEDGER.run_roots, RECORDS)
        for kind, body, asked in (
                (totals.read_numbers, question(98, 201) + b"".join(parts_of(98, 201)), 28),
                (totals.read_month, chunk(ISSUER) + b"202401"
                 + ledger.part([month_key(ISSUER, b"202401")]), 2 + len(ISSUER) + 6)):
            for bit in range(8 * asked, 8 * len(body)):
                changed = bytearray(body)
                changed[bit // 8] ^= 1 << bit % 8
                with self.assertRaises(Refused, msg=f"bit {bit}"):
                    reader = Reader(bytes(changed), "it")
                    kind(reader, roots)
                    reader.end()
            for length in range(len(body)):
                self.refuses("", kind, Reader(body[:length], "it"), roots)

    def test_form(self):
        good = numbers(98, 201)
        self.refused("goes on", good + b"\x00")
        self.refused("too large", good + bytes(MAX_CERTIFICATE))


class Months(Case):
    """Issuers' months."""

    def test_months(self):
        proved = v.verify(month(ISSUER, b"202401"), sm3(GENESIS))
        self.assertEqual(proved["month"], {"issuer": "did:bill:issuer", "month": "202401"})
        self.assertEqual(proved["tally"]["bills"], len(NUMBERS))
        for issuer, which in ((ISSUER, b"202402"), (ISSUER, b"202312"), (b"did:bill:other", b"202401")):
            proved = v.verify(month(issuer, which), sm3(GENESIS))
            self.assertEqual(proved["tally"], {"bills": 0, "fen": 0, "lines": []})

    def test_refused(self):
        part = LEDGER.part([month_key(ISSUER, b"202401")])
        for reason, issuer, which in (
                ("one of twelve", ISSUER, b"202413"), ("one of twelve", ISSUER, b"202400"),
                ("not digits", ISSUER, b"2024-1"), ("by a DID", b"bill:issuer", b"202401"),
                ("by a DID", "did:bill:іssuer".encode(), b"202401"),
                ("by a DID", b"did:bill: issuer", b"202401"),
                ("by a DID", b"did:" + b"x" * 61, b"202401"),
                ("head's state", b"did:bill:other", b"202401"),
                ("goes on", ISSUER, b"202402")):
            self.refused(reason, certified(4, LEDGER, chunk(issuer) + which + part))
        self.refused("in its group", certified(4, LEDGER, chunk(ISSUER) + b"202401" + part[:-1]
                                               + u(1, part[-1] ^ 1)))
        forged = chunk(ISSUER) + b"202401" + LEDGER.neighbour(b"nobody")
        self.refused("not between", certified(4, LEDGER, forged))


if __name__ == "__main__":
    result = unittest.main(exit=False).result
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    raise SystemExit(failed != 0)
