package billchain;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** A signer whose key is in memory. */
public final class Sm2Key implements Signer {
    private final BigInteger secret;
    private final byte[] publicKey;

    Sm2Key(BigInteger secret) {
        this.secret = secret;
        this.publicKey = Sm2.publicPoint(secret).getEncoded(true);
    }

    static boolean isInRange(BigInteger secret) {
        return secret.signum() > 0 && secret.compareTo(Sm2.N.subtract(BigInteger.ONE)) < 0;
    }

    /**
     * The key in a file of OpenSSL, GmSSL, Bouncy Castle or {@code billchain keys}.
     *
     * @param password null for a file that is not encrypted
     * @throws BillChainException.KeyFile if there is none that can be used
     */
    public static Sm2Key load(Path file, char[] password) throws IOException {
        if (Files.size(file) > KeyFiles.MAX_FILE) {
            throw new BillChainException.KeyFile("longer than " + KeyFiles.MAX_FILE + " bytes", "Malformed");
        }
        return read(Files.readAllBytes(file), password);
    }

    /** The key in a file's bytes. */
    public static Sm2Key read(byte[] file, char[] password) {
        return new Sm2Key(KeyFiles.read(file, password));
    }

    /** The key of a development seed, as {@code //hospital}: for networks to play with. */
    public static Sm2Key development(String seed) {
        var domain = "BillChain SM2 key from seed, version 1".getBytes(StandardCharsets.US_ASCII);
        for (var counter = 0;; counter++) {
            var count = new byte[] {(byte) (counter >> 24), (byte) (counter >> 16), (byte) (counter >> 8), (byte) counter};
            var number = new BigInteger(1, Sm2.sm3(domain, count, seed.getBytes(StandardCharsets.UTF_8)));
            if (isInRange(number)) {
                return new Sm2Key(number);
            }
        }
    }

    @Override
    public byte[] publicKey() {
        return publicKey.clone();
    }

    @Override
    public byte[] sign(byte[] payload) {
        return Sm2.sign(secret, payload);
    }

    @Override
    public String toString() {
        return "Sm2Key(" + Bytes.hex(publicKey) + ")";
    }
}
