"""Ranges of numbers and issuers' months, as docs/certificates.md describes them."""

from itertools import groupby

from billchain_bill import BILL_PREFIX, KINDS, STATUSES, read_bill
from billchain_scale import Reader, require
from billchain_sm import sm3
from billchain_state import read_place

NUMBERS_PREFIX = bytes.fromhex("b6e8d33e59707e1e401e3beccb5f223f642c4dd6c98276f2b8f7658361c29656")
MONTHS_PREFIX = bytes.fromhex("b6e8d33e59707e1e401e3beccb5f223f721e6bc50232d0b68cdcfa6e866c44a2")
MAX_U64 = (1 << 64) - 1
# The sizes of items, and with how many digits their numbers begin.
SIZES = ((1_000_000, 4), (10_000, 6), (100, 8), (1, 10))


class Sums:
    """Bills and fen by kind and status, and in all."""

    def __init__(self):
        self.bills, self.fen, self.lines = 0, 0, {}

    def add(self, place, bills, fen):
        """Counts a line, too."""
        before = self.lines.get(place, (0, 0))
        line = before[0] + bills, before[1] + fen
        self.bills, self.fen, self.lines[place] = self.bills + bills, self.fen + fen, line
        require(max(self.bills, line[0]) <= MAX_U64, "too many bills are counted")
        require(all(-1 << 127 <= sum < 1 << 127 for sum in (self.fen, line[1])),
                "a sum is too large")

    def shown(self):
        """As an object for JSON."""
        lines = [{"kind": KINDS[kind], "status": STATUSES[status], "bills": bills, "fen": fen}
                 for (kind, status), (bills, fen) in sorted(self.lines.items())]
        return {"bills": self.bills, "fen": self.fen, "lines": lines}


def read_tally(data):
    """The lines of a tally, as (place, bills, fen), and the number of its bills."""
    reader, sums = Reader(data, "a tally"), Sums()
    count = reader.compact()
    require(1 <= count <= 21, "a tally has 1 to 21 lines")
    lines = []
    for _ in range(count):
        kind, status = reader.choice(range(len(KINDS))), reader.choice(range(len(STATUSES)))
        bills, fen = reader.compact(MAX_U64), reader.little(16, signed=True)
        require(bills, "a line of a tally counts no bill")
        require(not lines or lines[-1][0] < (kind, status), "the lines of a tally do not ascend")
        lines.append(((kind, status), bills, fen))
        sums.add(*lines[-1])
    # The mark, which says nothing.
    reader.hash()
    reader.end()
    return lines, sums.bills


def items(first, last):
    """The items of a range, as (first number, size, digits)."""
    while first <= last:
        size, digits = next((size, digits) for size, digits in SIZES
                            if first % size == 0 and first + size - 1 <= last)
        yield first, size, digits
        first += size


def item_key(code, item):
    """The key of an item."""
    first, size, digits = item
    begin = f"{first:010}"[:digits].encode("ascii")
    if size == 1:
        return BILL_PREFIX + code + begin
    return NUMBERS_PREFIX + code + bytes([digits]) + begin


def read_values(reader, keys, roots):
    """The value of each key of one group, or None; the keys share all but their last byte."""
    group = read_place(reader, keys[0][:-1], roots)
    values = []
    for key in keys:
        value = reader.bytes() if key[-1] in group else None
        require(value is None or sm3(value) == group[key[-1]],
                "a value is not the one in its group")
        values.append(value)
    return values


def count(sums, code, item, value):
    """Adds the value of an item."""
    first, size, _ = item
    if size == 1:
        bill = read_bill(value)
        require((bill["code"], bill["number"]) == (code, f"{first:010}"),
                "a bill stands under another number")
        place = KINDS.index(bill["kind"]), STATUSES.index(bill["status"])
        sums.add(place, 1, bill["total"])
        return
    lines, bills = read_tally(value)
    require(bills <= size, "a block counts more bills than it has numbers")
    for line in lines:
        sums.add(*line)


def read_numbers(reader, roots):
    """Body 3: a range of numbers."""
    code, first, last = reader.digits(8), reader.digits(10), reader.digits(10)
    require(first <= last, "the first number is above the last")
    rows = ((item, item_key(code.encode("ascii"), item))
            for item in items(int(first), int(last)))
    sums = Sums()
    for _, run in groupby(rows, key=lambda row: row[1][:-1]):
        run = list(run)
        values = read_values(reader, [key for _, key in run], roots)
        for (item, _), value in zip(run, values):
            if value is not None:
                count(sums, code, item, value)
    missing = int(last) - int(first) + 1 - sums.bills
    return {"numbers": {"code": code, "first": first, "last": last, "missing": missing},
            "tally": sums.shown()}


def text(data):
    """A `text` of fewer than 2^14 bytes."""
    length = len(data)
    head = bytes([4 * length]) if length < 64 else (4 * length + 1).to_bytes(2, "little")
    return head + data


def read_month(reader, roots):
    """Body 4: an issuer's month."""
    issuer = reader.bytes()
    require(len(issuer) <= 64 and issuer.startswith(b"did:")
            and all(0x21 <= byte <= 0x7E for byte in issuer), "the issuer is not named by a DID")
    month = reader.digits(6)
    require("01" <= month[4:] <= "12", "the month is not one of twelve")
    key = MONTHS_PREFIX + text(issuer) + month.encode("ascii")
    sums = Sums()
    for value in read_values(reader, [key], roots):
        if value is not None:
            for line in read_tally(value)[0]:
                sums.add(*line)
    return {"month": {"issuer": issuer.decode("ascii"), "month": month}, "tally": sums.shown()}
