package billchain.verifier;

import static billchain.verifier.Reader.require;

import billchain.Bytes;
import billchain.Sm2;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;

/** Ranges of numbers and issuers' months, as docs/certificates.md describes them. */
final class Totals {
    private static final byte[] NUMBERS = Bytes.unhex("b6e8d33e59707e1e401e3beccb5f223f642c4dd6c98276f2b8f7658361c29656");
    private static final byte[] MONTHS = Bytes.unhex("b6e8d33e59707e1e401e3beccb5f223f721e6bc50232d0b68cdcfa6e866c44a2");
    private static final BigInteger MAX_U64 = BigInteger.ONE.shiftLeft(64).subtract(BigInteger.ONE);
    /** The sizes of items, and with how many digits their numbers begin. */
    private static final long[][] SIZES = {{1_000_000, 4}, {10_000, 6}, {100, 8}, {1, 10}};

    private record Line(int place, BigInteger bills, BigInteger fen) {}

    private record Item(long first, long size, int digits) {
        byte[] key(String code) {
            var begin = String.format("%010d", first).substring(0, digits).getBytes(StandardCharsets.US_ASCII);
            var owner = code.getBytes(StandardCharsets.US_ASCII);
            return size == 1 ? Bytes.concat(Bills.PREFIX, owner, begin)
                : Bytes.concat(NUMBERS, owner, new byte[] {(byte) digits}, begin);
        }
    }

    private final TreeMap<Integer, Line> lines = new TreeMap<>();
    private BigInteger bills = BigInteger.ZERO;
    private BigInteger fen = BigInteger.ZERO;

    private void add(Line line) {
        var before = lines.getOrDefault(line.place, new Line(line.place, BigInteger.ZERO, BigInteger.ZERO));
        var sum = new Line(line.place, before.bills.add(line.bills), before.fen.add(line.fen));
        lines.put(line.place, sum);
        bills = bills.add(line.bills);
        fen = fen.add(line.fen);
        require(bills.max(sum.bills).compareTo(MAX_U64) <= 0, "too many bills are counted");
        require(fen.bitLength() < 128 && sum.fen.bitLength() < 128, "a sum is too large");
    }

    private void show(ObjectNode shown) {
        var rows = shown.putArray("lines");
        for (var line : lines.values()) {
            rows.addObject().put("kind", Bills.KINDS[line.place / 16]).put("status", Bills.STATUSES[line.place % 16])
                .put("bills", line.bills.longValue()).put("total", Bills.yuan(line.fen));
        }
        shown.put("bills", bills.longValue()).put("total", Bills.yuan(fen));
    }

    private static int index(String[] names, String name) {
        return Arrays.asList(names).indexOf(name);
    }

    /** The lines of a tally. */
    private static List<Line> tally(byte[] data) {
        var reader = new Reader(data, "a tally");
        var count = reader.compact();
        require(count >= 1 && count <= 21, "a tally has 1 to 21 lines");
        var found = new ArrayList<Line>();
        var last = -1;
        for (var i = 0; i < count; i++) {
            var place = 16 * index(Bills.KINDS, reader.choice(Bills.KINDS)) + index(Bills.STATUSES, reader.choice(Bills.STATUSES));
            var line = new Line(place, reader.compact(MAX_U64), reader.signed(16));
            require(line.bills.signum() > 0, "a line of a tally counts no bill");
            require(place > last, "the lines of a tally do not ascend");
            last = place;
            found.add(line);
        }
        reader.hash();
        reader.end();
        return found;
    }

    /** The value of each key of one group, or null; the keys share all but their last byte. */
    private static List<byte[]> values(Reader reader, List<byte[]> keys, State state) {
        var first = keys.get(0);
        var group = state.place(reader, Arrays.copyOf(first, first.length - 1));
        var found = new ArrayList<byte[]>();
        for (var key : keys) {
            var digest = group.get(key[key.length - 1] & 0xFF);
            var value = digest == null ? null : reader.bytes();
            require(value == null || Arrays.equals(Sm2.sm3(value), digest), "a value is not the one in its group");
            found.add(value);
        }
        return found;
    }

