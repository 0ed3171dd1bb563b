#!/usr/bin/env python3
"""Tests of the pieces, and of whole certificates of a small chain that is built here."""

import contextlib
import io
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import billchain_sm as sm
import billchain_state as state
import billchain_verifier as v
from billchain_scale import MAX_CERTIFICATE, Reader, Refused
from billchain_sm import sm3
from chain_builder import (
    GENESIS, NAME, SECRETS, VERSION_BEFORE, Log, absent, absent_from, bill, block_path, certificate, chunk,
    compact, compress, decided, header, le, present, sign, state_of, text, trie, u, validators,
    version_head)


class Case(unittest.TestCase):
    """A test with a word for refusals."""

    def refuses(self, text, function, *arguments):
        """The function refuses with a reason that has the text in it."""
        with self.assertRaises(Refused) as caught:
            function(*arguments)
        self.assertIn(text, str(caught.exception))

    def refused(self, text, data):
        """The certificate is refused with a reason that has the text in it."""
        self.refuses(text, v.verify, data, sm3(GENESIS))


class Cryptography(Case):
    """SM3 and SM2."""

    def test_sm3(self):
        standard = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
        long = "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"
        for digest in (sm.sm3_plain, sm.sm3_digest):
            self.assertEqual(digest(b"abc").hex(), standard)
            self.assertEqual(digest(b"abcd" * 16).hex(), long)
        for length in range(0, 200, 11):
            self.assertEqual(sm.sm3_plain(bytes(length)), sm.sm3_digest(bytes(length)))

    def test_curve(self):
        self.assertIsNone(sm.twin_multiply(sm.N, sm.G, 0, sm.G))
        self.assertIsNone(sm.twin_multiply(5, sm.G, sm.N - 5, sm.G))
        self.assertEqual(sm.affine(sm.twin_multiply(2, sm.G, 3, sm.G)),
                         sm.affine(sm.add(sm.G, sm.double(sm.double(sm.G)))))
        self.assertEqual(sm.decompress(compress(77))[:2],
                         sm.affine(sm.twin_multiply(77, sm.G, 0, sm.G)))

    def test_example_of_the_standard(self):
        secret = 0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8
        nonce = 0x59276E27D506861A16680F3AD9C02DCCEF3CC1FA3CDBE4CE6D54B80DEAC1BC21
        signature = bytes.fromhex(
            "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
            "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA")
        self.assertEqual(sign(secret, b"message digest", nonce), signature)
        self.assertTrue(sm.sm2_verify(compress(secret), b"message digest", signature))

    def test_signatures(self):
        key, signature = compress(5), sign(5, b"text")
        self.assertTrue(sm.sm2_verify(key, b"text", signature))
        self.assertFalse(sm.sm2_verify(key, b"texts", signature))
        self.assertFalse(sm.sm2_verify(compress(6), b"text", signature))
        self.assertFalse(sm.sm2_verify(key, b"text", signature[:-1]))
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        for wrong in (bytes(64), bytes(32) + signature[32:], signature[:32] + bytes(32),
                      signature[:32] + u(32, sm.N - r), b"\xff" * 64,
                      u(32, r + sm.N if r + sm.N < 1 << 256 else sm.N) + u(32, s)):
            self.assertFalse(sm.sm2_verify(key, b"text", wrong))

    def test_keys(self):
        for wrong in (b"\x04" + bytes(32), b"\x02" + u(32, sm.P), b"\x02" * 32, b""):
            self.assertIsNone(sm.decompress(wrong))
        points = [sm.decompress(b"\x02" + u(32, x)) for x in range(40)]
        self.assertTrue(any(points) and not all(points))


class Reading(Case):
    """The notations."""

    def test_compact(self):
        for value in (0, 1, 63, 64, 16383, 16384, (1 << 30) - 1, 1 << 30, (1 << 32) - 1):
            reader = Reader(compact(value), "it")
            self.assertEqual(reader.compact(), value)
            reader.end()
            self.assertEqual(v.encode_compact(value), compact(value))

    def test_compact_refused(self):
        for data in ("0100", "fd00", "02000000", "feff0000", "03ffffff3f", "070000004000",
                     "070000000000"):
            self.refuses("shortest", Reader(bytes.fromhex(data), "it").compact)
        for data in ("", "01", "020000", "03000000", "ff0000"):
            self.refuses("cut short", Reader(bytes.fromhex(data), "it").compact)
        self.refuses("too large", Reader(compact(1 << 32), "it").compact)

    def test_others(self):
        reader = Reader(bytes.fromhex("0102" "0102" "0002aabb" "08aabb" "00" "0105" "fe"), "it")
        self.assertEqual((reader.big(2), reader.little(2)), (0x102, 0x201))
        self.assertEqual((reader.bytes(), reader.text()), (b"\xaa\xbb", b"\xaa\xbb"))
        self.assertIsNone(reader.optional(reader.hash))
        self.assertEqual(reader.optional(lambda: reader.little(1)), 5)
        self.refuses("goes on", reader.end)
        self.assertEqual(reader.little(1, signed=True), -2)
        self.refuses("unknown number", Reader(b"\x02", "it").optional, None)
        self.refuses("UTF-8", Reader(b"\x04\xff", "it").string)
        self.refuses("ASCII", Reader(b"\xc3\xa4", "it").ascii, 2)
        self.refuses("too large", Reader(b"\x0cabc", "it").text, 2)


