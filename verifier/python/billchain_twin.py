#!/usr/bin/env python3
"""Reads and writes the JSON twins of docs/certificates.md.

    python3 billchain_twin.py FILE

prints the twin of a certificate.
"""

import json
import sys

from billchain_bill import KINDS, STATUSES
from billchain_cold import MAX_LEAVES, MAX_SHARED
from billchain_scale import MAX_CERTIFICATE, Reader, Refused, require
from billchain_state import MAX_RUNS, find_peak
from billchain_totals import items
from billchain_version import OPERATIONS

MAX_TEXT = 16 << 20
MAX_VALUES, MAX_LIST, MAX_FIELDS, MAX_LEVELS = 1 << 20, 65_535, 40, 16
EXACT = 1 << 53


# --- Forms: each has `read`, bytes to JSON, and `write`, JSON to bytes ---

def kind_of(value):
    """What a value of JSON is, for reasons of refusals."""
    return json.dumps(value, ensure_ascii=False)[:80]


def within(name, function, *arguments):
    """The function's result; what it refuses is in the field of this name."""
    try:
        return function(*arguments)
    except Refused as refused:
        text = str(refused)
        path, why = text.split(": ", 1) if text.startswith("field ") else ("field ", text)
        inner = path.removeprefix("field ")
        dot = "." if inner and not inner.startswith("[") else ""
        raise Refused(f"field {name}{dot}{inner}: {why}") from None


def only(value, names):
    """Refuses what is no object of these fields."""
    require(isinstance(value, dict), f"{kind_of(value)}: expected an object")
    for name in value:
        require(name in names, f"field {name}: no field of this name is expected")
    for name in names:
        require(name in value, f"field {name}: it is missing")


def from_hex(value):
    """Bytes of their hexadecimal text."""
    reason = f"{kind_of(value)}: expected 0x and pairs of lower-case hexadecimal digits"
    require(isinstance(value, str) and value.startswith("0x"), reason)
    require(len(value) % 2 == 0 and set(value[2:]) <= set("0123456789abcdef"), reason)
    return bytes.fromhex(value[2:])


def from_text(value):
    """Bytes of a text."""
    require(isinstance(value, str), f"{kind_of(value)}: expected a text")
    try:
        return value.encode("utf-8")
    except UnicodeEncodeError:
        raise Refused(f"{kind_of(value)}: half of a character") from None


def from_number(value):
    """A number; above 2^53 it is a text."""
    if isinstance(value, str):
        digits = value.removeprefix("-")
        require(digits.isascii() and digits.isdigit() and len(digits) <= 39
                and abs(int(value)) > EXACT and str(int(value)) == value,
                f"{kind_of(value)}: expected a number")
        return int(value)
    require(type(value) is int and abs(value) <= EXACT, f"{kind_of(value)}: expected a number")
    return value


def to_number(value):
    """JSON of a number."""
    return value if abs(value) <= EXACT else str(value)


class Number:
    """A number of so many bytes."""

    def __init__(self, size, order="little", signed=False):
        self.size, self.order, self.signed = size, order, signed

    def read(self, reader):
        return to_number(int.from_bytes(reader.take(self.size), self.order, signed=self.signed))

    def write(self, value):
        value = from_number(value)
        try:
            return value.to_bytes(self.size, self.order, signed=self.signed)
        except OverflowError:
            raise Refused(f"{value}: expected a number of {self.size} bytes") from None


