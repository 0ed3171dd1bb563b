"""Certificates of bills (链上凭证) checked without a node, by `verifier/python`, a second
implementation of docs/certificates.md. The answer has the fields that `billchain verify --json`
and the verifier in WebAssembly give."""

from billchain_scale import Refused
from billchain_verifier import verify as check

from .errors import CertificateRefused


def verify(certificate, *, genesis=None, checkpoint=None):
    """What a certificate proves to whoever trusts the genesis, or the checkpoint (检查点), with
    this hash. Raises `CertificateRefused`."""
    hashes = [text if text is None else digest(text) for text in (genesis, checkpoint)]
    try:
        found = check(bytes(certificate), *hashes)
    except Refused as reason:
        raise CertificateRefused(str(reason)) from None
    start = found.get("from", {"number": 0})
    shown = {"proved": True, "block": found["block"]["number"],
             "block_hash": "0x" + found["block"]["hash"], "genesis": "0x" + found["genesis"],
             "from_block": start["number"]}
    if "absent" in found:
        return {**shown, "exists": False, "bill": "-".join(found["absent"].values())}
    if "numbers" in found:
        numbers = found["numbers"]
        return {**shown, **numbers, "complete": numbers["missing"] == 0, **tally(found["tally"])}
    if "month" in found:
        return {**shown, **found["month"], **tally(found["tally"])}
    shown |= {"exists": True, **bill(found["bill"]), "transaction": transaction(found["transaction"])}
    if "change" in found:
        change = found["change"]
        shown["made"] = {**{key: change[key] for key in (
            "cause", "operator", "reason", "proposer", "block", "index")},
            "evidence": hexed(change["evidence"])}
        shown["present_version"] = found["present"]["version"]
        shown["present_status"] = found["present"]["status"]
    return shown


def digest(text):
    """The bytes of a hash."""
    try:
        data = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        data = b""
    if len(data) != 32:
        raise CertificateRefused("a hash has 64 hexadecimal digits")
    return data


def hexed(value):
    return value if value is None else "0x" + value


def yuan(fen):
    """Fen as yuan with two decimals."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02}"


def tally(found):
    """Bills counted by kind and status."""
    lines = [{"kind": line["kind"], "status": line["status"], "bills": line["bills"],
              "total": yuan(line["fen"])} for line in found["lines"]]
    return {"lines": lines, "bills": found["bills"], "total": yuan(found["fen"])}


def transaction(found):
    return found and {**found, "hash": "0x" + found["hash"]}


def bill(found):
    """A bill as the other verifiers show it."""
    related = found["related"]
    lock = found["lock"]
    if lock:
        purpose = lock["purpose"]
        if "evidence" in purpose:
            purpose = {"evidence": hexed(purpose["evidence"])}
        else:
            purpose = {"scene": purpose["scene"], "claim_no": purpose["claim_no"]}
        lock = {"holder": lock["holder"], "purpose": purpose, "expires": lock["expires"]}
    return {"bill": f"{found['code']}-{found['number']}", "status": found["status"],
            "version": found["version"], "check_code": found["check_code"], "kind": found["kind"],
            "issue_date": found["issue_date"], "issue_time": found["issue_time"],
            "total": yuan(found["total"]), "issuer": found["issuer"],
            "issuer_uscc": found["issuer_uscc"], "scene": found["scene"],
            **{name: hexed(found[name]) for name in ("xml_hash", "pdf_hash", "payer_ref")},
            "related": related and f"{related[:8]}-{related[8:]}",
            "version_hash": hexed(found["version_hash"]), "updated": found["updated"], "lock": lock,
            "reimbursements": [{"payer": one["payer"], "scene": one["scene"], "fen": one["amount"]}
                               for one in found["reimbursements"]]}
