#!/usr/bin/env python3
"""SM2 keys that OpenSSL and `billchain keys` write now are read by every SDK.

Each reader is a command that takes a file and its password and prints the public key, compressed, in
hexadecimal digits.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

PASSWORD = "secret123"
OPENSSL = {
    "aes-256-cbc": ["-v2", "aes-256-cbc"],
    "aes-128-cbc-sha1": ["-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA1"],
    "aes-192-cbc-sha512": ["-v2", "aes-192-cbc", "-v2prf", "hmacWithSHA512"],
    "sm4-cbc-sha384": ["-v2", "sm4-cbc", "-v2prf", "hmacWithSHA384"],
    "des3": ["-v2", "des3"],
    "sha224": ["-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA224"],
}


def run(*command, **more):
    """What a command prints."""
    result = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=120, **more)
    if result.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}: {result.stderr}")
    return result.stdout


def written(directory, billchain):
    """Files and the public keys in them."""
    plain = directory / "plain.pem"
    run("openssl", "genpkey", "-algorithm", "SM2", "-out", plain)
    shown = run("openssl", "pkey", "-in", plain, "-text", "-noout")
    point = "".join(re.findall(r"[0-9a-f]{2}", shown.split("pub:")[1].split("ASN1")[0]))
    public = f"{2 + int(point[-1], 16) % 2:02x}{point[2:66]}"
    for name, options in OPENSSL.items():
        file = directory / f"openssl-{name}.pem"
        run("openssl", "pkcs8", "-topk8", "-in", plain, "-passout", f"pass:{PASSWORD}", "-out", file, *options)
        yield file, public
    word = directory / "password"
    word.write_text(PASSWORD)
    file = directory / "billchain.pem"
    told = run(billchain, "keys", "generate", "--out", file, "--password-file", word)
    yield file, re.search(r"sm2:([0-9a-f]{66})", told)[1]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--billchain", type=Path, required=True)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--reader", action="append", required=True, metavar="NAME=COMMAND")
    given = parser.parse_args()
    given.dir.mkdir(parents=True)
    passed = failed = 0
    for file, public in written(given.dir, given.billchain):
        for name, command in (one.split("=", 1) for one in given.reader):
            result = subprocess.run([*command.split(), file, PASSWORD], capture_output=True, text=True, timeout=120)
            same = result.stdout.strip() == public
            passed, failed = passed + same, failed + (not same)
            if not same:
                print(f"FAILED {name} reads {file.name}: {result.stdout}{result.stderr[-500:]}, expected {public}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
