package billchain;

import billchain.BillChainException.KeyFile;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.Map;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.bouncycastle.asn1.ASN1BitString;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1Primitive;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.asn1.ASN1TaggedObject;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.crypto.BlockCipher;
import org.bouncycastle.crypto.Digest;
import org.bouncycastle.crypto.InvalidCipherTextException;
import org.bouncycastle.crypto.PBEParametersGenerator;
import org.bouncycastle.crypto.digests.SHA1Digest;
import org.bouncycastle.crypto.digests.SHA224Digest;
import org.bouncycastle.crypto.digests.SHA256Digest;
import org.bouncycastle.crypto.digests.SHA384Digest;
import org.bouncycastle.crypto.digests.SHA512Digest;
import org.bouncycastle.crypto.digests.SM3Digest;
import org.bouncycastle.crypto.engines.AESEngine;
import org.bouncycastle.crypto.engines.DESedeEngine;
import org.bouncycastle.crypto.engines.SM4Engine;
import org.bouncycastle.crypto.generators.PKCS12ParametersGenerator;
import org.bouncycastle.crypto.generators.PKCS5S2ParametersGenerator;
import org.bouncycastle.crypto.modes.CBCBlockCipher;
import org.bouncycastle.crypto.modes.GCMBlockCipher;
import org.bouncycastle.crypto.paddings.PaddedBufferedBlockCipher;
import org.bouncycastle.crypto.params.AEADParameters;
import org.bouncycastle.crypto.params.KeyParameter;
import org.bouncycastle.crypto.params.ParametersWithIV;

/** SM2 keys from PKCS#8, plain or encrypted (PBES2, PKCS#12's 3-DES), and SEC1, PEM or DER. */
final class KeyFiles {
    static final int MAX_FILE = 64 * 1024;
    private static final int MAX_ITERATIONS = 10_000_000;
    private static final String EC = "1.2.840.10045.2.1";
    private static final String CURVE = "1.2.156.10197.1.301";
    private static final String PBES2 = "1.2.840.113549.1.5.13";
    private static final String PBKDF2 = "1.2.840.113549.1.5.12";
    private static final String PKCS12_3DES = "1.2.840.113549.1.12.1.3";
    private static final String SM4_GCM = "1.2.156.10197.1.104.8";
    private static final Map<String, Supplier<Digest>> PRFS = Map.of(
        "1.2.840.113549.2.7", SHA1Digest::new, "1.2.840.113549.2.8", SHA224Digest::new,
        "1.2.840.113549.2.9", SHA256Digest::new, "1.2.840.113549.2.10", SHA384Digest::new,
        "1.2.840.113549.2.11", SHA512Digest::new, "1.2.156.10197.1.401.2", SM3Digest::new,
        "1.2.156.10197.1.401.3.1", SM3Digest::new);
    private static final Pattern BLOCK =
        Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----\\s([^-]*)-----END \\1-----");

    private record Cbc(Supplier<BlockCipher> engine, int key) {}

    private static final Map<String, Cbc> CIPHERS = Map.of(
        "2.16.840.1.101.3.4.1.2", new Cbc(AESEngine::new, 16),
        "2.16.840.1.101.3.4.1.22", new Cbc(AESEngine::new, 24),
        "2.16.840.1.101.3.4.1.42", new Cbc(AESEngine::new, 32),
        "1.2.156.10197.1.104.2", new Cbc(SM4Engine::new, 16),
        "1.2.840.113549.3.7", new Cbc(DESedeEngine::new, 24));

    private KeyFiles() {}

    /** The private number in a file. */
    static BigInteger read(byte[] file, char[] password) {
        try {
            return parse(unarmoured(file), password, false);
        } catch (IOException | ClassCastException | IllegalArgumentException | IllegalStateException
                | IndexOutOfBoundsException | ArithmeticException malformed) {
            throw bad("it is damaged: " + malformed.getMessage());
        }
    }

    private static KeyFile bad(String reason) {
        return new KeyFile(reason, "Malformed");
    }

    private static KeyFile wrongPassword() {
        return new KeyFile("wrong password", "WrongPassword");
    }

