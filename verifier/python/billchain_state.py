"""What the state root of a block proves, as docs/certificates.md describes it."""

from typing import NamedTuple

from billchain_cold import read_bit, read_coverage, read_inclusion, read_missing
from billchain_scale import Refused, require
from billchain_sm import sm3

MAX_RUNS = 64


class Roots(NamedTuple):
    """Of what a state root is made: the root of the hot part, those of the runs, and SM3 of the
    records of the cold part."""
    hot: bytes
    runs: list
    records: bytes


def read_roots(reader, state_root):
    """The roots of which this state root is made."""
    hot, count = reader.hash(), reader.big(1)
    require(count <= MAX_RUNS, "the cold part has too many runs")
    runs, records = [reader.hash() for _ in range(count)], reader.hash()
    cold = sm3(b"\xc0\x01", bytes([count]), *runs, records)
    root = sm3(b"\xc0\x00", hot, cold)
    require(root == state_root, "these are not the roots of the head's state")
    return Roots(hot, runs, records)


def leaf_position(i):
    """The position of leaf i in the range."""
    return 2 * i - i.bit_count()


def find_peak(place, size):
    """Height of the peak over a leaf, and the numbers of peaks before and after it."""
    first, before = 0, 0
    for height in range(size.bit_length() - 1, -1, -1):
        if size >> height & 1:
            first += 1 << height
            if place < first:
                return height, before, size.bit_count() - before - 1
            before += 1
    raise Refused("the operation is not in the log")


def front_fold(digests):
    """The fold of peaks from the front."""
    total = digests[0]
    for digest in digests[1:]:
        total = sm3(total, digest)
    return total


def back_fold(digests):
    """The fold of peaks from the back."""
    total = digests[-1]
    for digest in reversed(digests[:-1]):
        total = sm3(digest, total)
    return total


def climb(place, height, operation, bits, beside):
    """The peak over an operation, from the digests beside the way."""
    digest = sm3(leaf_position(place).to_bytes(8, "big"), operation)
    for level in range(height + 1):
        if level:
            first = place >> level << level
            position = leaf_position(first) + (1 << level + 1) - 2
            other = beside[level - 1]
            pair = (other, digest) if place >> level - 1 & 1 else (digest, other)
            digest = sm3(position.to_bytes(8, "big"), *pair)
        if level == 8 and any(bits):
            digest = sm3(bits, digest)
    return digest


def fold_peaks(read, peak, before, after, inactive):
    """All peaks as one digest; `read` gives the next digest of the proof."""
    folded = min(inactive, before)
    row = [read() for _ in range(before - folded + (folded > 0))] + [peak]
    alone = min(after, max(0, inactive - before - 1))
    row += [read() for _ in range(alone + (after > alone))]
    # `row` begins with the front fold of the first `folded` peaks, if there are any.
    split = max(inactive, 1) - max(folded - 1, 0)
    front = front_fold(row[:split])
    return sm3(front, back_fold(row[split:])) if row[split:] else front


def read_operation_proof(reader, operation, hot_root):
    """Refuses unless the operation is active in the log that the hot root commits to."""
    place, size, inactive = reader.big(8), reader.big(8), reader.big(1)
    require(size <= 1 << 62, "the log is too long")
    require(place < size, "the operation is not in the log")
    require(inactive <= size.bit_count(), "more inactive peaks than peaks")
    plain, bits = reader.hash(), reader.hash()
    partial = reader.hash() if size % 256 else None
    require(bits[place % 256 // 8] >> place % 8 & 1, "the operation is not active")
    if place // 256 == size // 256:
        require(sm3(bits) == partial, "the bits of the partial chunk are others")
    height, before, after = find_peak(place, size)
    peak = climb(place, height, operation, bits, [reader.hash() for _ in range(height)])
    peaks = fold_peaks(reader.hash, peak, before, after, inactive)
    count = inactive.to_bytes(8, "big") if inactive else b""
    root = [plain, sm3(b"\x00\x01", size.to_bytes(8, "big"), count, peaks)]
    if partial is not None:
        root += [(size % 256).to_bytes(8, "big"), partial]
    require(sm3(*root) == hot_root, "the operation is not in the head's state")


def read_group(reader):
    """What is in a group: its bytes, and SM3 of each value by last byte."""
    count = reader.big(1)
    require(count, "a group is empty")
    data = reader.take(33 * count)
    rows = [(data[i], data[i + 1:i + 33]) for i in range(0, len(data), 33)]
    require(all(a[0] < b[0] for a, b in zip(rows, rows[1:])), "the keys of a group do not ascend")
    return data, dict(rows)


def read_place(reader, shared, roots):
    """SM3 of each value of a group by last byte, none if it is nowhere; its keys share these
    bytes."""
    key, where = sm3(shared), reader.choice(("nowhere", "hot", "cold"))
    if where == "hot":
        data, group = read_group(reader)
        read_operation_proof(reader, b"\xd2" + key + sm3(data) + reader.hash(), roots.hot)
        return group
    if where == "cold":
        return read_cold_group(reader, shared, roots.runs)
    before, value, after = reader.hash(), reader.hash(), reader.hash()
    read_operation_proof(reader, b"\xd2" + before + value + after, roots.hot)
    between = before < key < after
    around = before >= after and (key > before or key < after)
    require(between or around, "the group is not between these groups")
    require(reader.big(1) == len(roots.runs), "the group is not looked for in each run")
    for run in roots.runs:
        read_missing(reader, run, shared)
    return {}


def read_cold_group(reader, shared, runs):
    """A group that is active in a segment of one of the runs."""
    data, group = read_group(reader)
    run = reader.big(1)
    require(run < len(runs), "there is no such run")
    segment = read_coverage(reader, runs[run], shared)
    require(segment is not None, "no segment of the run has the group in its range")
    groups, bits = segment
    position = read_inclusion(reader, groups, shared, sm3(data))
    require(read_bit(reader, bits, position), "the group is no longer active in its segment")
    return group
