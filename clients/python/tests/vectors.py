#!/usr/bin/env python3
"""The vectors that all SDKs share: calls, signatures, key files and certificates.

    python vectors.py ROOT DIRECTORY

ROOT is the repository; DIRECTORY has the key files.
"""

import json
import sys
from pathlib import Path

from billchain import BillChainError, CertificateRefused, Codec, Sm2Key, verify
from billchain.sm import sm2_verify, sm3

passed = failed = 0


def check(name, found, expected):
    """Counts a test."""
    global passed, failed
    same = found == expected
    passed, failed = passed + same, failed + (not same)
    if not same:
        print(f"FAILED {name}: {found!r}, expected {expected!r}")


def outcome(work):
    """What comes out in hexadecimal digits, or the place or code of what is refused."""
    try:
        return "0x" + work().hex()
    except BillChainError as refused:
        return refused.field or refused.code


def calls(vectors):
    """Encoding and signing."""
    codec = Codec.own()
    for one in vectors["calls"]:
        check(one["name"], outcome(lambda: codec.call(one["form"])), one["call"])
    for one in vectors["refused"]:
        check(one["name"], outcome(lambda: codec.call(one["form"])), one["field"])
    for one in vectors["signatures"]:
        key, message = Sm2Key.development(one["seed"]), bytes.fromhex(one["message"][2:])
        public, signature = key.public_key(), bytes.fromhex(one["signature"][2:])
        check("public key", "0x" + public.hex(), one["public_key"])
        check("account", "0x" + sm3(public).hex(), one["account"])
        check("signature", key.sign(message), signature)
        check("checked", sm2_verify(public, message, signature), True)
        check("refused", sm2_verify(public, message, signature[:63] + b"\0"), False)


def keys(vectors, directory):
    """Key files, whole, with a wrong password, and cut off anywhere."""
    for one in vectors:
        file = directory / one["file"]
        check(one["file"], outcome(Sm2Key.load(file, one["password"]).public_key), one["public_key"])
        if one["password"]:
            check(f"wrong password of {one['file']}", outcome(lambda: Sm2Key.load(file, "another").public_key()),
                  "WrongPassword")
    whole = (directory / vectors[0]["file"]).read_bytes()
    for length in range(0, len(whole) - 40, 7):
        check(f"{length} bytes", outcome(lambda: Sm2Key.read(whole[:length]).public_key()), "Malformed")


def certificates(vectors):
    """Certificates that prove and that prove nothing."""
    for one in vectors:
        trusted = {"checkpoint": one["checkpoint"]} if "checkpoint" in one else {"genesis": one["genesis"]}
        try:
            block = verify(bytes.fromhex(one["certificate"]), **trusted)["block"]
        except CertificateRefused:
            block = None
        check(one["name"], block, one["proves"] and one["proves"]["block"]["number"])


def main():
    root, directory = map(Path, sys.argv[1:])
    vectors = json.loads((root / "clients/vectors.json").read_text("utf-8"))
    calls(vectors)
    keys(vectors["keys"], directory)
    certificates(json.loads((root / "verifier/vectors/certificates.json").read_text("utf-8")))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