def compact(value):
    """A `compact` number."""
    for mode, bits in enumerate((6, 14, 30)):
        if value < 1 << bits:
            return (value << 2 | mode).to_bytes(1 << mode, "little")
    size = max(4, (value.bit_length() + 7) // 8)
    return bytes([4 * size - 13]) + value.to_bytes(size, "little")


class Compact:
    """A `compact` number up to this one."""

    def __init__(self, most=(1 << 32) - 1):
        self.most = most

    def read(self, reader):
        return to_number(reader.compact(self.most))

    def write(self, value):
        value = from_number(value)
        require(0 <= value <= self.most, f"{value}: expected a number from 0 to {self.most}")
        return compact(value)


class Leaf:
    """Bytes: how they are read and framed, and how JSON shows them."""

    def __init__(self, take, frame, shown):
        self.take, self.frame, self.shown = take, frame, shown

    def read(self, reader):
        data = self.take(reader)
        if self.shown == "hex":
            return "0x" + data.hex()
        require(self.shown == "utf-8" or data.isascii(), "a text is not ASCII")
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            raise Refused("a text is not UTF-8") from None

    def write(self, value):
        data = from_hex(value) if self.shown == "hex" else from_text(value)
        require(self.shown != "ascii" or data.isascii(), f"{kind_of(value)}: expected ASCII")
        return self.frame(data)


def frame_exact(size):
    """Bytes as they are, if they are so many."""
    def frame(data):
        require(len(data) == size, f"{len(data)} bytes, expected {size}")
        return data
    return frame


def frame_text(most):
    """A `text`."""
    def frame(data):
        require(len(data) <= most, f"{len(data)} bytes, expected at most {most}")
        return compact(len(data)) + data
    return frame


def frame_bytes(data):
    """`bytes`."""
    require(len(data) <= 0xFFFF, f"{len(data)} bytes, expected at most 65535")
    return len(data).to_bytes(2, "big") + data


def exact(size, shown="hex"):
    """So many bytes."""
    return Leaf(lambda reader: reader.take(size), frame_exact(size), shown)


def text(most, shown="utf-8"):
    """A `text`."""
    return Leaf(lambda reader: reader.text(most), frame_text(most), shown)


class Framed:
    """A form within bytes that have a length of their own."""

    def __init__(self, form, take=Reader.bytes, frame=frame_bytes):
        self.form, self.take, self.frame = form, take, frame

    def read(self, reader):
        inner = Reader(self.take(reader), "a part")
        value = self.form.read(inner)
        inner.end()
        return value

    def write(self, value):
        return self.frame(self.form.write(value))


class Name:
    """A byte: the place of one of the names."""

    def __init__(self, *names):
        self.names = names

    def read(self, reader):
        return reader.choice(self.names)

    def write(self, value):
        require(isinstance(value, str) and value in self.names,
                f"{kind_of(value)}: expected {', '.join(self.names)}")
        return bytes([self.names.index(value)])


class Optional:
    """An optional value."""

    def __init__(self, form):
        self.form = form

    def read(self, reader):
        return reader.optional(lambda: self.form.read(reader))

    def write(self, value):
        return b"\x00" if value is None else b"\x01" + self.form.write(value)


def read_values(form, count, reader):
    """So many values."""
    return [within(f"[{place}]", form.read, reader) for place in range(count)]


def write_values(form, value):
    """The values of a list."""
    require(isinstance(value, list), f"{kind_of(value)}: expected a list")
    return b"".join(within(f"[{place}]", form.write, item) for place, item in enumerate(value))


class List:
    """A number of values, and the values."""

    def __init__(self, count, most, form):
        self.count, self.most, self.form = count, most, form

    def read(self, reader):
        count = self.count.read(reader)
        require(count <= self.most, f"a list of {count}, expected at most {self.most}")
        return read_values(self.form, count, reader)

    def write(self, value):
        data = write_values(self.form, value)
        require(len(value) <= self.most, f"a list of {len(value)}, expected at most {self.most}")
        return self.count.write(len(value)) + data


class Fields:
    """Fields one behind the other."""

    def __init__(self, **fields):
        self.fields = fields

    def read(self, reader):
        return {name: within(name, form.read, reader) for name, form in self.fields.items()}

    def write(self, value):
        only(value, self.fields)
        return self.write_some(value)

    def write_some(self, value):
        """These fields, whatever others there are."""
        return b"".join(within(name, form.write, value[name])
                        for name, form in self.fields.items())


class Choice:
    """One of several, told by the bytes at the front; the first that fits."""

    def __init__(self, *cases):
        self.cases = [(data, name, Fields(**fields)) for data, name, fields in cases]

    def read(self, reader):
        for data, name, fields in self.cases:
            if reader.data.startswith(data, reader.at):
                reader.take(len(data))
                return {"kind": name, **fields.read(reader)}
        raise Refused("field kind: an unknown number")

    def write(self, value):
        require(isinstance(value, dict), f"{kind_of(value)}: expected an object")
        require("kind" in value, "field kind: it is missing")
        for data, name, fields in self.cases:
            if value["kind"] == name:
                only(value, ["kind", *fields.fields])
                return data + fields.write_some(value)
        names = ", ".join(name for _, name, _ in self.cases)
        raise Refused(f"field kind: {kind_of(value['kind'])}: expected {names}")


class Proof:
    """An operation proof."""

    FRONT = Fields(place=Number(8, "big"), operations=Number(8, "big"),
                   inactive_peaks=Number(1, "big"), root=exact(32), bits=exact(32))
    LISTS = ("beside", "before", "after")

    def read(self, reader):
        proof = self.FRONT.read(reader)
        place, size, inactive = (from_number(proof[name])
                                 for name in ("place", "operations", "inactive_peaks"))
        require(place < size <= 1 << 62 and inactive <= size.bit_count(),
                "a log of so many operations has no such place, or not so many peaks")
        proof["partial"] = exact(32).read(reader) if size % 256 else None
        height, before, after = find_peak(place, size)
        folded, alone = min(inactive, before), min(after, max(0, inactive - before - 1))
        counts = height, before - folded + (folded > 0), alone + (after > alone)
        for name, count in zip(self.LISTS, counts):
            proof[name] = within(name, read_values, exact(32), count, reader)
        return proof

    def write(self, value):
        only(value, [*self.FRONT.fields, "partial", *self.LISTS])
        data = self.FRONT.write_some(value)
        if value["partial"] is not None:
            data += within("partial", exact(32).write, value["partial"])
        return data + b"".join(within(name, write_values, exact(32), value[name])
                               for name in self.LISTS)


class Path:
    """A path of so many leaves."""

    FRONT = Fields(leaves=Number(8, "big"), first=Number(8, "big"))

    def read(self, reader, shown=1):
        path = self.FRONT.read(reader)
        width, start = (from_number(path[name]) for name in ("leaves", "first"))
        end, count = start + shown, 0
        require(end <= width <= MAX_LEAVES, "a tree of so many leaves does not have those")
        while width > 1:
            count += start % 2 + (end % 2 and end < width)
            start, end, width = start // 2, (end + 1) // 2, (width + 1) // 2
        path["siblings"] = within("siblings", read_values, exact(32), count, reader)
        return path

    def write(self, value):
        only(value, [*self.FRONT.fields, "siblings"])
        return (self.FRONT.write_some(value)
                + within("siblings", write_values, exact(32), value["siblings"]))


class Shown:
    """A list of what is shown of a tree, and its path."""

    def __init__(self, name, form):
        self.name, self.list = name, List(Number(1, "big"), 2, form)

    def read(self, reader):
        shown = within(self.name, self.list.read, reader)
        return {self.name: shown, "path": within("path", Path().read, reader, len(shown))}

    def write(self, value):
        only(value, [self.name, "path"])
        return (within(self.name, self.list.write, value[self.name])
                + within("path", Path().write, value["path"]))


def take_shared(reader):
    """What the keys of a cold group share."""
    data = reader.bytes()
    require(len(data) <= MAX_SHARED, f"{len(data)} bytes, expected at most {MAX_SHARED}")
    return data


def frame_shared(data):
    """`bytes` that are not too long."""
    require(len(data) <= MAX_SHARED, f"{len(data)} bytes, expected at most {MAX_SHARED}")
    return frame_bytes(data)


# --- The format ---

DIGEST, U16, U32, U64 = exact(32), Number(2), Number(4), Number(8)
BYTE, DID, BILL_KIND, STATUS = Number(1, "big"), text(64), Name(*KINDS), Name(*STATUSES)
TWO_BYTES = Number(2, "big")
BYTES = Leaf(Reader.bytes, frame_bytes, "hex")
CODE, NUMBER = exact(8, "ascii"), exact(10, "ascii")


def item(form):
    """An item of a header that is in a form."""
    return Framed(form, lambda reader: reader.text(8192), frame_text(8192))


SET = Fields(previous=U32, validators=List(Compact(), 64, Fields(key=exact(33), power=U64)))
NAMED = {"name": exact(4), "data": text(8192, "hex")}
HEADER = Framed(Fields(
    parent=DIGEST, number=Compact(), state_root=DIGEST, transactions_root=DIGEST,
    items=List(Compact(), 16, Choice(
        (b"\x04BCVS", "validators", {"set": item(SET)}),
        (b"\x00", "other", {"data": text(8192, "hex")}),
        (b"\x04", "consensus", NAMED), (b"\x05", "seal", NAMED), (b"\x06", "pre_runtime", NAMED)))))
DECIDED = Fields(header=HEADER, round=Number(4, "big"),
                 signatures=List(BYTE, 64, Fields(validator=BYTE, signature=exact(64))))
GROUP = List(BYTE, 255, Fields(last=BYTE, value=DIGEST))
ROOTS = Fields(hot=DIGEST, runs=List(BYTE, MAX_RUNS, DIGEST), records=DIGEST)
SHARED = Leaf(take_shared, frame_shared, "hex")
COVERAGE = Shown("segments", Fields(**{"from": SHARED, "groups": DIGEST, "bits": DIGEST}))
EXCLUSION = Shown("neighbours", Fields(shared=SHARED, group=DIGEST))
IN_SEGMENT = {"inclusion": Path(), "bit": Fields(bits=exact(64), path=Path())}
MISSING = Choice((b"\x00", "uncovered", {"coverage": COVERAGE}),
                 (b"\x01", "between", {"coverage": COVERAGE, "exclusion": EXCLUSION}),
                 (b"\x02", "left", {"coverage": COVERAGE, "group": DIGEST, **IN_SEGMENT}))
PLACE = Choice(
    (b"\x01", "hot", {"group": GROUP, "next": DIGEST, "proof": Proof()}),
    (b"\x02", "cold", {"group": GROUP, "run": BYTE, "coverage": COVERAGE, **IN_SEGMENT}),
    (b"\x00", "nowhere", {"before": DIGEST, "before_group": DIGEST, "next": DIGEST,
                          "proof": Proof(), "runs": List(BYTE, MAX_RUNS, MISSING)}))
PATH = {"path": List(BYTE, 11, BYTES)}
SOURCE = Choice((b"\x00", "none", {}), (b"\x01", "same_block", PATH),
                (b"\x02", "earlier_block", {"block": DECIDED, **PATH}), (b"\x03", "not_shown", {}))
VERSION_HEAD = Framed(Fields(
    code=CODE, number=NUMBER, version=U32, block=U32, transaction=Optional(U32), time=U64,
    content=DIGEST, difference=Optional(DIGEST)))
SUMMARY = Fields(
    code=CODE, number=NUMBER, check_code=exact(6, "ascii"), kind=BILL_KIND, issue_date=U32,
    issue_time=U32, total=Number(8, signed=True), issuer=DID, issuer_uscc=exact(18, "ascii"),
    payer=Name("person", "organisation"), payer_ref=DIGEST, scene=U16, biz_no_hash=DIGEST,
    xml_hash=DIGEST, pdf_hash=DIGEST, location_hash=DIGEST, related=Optional(exact(18, "ascii")))
PURPOSE = Choice((b"\x00", "claim", {"scene": U16, "claim_no": text(64), "grant": Optional(DIGEST)}),
                 (b"\x01", "administrative", {"evidence": DIGEST}))
LOCK = Fields(holder=DID, purpose=PURPOSE, version=U32, block=U32, transaction=Optional(U32),
              time=U64, expires=Optional(U64), status_before=STATUS)
REIMBURSEMENTS = List(Compact(), 8, Fields(
    payer=DID, scene=U16, amount=Number(8, signed=True), status_before=STATUS))
BILL = Framed(Fields(
    summary=SUMMARY, status=STATUS, version=U32, version_hash=DIGEST, lock=Optional(LOCK),
    reimbursements=REIMBURSEMENTS, updated=U64, brought_by=BYTE, registered_block=Compact(),
    registered_transaction=Compact(), filled_in=BYTE))
CONTENT = Framed(Fields(
    version=U32, cause=Choice((b"\x00", "operation", {"operation": Name(*OPERATIONS)}),
                              (b"\x01", "filled_in", {})),
    operator=DID, reason=Optional(text(256)), evidence=Optional(DIGEST), proposer=Optional(DID),
    block=U32, transaction=Optional(U32), time=U64, summary=SUMMARY, status=STATUS,
    lock=Optional(LOCK), reimbursements=REIMBURSEMENTS))
LINE = Fields(
    kind=BILL_KIND, status=STATUS, bills=Compact((1 << 64) - 1), fen=Number(16, signed=True))
TALLY = Framed(Fields(lines=List(Compact(), 21, LINE), mark=DIGEST))
VALUE = {"bill": BILL, "tally": TALLY}


class Part:
    """Where a group is, and the values of the keys that were asked for."""

    FRONT = Fields(place=PLACE)

    def read(self, lasts, name, reader):
        """Of the keys with these last bytes; what a value is, the name tells."""
        part = self.FRONT.read(reader)
        there = [key["last"] for key in part["place"].get("group", [])]
        values = [{name: within(name, VALUE[name].read, reader)} for last in lasts if last in there]
        return {**part, "values": values}


class Value:
    """A value by its name."""

    def write(self, value):
        require(isinstance(value, dict) and len(value) == 1 and set(value) <= set(VALUE),
                f"{kind_of(value)}: expected an object whose one field is bill or tally")
        (name, content), = value.items()
        return within(name, VALUE[name].write, content)


def write_part(value):
    """Adds a part."""
    only(value, [*Part.FRONT.fields, "values"])
    return (Part.FRONT.write_some(value)
            + within("values", write_values, Value(), value["values"]))


class Range:
    """A range of numbers."""

    FRONT = Fields(code=CODE, first=NUMBER, last=NUMBER)

    def read(self, reader):
        asked = self.FRONT.read(reader)
        for name in ("first", "last"):
            require(asked[name].isdigit(), f"field {name}: expected ten digits")
        runs = []
        for first, size, digits in items(int(asked["first"]), int(asked["last"])):
            begin = f"{first:010}"[:digits]
            if not runs or runs[-1][0] != (size, begin[:-1]):
                runs.append(((size, begin[:-1]), []))
            runs[-1][1].append(ord(begin[-1]))
        parts = [within(f"parts[{place}]", Part().read, lasts,
                        "bill" if size == 1 else "tally", reader)
                 for place, ((size, _), lasts) in enumerate(runs)]
        return {**asked, "parts": parts}

    def write(self, value):
        only(value, [*self.FRONT.fields, "parts"])
        parts = value["parts"]
        require(isinstance(parts, list), f"field parts: {kind_of(parts)}: expected a list")
        return self.FRONT.write_some(value) + b"".join(
            within(f"parts[{place}]", write_part, part) for place, part in enumerate(parts))


class Month:
    """An issuer's month."""

    FRONT = Fields(issuer=Leaf(Reader.bytes, frame_bytes, "utf-8"), month=exact(6, "ascii"))

    def read(self, reader):
        asked = self.FRONT.read(reader)
        part = within("part", Part().read, [ord(asked["month"][-1])], "tally", reader)
        return {**asked, "part": part}

    def write(self, value):
        only(value, [*self.FRONT.fields, "part"])
        return self.FRONT.write_some(value) + within("part", write_part, value["part"])


CHAIN = {"genesis": HEADER, "start": Optional(HEADER),
         "changes": List(TWO_BYTES, 65_535, DECIDED), "head": DECIDED, "roots": ROOTS}
CURRENT = {**CHAIN, "bill": BILL, "place": PLACE, "previous": DIGEST, "version": VERSION_HEAD}


class Format:
    """The number of the format, and the bytes that say it."""

    def read(self, reader):
        require(reader.take(5) == b"BCPF\x02", "it is no certificate of format 2")
        return 2

    def write(self, value):
        require(type(value) is int and value == 2, f"{kind_of(value)}: expected format 2")
        return b"BCPF\x02"


CERTIFICATE = Fields(format=Format(), certificate=Choice(
    (b"\x01", "bill", {**CURRENT, "transaction": SOURCE}),
    (b"\x02", "no_bill", {**CHAIN, "code": CODE, "number": NUMBER, "place": PLACE}),
    (b"\x03", "numbers", {**CHAIN, "numbers": Range()}),
    (b"\x04", "month", {**CHAIN, "month": Month()}),
    (b"\x05", "version", {**CURRENT, "later": List(TWO_BYTES, 65_535, VERSION_HEAD),
                          "content": CONTENT, "transaction": SOURCE})))


# --- JSON ---

def one_object(pairs):
    """An object whose fields stand there once."""
    require(len(pairs) <= MAX_FIELDS, f"an object with more than {MAX_FIELDS} fields")
    for place, (name, _) in enumerate(pairs):
        require(name not in [known for known, _ in pairs[:place]],
                f"field {kind_of(name)} stands there twice")
    return dict(pairs)


def refuse_number(text):
    """Numbers with fractions are none, nor is NaN."""
    raise Refused(f"number {text[:80]}: expected a whole one")


def whole_number(text):
    """A whole number that is not too long."""
    require(len(text) <= 20, f"number {text[:80]}: expected one up to 2^53, above that as text")
    require(text != "-0", "number -0: expected a whole one, which has one form")
    return int(text)


def check_bounds(value, levels, left):
    """Refuses too many values, too long lists, too many levels, and truth values."""
    left[0] -= 1
    require(left[0] >= 0, f"more than {MAX_VALUES} values")
    require(not isinstance(value, bool), "true or false: no field is one")
    if isinstance(value, (dict, list)):
        require(levels, f"more than {MAX_LEVELS} levels of lists and objects")
        require(len(value) <= MAX_LIST, f"a list of more than {MAX_LIST} values")
        for inner in value.values() if isinstance(value, dict) else value:
            check_bounds(inner, levels - 1, left)


def to_twin(certificate):
    """The twin of a certificate, as an object; or raises Refused."""
    require(len(certificate) <= MAX_CERTIFICATE, "the certificate is too large")
    reader = Reader(certificate, "the certificate")
    twin = CERTIFICATE.read(reader)
    reader.end()
    return twin


def from_twin(data):
    """The bytes of the certificate whose twin this text is; or raises Refused."""
    require(len(data) <= MAX_TEXT, "the twin is too large")
    try:
        twin = json.loads(data.decode("utf-8"), object_pairs_hook=one_object,
                          parse_float=refuse_number, parse_int=whole_number,
                          parse_constant=refuse_number)
    except (ValueError, RecursionError) as reason:
        raise Refused(f"the twin is no JSON: {reason}") from None
    check_bounds(twin, MAX_LEVELS, [MAX_VALUES])
    certificate = CERTIFICATE.write(twin)
    require(to_twin(certificate) == twin, "the twin is not the one that its bytes have")
    return certificate


def main(arguments):
    """The command."""
    try:
        (name,) = arguments
        with open(name, "rb") as file:
            print(json.dumps(to_twin(file.read(MAX_CERTIFICATE + 1)), indent=2, ensure_ascii=False))
    except (Refused, OSError, ValueError) as reason:
        print(" ".join(str(reason).split()), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