    /** Body 3: a range of numbers. */
    static void numbers(Reader reader, State state, ObjectNode shown) {
        var code = reader.digits(8);
        var first = reader.digits(10);
        var last = reader.digits(10);
        require(first.compareTo(last) <= 0, "the first number is above the last");
        var sums = new Totals();
        var items = new ArrayList<Item>();
        var keys = new ArrayList<byte[]>();
        var end = Long.parseLong(last);
        for (var at = Long.parseLong(first); at <= end;) {
            var item = itemAt(at, end);
            var key = item.key(code);
            if (!keys.isEmpty() && !sameGroup(keys.get(0), key)) {
                sums.count(reader, code, items, keys, state);
            }
            items.add(item);
            keys.add(key);
            at += item.size;
        }
        sums.count(reader, code, items, keys, state);
        var missing = BigInteger.valueOf(end - Long.parseLong(first) + 1).subtract(sums.bills);
        shown.put("code", code).put("first", first).put("last", last).put("missing", missing.longValue())
            .put("complete", missing.signum() == 0);
        sums.show(shown);
    }

    private static Item itemAt(long at, long end) {
        for (var size : SIZES) {
            if (at % size[0] == 0 && at + size[0] - 1 <= end) {
                return new Item(at, size[0], (int) size[1]);
            }
        }
        throw new IllegalStateException("one number is an item");
    }

    private static boolean sameGroup(byte[] one, byte[] other) {
        return one.length == other.length && Arrays.equals(one, 0, one.length - 1, other, 0, other.length - 1);
    }

    /** Counts the items of one group, and forgets them. */
    private void count(Reader reader, String code, List<Item> items, List<byte[]> keys, State state) {
        var values = values(reader, keys, state);
        for (var i = 0; i < items.size(); i++) {
            if (values.get(i) != null) {
                count(code, items.get(i), values.get(i));
            }
        }
        items.clear();
        keys.clear();
    }

    private void count(String code, Item item, byte[] value) {
        if (item.size == 1) {
            var bill = Bills.read(value);
            require(bill.code().equals(code) && bill.number().equals(String.format("%010d", item.first)),
                "a bill stands under another number");
            var place = 16 * index(Bills.KINDS, bill.kind()) + index(Bills.STATUSES, bill.status());
            add(new Line(place, BigInteger.ONE, bill.total()));
            return;
        }
        var found = tally(value);
        var sum = found.stream().map(Line::bills).reduce(BigInteger.ZERO, BigInteger::add);
        require(sum.compareTo(BigInteger.valueOf(item.size)) <= 0, "a block counts more bills than it has numbers");
        found.forEach(this::add);
    }

    /** Body 4: an issuer's month. */
    static void month(Reader reader, State state, ObjectNode shown) {
        var issuer = new String(reader.bytes(), StandardCharsets.ISO_8859_1);
        require(issuer.length() <= 64 && issuer.startsWith("did:") && issuer.chars().allMatch(one -> one >= 0x21 && one <= 0x7E),
            "the issuer is not named by a DID");
        var month = reader.digits(6);
        require(month.substring(4).compareTo("01") >= 0 && month.substring(4).compareTo("12") <= 0,
            "the month is not one of twelve");
        var length = issuer.length();
        var head = length < 64 ? new byte[] {(byte) (4 * length)}
            : new byte[] {(byte) (4 * length + 1), (byte) (4 * length + 1 >> 8)};
        var key = Bytes.concat(MONTHS, head, issuer.getBytes(StandardCharsets.US_ASCII), month.getBytes(StandardCharsets.US_ASCII));
        var sums = new Totals();
        for (var value : values(reader, List.of(key), state)) {
            if (value != null) {
                tally(value).forEach(sums::add);
            }
        }
        shown.put("issuer", issuer).put("month", month);
        sums.show(shown);
    }
}