    /** The DER value of a PEM file, or the bytes as they are. */
    private static byte[] unarmoured(byte[] file) {
        if (file.length > MAX_FILE) {
            throw bad("longer than " + MAX_FILE + " bytes");
        }
        var text = new String(file, StandardCharsets.ISO_8859_1);
        if (!text.contains("-----BEGIN")) {
            if (file.length > 0 && file[0] == 0x30) {
                return file;
            }
            throw bad("expected PEM or DER");
        }
        var blocks = BLOCK.matcher(text);
        while (blocks.find()) {
            var label = blocks.group(1);
            if (label.equals("EC PARAMETERS")) {
                continue;
            }
            if (!label.endsWith("PRIVATE KEY")) {
                throw bad("labelled `" + label + "`, expected a private key");
            }
            if (blocks.group(2).contains(":")) {
                throw bad("encrypted in OpenSSL's old way, expected PKCS#8 (openssl pkcs8 -topk8)");
            }
            return Base64.getMimeDecoder().decode(blocks.group(2));
        }
        throw bad("it has no whole PEM block of a private key");
    }

    private static BigInteger parse(byte[] data, char[] password, boolean decrypted) throws IOException {
        var outer = ASN1Sequence.getInstance(ASN1Primitive.fromByteArray(data));
        if (outer.getObjectAt(0) instanceof ASN1Sequence algorithm) {
            if (decrypted) {
                throw bad("a key encrypted twice");
            }
            if (password == null) {
                throw new KeyFile("the key is encrypted: a password is needed", "PasswordNeeded");
            }
            var plain = decrypt(algorithm, octets(outer.getObjectAt(1)), password);
            if (!beginsLikeAKey(plain)) {
                throw wrongPassword();
            }
            return parse(plain, null, true);
        }
        var version = ASN1Integer.getInstance(outer.getObjectAt(0));
        if (version.hasValue(1) && outer.getObjectAt(1) instanceof ASN1OctetString) {
            return sec1(outer, false);
        }
        var algorithm = ASN1Sequence.getInstance(outer.getObjectAt(1));
        var oid = oid(algorithm.getObjectAt(0));
        if (!oid.equals(EC) && !oid.equals(CURVE) && !oid.startsWith(CURVE + ".")) {
            throw bad("a key of algorithm " + oid + ", expected SM2");
        }
        var named = !oid.equals(EC);
        if (algorithm.size() > 1 && !(algorithm.getObjectAt(1) instanceof DERNull)) {
            expectCurve(algorithm.getObjectAt(1));
            named = true;
        }
        var inner = ASN1Primitive.fromByteArray(octets(outer.getObjectAt(2)));
        return sec1(ASN1Sequence.getInstance(inner), named);
    }

    private static boolean beginsLikeAKey(byte[] plain) {
        try {
            return ASN1Sequence.getInstance(ASN1Primitive.fromByteArray(plain)).getObjectAt(0) instanceof ASN1Integer;
        } catch (IOException | RuntimeException noKey) {
            return false;
        }
    }

    private static void expectCurve(ASN1Encodable parameter) {
        var found = parameter instanceof ASN1ObjectIdentifier id ? id.getId() : "written out in numbers";
        if (!found.equals(CURVE)) {
            throw bad("a key of curve " + found + ", expected " + CURVE + " (sm2p256v1)");
        }
    }

    /** The private number of an ECPrivateKey. */
    private static BigInteger sec1(ASN1Sequence key, boolean namedAround) {
        var named = namedAround;
        byte[] point = null;
        var digits = octets(key.getObjectAt(1));
        if (digits.length > 33) {
            throw bad("a private number of " + digits.length + " bytes, expected 32");
        }
        for (var i = 2; i < key.size(); i++) {
            var tagged = ASN1TaggedObject.getInstance(key.getObjectAt(i));
            if (tagged.getTagNo() == 0) {
                expectCurve(tagged.getExplicitBaseObject());
                named = true;
            } else if (tagged.getTagNo() == 1) {
                point = ASN1BitString.getInstance(tagged.getExplicitBaseObject()).getOctets();
            }
        }
        if (!named && point == null) {
            throw bad("nothing says which curve the key is of");
        }
        var secret = new BigInteger(1, digits);
        if (!Sm2Key.isInRange(secret)) {
            throw bad("the private number is out of range");
        }
        var own = Sm2.publicPoint(secret);
        if (point != null && !Arrays.equals(point, own.getEncoded(false)) && !Arrays.equals(point, own.getEncoded(true))) {
            throw bad("the public key in it is another key's");
        }
        return secret;
    }

