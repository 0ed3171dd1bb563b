#!/usr/bin/env python3
"""Computes roots and proofs of docs/cold-segments.md and docs/certificates.md a second time.

Written from these documents alone. Compares what comes out, over the groups that the tests of
the crate use, with the digests in `tests/it/vectors.rs`, and over the records of the storage's
tests with those in `storage/src/cold/digests.rs`; and reads the segment of the tests, for which
it needs the program `zstd`.
"""

import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "verifier" / "python"))
from billchain_sm import sm3  # noqa: E402


ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "cold/tests"
DIGESTS = (TESTS / "it/vectors.rs", ROOT / "storage/src/cold/digests.rs")


def u(number: int, size: int) -> bytes:
    return number.to_bytes(size, "big")


def text(data: bytes) -> bytes:
    return u(len(data), 2) + data


def groups(count: int) -> list[tuple[bytes, list[tuple[int, bytes]]]]:
    """The groups of the tests: shared bytes, and last byte and value of each key."""

    def value(at: int) -> bytes:
        return bytes(byte * at % 256 for byte in range(at * 7 % 61))

    return [
        (b"group %06d" % at, [(4 + last, value(at)) for last in range(at % 3 + 1)])
        for at in range(count)
    ]


def levels(tag: int, contents: list[bytes]) -> list[list[bytes]]:
    nodes = [sm3(u(tag, 1) + b"\0" + u(at, 8) + content) for at, content in enumerate(contents)]
    found = [nodes]
    while len(nodes) > 1:
        level = len(found)
        pairs = [nodes[at : at + 2] for at in range(0, len(nodes), 2)]
        nodes = [
            pair[0] if len(pair) == 1 else sm3(u(tag, 1) + u(level, 1) + u(at, 8) + pair[0] + pair[1])
            for at, pair in enumerate(pairs)
        ]
        found.append(nodes)
    return found


def root(tag: int, contents: list[bytes]) -> bytes:
    return sm3(u(tag, 1) + b"\xff" + u(len(contents), 8) + b"".join(levels(tag, contents)[-1]))


def path(tag: int, contents: list[bytes], first: int, end: int) -> bytes:
    out = u(len(contents), 8) + u(first, 8)
    for nodes in levels(tag, contents):
        if len(nodes) > 1:
            if first % 2 == 1:
                out += nodes[first - 1]
            if end % 2 == 1 and end < len(nodes):
                out += nodes[end]
        first, end = first // 2, (end + 1) // 2
    return out


def group_digest(values: list[tuple[int, bytes]]) -> bytes:
    return sm3(b"".join(u(last, 1) + sm3(value) for last, value in values))


def leaf(group) -> bytes:
    return sm3(group[0]) + group_digest(group[1])


def exclusion(all_groups, first: int, end: int) -> bytes:
    shown = all_groups[first:end]
    out = u(len(shown), 1)
    for shared, values in shown:
        out += text(shared) + group_digest(values)
    return out + path(0xC1, [leaf(group) for group in all_groups], first, end)


def bits(count: int, dead: set[int]) -> list[bytes]:
    chunks = []
    for start in range(0, count, 512):
        number = sum(1 << (at - start) for at in range(start, min(start + 512, count)) if at not in dead)
        chunks.append(number.to_bytes(64, "little"))
    return chunks


def check(file: bytes, all_groups) -> None:
    """Reads a segment from its end, and compares everything with the groups."""
    contents = [leaf(group) for group in all_groups]
    assert file[:12] == b"BILLCOLD" + u(1, 4) and file[-8:] == b"DLOCLLIB"
    length = int.from_bytes(file[-12:-8], "big")
    footer = file[-length:-12]
    assert sm3(file[:12] + footer[:-32]) == footer[-32:]
    keys = sum(len(values) for _, values in all_groups)
    size = sum(len(value) for _, values in all_groups for _, value in values)
    assert footer[:24] == u(len(all_groups), 8) + u(keys, 8) + u(size, 8)
    assert footer[24:56] == root(0xC1, contents)
    level, top, nodes = footer[56], footer[57:101], int.from_bytes(footer[101:109], "big")
    assert footer[109:-32] == text(all_groups[0][0]) + text(all_groups[-1][0])
    at, seen = 12, []

    def visit(level: int, place: bytes) -> None:
        nonlocal at
        offset, count = int.from_bytes(place[:8], "big"), int.from_bytes(place[8:12], "big")
        data = file[offset : offset + count]
        assert sm3(data) == place[12:]
        if level == 0:
            raw = subprocess.run(["zstd", "-dc"], input=data[4:], capture_output=True, check=True).stdout
            assert len(raw) == int.from_bytes(data[:4], "big")
            while raw:
                length = int.from_bytes(raw[:2], "big")
                shared, more, raw, values = raw[2 : 2 + length], raw[2 + length], raw[3 + length :], []
                for _ in range(more + 1):
                    size = int.from_bytes(raw[1:5], "big")
                    values.append((raw[0], raw[5 : 5 + size]))
                    raw = raw[5 + size :]
                seen.append((shared, values))
        else:
            assert data[0] == level
            data = data[1:]
            while data:
                length = int.from_bytes(data[:2], "big")
                first, before = data[2 : 2 + length], len(seen)
                visit(level - 1, data[10 + length : 54 + length])
                assert seen[before][0] == first
                assert len(seen) - before == int.from_bytes(data[2 + length : 10 + length], "big")
                data = data[54 + length :]
        assert offset == at
        at += count

    visit(level, top)
    assert seen == all_groups and at == nodes
    found = levels(0xC1, contents)
    stored = b""
    for level in range(0, 42, 6):
        stored += b"".join(found[level])
        if len(found[level]) <= 64:
            break
    assert file[nodes:-length] == stored


