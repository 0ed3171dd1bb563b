"""What the roots of the cold part prove, as docs/certificates.md describes it."""

from billchain_scale import require
from billchain_sm import sm3

MAX_SHARED, MAX_LEAVES = 1024, 1 << 40
GROUPS, BITS, SEGMENTS = 0xC1, 0xC2, 0xC3


def u64(value):
    """A number of eight bytes."""
    return value.to_bytes(8, "big")


def node(tag, level, index, content):
    """A leaf, a node or a root."""
    return sm3(bytes([tag, level]), u64(index), content)


def read_shown(reader, tag, contents):
    """Reads the path of leaves with these contents; gives the number of the tree's leaves, the
    index of the first that is shown, and the root to which they lead."""
    count, first = reader.big(8), reader.big(8)
    end, width = first + len(contents), count
    require(end <= count <= MAX_LEAVES, "a tree has not so many leaves")
    require(contents or (count, first) == (0, 0), "nothing is shown of a tree that has leaves")
    nodes = [node(tag, 0, first + place, content) for place, content in enumerate(contents)]
    level, start = 0, first
    while width > 1:
        if start % 2:
            nodes.insert(0, reader.hash())
        if end % 2 and end < width:
            nodes.append(reader.hash())
        level, start, end, width = level + 1, start // 2, (end + 1) // 2, (width + 1) // 2
        pairs = [nodes[at:at + 2] for at in range(0, len(nodes), 2)]
        nodes = [node(tag, level, start + at, pair[0] + pair[1]) if len(pair) == 2 else pair[0]
                 for at, pair in enumerate(pairs)]
    return count, first, node(tag, 0xFF, count, b"".join(nodes))


def read_shared(reader):
    """What the keys of a cold group share."""
    shared = reader.bytes()
    require(len(shared) <= MAX_SHARED, "the keys of a cold group share too many bytes")
    return shared


def read_few(reader, what, read):
    """Up to two of something."""
    count = reader.big(1)
    require(count <= 2, f"more than two {what} are shown")
    return [read() for _ in range(count)]


def read_segment(reader):
    """A segment of a run: where it begins, and the roots over its groups and bits."""
    return read_shared(reader), reader.hash(), reader.hash()


def listed(segment):
    """The content of a segment's leaf."""
    begin, groups, bits = segment
    return len(begin).to_bytes(2, "big") + begin + groups + bits


def read_coverage(reader, run, shared):
    """The roots over groups and bits of the segment of a run that has the group in its range, or
    None."""
    segments = read_few(reader, "segments", lambda: read_segment(reader))
    count, first, root = read_shown(reader, SEGMENTS, [listed(segment) for segment in segments])
    begun = [segment[0] <= shared for segment in segments]
    at_end = len(segments) == 2 or first == (count - 1 if begun and begun[0] else 0)
    require(begun in ([], [True], [False], [True, False]) and at_end,
            "these segments do not tell where the group would be")
    require(root == run, "the segments are not of the run")
    return segments[0][1:] if begun and begun[0] else None


def group_leaf(shared, group):
    """The content of a group's leaf."""
    return sm3(shared) + group


def read_inclusion(reader, groups, shared, group):
    """The position of a group in the segment with this root over its groups."""
    _, position, root = read_shown(reader, GROUPS, [group_leaf(shared, group)])
    require(root == groups, "the segment has not this group")
    return position


def read_exclusion(reader, groups, shared):
    """Refuses unless a segment has no group of these keys."""
    shown = read_few(reader, "neighbours", lambda: (read_shared(reader), reader.hash()))
    count, first, root = read_shown(reader, GROUPS, [group_leaf(*one) for one in shown])
    before = [one[0] < shared for one in shown]
    require(all(one[0] != shared for one in shown), "a neighbour is the group itself")
    at_end = len(shown) == 2 or first == (count - 1 if before and before[0] else 0)
    require(before in ([], [True], [False], [True, False]) and at_end,
            "the group is not between these neighbours")
    require(root == groups, "the neighbours are not of the segment")


def read_bit(reader, bits, position):
    """Whether the group at a position is active."""
    chunk = reader.take(64)
    _, place, root = read_shown(reader, BITS, [chunk])
    require(place == position // 512, "the bits are of other groups")
    require(root == bits, "the bits are not of the segment")
    return bool(chunk[position % 512 // 8] >> position % 8 & 1)


def read_missing(reader, run, shared):
    """Refuses unless a run does not have the group."""
    why = reader.choice(("uncovered", "between", "left"))
    segment = read_coverage(reader, run, shared)
    require((segment is None) == (why == "uncovered"),
            "whether a segment has the group in its range is said otherwise")
    if why == "between":
        read_exclusion(reader, segment[0], shared)
    if why == "left":
        position = read_inclusion(reader, segment[0], shared, reader.hash())
        require(not read_bit(reader, segment[1], position), "the group is active in a segment")
