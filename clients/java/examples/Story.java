import billchain.BillChainException.CallFailed;
import billchain.Bytes;
import billchain.Call;
import billchain.Client;
import billchain.Sm2;
import billchain.Sm2Key;
import billchain.generated.Calls;
import billchain.generated.Types.BillKey;
import billchain.generated.Types.BillKind;
import billchain.generated.Types.BillSummary;
import billchain.generated.Types.PayerType;
import billchain.generated.Types.StatusChange;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;

/**
 * A bill's life by two participants: registered, locked, refused to a second insurer, reimbursed,
 * reversed in red, and proved to somebody who trusts no node.
 *
 * <p>The same story stands beside the other SDKs. It needs a network to play with
 * ({@code ./scripts/devnet up}), whose keys everybody knows:
 *
 * <pre>java Story --node http://127.0.0.1:9944 --node http://127.0.0.1:9945 \
 *     --genesis 0x… --number 0000900001 [--write DIR] [--read DIR]</pre>
 *
 * <p>It takes three numbers from {@code --number} on. {@code --write} leaves the certificate for others;
 * {@code --read} checks those that others left, and finds their bills at the nodes.
 */
public final class Story {
    private static final String CODE = "31060188";
    private static final String CHECK = "k7Qm2x";
    private static final long SCENE = 3; // 商业保险理赔
    private static final String ZERO = Bytes.hex(new byte[32]);
    private static final ObjectMapper JSON = new ObjectMapper();

    private Story() {}

    private static String digest(String text) {
        return Bytes.hex(Sm2.sm3(text.getBytes(StandardCharsets.UTF_8)));
    }

    /** What the chain keeps of an original. */
    private static BillSummary bill(String number, String original, BillKind kind, long total, BillKey related) {
        return new BillSummary(new BillKey(CODE, number), CHECK, kind, 20250318L, 94105L, total, "did:bill:hospital",
            "1231000042500099AW", PayerType.PERSON, digest("a payer's pseudonym"), SCENE, digest("MZ-" + number),
            digest(original), ZERO, ZERO, related);
    }

    private static String following(String number, int steps) {
        return String.format("%010d", Long.parseLong(number) + steps);
    }

    private static void expect(String what, Object found, Object expected) {
        if (!expected.equals(found)) {
            throw new IllegalStateException("FAILED: " + what + " is " + found + ", expected " + expected);
        }
        System.out.println(what + ": " + found);
    }

    private static Call lock(BillKey key, String claim) {
        var change = new StatusChange.Lock(SCENE, claim, null, null, System.currentTimeMillis());
        return Calls.BillUpdate.changeStatus(key, null, change);
    }

    private static Client.Certified play(List<String> nodes, String genesis, String first) {
        var hospital = Client.of(nodes, genesis).signer(Sm2Key.development("//hospital")).build();
        var insurerA = Client.of(nodes, genesis).signer(Sm2Key.development("//insurer-a")).build();
        var insurerB = Client.of(nodes, genesis).signer(Sm2Key.development("//insurer-b")).build();
        var key = new BillKey(CODE, first);
        var original = "<EInvoice>" + first + "</EInvoice>";

        // 1. The hospital registers a bill. Again, as after a lost answer: nothing happens twice.
        var register = Calls.BillRegister.register(bill(first, original, BillKind.BLUE, 11050, null));
        expect("registered again", hospital.execute(register).repeated(), false);
        expect("registered again", hospital.execute(register).repeated(), true);

        // 2. Insurer A locks it; insurer B is refused, with the reason.
        insurerA.execute(lock(key, "A-" + first));
        try {
            insurerB.execute(lock(key, "B-" + first));
            throw new IllegalStateException("FAILED: insurer B locked the bill, too");
        } catch (CallFailed refused) {
            expect("insurer B", List.of(refused.code(), refused.bill()),
                List.of("BillUpdate.LockedByOther", CODE + "-" + first));
        }

        // 3. Insurer A reimburses it.
        insurerA.execute(Calls.BillUpdate.changeStatus(key, null, new StatusChange.Reimburse(11050L)));
        expect("status", hospital.bill.get(CODE, first).status(), "reimbursed");

        // 4. The hospital reverses another one in red.
        var other = new BillKey(CODE, following(first, 1));
        hospital.execute(Calls.BillRegister.register(bill(other.number(), "<EInvoice>2</EInvoice>", BillKind.BLUE, 11050, null)));
        var red = bill(following(first, 2), "<EInvoice>red</EInvoice>", BillKind.RED, -11050, other);
        hospital.execute(Calls.BillUpdate.redReverse(other, null, red, null, "门诊退费"));
        expect("status", hospital.bill.get(CODE, other.number()).status(), "red_reversed");

        // 5. Anybody checks the original, and what the chain says, without trusting a node.
        var check = hospital.bill.verifyHash(CODE, first, CHECK, "xml", digest(original));
        expect("original", check.result(), "match");
        var certified = Client.of(nodes, genesis).build().certified(CODE, first);
        expect("proved", certified.proved().get("status").asText() + " " + certified.proved().get("total").asText(),
            "reimbursed 110.50");
        return certified;
    }

    public static void main(String[] arguments) throws Exception {
        var given = new HashMap<String, String>();
        var nodes = new ArrayList<String>();
        for (var i = 0; i + 1 < arguments.length; i += 2) {
            if (arguments[i].equals("--node")) {
                nodes.add(arguments[i + 1]);
            } else {
                given.put(arguments[i], arguments[i + 1]);
            }
        }
        var genesis = given.get("--genesis");
        var certified = play(nodes, genesis, given.getOrDefault("--number", "0000900001"));
        if (given.containsKey("--write")) {
            var directory = Path.of(given.get("--write"));
            Files.write(directory.resolve("java.cert"), certified.certificate());
            Files.writeString(directory.resolve("java.json"), certified.proved().toString());
        }
        if (given.containsKey("--read")) {
            var reader = Client.of(nodes, genesis).build();
            try (var files = Files.list(Path.of(given.get("--read")))) {
                for (var file : files.filter(one -> one.toString().endsWith(".cert")).sorted().toList()) {
                    var found = reader.verify(Files.readAllBytes(file));
                    var name = file.getFileName().toString().replace(".cert", "");
                    var shown = JSON.readTree(Files.readAllBytes(file.resolveSibling(name + ".json")));
                    // Both as text, for a number may have been read as one of another width.
                    expect("certificate of " + name, JSON.readTree(found.toString()), shown);
                    var bill = found.get("bill").asText().split("-");
                    expect("bill of " + name, reader.bill.get(bill[0], bill[1]).versionHash(),
                        found.get("version_hash").asText());
                }
            }
        }
        System.out.println("the story holds");
    }
}
