package billchain.verifier;

import static billchain.verifier.Reader.require;

import billchain.Sm2;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The path of a transaction in its block's trie. */
final class Path {
    private static final int[][] KINDS = {{0xC0, 6, 1, 1}, {0x80, 6, 1, 0}, {0x40, 6, 0, 1}, {0x20, 5, 0, 2}, {0x10, 4, 1, 2}};

    private Path() {}

    /** A node; {@code value} is null, a value or its hash. */
    private record Node(List<Integer> digits, byte[] value, boolean isHash, Map<Integer, byte[]> children) {}

    private static List<Integer> digits(byte[] data) {
        var found = new ArrayList<Integer>();
        for (var one : data) {
            found.add(one >> 4 & 15);
            found.add(one & 15);
        }
        return found;
    }

    private static Node node(byte[] data) {
        var reader = new Reader(data, "a node of the transactions");
        var first = (int) reader.big(1);
        var kind = Arrays.stream(KINDS).filter(one -> first >= one[0]).findFirst().orElse(null);
        require(kind != null && first - kind[0] < (1 << kind[1]) - 1, "a node of the transactions has an unknown kind");
        var count = first - kind[0];
        var digits = digits(reader.take((count + 1) / 2));
        if (count % 2 == 1) {
            require(digits.remove(0) == 0, "an odd number of digits is not filled up with a zero");
        }
        var bitmap = kind[2] == 1 ? (int) reader.little(2) : 0;
        var value = kind[3] == 0 ? null : kind[3] == 1 ? reader.text(32) : reader.hash();
        var children = new HashMap<Integer, byte[]>();
        for (var i = 0; i < 16; i++) {
            if ((bitmap >> i & 1) == 1) {
                children.put(i, reader.text(32));
            }
        }
        reader.end();
        return new Node(digits, value, kind[3] == 2, children);
    }

    /** The hash of the transaction at a place in the block. */
    static byte[] read(Reader reader, byte[] root, long place) {
        var count = reader.big(1);
        require(count <= 11, "the path of the transaction has more than 11 nodes");
        var left = new ArrayDeque<byte[]>();
        for (var i = 0; i < count; i++) {
            left.add(reader.bytes());
        }
        var key = digits(compact(place));
        var reference = root;
        while (true) {
            if (reference.length == 32) {
                require(!left.isEmpty(), "the path of the transaction is cut short");
                require(Arrays.equals(Sm2.sm3(left.peek()), reference), "the path does not lead from the root");
                reference = left.poll();
            }
            var node = node(reference);
            var length = node.digits.size();
            require(key.size() >= length && key.subList(0, length).equals(node.digits), "the path leads to another transaction");
            key = key.subList(length, key.size());
            if (key.isEmpty()) {
                require(node.value != null, "there is no transaction at the end of the path");
                require(left.isEmpty(), "the path of the transaction goes on behind its end");
                return node.isHash ? node.value : Sm2.sm3(node.value);
            }
            reference = node.children.get(key.get(0));
            require(reference != null, "the path leads to no transaction");
            key = key.subList(1, key.size());
        }
    }

    private static byte[] compact(long value) {
        if (value < 1 << 6) {
            return billchain.Bytes.little(value << 2, 1);
        }
        if (value < 1 << 14) {
            return billchain.Bytes.little(value << 2 | 1, 2);
        }
        if (value < 1 << 30) {
            return billchain.Bytes.little(value << 2 | 2, 4);
        }
        return billchain.Bytes.concat(new byte[] {3}, billchain.Bytes.little(value, 4));
    }
}
