package billchain.verifier;

import static billchain.verifier.Reader.require;

import billchain.BillChainException.CertificateRefused;
import billchain.Bytes;
import billchain.Sm2;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What the state root of a block proves, as docs/certificates.md describes it. */
final class State {
    private static final byte[] EMPTY = new byte[0];
    private final byte[] hot;
    private final List<byte[]> runs = new ArrayList<>();

    /** Reads the roots of which this state root is made. */
    State(Reader reader, byte[] stateRoot) {
        hot = reader.hash();
        var count = (int) reader.big(1);
        require(count <= 64, "the cold part has too many runs");
        for (var i = 0; i < count; i++) {
            runs.add(reader.hash());
        }
        var cold = Sm2.sm3(new byte[] {(byte) 0xC0, 1, (byte) count}, Bytes.concat(runs.toArray(byte[][]::new)), reader.hash());
        require(Arrays.equals(Sm2.sm3(new byte[] {(byte) 0xC0, 0}, hot, cold), stateRoot),
            "these are not the roots of the head's state");
    }

    static byte[] u64(long value) {
        return ByteBuffer.allocate(8).putLong(value).array();
    }

    /** SM3 of each value of a group by the last byte of its key; empty if the group is nowhere. */
    Map<Integer, byte[]> place(Reader reader, byte[] shared) {
        var key = Sm2.sm3(shared);
        var where = reader.choice("nowhere", "hot", "cold");
        if (where.equals("hot")) {
            var group = new Group(reader);
            operation(reader, Bytes.concat(new byte[] {(byte) 0xD2}, key, Sm2.sm3(group.data), reader.hash()));
            return group.values;
        }
        if (where.equals("cold")) {
            return cold(reader, shared);
        }
        var before = reader.hash();
        var value = reader.hash();
        var after = reader.hash();
        operation(reader, Bytes.concat(new byte[] {(byte) 0xD2}, before, value, after));
        var above = Arrays.compareUnsigned(key, before) > 0;
        var below = Arrays.compareUnsigned(key, after) < 0;
        var around = Arrays.compareUnsigned(before, after) >= 0;
        require(around ? above || below : above && below, "the group is not between these groups");
        require(reader.big(1) == runs.size(), "the group is not looked for in each run");
        for (var run : runs) {
            Cold.missing(reader, run, shared);
        }
        return Map.of();
    }

    /** What is in a group: its bytes, and SM3 of each value by last byte. */
    private static final class Group {
        final byte[] data;
        final Map<Integer, byte[]> values = new TreeMap<>();

        Group(Reader reader) {
            var count = (int) reader.big(1);
            require(count > 0, "a group is empty");
            data = reader.take(33 * count);
            var last = -1;
            for (var i = 0; i < data.length; i += 33) {
                require((data[i] & 0xFF) > last, "the keys of a group do not ascend");
                last = data[i] & 0xFF;
                values.put(last, Arrays.copyOfRange(data, i + 1, i + 33));
            }
        }
    }

    private Map<Integer, byte[]> cold(Reader reader, byte[] shared) {
        var group = new Group(reader);
        var run = (int) reader.big(1);
        require(run < runs.size(), "there is no such run");
        var segment = Cold.coverage(reader, runs.get(run), shared);
        require(segment != null, "no segment of the run has the group in its range");
        var position = Cold.inclusion(reader, segment.groups(), shared, Sm2.sm3(group.data));
        require(Cold.bit(reader, segment.bits(), position), "the group is no longer active in its segment");
        return group.values;
    }

    // --- An operation in the log that the hot root commits to ---

    private static long position(long leaf) {
        return 2 * leaf - Long.bitCount(leaf);
    }

    private void operation(Reader reader, byte[] operation) {
        var place = reader.big(8);
        var size = reader.big(8);
        var inactive = (int) reader.big(1);
        require(size <= 1L << 62, "the log is too long");
        require(place < size, "the operation is not in the log");
        require(inactive <= Long.bitCount(size), "more inactive peaks than peaks");
        var plain = reader.hash();
        var bits = reader.hash();
        var partial = size % 256 != 0 ? reader.hash() : null;
        require((bits[(int) (place % 256 / 8)] >> place % 8 & 1) == 1, "the operation is not active");
        if (place / 256 == size / 256) {
            require(Arrays.equals(Sm2.sm3(bits), partial), "the bits of the partial chunk are others");
        }
        var peak = peak(reader, place, size, operation, bits, inactive);
        var count = inactive == 0 ? EMPTY : u64(inactive);
        var root = Bytes.concat(plain, Sm2.sm3(new byte[] {0, 1}, u64(size), count, peak));
        if (partial != null) {
            root = Bytes.concat(root, u64(size % 256), partial);
        }
        require(Arrays.equals(Sm2.sm3(root), hot), "the operation is not in the head's state");
    }

    /** All peaks as one digest. */
    private static byte[] peak(Reader reader, long place, long size, byte[] operation, byte[] bits, int inactive) {
        var before = 0;
        var first = 0L;
        var height = 63 - Long.numberOfLeadingZeros(size);
        for (;; height--) {
            if (height < 0) {
                throw new CertificateRefused("the operation is not in the log");
            }
            if ((size >> height & 1) == 1) {
                first += 1L << height;
                if (place < first) {
                    break;
                }
                before++;
            }
        }
        var after = Long.bitCount(size) - before - 1;
        var peak = climb(reader, place, height, operation, bits);
        var folded = Math.min(inactive, before);
        var row = new ArrayList<byte[]>();
        for (var i = 0; i < before - folded + (folded > 0 ? 1 : 0); i++) {
            row.add(reader.hash());
        }
        row.add(peak);
        var alone = Math.min(after, Math.max(0, inactive - before - 1));
        for (var i = 0; i < alone + (after > alone ? 1 : 0); i++) {
            row.add(reader.hash());
        }
        var split = Math.max(inactive, 1) - Math.max(folded - 1, 0);
        var front = row.subList(0, split).stream().reduce((total, one) -> Sm2.sm3(total, one)).orElseThrow();
        var rest = new ArrayList<>(row.subList(split, row.size()));
        Collections.reverse(rest);
        return rest.stream().reduce((total, one) -> Sm2.sm3(one, total)).map(back -> Sm2.sm3(front, back)).orElse(front);
    }

    /** The peak over an operation, from the digests beside the way. */
    private static byte[] climb(Reader reader, long place, int height, byte[] operation, byte[] bits) {
        var digest = Sm2.sm3(u64(position(place)), operation);
        var anyBit = !Arrays.equals(bits, new byte[32]);
        for (var level = 0; level <= height; level++) {
            if (level > 0) {
                var node = position(place >> level << level) + (1L << level + 1) - 2;
                var other = reader.hash();
                digest = (place >> level - 1 & 1) == 1 ? Sm2.sm3(u64(node), other, digest) : Sm2.sm3(u64(node), digest, other);
            }
            if (level == 8 && anyBit) {
                digest = Sm2.sm3(bits, digest);
            }
        }
        return digest;
    }
}
