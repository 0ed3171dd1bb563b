import billchain.BillChainException;
import billchain.Bytes;
import billchain.Codec;
import billchain.Sm2;
import billchain.Sm2Key;
import billchain.verifier.CertificateVerifier;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** The vectors that all SDKs share: calls, signatures, key files and certificates. */
public final class Vectors {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static int passed;
    private static int failed;

    private Vectors() {}

    private static void check(String name, Object found, Object expected) {
        var same = expected.equals(found);
        passed += same ? 1 : 0;
        failed += same ? 0 : 1;
        if (!same) {
            System.out.println("FAILED " + name + ": " + found + ", expected " + expected);
        }
    }

    /** What is thrown: its code and field, or what comes out. */
    private static String outcome(java.util.concurrent.Callable<byte[]> work) throws Exception {
        try {
            return Bytes.hex(work.call());
        } catch (BillChainException refused) {
            return refused.field() == null ? refused.code() : refused.field();
        }
    }

    private static Object form(JsonNode value) {
        return JSON.convertValue(value, Object.class);
    }

    private static void calls(JsonNode vectors) throws Exception {
        var codec = Codec.own();
        for (var one : vectors.get("calls")) {
            var name = one.get("name").asText();
            check(name, outcome(() -> codec.call(form(one.get("form")), "call", 0)), one.get("call").asText());
        }
        for (var one : vectors.get("refused")) {
            var found = outcome(() -> codec.call(form(one.get("form")), "call", 0));
            check(one.get("name").asText(), found, one.get("field").asText());
        }
        for (var one : vectors.get("signatures")) {
            var key = Sm2Key.development(one.get("seed").asText());
            var message = Bytes.unhex(one.get("message").asText());
            check("public key of " + one.get("seed"), Bytes.hex(key.publicKey()), one.get("public_key").asText());
            check("account of " + one.get("seed"), Bytes.hex(Sm2.sm3(key.publicKey())), one.get("account").asText());
            check("signature of " + one.get("seed"), Bytes.hex(key.sign(message)), one.get("signature").asText());
            var signature = Bytes.unhex(one.get("signature").asText());
            check("checked", Sm2.verify(key.publicKey(), message, signature), true);
            signature[40] ^= 1;
            check("refused", Sm2.verify(key.publicKey(), message, signature), false);
        }
    }

    private static void keys(JsonNode vectors, Path directory) throws Exception {
        for (var one : vectors) {
            var password = one.get("password").isNull() ? null : one.get("password").asText().toCharArray();
            var file = directory.resolve(one.get("file").asText());
            check("key file " + one.get("file"), outcome(() -> Sm2Key.load(file, password).publicKey()),
                one.get("public_key").asText());
            if (password != null) {
                check("wrong password of " + one.get("file"),
                    outcome(() -> Sm2Key.load(file, "another".toCharArray()).publicKey()), "WrongPassword");
            }
        }
        // Whatever is cut off, nothing else than a refusal comes of it.
        var whole = Files.readAllBytes(directory.resolve(vectors.get(0).get("file").asText()));
        for (var length = 0; length < whole.length - 40; length += 7) {
            var cut = java.util.Arrays.copyOf(whole, length);
            check("key file of " + length + " bytes", outcome(() -> Sm2Key.read(cut, null).publicKey()), "Malformed");
        }
    }

    private static void certificates(JsonNode vectors) {
        for (var one : vectors) {
            var genesis = one.has("checkpoint") ? null : Bytes.unhex(one.get("genesis").asText());
            var checkpoint = one.has("checkpoint") ? Bytes.unhex(one.get("checkpoint").asText()) : null;
            var found = "proved";
            try {
                var shown = CertificateVerifier.verify(Bytes.unhex(one.get("certificate").asText()), genesis, checkpoint);
                if (one.get("proves").isObject()) {
                    check(one.get("name").asText() + ": block", shown.get("block").asLong(),
                        one.get("proves").get("block").get("number").asLong());
                }
            } catch (BillChainException.CertificateRefused refused) {
                found = "refused";
            }
            check("certificate " + one.get("name"), found, one.get("proves").isNull() ? "refused" : "proved");
        }
    }

    public static void main(String[] paths) throws Exception {
        var root = Path.of(paths[0]);
        calls(JSON.readTree(root.resolve("clients/vectors.json").toFile()));
        keys(JSON.readTree(root.resolve("clients/vectors.json").toFile()).get("keys"), Path.of(paths[1]));
        certificates(JSON.readTree(root.resolve("verifier/vectors/certificates.json").toFile()));
        check("a map is a form", outcome(() -> Codec.own().call(Map.of("pallet", "None"), "call", 0)), "call.pallet");
        System.out.println(passed + " passed, " + failed + " failed");
        System.exit(failed == 0 ? 0 : 1);
    }
}
