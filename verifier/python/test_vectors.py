#!/usr/bin/env python3
"""Checks every vector of verifier/vectors and says how many passed."""

import json
import sys
import time
from pathlib import Path

from billchain_twin import from_twin, to_twin
from billchain_verifier import Refused, verify

VECTORS = Path(__file__).resolve().parent.parent / "vectors"


def differences(expected, got, at="proves"):
    """Where two objects of JSON differ, one line each."""
    if isinstance(expected, dict) and isinstance(got, dict):
        found = []
        for key in sorted(expected.keys() | got.keys()):
            if key not in expected or key not in got:
                found.append(f"{at}.{key}: {'not expected' if key in got else 'missing'}")
            else:
                found += differences(expected[key], got[key], f"{at}.{key}")
        return found
    same = expected == got and type(expected) is type(got)
    return [] if same else [f"{at}: {expected!r} expected, {got!r} read"]


def check(vector):
    """The lines that tell what is wrong with a vector's outcome, and the refusal if any."""
    expected, reason = vector["proves"], None
    try:
        # A vector with a checkpoint is for whoever trusts that alone.
        trusted = [vector["genesis"]] if "checkpoint" not in vector else [None, vector["checkpoint"]]
        got = verify(bytes.fromhex(vector["certificate"]),
                     *(text and bytes.fromhex(text) for text in trusted))
    except Refused as refusal:
        got, reason = None, str(refusal)
    if expected is None:
        return ([] if got is None else ["has to be refused, was not"]), reason
    if got is None:
        return [f"refused: {reason}"], reason
    return differences(expected, got), reason


def check_twins(vectors):
    """The lines that tell which twin is wrong: each good vector has one, which leads back."""
    twins, wrong = json.loads((VECTORS / "twins" / "twins.json").read_text(encoding="utf-8")), []
    good = {vector["name"]: bytes.fromhex(vector["certificate"])
            for vector in vectors if vector["proves"] is not None}
    wrong += [f"{name}: no twin, or no such vector" for name in sorted(good.keys() ^ twins.keys())]
    for name in sorted(good.keys() & twins.keys()):
        wrong += differences(twins[name], to_twin(good[name]), f"{name}: twin")
        if from_twin(json.dumps(twins[name]).encode("utf-8")) != good[name]:
            wrong.append(f"{name}: the twin leads to other bytes")
    return wrong, len(twins)


def main():
    """Runs all vectors; with -v it also prints why certificates were refused."""
    passed, total, slowest = 0, 0, 0.0
    files = sorted(VECTORS.glob("*.json"))
    for file in files:
        vectors = json.loads(file.read_text(encoding="utf-8"))
        wrong, count = check_twins(vectors)
        total, passed = total + count, passed + max(0, count - len(wrong))
        for line in wrong:
            print(f"FAILED {file.name}: {line}")
        for vector in vectors:
            start = time.perf_counter()
            wrong, reason = check(vector)
            slowest = max(slowest, time.perf_counter() - start)
            total += 1
            passed += not wrong
            if "-v" in sys.argv[1:]:
                print(f"{file.name}: {vector['name']}: {reason or 'proved'}")
            for line in wrong:
                print(f"FAILED {file.name}: {vector['name']}: {line}")
    print(f"vectors of {len(files)} files, the slowest read in {slowest:.3f} s")
    print(f"{passed} passed, {total - passed} failed")
    return 0 if passed == total and total else 1


if __name__ == "__main__":
    sys.exit(main())
