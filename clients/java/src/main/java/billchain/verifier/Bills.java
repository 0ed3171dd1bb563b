package billchain.verifier;

import static billchain.verifier.Reader.require;

import billchain.Bytes;
import billchain.Sm2;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Bills and their versions, as docs/certificates.md describes them, shown as the other verifiers do. */
final class Bills {
    static final byte[] PREFIX = Bytes.unhex("ddb7897921bdbb763063486812cab6446c7ac72eab834650c453b02faab9a4c6");
    static final String[] KINDS = {"blue", "red", "payment_notice"};
    static final String[] STATUSES = {"pre_issued", "normal", "locked", "partly_reimbursed", "reimbursed",
        "red_reversed", "voided"};
    private static final String[] OPERATIONS = {"register", "pre_issue", "confirm", "void", "lock", "unlock",
        "expire_lock", "admin_lock", "admin_unlock", "reimburse", "reverse_use", "red_reverse", "adjust"};

    private Bills() {}

    /** A bill, and what of it is not shown. */
    record Bill(ObjectNode shown, String code, String number, BigInteger total) {
        String status() {
            return shown.get("status").asText();
        }

        String kind() {
            return shown.get("kind").asText();
        }

        long version() {
            return shown.get("version").asLong();
        }
    }

    /** What the hash of a version covers; {@code place} is null without a transaction. */
    record Head(byte[] name, long version, long block, Long place, long time, byte[] content) {}

    static ObjectNode object() {
        return JsonNodeFactory.instance.objectNode();
    }

    private static String hex(byte[] hash) {
        return hash == null ? null : Bytes.hex(hash);
    }

    /** Fen as yuan with two decimals. */
    static String yuan(BigInteger fen) {
        var parts = fen.abs().divideAndRemainder(BigInteger.valueOf(100));
        return (fen.signum() < 0 ? "-" : "") + parts[0] + "." + String.format("%02d", parts[1].intValue());
    }

    static Bill read(byte[] data) {
        var reader = new Reader(data, "the bill");
        var bill = summary(reader);
        bill.shown().put("status", reader.choice(STATUSES));
        bill.shown().put("version", reader.little(4)).put("version_hash", hex(reader.hash()));
        bill.shown().set("lock", reader.optional(() -> lock(reader)));
        reimbursements(reader, bill.shown());
        bill.shown().put("updated", reader.little(8));
        reader.take(1);
        reader.compact();
        reader.compact();
        reader.take(1);
        reader.end();
        return bill;
    }

    /** The rows of a bill up to the code and number of its blue bill. */
    private static Bill summary(Reader reader) {
        var shown = object();
        var code = reader.ascii(8);
        var number = reader.ascii(10);
        shown.put("bill", code + "-" + number).put("check_code", reader.ascii(6)).put("kind", reader.choice(KINDS));
        shown.put("issue_date", reader.little(4)).put("issue_time", reader.little(4));
        var total = reader.signed(8);
        shown.put("total", yuan(total)).put("issuer", reader.string(64)).put("issuer_uscc", reader.ascii(18));
        reader.choice("person", "organisation");
        shown.put("payer_ref", hex(reader.hash())).put("scene", reader.little(2));
        reader.hash();
        shown.put("xml_hash", hex(reader.hash())).put("pdf_hash", hex(reader.hash()));
        reader.hash();
        var related = reader.optional(() -> reader.ascii(18));
        shown.put("related", related == null ? null : related.substring(0, 8) + "-" + related.substring(8));
        return new Bill(shown, code, number, total);
    }

    private static ObjectNode lock(Reader reader) {
        var lock = object().put("holder", reader.string(64));
        var purpose = lock.putObject("purpose");
        if (reader.choice("claim", "evidence").equals("claim")) {
            purpose.put("scene", reader.little(2)).put("claim_no", reader.string(64));
            reader.optional(reader::hash);
        } else {
            purpose.put("evidence", hex(reader.hash()));
        }
        reader.take(8);
        reader.optional(() -> reader.little(4));
        reader.take(8);
        lock.put("expires", reader.optional(() -> reader.little(8)));
        reader.choice(STATUSES);
        return lock;
    }

    private static void reimbursements(Reader reader, ObjectNode shown) {
        var rows = shown.putArray("reimbursements");
        var count = reader.compact();
        require(count <= 8, "a bill has more than 8 reimbursements");
        for (var i = 0; i < count; i++) {
            rows.addObject().put("payer", reader.string(64)).put("scene", reader.little(2))
                .put("fen", reader.signed(8).longValue());
            reader.choice(STATUSES);
        }
    }

    static Head head(byte[] data) {
        var reader = new Reader(data, "the head of the version");
        var name = reader.take(18);
        var version = reader.little(4);
        var block = reader.little(4);
        var place = reader.optional(() -> reader.little(4));
        var found = new Head(name, version, block, place, reader.little(8), reader.hash());
        reader.optional(reader::hash);
        reader.end();
        return found;
    }

    /** What a version says: the bill as it was, with {@code made}, what made it so. */
    static Bill content(byte[] data, Head head, byte[] versionHash) {
        require(Arrays.equals(Sm2.sm3(new byte[] {5}, Sm2.sm3(new byte[] {4}, data)), head.content()),
            "this is not what the version says");
        var reader = new Reader(data, "what the version says");
        var version = reader.little(4);
        var made = object();
        made.put("cause", reader.flag() ? "summary" : reader.choice(OPERATIONS)).put("operator", reader.string(64));
        made.put("reason", reader.optional(() -> reader.string(256)));
        made.put("evidence", hex(reader.optional(reader::hash)));
        made.put("proposer", reader.optional(() -> reader.string(64)));
        var block = reader.little(4);
        var index = reader.optional(() -> reader.little(4));
        made.put("block", block).put("index", index);
        var time = reader.little(8);
        var bill = summary(reader);
        bill.shown().put("status", reader.choice(STATUSES));
        bill.shown().set("lock", reader.optional(() -> lock(reader)));
        reimbursements(reader, bill.shown());
        reader.end();
        var name = (bill.code() + bill.number()).getBytes(StandardCharsets.US_ASCII);
        require(Arrays.equals(name, head.name()) && version == head.version() && time == head.time()
            && block == head.block() && java.util.Objects.equals(index, head.place()),
            "the version says another thing than its head");
        bill.shown().put("version", version).put("version_hash", hex(versionHash)).put("updated", time);
        bill.shown().set("made", made);
        return bill;
    }
}
