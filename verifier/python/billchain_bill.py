"""Bills, as docs/certificates.md describes them."""

from billchain_scale import Reader, require

BILL_PREFIX = bytes.fromhex("ddb7897921bdbb763063486812cab6446c7ac72eab834650c453b02faab9a4c6")
KINDS = ("blue", "red", "payment_notice")
PAYERS = ("person", "organisation")
STATUSES = ("pre_issued", "normal", "locked", "partly_reimbursed", "reimbursed",
            "red_reversed", "voided")


def read_lock(reader):
    """The lock of a bill."""
    lock = {"holder": reader.string(64)}
    if reader.choice(("claim", "evidence")) == "claim":
        lock["purpose"] = {"scene": reader.little(2), "claim_no": reader.string(64),
                           "grant": reader.optional(lambda: reader.hash().hex())}
    else:
        lock["purpose"] = {"evidence": reader.hash().hex()}
    reader.take(8)
    reader.optional(lambda: reader.little(4))
    reader.take(8)
    lock["expires"] = reader.optional(lambda: reader.little(8))
    reader.choice(STATUSES)
    return lock


def read_reimbursements(reader):
    """The reimbursements of a bill."""
    count = reader.compact()
    require(count <= 8, "a bill has more than 8 reimbursements")
    rows = []
    for _ in range(count):
        rows.append({"payer": reader.string(64), "scene": reader.little(2),
                     "amount": reader.little(8, signed=True)})
        reader.choice(STATUSES)
    return rows


def read_summary(reader):
    """The rows of a bill up to the code and number of its blue bill."""
    bill = {"code": reader.ascii(8), "number": reader.ascii(10), "check_code": reader.ascii(6),
            "kind": reader.choice(KINDS), "issue_date": reader.little(4),
            "issue_time": reader.little(4), "total": reader.little(8, signed=True),
            "issuer": reader.string(64), "issuer_uscc": reader.ascii(18),
            "payer": reader.choice(PAYERS), "payer_ref": reader.hash().hex(),
            "scene": reader.little(2)}
    for name in ("biz_no_hash", "xml_hash", "pdf_hash", "location_hash"):
        bill[name] = reader.hash().hex()
    bill["related"] = reader.optional(lambda: reader.ascii(18))
    return bill


def read_bill(data):
    """A bill as an object for JSON."""
    reader = Reader(data, "the bill")
    bill = read_summary(reader)
    bill["status"] = reader.choice(STATUSES)
    bill["version"], bill["version_hash"] = reader.little(4), reader.hash().hex()
    bill["lock"] = reader.optional(lambda: read_lock(reader))
    bill["reimbursements"] = read_reimbursements(reader)
    bill["updated"] = reader.little(8)
    reader.take(1)
    bill["registered"] = [reader.compact(), reader.compact()]
    reader.take(1)
    reader.end()
    return bill
