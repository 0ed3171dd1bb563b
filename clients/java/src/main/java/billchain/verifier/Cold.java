package billchain.verifier;

import static billchain.verifier.Reader.require;

import billchain.Bytes;
import billchain.Sm2;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What the roots of the cold part prove, as docs/certificates.md describes it. */
final class Cold {
    private static final int GROUPS = 0xC1;
    private static final int BITS = 0xC2;
    private static final int SEGMENTS = 0xC3;

    private Cold() {}

    /** The roots over the groups and bits of a segment. */
    record Segment(byte[] begin, byte[] groups, byte[] bits) {
        byte[] listed() {
            return Bytes.concat(ByteBuffer.allocate(2).putShort((short) begin.length).array(), begin, groups, bits);
        }
    }

    private record Shown(long count, long first, byte[] root) {}

    private static byte[] node(int tag, int level, long index, byte[]... content) {
        return Sm2.sm3(new byte[] {(byte) tag, (byte) level}, State.u64(index), Bytes.concat(content));
    }

    /** Reads the path of leaves with these contents. */
    private static Shown shown(Reader reader, int tag, List<byte[]> contents) {
        var count = reader.big(8);
        var first = reader.big(8);
        require(count <= 1L << 40 && first <= count - contents.size(), "a tree has not so many leaves");
        require(!contents.isEmpty() || count == 0 && first == 0, "nothing is shown of a tree that has leaves");
        var nodes = new ArrayList<byte[]>();
        for (var i = 0; i < contents.size(); i++) {
            nodes.add(node(tag, 0, first + i, contents.get(i)));
        }
        var start = first;
        var end = first + contents.size();
        var level = 0;
        for (var width = count; width > 1; width = (width + 1) / 2) {
            if (start % 2 == 1) {
                nodes.add(0, reader.hash());
            }
            if (end % 2 == 1 && end < width) {
                nodes.add(reader.hash());
            }
            level++;
            start /= 2;
            end = (end + 1) / 2;
            var above = new ArrayList<byte[]>();
            for (var i = 0; i < nodes.size(); i += 2) {
                above.add(i + 1 < nodes.size() ? node(tag, level, start + i / 2, nodes.get(i), nodes.get(i + 1)) : nodes.get(i));
            }
            nodes = above;
        }
        return new Shown(count, first, node(tag, 0xFF, count, nodes.toArray(byte[][]::new)));
    }

    private static byte[] shared(Reader reader) {
        var found = reader.bytes();
        require(found.length <= 1024, "the keys of a cold group share too many bytes");
        return found;
    }

    private static int few(Reader reader, String what) {
        var count = (int) reader.big(1);
        require(count <= 2, "more than two " + what + " are shown");
        return count;
    }

    /** Whether these stand at both sides of a key, or at the end of the tree. */
    private static boolean around(List<Boolean> before, Shown shown) {
        var allowed = List.of(List.of(), List.of(true), List.of(false), List.of(true, false));
        var last = !before.isEmpty() && before.get(0) ? shown.count - 1 : 0;
        return allowed.contains(before) && (before.size() == 2 || shown.first == last);
    }

    /** The segment of a run that has the group in its range, or null. */
    static Segment coverage(Reader reader, byte[] run, byte[] shared) {
        var segments = new ArrayList<Segment>();
        for (var left = few(reader, "segments"); left > 0; left--) {
            segments.add(new Segment(shared(reader), reader.hash(), reader.hash()));
        }
        var shown = shown(reader, SEGMENTS, segments.stream().map(Segment::listed).toList());
        var begun = segments.stream().map(one -> Arrays.compareUnsigned(one.begin, shared) <= 0).toList();
        require(around(begun, shown), "these segments do not tell where the group would be");
        require(Arrays.equals(shown.root, run), "the segments are not of the run");
        return !begun.isEmpty() && begun.get(0) ? segments.get(0) : null;
    }

    /** The position of a group in the segment with this root over its groups. */
    static long inclusion(Reader reader, byte[] groups, byte[] shared, byte[] group) {
        var shown = shown(reader, GROUPS, List.of(Bytes.concat(Sm2.sm3(shared), group)));
        require(Arrays.equals(shown.root, groups), "the segment has not this group");
        return shown.first;
    }

    /** Refuses unless a segment has no group of these keys. */
    private static void exclusion(Reader reader, byte[] groups, byte[] shared) {
        var leaves = new ArrayList<byte[]>();
        var before = new ArrayList<Boolean>();
        for (var left = few(reader, "neighbours"); left > 0; left--) {
            var other = shared(reader);
            require(!Arrays.equals(other, shared), "a neighbour is the group itself");
            before.add(Arrays.compareUnsigned(other, shared) < 0);
            leaves.add(Bytes.concat(Sm2.sm3(other), reader.hash()));
        }
        var shown = shown(reader, GROUPS, leaves);
        require(around(before, shown), "the group is not between these neighbours");
        require(Arrays.equals(shown.root, groups), "the neighbours are not of the segment");
    }

    /** Whether the group at a position is active. */
    static boolean bit(Reader reader, byte[] bits, long position) {
        var chunk = reader.take(64);
        var shown = shown(reader, BITS, List.of(chunk));
        require(shown.first == position / 512, "the bits are of other groups");
        require(Arrays.equals(shown.root, bits), "the bits are not of the segment");
        return (chunk[(int) (position % 512 / 8)] >> position % 8 & 1) == 1;
    }

    /** Refuses unless a run does not have the group. */
    static void missing(Reader reader, byte[] run, byte[] shared) {
        var why = reader.choice("uncovered", "between", "left");
        var segment = coverage(reader, run, shared);
        require(segment == null == why.equals("uncovered"), "whether a segment has the group in its range is said otherwise");
        if (why.equals("between")) {
            exclusion(reader, segment.groups, shared);
        } else if (why.equals("left")) {
            var position = inclusion(reader, segment.groups, shared, reader.hash());
            require(!bit(reader, segment.bits, position), "the group is active in a segment");
        }
    }
}
