package billchain;

import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.util.HexFormat;

/** Bytes, hexadecimal digits and numbers. */
public final class Bytes {
    private static final HexFormat HEX = HexFormat.of();

    private Bytes() {}

    /** The parts one after the other. */
    public static byte[] concat(byte[]... parts) {
        var whole = new ByteArrayOutputStream();
        for (var part : parts) {
            whole.writeBytes(part);
        }
        return whole.toByteArray();
    }

    /** {@code 0x} and hexadecimal digits. */
    public static String hex(byte[] bytes) {
        return "0x" + HEX.formatHex(bytes);
    }

    /** The bytes of hexadecimal digits, with or without {@code 0x}; null if they are none. */
    public static byte[] unhex(String text) {
        try {
            return HEX.parseHex(text.startsWith("0x") ? text.substring(2) : text);
        } catch (IllegalArgumentException notHex) {
            return null;
        }
    }

    /** A number in so many bytes, the lowest first; a negative one in two's complement. */
    public static byte[] little(BigInteger value, int length) {
        var shown = new byte[length];
        for (var i = 0; i < length; i++) {
            shown[i] = value.shiftRight(8 * i).byteValue();
        }
        return shown;
    }

    /** A number in so many bytes, the lowest first. */
    public static byte[] little(long value, int length) {
        return little(BigInteger.valueOf(value), length);
    }

    /** The number in bytes, the lowest first. */
    public static BigInteger fromLittle(byte[] bytes) {
        var turned = new byte[bytes.length];
        for (var i = 0; i < bytes.length; i++) {
            turned[i] = bytes[bytes.length - 1 - i];
        }
        return new BigInteger(1, turned);
    }
}