def segments(records: list[tuple[int, int | None]]) -> bytes:
    """SM3 of the records of a run's segments: how many groups, and the block that ended it."""
    out = b"\xc0\x03"
    for count, ended in records:
        out += u(count, 8) + text(b"group %06d" % count)
        out += u(0, 1) if ended is None else u(1, 1) + u(ended, 4)
    return sm3(out)


def records(following: int, runs, merge: bytes) -> bytes:
    """SM3 of all records, of runs that are each of two laps."""
    out = b"\xc0\x02" + u(following, 8) + u(len(runs), 1)
    for run, is_over, of_segments in runs:
        out += u(run, 8) + u(2, 4) + u(len(of_segments), 4) + u(is_over, 1)
        out += u(40 + run, 4) + segments(of_segments)
    return sm3(out + merge)


def main() -> int:
    made = groups(100)
    contents = [leaf(group) for group in made]
    chunks = bits(1_300, {600})
    listed = [text(b"b%d" % at) + bytes([at]) * 32 + bytes([at + 10]) * 32 for at in range(5)]
    cold = sm3(b"\xc0\x01" + u(2, 1) + root(0xC3, listed) + root(0xC3, []) + bytes([8]) * 32)
    state = sm3(b"\xc0\x00" + bytes([9]) * 32 + cold)
    bit = chunks[1] + path(0xC2, chunks, 1, 2)
    coverage = u(2, 1) + listed[2] + listed[3] + path(0xC3, listed, 2, 4)
    file = b"BCBITS" + u(1, 2) + u(1_300, 8) + b"".join(chunks)
    runs = [(3, True, [(700, 50), (30, 61)]), (8, False, [(5, None)])]
    merge = u(1, 1) + u(8, 8) + u(3, 8) + u(1, 4) + u(4, 8) + text(b"group 000004")
    merge += u(7, 8) + u(1, 4) + u(4, 8) + text(b"")
    computed = [
        ("root", root(0xC1, contents)),
        ("no groups", root(0xC1, [])),
        ("inclusion", sm3(path(0xC1, contents, 77, 78))),
        ("exclusion between", sm3(exclusion(made, 63, 65))),
        ("exclusion before", sm3(exclusion(made, 0, 1))),
        ("exclusion behind", sm3(exclusion(made, 99, 100))),
        ("exclusion of nothing", sm3(exclusion([], 0, 0))),
        ("bits", root(0xC2, chunks)),
        ("bit", sm3(bit)),
        ("file of bits", sm3(file + sm3(file))),
        ("coverage", sm3(coverage)),
        ("state root", state),
        ("no records", records(0, [], u(0, 1))),
        ("records", records(9, runs, u(0, 1))),
        ("records of a merge", records(9, runs, merge)),
    ]
    expected = []
    for source in DIGESTS:
        words = " ".join(source.read_text().split())
        expected += re.findall(r'\("([a-z ]+)", "([0-9a-f]{64})"\)', words)
    failed = [name for name, digest in computed if (name, digest.hex()) not in expected]
    if len(expected) != len(computed):
        failed.append(f"{len(expected)} digests expected, {len(computed)} computed")
    check((TESTS / "fixtures/segment-v1.bin").read_bytes(), groups(60))
    for name in failed:
        print(f"FAILED: {name}")
    print(f"{len(computed) + 1 - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
