#!/usr/bin/env python3
"""Writes the vectors of key proofs, verifier/vectors/keys, from docs/certificates.md alone."""

import json
from pathlib import Path

from billchain_sm import sm3
from chain_builder import Ledger, Run, Segment, group_of, roots_of, u

FILE = Path(__file__).resolve().parent.parent / "vectors/keys/key-proofs.json"

HOT = {b"pallet/one-1": b"first", b"pallet/one-3": b"", b"pallet/two-0": b"second value",
       b"number": b"\x07\x00\x00\x00"}


def runs():
    """Two runs: of the first one, `old/3-` was cooled again, and `old/5-` deleted."""
    groups = {b"old/%d-" % at: {b"1": b"old %d" % at, b"4": b""} for at in range(8)}
    again = {b"old/3-": {b"1": b"renewed"}}
    first, last = ({key: value for key, value in groups.items() if (key < b"old/6") == begins}
                   for begins in (True, False))
    return Run(Segment(first, {b"old/3-", b"old/5-"}), Segment(last)), Run(Segment(again))


LEDGER = Ledger(HOT, runs=runs())


def proof_of(key, place=None, value=None):
    """The proof of a key, or one with another place or value."""
    value = LEDGER.value(key) if value is None else value
    place = LEDGER.place(key[:-1]) if place is None else place
    return LEDGER.roots + place + (b"" if value is None else u(4, len(value)) + value)


def good():
    """Proofs of what the state holds, and of what it does not."""
    for key in [*HOT, b"old/0-1", b"old/0-4", b"old/3-1", b"old/7-1"]:
        yield f"the value of {key.decode()}", key, proof_of(key), LEDGER.value(key)
    for name, key in (
            ("no value in its group", b"pallet/one-2"), ("no value in its cold group", b"old/0-2"),
            ("no value in a group that was cooled again", b"old/3-4"),
            ("no group before all cold ones", b"a-1"), ("no group between two cold ones", b"old/1x-1"),
            ("no group between two segments", b"old/5x-1"), ("no group behind all cold ones", b"z-1"),
            ("a group that was deleted", b"old/5-1")):
        assert LEDGER.value(key) is None
        yield name, key, proof_of(key), "absent"


def inactive(place):
    """A place whose operation is said not to be active."""
    at = place.index(LEDGER.log.bits(0))
    bits = bytearray(LEDGER.log.bits(0))
    number = int.from_bytes(place[at - 49:at - 41], "big")
    bits[number // 8] ^= 1 << number % 8
    return place[:at] + bytes(bits) + place[at + 32:]


def bad():
    """What proves nothing."""
    one, cold, gone = b"pallet/one-1", b"old/0-1", b"old/5-1"
    first, again = LEDGER.runs
    hot, renewed = LEDGER.place(one[:-1]), b"old/3-1"
    missing = [run.missing(cold[:-1]) for run in LEDGER.runs]
    fewer = [run.missing(gone[:-1]) for run in LEDGER.runs][:1]
    cut = group_of((b"1", sm3(HOT[one])))
    yield "another key of the group", b"pallet/one-3", proof_of(one)
    yield "a key of another group", b"pallet/two-1", proof_of(one)
    yield "an empty key", b"", proof_of(one)
    yield "another value", one, proof_of(one, value=b"other")
    yield "a value left out", one, LEDGER.roots + hot
    yield "a value where there is none", b"pallet/one-2", proof_of(one)
    yield "cut short", one, proof_of(one)[:-1]
    yield "a byte more", one, proof_of(one) + b"\x00"
    yield "a key that is there, said to be nowhere", one, proof_of(b"a-1")
    yield "another gap", b"old/5x-1", proof_of(b"old/1x-1")
    yield "in no place", one, LEDGER.roots + u(1, 3) + hot[1:] + proof_of(one)[-9:]
    yield "a group that was cut", one, proof_of(one, hot.replace(LEDGER.group(one[:-1]), cut))
    yield "an operation that is not active", one, proof_of(one, inactive(hot))
    yield "another cold value", cold, proof_of(cold, value=b"old 1")
    yield "a cold group in another run", renewed, proof_of(renewed, again.place(b"old/3-", 0))
    yield ("a cold group as it was before it was cooled again", renewed,
           proof_of(renewed, first.place(b"old/3-", 0), b"old 3"))
    yield "a deleted group as it was", gone, proof_of(gone, first.place(b"old/5-", 0), b"old 5")
    yield ("an active cold group said to be nowhere", cold,
           LEDGER.roots + LEDGER.neighbour(cold[:-1], missing))
    yield "a run left out", gone, LEDGER.roots + LEDGER.neighbour(gone[:-1], fewer)
    yield ("a state without its cold part", cold,
           roots_of(LEDGER.hot) + LEDGER.neighbour(cold[:-1], []))
    yield ("a run dropped from the roots", one,
           roots_of(LEDGER.hot, LEDGER.run_roots[:1]) + proof_of(one)[len(LEDGER.roots):])
    yield ("other records of the cold part", one,
           roots_of(LEDGER.hot, LEDGER.run_roots, bytes(32)) + proof_of(one)[len(LEDGER.roots):])


def vectors():
    """All of them."""
    rows = [*good(), *((*row, None) for row in bad())]
    found = [(name, key, LEDGER.root, proof, proves) for name, key, proof, proves in rows]
    one = b"pallet/one-1"
    found.append(("another root", one, sm3(b"another"), proof_of(one), None))
    return [{"name": name, "key": key.hex(), "state_root": root.hex(), "proof": proof.hex(),
             "proves": proves.hex() if isinstance(proves, bytes) else proves}
            for name, key, root, proof, proves in found]


if __name__ == "__main__":
    FILE.write_text(json.dumps(vectors(), indent=2) + "\n", encoding="utf-8")
