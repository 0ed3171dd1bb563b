package billchain.verifier;

import static billchain.verifier.Reader.require;

import billchain.BillChainException.CertificateRefused;
import billchain.Bytes;
import billchain.Sm2;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;

/**
 * Certificates of bills (链上凭证) checked without a node: an implementation of docs/certificates.md of
 * its own. The answer has the fields that {@code billchain verify --json} gives.
 */
public final class CertificateVerifier {
    private final Reader reader;
    private final Headers chain;
    private final State state;
    private final ObjectNode shown = Bills.object();

    private CertificateVerifier(Reader reader, byte[] genesis, byte[] checkpoint) {
        this.reader = reader;
        chain = new Headers(reader, genesis, checkpoint);
        state = new State(reader, chain.head.stateRoot());
        shown.put("proved", true).put("block", chain.head.number()).put("block_hash", Bytes.hex(chain.head.hash()));
        shown.put("genesis", Bytes.hex(chain.genesis)).put("from_block", chain.checkpoint().number());
    }

    /**
     * What a certificate proves to whoever trusts the genesis with this hash, or the checkpoint (检查点)
     * with this one, or both; one may be null.
     *
     * @throws CertificateRefused if it proves nothing
     */
    public static JsonNode verify(byte[] certificate, byte[] genesis, byte[] checkpoint) {
        require(genesis != null || checkpoint != null, "a genesis or a checkpoint has to be trusted");
        require(genesis == null || genesis.length == 32, "a hash has 32 bytes");
        require(checkpoint == null || checkpoint.length == 32, "a hash has 32 bytes");
        require(certificate.length <= Reader.MAX_CERTIFICATE, "the certificate is too large");
        var reader = new Reader(certificate, "the certificate");
        require(Arrays.equals(reader.take(4), new byte[] {'B', 'C', 'P', 'F'}), "this is no certificate");
        require(reader.big(1) == 2, "the certificate has an unknown format");
        var kind = (int) reader.big(1);
        require(kind >= 1 && kind <= 5, "the certificate has an unknown kind");
        var found = new CertificateVerifier(reader, genesis, checkpoint);
        found.body(kind);
        reader.end();
        return found.shown;
    }

    private void body(int kind) {
        switch (kind) {
            case 1 -> present();
            case 2 -> absent();
            case 3 -> Totals.numbers(reader, state, shown);
            case 4 -> Totals.month(reader, state, shown);
            default -> version();
        }
    }

    /** A bill that the head's state holds. */
    private Bills.Bill current(byte[] raw) {
        require(raw.length >= 18, "the bill is cut short");
        var bill = Bills.read(raw);
        var group = state.place(reader, Bytes.concat(Bills.PREFIX, Arrays.copyOf(raw, 17)));
        var digest = group.get(raw[17] & 0xFF);
        require(digest != null && Arrays.equals(digest, Sm2.sm3(raw)), "the bill is not in its group");
        return bill;
    }

    private void show(Bills.Bill bill, ObjectNode transaction) {
        shown.put("exists", true);
        shown.setAll(bill.shown());
        shown.set("transaction", transaction);
    }

    /** Body 1: the bill is there. */
    private void present() {
        var raw = reader.bytes();
        var bill = current(raw);
        var before = reader.hash();
        var data = reader.bytes();
        var version = Bills.head(data);
        require(Arrays.equals(version.name(), Arrays.copyOf(raw, 18)), "the version is of another bill");
        require(version.version() == bill.version(), "the version is another one");
        require(Bytes.hex(Sm2.sm3(before, data)).equals(bill.shown().get("version_hash").asText()),
            "the version's hash is another one");
        var where = reader.choice("none", "head", "earlier", "hidden");
        require(!where.equals("hidden") || version.block() <= chain.start().number(), "the version's transaction is left out");
        show(bill, transaction(where, version));
    }

    /** Body 2: there is no such bill. */
    private void absent() {
        var name = reader.digits(18);
        var key = name.getBytes(java.nio.charset.StandardCharsets.US_ASCII);
        var group = state.place(reader, Bytes.concat(Bills.PREFIX, Arrays.copyOf(key, 17)));
        require(!group.containsKey((int) key[17]), "the bill is in its group");
        shown.put("exists", false).put("bill", name.substring(0, 8) + "-" + name.substring(8));
    }

    /** Body 5: an earlier version. */
    private void version() {
        var raw = reader.bytes();
        var present = current(raw);
        var name = Arrays.copyOf(raw, 18);
        var before = reader.hash();
        var data = reader.bytes();
        var head = Bills.head(data);
        var hash = Sm2.sm3(before, data);
        require(Arrays.equals(head.name(), name), "the version is of another bill");
        var last = head.version();
        var lastHash = hash;
        for (var left = reader.big(2); left > 0; left--) {
            var more = reader.bytes();
            var later = Bills.head(more);
            require(Arrays.equals(later.name(), name), "a version is of another bill");
            require(later.version() == last + 1, "a version is left out");
            last = later.version();
            lastHash = Sm2.sm3(lastHash, more);
        }
        require(last == present.version(), "the last version is not the present one");
        require(Bytes.hex(lastHash).equals(present.shown().get("version_hash").asText()),
            "the versions do not lead to the present bill");
        var bill = Bills.content(reader.bytes(), head, hash);
        var where = reader.choice("none", "head", "earlier", "hidden");
        show(bill, transaction(where, head));
        shown.put("present_version", present.version()).put("present_status", present.status());
    }

    /** The transaction of a version, or null, also if nobody who is trusted decided its block. */
    private ObjectNode transaction(String where, Bills.Head version) {
        require(where.equals("none") == (version.place() == null), "the version's transaction is at another place");
        if (where.equals("none") || where.equals("hidden")) {
            require(version.block() <= chain.head.number(), "the version is of a later block");
            return null;
        }
        var header = where.equals("head") ? chain.head : chain.earlier();
        require(version.block() == header.number(), "the version is of another block");
        var digest = Path.read(reader, header.transactionsRoot(), version.place());
        if (header.number() < chain.checkpoint().number()) {
            return null;
        }
        return Bills.object().put("block", version.block()).put("index", version.place()).put("hash", Bytes.hex(digest));
    }
}
