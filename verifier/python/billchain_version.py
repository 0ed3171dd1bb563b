"""Versions of a bill, as docs/certificates.md describes them."""

from typing import NamedTuple

from billchain_bill import STATUSES, read_lock, read_reimbursements, read_summary
from billchain_scale import Reader, require
from billchain_sm import sm3

OPERATIONS = ("register", "pre_issue", "confirm", "void", "lock", "unlock", "expire_lock",
              "admin_lock", "admin_unlock", "reimburse", "reverse_use", "red_reverse", "adjust")


class VersionHead(NamedTuple):
    """What the hash of a version covers; the place is None without a transaction."""
    name: bytes
    version: int
    block: int
    place: int | None
    time: int
    content: bytes


def read_version_head(data):
    """The head of a version."""
    reader = Reader(data, "the head of the version")
    name, version, block = reader.take(18), reader.little(4), reader.little(4)
    place = reader.optional(lambda: reader.little(4))
    time, content = reader.little(8), reader.hash()
    reader.optional(reader.hash)
    reader.end()
    return VersionHead(name, version, block, place, time, content)


def read_content(data, head, version_hash, present):
    """What a version says: the bill as it was, and what made it so."""
    require(sm3(b"\x05", sm3(b"\x04", data)) == head.content,
            "this is not what the version says")
    reader = Reader(data, "what the version says")
    version = reader.little(4)
    filled_in = reader.choice((False, True))
    cause = "summary" if filled_in else reader.choice(OPERATIONS)
    change = {"cause": cause, "operator": reader.string(64),
              "reason": reader.optional(lambda: reader.string(256)),
              "evidence": reader.optional(lambda: reader.hash().hex()),
              "proposer": reader.optional(lambda: reader.string(64)),
              "block": reader.little(4), "index": reader.optional(lambda: reader.little(4))}
    time = reader.little(8)
    bill = read_summary(reader)
    bill |= {"status": reader.choice(STATUSES),
             "lock": reader.optional(lambda: read_lock(reader)),
             "reimbursements": read_reimbursements(reader)}
    reader.end()
    require((bill["code"] + bill["number"]).encode("ascii") == head.name
            and (version, time) == (head.version, head.time)
            and (change["block"], change["index"]) == (head.block, head.place),
            "the version says another thing than its head")
    bill |= {"version": version, "version_hash": version_hash.hex(), "updated": time,
             "registered": present["registered"]}
    return bill, change


def read_later(reader, name, head, version_hash):
    """The last version and its hash, after the heads of all later ones."""
    version = head.version
    for _ in range(reader.big(2)):
        data = reader.bytes()
        later = read_version_head(data)
        require(later.name == name, "a version is of another bill")
        require(later.version == version + 1, "a version is left out")
        version, version_hash = later.version, sm3(version_hash, data)
    return version, version_hash
