"""The fault lab's own parts: its wire does what it is told, its oracle sees what it is
for. Without namespaces and nodes.
"""

import hashlib
import json
import os
import random
import sys
import threading
import unittest
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from lab import ALL, apart, cut, everywhere  # noqa: E402
from lab_load import G, N, Accepted, Ledger, Signer, add  # noqa: E402
from lab_oracle import Judge, Watch  # noqa: E402
from lab_switch import QUEUE, Switch  # noqa: E402

EXTRINSIC = "0x1234"
NAME = "0x" + hashlib.new("sm3", bytes.fromhex("1234")).hexdigest()


class Wire(unittest.TestCase):
    """A switch between pipes instead of devices."""

    def setUp(self):
        self.pipes = {node: os.pipe() for node in ALL}
        taps = {node: write for node, (_, write) in self.pipes.items()}
        self.switch = Switch(taps, random.Random(1))

    def tearDown(self):
        for ends in self.pipes.values():
            for end in ends:
                os.close(end)

    def told(self, weather):
        self.switch.told(weather.line())

    def send(self, one: int, other: int, now: float = 0.0, length: int = 100):
        self.switch.take(one, bytes([2, 0, 0, 0, 0, other]) + bytes(length - 6), now)

    def test_a_frame_reaches_the_node_it_is_for_and_no_other(self):
        self.send(1, 3)
        self.assertEqual(len(os.read(self.pipes[3][0], 1_000)), 100)
        self.assertEqual(self.switch.forwarded, 1)

    def test_what_is_apart_exchanges_nothing_and_the_others_do(self):
        self.told(apart([1, 2]))
        for one, other in ((1, 3), (3, 1), (4, 2)):
            self.send(one, other)
        self.assertEqual((self.switch.forwarded, self.switch.dropped), (0, 3))
        self.send(1, 2)
        self.send(4, 3)
        self.assertEqual((self.switch.forwarded, self.switch.dropped), (2, 3))

    def test_a_cut_is_of_one_direction(self):
        self.told(cut((1, 2)))
        self.send(1, 2)
        self.send(2, 1)
        self.assertEqual((self.switch.forwarded, self.switch.dropped), (1, 1))

    def test_so_many_are_lost_as_was_said(self):
        self.told(everywhere(loss=0.3))
        for _ in range(500):
            self.send(1, 2)
        self.assertTrue(110 < self.switch.dropped < 190, self.switch.dropped)

    def test_frames_are_delayed_each_by_its_own_time_and_overtake(self):
        self.told(everywhere(delay=0.2, jitter=0.05))
        for _ in range(100):
            self.send(1, 2)
        due = [(due, sequence) for due, sequence, _, _ in sorted(self.switch.held)]
        self.assertTrue(all(0.15 <= at <= 0.25 for at, _ in due))
        self.assertNotEqual([sequence for _, sequence in due], list(range(1, 101)))

    def test_a_rate_holds_up_and_its_queue_is_bounded(self):
        order = {"links": [], "rate": {"1": 8_000}}
        self.switch.told(json.dumps(order))
        for _ in range(100):
            self.send(1, 2)
        # 100 bytes take 0.1 s; what would wait more than QUEUE is dropped.
        kept = len(self.switch.held)
        self.assertEqual(kept, int(QUEUE / 0.1) + 1)
        self.assertEqual(self.switch.dropped, 100 - kept)


class Nodes:
    """Nodes that answer from lists: per node the names and the roots of its blocks."""

    def __init__(self, names: dict[int, list[str]], roots: dict[int, list[str]]):
        self.names, self.roots = names, roots

    def height(self, node: int) -> int:
        return len(self.names[node]) - 1

    def rpc(self, node: int, method: str, *params, timeout: float = 0):
        if method == "chain_getBlockHash":
            of = self.names[node]
            return [of[at] for at in params[0]] if isinstance(params[0], list) else of[params[0]]
        return {"block": {"extrinsics": [EXTRINSIC] if params[0] == "b" else []}}

    def many(self, node: int, method: str, params: list) -> list:
        return [{"stateRoot": self.roots[node][self.names[node].index(name)]} for name in params]


class Oracle(unittest.TestCase):
    def judge(self, names=None, roots=None, finals=(), accepted=()) -> Judge:
        names = {node: ["a", "b", "c"] for node in ALL} | (names or {})
        roots = {node: ["x", "y", "z"] for node in ALL} | (roots or {})
        watch = SimpleNamespace(finals=set(finals), heights={node: 2 for node in ALL})
        ledger = Ledger({name: Accepted(1, 0.0, 1) for name in accepted})
        return Judge(Nodes(names, roots), watch, ledger)

    def kinds(self, judge: Judge) -> list[str]:
        return [problem.kind for problem in judge.chains()]

    def test_equal_chains_are_no_problem(self):
        self.assertEqual(self.kinds(self.judge(finals=[(1, "b", 2)])), [])

    def test_another_hash_is_a_fork(self):
        self.assertEqual(self.kinds(self.judge(names={3: ["a", "b", "d"]})), ["fork"])

    def test_another_root_is_a_fork(self):
        self.assertEqual(self.kinds(self.judge(roots={3: ["x", "w", "z"]})), ["fork"])

    def test_what_was_final_and_is_not_there_is_seen(self):
        self.assertEqual(self.kinds(self.judge(finals=[(1, "q", 2)])), ["final"])

    def test_what_was_accepted_and_is_in_no_block_is_lost(self):
        self.assertEqual(self.judge(accepted=[NAME]).find_accepted(), set())
        with mock.patch("lab_oracle.QUIET", 0.1):
            self.assertEqual(self.judge(accepted=[NAME, "0xff"]).find_accepted(), {"0xff"})

    def test_a_stall_is_the_longest_time_without_a_block_within_the_fault(self):
        watch = Watch.__new__(Watch)
        watch.lock = threading.Lock()
        watch.moments, watch.tops = [1.0, 2.0, 7.0, 8.0, 30.0], [1, 2, 3, 4, 9]
        self.assertEqual(watch.stall(1.5, 9.0), 5.0)
        self.assertEqual(watch.stall(8.5, 20.0), 11.5)
        self.assertEqual((watch.grown(1.5, 9.0), watch.grown(1.5, 40.0)), (3, 8))


class Signatures(unittest.TestCase):
    def test_a_signature_verifies_by_the_standards_equation(self):
        signer = Signer("//hospital")
        digest = hashlib.sha256(b"anything").digest()
        text = signer.sign(digest)
        r, s = int(text[2:66], 16), int(text[66:], 16)
        public = multiple(G, signer.secret)
        self.assertEqual(signer.public, f"sm2:{2 + public[1] % 2:02x}{public[0]:064x}")
        point = add(multiple(G, s), multiple(public, (r + s) % N))
        self.assertEqual((int.from_bytes(digest) + point[0]) % N, r)

    def test_the_generator_has_the_curves_order(self):
        self.assertIsNone(add(Signer.times(N - 1), G))
        self.assertEqual(Signer.times(N - 2), multiple(G, N - 2))


def multiple(point, factor: int):
    """By doubling and adding, without the signer's table."""
    found = None
    for bit in f"{factor:b}":
        found = add(found, found)
        if bit == "1":
            found = add(found, point)
    return found


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=2).result
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    raise SystemExit(failed != 0)
