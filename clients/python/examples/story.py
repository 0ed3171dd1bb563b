#!/usr/bin/env python3
"""A bill's life by two participants: registered, locked, refused to a second insurer, reimbursed,
reversed in red, and proved to somebody who trusts no node.

The same story stands beside the other SDKs. It needs a network to play with
(`./scripts/devnet up`), whose keys everybody knows:

    python story.py --node http://127.0.0.1:9944 --node http://127.0.0.1:9945 \\
        --genesis 0x… --number 0000900001 [--write DIR] [--read DIR]

It takes two numbers from `--number` on. `--write` leaves the certificate for others; `--read`
checks those that others left, and finds their bills at the nodes.
"""

import argparse
import json
import time
from pathlib import Path

from billchain import CallFailed, Client, Sm2Key, calls
from billchain.sm import sm3

CODE, CHECK, SCENE = "31060188", "k7Qm2x", 3  # 商业保险理赔
ISSUER, USCC = "did:bill:hospital", "1231000042500099AW"


def bill(number, original, *, kind="blue", total=11050, related=None):
    """What the chain keeps of an original."""
    digest = "0x" + sm3(original).hex()
    zero = "0x" + "00" * 32
    return {
        "key": {"code": CODE, "number": number}, "check_code": CHECK, "kind": kind,
        "issue_date": 20250318, "issue_time": 94105, "total": total,
        "issuer": ISSUER, "issuer_uscc": USCC, "payer_type": "person",
        "payer_ref": "0x" + sm3(b"a payer's pseudonym").hex(), "scene": SCENE,
        "biz_no_hash": "0x" + sm3(b"MZ-" + number.encode()).hex(), "xml_hash": digest,
        "pdf_hash": zero, "location_hash": zero, "related": related,
    }


def expect(what, found, expected):
    if found != expected:
        raise SystemExit(f"FAILED: {what} is {found!r}, expected {expected!r}")
    print(f"{what}: {found}")


def following(number, steps=1):
    return f"{int(number) + steps:010}"


def play(nodes, genesis, first):
    """The story; the certificate of its first bill, and what it proves."""
    hospital, insurer_a, insurer_b = (
        Client(nodes, genesis, Sm2Key.development(f"//{name}"))
        for name in ("hospital", "insurer-a", "insurer-b"))
    key, second = {"code": CODE, "number": first}, following(first)
    original = b"<EInvoice>" + first.encode() + b"</EInvoice>"

    # 1. The hospital registers a bill. Again, as after a lost answer: nothing happens twice.
    register = calls.BillRegister.register(summary=bill(first, original))
    expect("registered again", hospital.execute(register).repeated, False)
    expect("registered again", hospital.execute(register).repeated, True)

    # 2. Insurer A locks it; insurer B is refused, with the reason.
    def lock(claim):
        change = {"lock": {"scene": SCENE, "claim_no": claim, "signed_at": int(time.time() * 1000)}}
        return calls.BillUpdate.change_status(key=key, change=change)

    insurer_a.execute(lock(f"A-{first}"))
    try:
        insurer_b.execute(lock(f"B-{first}"))
        raise SystemExit("FAILED: insurer B locked the bill, too")
    except CallFailed as refused:
        expect("insurer B", (refused.code, refused.bill),
               ("BillUpdate.LockedByOther", f"{CODE}-{first}"))

    # 3. Insurer A reimburses it.
    insurer_a.execute(calls.BillUpdate.change_status(key=key, change={"reimburse": {"amount": 11050}}))
    expect("status", hospital.bill.get(CODE, first)["status"], "reimbursed")

    # 4. The hospital reverses another one in red.
    other = {"code": CODE, "number": second}
    hospital.execute(calls.BillRegister.register(summary=bill(second, b"<EInvoice>2</EInvoice>")))
    red = bill(following(first, 2), b"<EInvoice>red</EInvoice>", kind="red", total=-11050, related=other)
    hospital.execute(calls.BillUpdate.red_reverse(key=other, red=red, reason="门诊退费"))
    expect("status", hospital.bill.get(CODE, second)["status"], "red_reversed")

    # 5. Anybody checks the original, and what the chain says, without trusting a node.
    check = hospital.bill.verify_hash(CODE, first, CHECK, "xml", "0x" + sm3(original).hex())
    expect("original", check["result"], "match")
    certificate, proved = Client(nodes, genesis).certified(CODE, first)
    expect("proved", (proved["status"], proved["total"]), ("reimbursed", "110.50"))
    return certificate, proved


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--node", action="append", required=True)
    parser.add_argument("--genesis", required=True)
    parser.add_argument("--number", default="0000900001")
    parser.add_argument("--write", type=Path)
    parser.add_argument("--read", type=Path)
    given = parser.parse_args()
    certificate, proved = play(given.node, given.genesis, given.number)
    if given.write:
        (given.write / "python.cert").write_bytes(certificate)
        (given.write / "python.json").write_text(json.dumps(proved), "utf-8")
    if given.read:
        reader = Client(given.node, given.genesis)
        for file in sorted(given.read.glob("*.cert")):
            found = reader.verify(file.read_bytes())
            expect(f"certificate of {file.stem}", found, json.loads(file.with_suffix(".json").read_text("utf-8")))
            code, number = found["bill"].split("-")
            expect(f"bill of {file.stem}", reader.bill.get(code, number)["version_hash"],
                   found["version_hash"])
    print("the story holds")


if __name__ == "__main__":
    main()
