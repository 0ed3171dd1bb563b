package billchain.verifier;

import billchain.BillChainException.CertificateRefused;
import billchain.Bytes;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Supplier;

/** Strict reading of the notations of docs/certificates.md. */
final class Reader {
    static final int MAX_CERTIFICATE = 1 << 20;
    private static final BigInteger MAX_U32 = BigInteger.valueOf(0xFFFFFFFFL);
    private final byte[] data;
    private final String what;
    private int at;

    Reader(byte[] data, String what) {
        this.data = data;
        this.what = what;
    }

    /** Refuses with the reason unless the condition holds. */
    static void require(boolean holds, String reason) {
        if (!holds) {
            throw new CertificateRefused(reason);
        }
    }

    byte[] take(int length) {
        require(length >= 0 && length <= data.length - at, what + " is cut short");
        at += length;
        return Arrays.copyOfRange(data, at - length, at);
    }

    void end() {
        require(at == data.length, what + " goes on behind its end");
    }

    /** A number of at most eight bytes, the highest first; above 2^63 it is out of range. */
    long big(int length) {
        var found = new BigInteger(1, take(length));
        require(found.bitLength() < 64, what + ": a number is too large");
        return found.longValue();
    }

    /** A number of at most four bytes, the lowest first. */
    long little(int length) {
        return Bytes.fromLittle(take(length)).longValue();
    }

    /** A number with a sign, the lowest byte first. */
    BigInteger signed(int length) {
        var unsigned = Bytes.fromLittle(take(length));
        return unsigned.testBit(8 * length - 1) ? unsigned.subtract(BigInteger.ONE.shiftLeft(8 * length)) : unsigned;
    }

    byte[] hash() {
        return take(32);
    }

    /** {@code u16} and as many bytes. */
    byte[] bytes() {
        return take((int) big(2));
    }

    BigInteger compact(BigInteger most) {
        var first = (int) little(1);
        var mode = first & 3;
        BigInteger value;
        BigInteger least;
        if (mode < 3) {
            var more = (1 << mode) - 1;
            value = Bytes.fromLittle(take(more)).shiftLeft(8).or(BigInteger.valueOf(first)).shiftRight(2);
            least = BigInteger.valueOf(new int[] {0, 1 << 6, 1 << 14}[mode]);
        } else {
            var length = (first >> 2) + 4;
            value = Bytes.fromLittle(take(length));
            least = BigInteger.ONE.shiftLeft(Math.max(30, 8 * (length - 1)));
        }
        require(value.compareTo(least) >= 0, what + ": a compact number is not in its shortest form");
        require(value.compareTo(most) <= 0, what + ": a compact number is too large");
        return value;
    }

    long compact() {
        return compact(MAX_U32).longValue();
    }

    /** A compact length and as many bytes. */
    byte[] text(int most) {
        return take(compact(BigInteger.valueOf(most)).intValue());
    }

    String string(int most) {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(text(most))).toString();
        } catch (CharacterCodingException malformed) {
            throw new CertificateRefused(what + ": a text is not UTF-8");
        }
    }

    String ascii(int length) {
        var found = take(length);
        for (var one : found) {
            require(one >= 0, what + ": not ASCII");
        }
        return new String(found, StandardCharsets.US_ASCII);
    }

    String digits(int length) {
        var found = ascii(length);
        require(found.chars().allMatch(one -> one >= '0' && one <= '9'), what + ": not digits");
        return found;
    }

    /** One byte that stands for one of the names. */
    String choice(String... names) {
        var value = (int) little(1);
        require(value < names.length, what + ": unknown number " + value);
        return names[value];
    }

    boolean flag() {
        return choice("", "yes").equals("yes");
    }

    /** Null or what is read. */
    <T> T optional(Supplier<T> read) {
        return flag() ? read.get() : null;
    }
}
