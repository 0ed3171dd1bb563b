package billchain;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import org.bouncycastle.asn1.gm.GMNamedCurves;
import org.bouncycastle.asn1.x9.X9ECParameters;
import org.bouncycastle.crypto.digests.SM3Digest;
import org.bouncycastle.crypto.signers.HMacDSAKCalculator;
import org.bouncycastle.math.ec.ECAlgorithms;
import org.bouncycastle.math.ec.ECPoint;
import org.bouncycastle.math.ec.FixedPointCombMultiplier;
import org.bouncycastle.util.BigIntegers;

/**
 * SM3 and SM2 signatures (GB/T 32905, GB/T 32918.2) on Bouncy Castle's curve. The number k of a
 * signature is derived from key and message (RFC 6979 with HMAC-SM3): no bad random source can betray
 * the key.
 */
public final class Sm2 {
    private static final X9ECParameters CURVE = GMNamedCurves.getByName("sm2p256v1");
    static final BigInteger N = CURVE.getN();
    private static final byte[] SIGNER_ID = "1234567812345678".getBytes(StandardCharsets.US_ASCII);

    private Sm2() {}

    /** SM3 of the parts one after the other. */
    public static byte[] sm3(byte[]... parts) {
        var digest = new SM3Digest();
        for (var part : parts) {
            digest.update(part, 0, part.length);
        }
        var found = new byte[32];
        digest.doFinal(found, 0);
        return found;
    }

    static ECPoint publicPoint(BigInteger secret) {
        return new FixedPointCombMultiplier().multiply(CURVE.getG(), secret).normalize();
    }

    /** r and s over the message, in 64 bytes. */
    static byte[] sign(BigInteger secret, byte[] message) {
        var digest = hashed(publicPoint(secret), message);
        var e = new BigInteger(1, digest);
        var numbers = new HMacDSAKCalculator(new SM3Digest());
        numbers.init(N, secret, digest);
        var inverse = BigIntegers.modOddInverse(N, secret.add(BigInteger.ONE).mod(N));
        while (true) {
            var k = numbers.nextK();
            var r = e.add(publicPoint(k).getAffineXCoord().toBigInteger()).mod(N);
            var s = inverse.multiply(k.subtract(r.multiply(secret))).mod(N);
            if (r.signum() != 0 && !r.add(k).equals(N) && s.signum() != 0) {
                return Bytes.concat(BigIntegers.asUnsignedByteArray(32, r), BigIntegers.asUnsignedByteArray(32, s));
            }
        }
    }

    /** Whether r and s over the message are the compressed key's. */
    public static boolean verify(byte[] key, byte[] message, byte[] signature) {
        if (key.length != 33 || signature.length != 64) {
            return false;
        }
        ECPoint point;
        try {
            point = CURVE.getCurve().decodePoint(key);
        } catch (IllegalArgumentException noPoint) {
            return false;
        }
        var r = BigIntegers.fromUnsignedByteArray(signature, 0, 32);
        var s = BigIntegers.fromUnsignedByteArray(signature, 32, 32);
        var t = r.add(s).mod(N);
        if (r.signum() == 0 || r.compareTo(N) >= 0 || s.signum() == 0 || s.compareTo(N) >= 0 || t.signum() == 0) {
            return false;
        }
        var found = ECAlgorithms.sumOfTwoMultiplies(CURVE.getG(), s, point, t).normalize();
        var e = new BigInteger(1, hashed(point.normalize(), message));
        return !found.isInfinity() && e.add(found.getAffineXCoord().toBigInteger()).mod(N).equals(r);
    }

    /** What is signed for a message. */
    private static byte[] hashed(ECPoint point, byte[] message) {
        var curve = CURVE.getCurve();
        var g = CURVE.getG().normalize();
        var z = sm3(new byte[] {0, (byte) (8 * SIGNER_ID.length)}, SIGNER_ID, curve.getA().getEncoded(),
            curve.getB().getEncoded(), g.getAffineXCoord().getEncoded(), g.getAffineYCoord().getEncoded(),
            point.getAffineXCoord().getEncoded(), point.getAffineYCoord().getEncoded());
        return sm3(z, message);
    }
}
