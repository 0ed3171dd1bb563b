#!/usr/bin/env python3
"""Checks every key proof of verifier/vectors/keys and says how many passed."""

import json
import sys

from billchain_key_proof import value_of
from billchain_scale import Refused
from make_key_proofs import FILE, vectors as made


def outcome(vector):
    """What a vector's proof proves: a value, `absent`, or nothing."""
    proof, key, root = (bytes.fromhex(vector[field]) for field in ("proof", "key", "state_root"))
    try:
        value = value_of(proof, key, root)
    except Refused:
        return None
    return "absent" if value is None else value.hex()


def main():
    """Runs all vectors."""
    vectors = json.loads(FILE.read_text(encoding="utf-8"))
    wrong = [vector["name"] for vector in vectors if outcome(vector) != vector["proves"]]
    if vectors != made():
        wrong.append("they are not those that make_key_proofs.py writes")
    for name in wrong:
        print(f"FAILED {FILE.name}: {name}")
    print(f"{len(vectors) - len(wrong)} passed, {len(wrong)} failed")
    return 0 if vectors and not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