class State(Case):
    """Logs of operations."""

    def test_positions(self):
        self.assertEqual([state.leaf_position(i) for i in range(8)], [0, 1, 3, 4, 7, 8, 10, 11])

    def test_find_peak(self):
        for size in range(1, 70):
            heights = [h for h in range(7, -1, -1) if size >> h & 1]
            whole = [(h, b) for b, h in enumerate(heights) for _ in range(1 << h)]
            for place, (height, before) in enumerate(whole):
                self.assertEqual(state.find_peak(place, size),
                                 (height, before, len(heights) - before - 1))
            self.refuses("not in the log", state.find_peak, size, size)

    def check(self, log, place, q):
        """Proves an operation and refuses others."""
        data, root = log.proof(place, q), log.root(q)
        reader = Reader(data, "it")
        state.read_operation_proof(reader, log.operations[place], root)
        reader.end()
        self.refuses("not in the head's state", state.read_operation_proof, Reader(data, "it"),
                     b"\xd2", root)

    def test_small_logs(self):
        for size in range(1, 20):
            log = Log([b"\xd2" + bytes([i]) for i in range(size)], [True] * size)
            for place in range(size):
                for q in range(len(log.peaks) + 1):
                    self.check(log, place, q)

    def test_large_logs(self):
        for size in (255, 256, 257, 300, 511, 512, 600, 768, 1003):
            active = [i % 7 == 0 and i // 256 != 1 for i in range(size)]
            log = Log([b"\xd2" + u(2, i) for i in range(size)], active)
            for place in [i for i in range(size) if active[i]][::11]:
                for q in range(len(log.peaks) + 1):
                    self.check(log, place, q)

    def test_wrong_proofs(self):
        log = Log([b"\xd2" + u(2, i) for i in range(600)], [i % 7 == 0 for i in range(600)])
        for place in (7, 511 - 511 % 7, 595):
            data, root = log.proof(place, 1), log.root(1)
            for i in range(len(data)):
                changed = data[:i] + bytes([data[i] ^ 1]) + data[i + 1:]
                with self.assertRaises(Refused):
                    state.read_operation_proof(Reader(changed, "it"), log.operations[place], root)
        self.refuses("not active", state.read_operation_proof, Reader(log.proof(8, 1), "it"),
                     log.operations[8], log.root(1))

    def test_limits(self):
        for place, size, q, reason in (
                (5, 5, 0, "not in the log"), (0, 0, 0, "not in the log"),
                (0, (1 << 62) + 1, 0, "too long"), (0, 5, 3, "more inactive")):
            data = u(8, place) + u(8, size) + u(1, q) + bytes(9999)
            self.refuses(reason, state.read_operation_proof, Reader(data, "it"), b"", bytes(32))
        data = u(8, 0) + u(8, 1 << 62) + u(1, 0) + b"\xff" * 9999
        self.refuses("head's state", state.read_operation_proof, Reader(data, "it"), b"", bytes(32))


class Transactions(Case):
    """Paths of transactions."""

    def test_paths(self):
        for count in (1, 2, 15, 16, 17, 65, 300):
            values = [u(2, i) * (1 + i % 40) for i in range(count)]
            for place in range(0, count, 1 if count < 20 else 7):
                root, path = block_path(values, place)
                reader = Reader(path, "it")
                self.assertEqual(v.read_path(reader, root, place), sm3(values[place]))
                reader.end()
                # The next one may stand in the same nodes if it is short; no other is there.
                with contextlib.suppress(Refused):
                    self.assertEqual(v.read_path(Reader(path, "it"), root, place + 1),
                                     sm3(values[place + 1]))
                self.refuses("path", v.read_path, Reader(path, "it"), root, count)
                self.refuses("root", v.read_path, Reader(path, "it"), bytes(32), place)
                longer = u(1, path[0] + 1) + path[1:] + chunk(b"\x40\x04a")
                self.refuses("behind its end", v.read_path, Reader(longer, "it"), root, place)
                self.refuses("cut short", v.read_path, Reader(u(1, 0), "it"), root, place)
        self.refuses("11 nodes", v.read_path, Reader(u(1, 12) + bytes(99), "it"), bytes(32), 0)

    def test_long_prefixes_and_values_of_branches(self):
        key = [1] * 40
        for length in (3, 50):
            value, longer = b"v" * length, b"w" * length
            entries = [(tuple(key[:9]), value), (tuple(key), longer), (tuple(key[:9] + [2]), b"x")]
            for wanted, content in entries:
                nodes = []
                root = sm3(trie(entries, nodes, wanted))
                kind, found = v.find_value(nodes, root, list(wanted))
                self.assertEqual(found, sm3(content) if len(content) > 32 else content)
                self.assertEqual(kind, "hash" if len(content) > 32 else "value")
            nodes = []
            root = sm3(trie(entries, nodes, tuple(key[:4])))
            self.refuses("another", v.find_value, nodes, root, key[:4])

    def test_nodes_refused(self):
        for data in ("00", "01", "0f", "1f", "3f", "7f", "bf", "ff"):
            self.refuses("unknown kind", v.read_node, bytes.fromhex(data) + bytes(99))
        self.refuses("filled up", v.read_node, bytes.fromhex("411104aa"))
        self.refuses("goes on", v.read_node, bytes.fromhex("410104aabb"))
        self.refuses("cut short", v.read_node, bytes.fromhex("410108aa"))
        self.refuses("too large", v.read_node, b"\x40" + text(bytes(33)))
        self.refuses("too large", v.read_node, b"\x80\x01\x00" + text(bytes(33)))


class Headers(Case):
    """Headers and who decided them."""

    def test_header(self):
        items = [b"\x00" + text(bytes(8192)), b"\x06xxxx" + text(bytes(8192)),
                 validators(SECRETS, 3), b"\x05BCVS" + text(b"")]
        read = v.read_header(header(70000, items, sm3(b"s"), sm3(b"t")))
        self.assertEqual(read[:3], (70000, sm3(b"s"), sm3(b"t")))
        self.assertEqual((read.change.before, len(read.change.validators)), (3, 4))
        self.assertEqual(read.hash, sm3(header(70000, items, sm3(b"s"), sm3(b"t"))))

    def test_headers_refused(self):
        one, rows = validators(SECRETS, 3), compress(9) + le(8, 1)
        for reason, items in (
                ("names validators twice", [one, one]), ("16 items", [b"\x00\x00"] * 17),
                ("unknown kind", [b"\x08"]), ("too large", [b"\x04xxxx" + text(bytes(8193))]),
                ("too large", [b"\x00" + text(bytes(8193))]),
                ("1 to 64", [validators([], 0)]), ("1 to 64", [validators([1] * 65, 0)]),
                ("stands there twice", [validators([1, 1], 0)]),
                ("no voting power", [validators([1], 0, [0])]),
                ("goes on", [b"\x04BCVS" + text(le(4, 0) + compact(1) + rows + b"\x00")])):
            self.refuses(reason, v.read_header, header(3, items))
        self.refuses("goes on", v.read_header, header(3) + b"\x00")
        self.refuses("cut short", v.read_header, header(3)[:-1])

    def check(self, powers, places, turn=4):
        """A header that is decided by some of the validators."""
        genesis = header(0, [validators(SECRETS, 0, powers)])
        data = decided(header(7), 7, SECRETS, turn, places, genesis)
        change = v.read_header(genesis).change
        v.check_decided(v.read_decided(Reader(data, "it")), change.validators, sm3(genesis))

    def test_voting_power(self):
        self.check(None, [0, 1, 3])
        self.check([1, 1, 1, 6], [0, 3])
        self.check([1 << 63] * 4, [1, 2, 3])
        for powers, places in ((None, [0, 1]), ([1, 1, 1, 6], [3]), ([1, 1, 1, 6], [0, 1, 2]),
                               (None, [])):
            self.refuses("two thirds", self.check, powers, places)
        self.refuses("ascend", self.check, None, [0, 2, 1])
        self.refuses("ascend", self.check, None, [0, 0, 1])

    def test_wrong_signatures(self):
        change = v.read_header(GENESIS).change
        good = decided(header(7), 7, SECRETS[:1])
        for wrong, reason in (
                (decided(header(7), 8, SECRETS[:1]), "is wrong"),
                (decided(header(7), 7, SECRETS[1:]), "of no validator"),
                (decided(header(7), 7, SECRETS[1:2]), "is wrong"),
                (decided(header(7), 7, SECRETS[:1], genesis=b""), "is wrong"),
                (good[:-1] + u(1, good[-1] ^ 1), "is wrong")):
            self.refuses(reason, v.check_decided, v.read_decided(Reader(wrong, "it")),
                         change.validators, sm3(GENESIS))


class Certificates(Case):
    """Whole certificates."""

    def test_present(self):
        proved = v.verify(present(5, None, 0), sm3(GENESIS))
        self.assertEqual(proved["block"]["number"], 9)
        self.assertIsNone(proved["transaction"])
        expected = {
            "code": "12345678", "number": "0123456789", "check_code": "a1b2c3", "kind": "blue",
            "issue_date": 20240131, "issue_time": 93005, "total": -12345,
            "issuer": "did:bill:issuer", "issuer_uscc": "91110000123456789X",
            "payer": "organisation", "payer_ref": sm3(b"payer").hex(), "scene": 258,
            "biz_no_hash": sm3(b"no").hex(), "xml_hash": sm3(b"xml").hex(),
            "pdf_hash": sm3(b"pdf").hex(), "location_hash": bytes(32).hex(), "related": "9" * 18,
            "status": "locked", "version": 3,
            "version_hash": sm3(VERSION_BEFORE, version_head(5, None)).hex(),
            "lock": {"holder": "did:bill:holder", "expires": 9000, "purpose": {
                "scene": 7, "claim_no": "claim 1", "grant": sm3(b"g").hex()}},
            "reimbursements": [{"payer": "did:bill:insurer", "scene": 9, "amount": 500}],
            "updated": 1700, "registered": [70, 1]}
        self.assertEqual(proved["bill"], expected)

    def test_transactions(self):
        values = [bytes([i]) * 99 for i in range(80)]
        root, path = block_path(values, 70)
        proved = v.verify(present(9, 70, 1, path=path, root=root), sm3(GENESIS))
        expected = {"block": 9, "index": 70, "hash": sm3(values[70]).hex()}
        self.assertEqual(proved["transaction"], expected)
        earlier = decided(header(5, (), bytes(32), root), 5, SECRETS[:1], 3)
        proved = v.verify(present(5, 70, 2, earlier=earlier, path=path), sm3(GENESIS))
        self.assertEqual(proved["transaction"], expected | {"block": 5})
        self.refused("another block", present(8, 70, 1, path=path, root=root))
        self.refused("another block", present(4, 70, 2, earlier=earlier, path=path))
        self.refused("between the certificate's start", present(5, 70, 2, 5, earlier=earlier, path=path))
        self.refused("at another place", present(5, 70, 0))
        self.refused("at another place", present(9, None, 1, path=path, root=root))
        self.refused("later block", present(10, None, 0))
        self.refused("is left out", present(5, None, 3))
        self.refused("unknown number", present(5, None, 4))

    def test_absent(self):
        key = int.from_bytes(sm3(v.BILL_PREFIX, NAME[:17]), "big")
        at, less, more = u(32, key), u(32, key - 1), u(32, key + 1)
        low, high = bytes(32), b"\xff" * 32
        for before, after in ((less, more), (low, high), (less, low), (high, more), (less, less),
                              (more, more)):
            proved = v.verify(absent(before, after), sm3(GENESIS))
            self.assertEqual(proved["absent"], {"code": "12345678", "number": "0123456789"})
        for before, after in ((at, more), (less, at), (at, at), (more, high), (low, less),
                              (more, less), (high, low)):
            self.refused("not between", absent(before, after))
        self.refused("not active", absent(less, more, active=False))
        self.refused("not digits", absent(less, more, b"1234567x" + NAME[8:]))

    def test_absent_from_its_group(self):
        one, other = (b"1", sm3(b"one")), (b"7", sm3(b"other"))
        proved = v.verify(absent_from(one, other), sm3(GENESIS))
        self.assertEqual(proved["absent"], {"code": "12345678", "number": "0123456789"})
        self.refused("is in its group", absent_from(one, (NAME[17:], sm3(b"bill"))))
        self.refused("do not ascend", absent_from(other, one))
        self.refused("do not ascend", absent_from(one, one))
        self.refused("is empty", absent_from())

    def test_changes(self):
        first, second, third = SECRETS[:1], SECRETS[1:3], SECRETS[2:]
        at3, at6 = header(3, [validators(second, 0)]), header(6, [validators(third, 3)])
        raw = bill(5, None)
        state, front = state_of(raw)
        body = front + VERSION_BEFORE + chunk(version_head(5, None)) + u(1, 0)
        changes = [decided(at3, 3, first), decided(at6, 6, second)]
        nine = header(9, (), state)
        v.verify(certificate(1, decided(nine, 9, third), body, changes), sm3(GENESIS))
        for before in (0, 3, 6):
            head = header(9, [validators(first, before)], state)
            data = certificate(1, decided(head, 9, second), body, changes[:1])
            if before == 3:
                v.verify(data, sm3(GENESIS))
            else:
                self.refused("left out", data)
        self.refused("left out", certificate(1, decided(nine, 9, third), body, changes[1:]))
        self.refused("do not ascend", certificate(1, decided(nine, 9, third), body,
                                                  [changes[0], changes[0]]))
        self.refused("names no", certificate(1, decided(nine, 9, third), body,
                                             [decided(header(3), 3, first)]))
        self.refused("two thirds", certificate(1, decided(nine, 9, first), body, changes))
        self.refused("is wrong", certificate(1, decided(nine, 9, second), body, changes))
        self.refused("do not ascend", certificate(1, decided(header(6, (), state), 6, second), body,
                                                  changes))

    def test_earlier_block_with_its_own_validators(self):
        first, second = SECRETS[:1], SECRETS[1:3]
        root, path = block_path([b"t" * 50], 0)
        at3 = header(3, [validators(second, 0)], bytes(32), root)
        changes = [decided(at3, 3, first)]
        for number, encoded, signers, reason in (
                (2, header(2, (), bytes(32), root), first, None), (3, at3, first, None),
                (4, header(4, (), bytes(32), root), second, None),
                (2, header(2, (), bytes(32), root), second, "of no validator"),
                (3, header(3, (), bytes(32), root), first, "not in line"),
                (4, header(4, [validators(first, 3)], bytes(32), root), second, "not in line"),
                (0, header(0, (), bytes(32), root), first, "between the certificate's start")):
            raw = bill(number, 0)
            state, front = state_of(raw)
            data = certificate(1, decided(header(9, (), state), 9, second), (
                front + VERSION_BEFORE + chunk(version_head(number, 0)) + u(1, 2)
                + decided(encoded, number, signers) + path), changes)
            if reason:
                self.refused(reason, data)
            else:
                self.assertEqual(v.verify(data, sm3(GENESIS))["transaction"]["block"], number)

    def test_form(self):
        good = present(5, None, 0)
        self.refused("goes on", good + b"\x00")
        self.refused("too large", good + bytes(MAX_CERTIFICATE))
        self.refused("no certificate", b"BCPE" + good[4:])
        self.refused("unknown format", good[:4] + b"\x01" + good[5:])
        self.refused("unknown kind", good[:5] + b"\x09" + good[6:])
        self.refuses("another chain", v.verify, good, bytes(32))

    def test_every_byte_counts(self):
        root, path = block_path([bytes([i]) * 99 for i in range(20)], 17)
        good = present(9, 17, 1, path=path, root=root)
        for i in range(len(good)):
            with self.assertRaises(Refused, msg=f"byte {i}"):
                v.verify(good[:i] + bytes([good[i] ^ 1]) + good[i + 1:], sm3(GENESIS))
            if i % 5 == 0:
                with self.assertRaises(Refused, msg=f"cut at {i}"):
                    v.verify(good[:i], sm3(GENESIS))


class Command(Case):
    """The command."""

    def test_command(self):
        script = Path(__file__).with_name("billchain_verifier.py")
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "certificate"
            file.write_bytes(present(5, None, 0))
            run = [sys.executable, str(script), str(file), "--genesis"]
            good = subprocess.run(run + [sm3(GENESIS).hex()], capture_output=True, text=True)
            self.assertEqual((good.returncode, good.stderr), (0, ""))
            self.assertEqual(json.loads(good.stdout)["block"]["number"], 9)
            bad = subprocess.run(run + ["00" * 32], capture_output=True, text=True)
            self.assertEqual((bad.returncode, bad.stdout), (1, ""))
            self.assertEqual(bad.stderr, "the certificate is of another chain\n")

    def test_wrong_arguments(self):
        for arguments in (["/nowhere", "--genesis", "00" * 32], ["/dev/null", "--genesis", "0g"],
                          ["/dev/null", "--genesis", "00"], ["/dev/null", "--genesis", "00" * 32]):
            with contextlib.redirect_stderr(io.StringIO()) as errors:
                self.assertEqual(v.main(arguments), 1)
            self.assertEqual(errors.getvalue().count("\n"), 1)


if __name__ == "__main__":
    result = unittest.main(exit=False).result
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    raise SystemExit(failed != 0)
