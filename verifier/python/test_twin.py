#!/usr/bin/env python3
"""Tests of the JSON twins."""

import contextlib
import copy
import io
import json
import tempfile
import unittest
from pathlib import Path

import billchain_twin as twins
import billchain_verifier as v
import test_checkpoint
import test_cold
import test_totals
import test_version
from billchain_scale import MAX_CERTIFICATE, Refused
from billchain_sm import sm3
from chain_builder import GENESIS, NAME, absent_from, certified, present
from test_parts import Case

CERTIFICATES = {
    "bill": present(5, None, 0), "no_bill": absent_from((b"1", sm3(b"one"))),
    "numbers": test_totals.numbers(98, 10_201), "month": test_totals.month(b"did:x", b"202401"),
    "version": certified(5, test_version.LEDGER, test_version.body(2)),
    "cold": test_cold.certificate(41), "left": test_cold.certificate(71),
    "between": test_cold.certificate(6511),
}
KINDS = {"cold": "bill", "left": "no_bill", "between": "no_bill"}


def text(twin):
    """A twin as a text."""
    return json.dumps(twin).encode("utf-8")


class Twins(Case):
    """Twins."""

    def wrong(self, kind, reason, change):
        """The twin is refused after a change."""
        twin = twins.to_twin(CERTIFICATES[kind])
        change(twin["certificate"])
        self.refuses(reason, twins.from_twin, text(twin))

    def test_both_ways(self):
        for kind, data in [*CERTIFICATES.items(), ("bill", test_checkpoint.FROM6)]:
            twin = twins.to_twin(data)
            self.assertEqual(twin["certificate"]["kind"], KINDS.get(kind, kind))
            self.assertEqual(twins.from_twin(text(twin)), data)
            self.assertEqual(twins.from_twin(json.dumps(twin, indent=1, sort_keys=True).encode()),
                             data)

    def test_every_bit_counts(self):
        self.every_bit(CERTIFICATES["no_bill"])
        self.every_bit(CERTIFICATES["left"], 11)

    def every_bit(self, data, step=1):
        """No two certificates have one twin."""
        good, read = twins.to_twin(data), 0
        for bit in range(0, 8 * len(data), step):
            changed = bytearray(data)
            changed[bit // 8] ^= 1 << bit % 8
            try:
                twin = twins.to_twin(bytes(changed))
            except Refused:
                continue
            read += 1
            self.assertNotEqual(twin, good)
            self.assertEqual(twins.from_twin(text(twin)), bytes(changed))
        self.assertGreater(read, len(data) // step)
        for length in range(0, len(data), step):
            self.refuses("", twins.to_twin, data[:length])

    def test_reasons_name_the_field(self):
        for kind, reason, change in (
                ("bill", "field certificate.head.round: -1: expected a number of 4",
                 lambda c: c["head"].update(round=-1)),
                ("bill", 'field certificate.bill.status: "lost": expected pre_issued',
                 lambda c: c["bill"].update(status="lost")),
                ("bill", "field certificate.head.signatures[0].signature: 1 bytes, expected 64",
                 lambda c: c["head"]["signatures"][0].update(signature="0x00")),
                ("bill", "field certificate.place: it is missing", lambda c: c.pop("place")),
                ("bill", "field certificate.more: no field", lambda c: c.update(more=None)),
                ("bill", "field certificate.kind: \"x\": expected bill, no_bill",
                 lambda c: c.update(kind="x")),
                ("bill", "field certificate.previous", lambda c: c.update(previous="0xAB" * 16)),
                ("bill", "expected a number", lambda c: c["bill"].update(version="3")),
                ("bill", "not the one", lambda c: c["genesis"]["items"].__setitem__(0, {
                    "kind": "consensus", "name": "0x42435653", "data": "0x" + twins.SET.write(
                        c["genesis"]["items"][0]["set"]).hex()})),
                ("numbers", "field certificate.numbers.parts[0].values[0]: ",
                 lambda c: c["numbers"]["parts"][0].update(values=[{"bill": 1, "tally": 2}])),
                ("numbers", "field certificate.numbers",
                 lambda c: c["numbers"]["parts"].pop()),
                ("month", "field certificate.month.part.place.proof", lambda c: c["month"]["part"][
                    "place"]["proof"].update(place=1_000_000)),
                ("left", "field certificate.place.runs[0].kind: \"lost\": expected uncovered",
                 lambda c: c["place"]["runs"][0].update(kind="lost")),
                ("left", "field certificate.place.runs[0].inclusion: a tree of so many leaves",
                 lambda c: c["place"]["runs"][0]["inclusion"].update(first=1_000_000)),
                ("left", "field certificate.place.runs[0].coverage.segments[0].from: 1025 bytes",
                 lambda c: c["place"]["runs"][0]["coverage"]["segments"][0].update({
                     "from": "0x" + "00" * 1025})),
                ("left", "field certificate.place.runs[0].bit.bits: 1 bytes, expected 64",
                 lambda c: c["place"]["runs"][0]["bit"].update(bits="0x00")),
                ("left", "field certificate.roots.runs: a list of 65",
                 lambda c: c["roots"].update(runs=["0x" + "00" * 32] * 65))):
            self.wrong(kind, reason, change)

    def test_values_are_what_was_asked_for(self):
        twin = twins.to_twin(CERTIFICATES["numbers"])
        part = twin["certificate"]["numbers"]["parts"][0]
        bill = part["values"][0]["bill"]
        tally = next(part["values"][0] for part in twin["certificate"]["numbers"]["parts"]
                     if part["values"] and "tally" in part["values"][0])
        for value in ({"tally": tally["tally"]}, {"bill": {**bill, "filled_in": 256}}):
            changed = copy.deepcopy(twin)
            changed["certificate"]["numbers"]["parts"][0]["values"][0] = value
            self.refuses("", twins.from_twin, text(changed))

    def test_json(self):
        for reason, data in (
                ("no JSON", b""), ("no JSON", b"{} {}"), ("no JSON", b"{\"\xff\": 1}"),
                ("stands there twice", b'{"format": 1, "\\u0066ormat": 1}'),
                ("whole one", b'{"format": 1.0}'), ("whole one", b'{"format": NaN}'),
                ("whole one", b'{"format": -0}'),
                ("up to 2^53", b'{"format": %s}' % (b"1" * 5000)),
                ("true or false", b'{"format": true}'), ("expected an object", b"[]"),
                ("more than 16 levels", b"[" * 17 + b"]" * 17), ("no JSON", b"[" * 100_000),
                ("a list of more", b"[" + b"0," * 65_535 + b"0]"),
                ("more than 1048576 values", text([[0] * 65_000] * 17)),
                ("more than 40 fields", text({str(i): 0 for i in range(41)})),
                ("too large", b" " * (twins.MAX_TEXT + 1))):
            self.refuses(reason, twins.from_twin, data)
        self.refuses("too large", twins.to_twin, bytes(MAX_CERTIFICATE + 1))

    def test_numbers(self):
        twin = twins.to_twin(CERTIFICATES["bill"])
        summary = twin["certificate"]["bill"]["summary"]
        for total in (-5, 1 << 53, str((1 << 53) + 1), str(-1 << 63)):
            summary["total"] = total
            self.assertEqual(twins.to_twin(twins.from_twin(text(twin))), twin)
        for total in ((1 << 53) + 1, str(1 << 53), str(1 << 63), "05", "+9007199254740993", 1 << 63):
            summary["total"] = total
            self.refuses("", twins.from_twin, text(twin))

    def test_command(self):
        with tempfile.TemporaryDirectory() as place:
            data, twin = Path(place) / "data", Path(place) / "twin"
            data.write_bytes(CERTIFICATES["bill"])
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                self.assertEqual(twins.main([str(data)]), 0)
            twin.write_text(printed.getvalue(), encoding="utf-8")
            shown = []
            for file in (data, twin):
                with contextlib.redirect_stdout(io.StringIO()) as out:
                    self.assertEqual(v.main([str(file), "--genesis", sm3(GENESIS).hex()]), 0)
                with contextlib.redirect_stdout(io.StringIO()):
                    self.assertEqual(v.main([str(file), "--checkpoint", sm3(GENESIS).hex()]), 0)
                shown.append(json.loads(out.getvalue()))
            self.assertEqual(shown[0], shown[1])
            self.assertEqual(shown[0]["bill"]["number"], NAME[8:].decode())
            twin.write_text(printed.getvalue().replace('"kind": "bill"', '"kind": "bull"'))
            with contextlib.redirect_stderr(io.StringIO()) as err:
                self.assertEqual(v.main([str(twin), "--genesis", sm3(GENESIS).hex()]), 1)
                self.assertEqual(twins.main([str(twin)]), 1)
                with self.assertRaises(SystemExit):
                    v.main([str(data)])
            self.assertIn("field certificate.kind", err.getvalue())


if __name__ == "__main__":
    result = unittest.main(exit=False).result
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    raise SystemExit(failed != 0)