    /** What was encrypted by PBES2 or by PKCS#12's 3-DES. */
    private static byte[] decrypt(ASN1Sequence algorithm, byte[] encrypted, char[] password) {
        var scheme = oid(algorithm.getObjectAt(0));
        var parameters = ASN1Sequence.getInstance(algorithm.getObjectAt(1));
        if (scheme.equals(PKCS12_3DES)) {
            var generator = new PKCS12ParametersGenerator(new SHA1Digest());
            generator.init(PBEParametersGenerator.PKCS12PasswordToBytes(password), octets(parameters.getObjectAt(0)),
                iterations(parameters.getObjectAt(1)));
            return uncbc(new DESedeEngine(), (ParametersWithIV) generator.generateDerivedParameters(192, 64), encrypted);
        }
        if (!scheme.equals(PBES2)) {
            throw bad("encrypted by " + scheme + ", expected PBES2 (openssl pkcs8 -topk8 -v2 aes-256-cbc)");
        }
        var derivation = ASN1Sequence.getInstance(parameters.getObjectAt(0));
        var encryption = ASN1Sequence.getInstance(parameters.getObjectAt(1));
        var cipher = oid(encryption.getObjectAt(0));
        var cbc = CIPHERS.get(cipher);
        if (cbc == null && !cipher.equals(SM4_GCM)) {
            throw bad("encrypted by " + cipher + ", expected AES, SM4 or 3-DES");
        }
        var key = derive(derivation, password, cbc == null ? 16 : cbc.key());
        if (cbc != null) {
            return uncbc(cbc.engine().get(), new ParametersWithIV(key, octets(encryption.getObjectAt(1))), encrypted);
        }
        return unseal(key, ASN1Sequence.getInstance(encryption.getObjectAt(1)), encrypted);
    }

    private static KeyParameter derive(ASN1Sequence derivation, char[] password, int length) {
        if (!oid(derivation.getObjectAt(0)).equals(PBKDF2)) {
            throw bad("a key derived by " + oid(derivation.getObjectAt(0)) + ", expected PBKDF2");
        }
        var details = ASN1Sequence.getInstance(derivation.getObjectAt(1));
        Supplier<Digest> prf = SHA1Digest::new;
        if (details.getObjectAt(details.size() - 1) instanceof ASN1Sequence named) {
            prf = PRFS.get(oid(named.getObjectAt(0)));
            if (prf == null) {
                throw bad("PBKDF2 with " + oid(named.getObjectAt(0)) + ", expected HMAC with SHA-1, SHA-2 or SM3");
            }
        }
        var generator = new PKCS5S2ParametersGenerator(prf.get());
        generator.init(PBEParametersGenerator.PKCS5PasswordToUTF8Bytes(password), octets(details.getObjectAt(0)),
            iterations(details.getObjectAt(1)));
        return (KeyParameter) generator.generateDerivedMacParameters(8 * length);
    }

    private static byte[] uncbc(BlockCipher engine, ParametersWithIV parameters, byte[] encrypted) {
        var cipher = new PaddedBufferedBlockCipher(new CBCBlockCipher(engine));
        cipher.init(false, parameters);
        var plain = new byte[cipher.getOutputSize(encrypted.length)];
        try {
            var taken = cipher.processBytes(encrypted, 0, encrypted.length, plain, 0);
            return Arrays.copyOf(plain, taken + cipher.doFinal(plain, taken));
        } catch (InvalidCipherTextException wrong) {
            throw wrongPassword();
        }
    }

    private static byte[] unseal(KeyParameter key, ASN1Sequence parameters, byte[] encrypted) {
        var nonce = octets(parameters.getObjectAt(0));
        if (parameters.size() < 2 || !ASN1Integer.getInstance(parameters.getObjectAt(1)).hasValue(16) || nonce.length != 12) {
            throw bad("SM4-GCM with another nonce or tag than 12 and 16 bytes");
        }
        var cipher = new GCMBlockCipher(new SM4Engine());
        cipher.init(false, new AEADParameters(key, 128, nonce));
        var plain = new byte[cipher.getOutputSize(encrypted.length)];
        try {
            var taken = cipher.processBytes(encrypted, 0, encrypted.length, plain, 0);
            cipher.doFinal(plain, taken);
            return plain;
        } catch (InvalidCipherTextException wrong) {
            throw wrongPassword();
        }
    }

    private static int iterations(ASN1Encodable number) {
        var found = ASN1Integer.getInstance(number).getValue();
        if (found.signum() <= 0 || found.compareTo(BigInteger.valueOf(MAX_ITERATIONS)) > 0) {
            throw bad(found + " iterations, expected 1 to " + MAX_ITERATIONS);
        }
        return found.intValue();
    }

    private static String oid(ASN1Encodable value) {
        return ASN1ObjectIdentifier.getInstance(value).getId();
    }

    private static byte[] octets(ASN1Encodable value) {
        return ASN1OctetString.getInstance(value).getOctets();
    }
}
