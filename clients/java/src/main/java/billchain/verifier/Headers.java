package billchain.verifier;

import static billchain.verifier.Reader.require;

import billchain.Bytes;
import billchain.Sm2;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Headers and who decided them: from the block that one trusts to the head. */
final class Headers {
    /** A validator of the next blocks. */
    private record Validator(byte[] key, long power) {}

    /** Who decides from the next block on, and the change before. */
    private record Change(long before, List<Validator> validators) {}

    /** What is needed of a block's header. */
    record Header(long number, byte[] stateRoot, byte[] transactionsRoot, Change change, byte[] hash) {}

    private record Decided(Header header, byte[] turn, List<Integer> places, List<byte[]> signatures) {}

    private final byte[] trusted;
    private final List<Header> changes = new ArrayList<>();
    private final Reader reader;
    final byte[] genesis;
    final Header head;
    private Header checkpoint;

    /** Reads genesis, changes and head; one of the hashes may be null. */
    Headers(Reader reader, byte[] genesis, byte[] checkpoint) {
        this.reader = reader;
        var first = header(reader.bytes());
        require(genesis == null || Arrays.equals(genesis, first.hash), "the certificate is of another chain");
        require(first.number == 0, "the genesis is not block 0");
        require(first.change != null, "the genesis names no validators");
        this.genesis = first.hash;
        this.trusted = checkpoint == null ? first.hash : checkpoint;
        var start = first;
        if (reader.flag()) {
            start = header(reader.bytes());
            require(start.number > 0 && start.change != null,
                "the block at which the certificate starts is no change of validators");
        }
        add(start);
        for (var left = reader.big(2); left > 0; left--) {
            var next = next();
            require(next.change != null, "block " + next.number + " names no validators");
            add(next);
        }
        require(this.checkpoint != null, start.number > 0
            ? "the certificate starts at block " + start.number + " and is checked with the checkpoint "
                + Bytes.hex(start.hash) + ", or a later one in it"
            : "the checkpoint is neither the certificate's genesis nor a change of the validators before its block");
        head = next();
    }

    private void add(Header header) {
        changes.add(header);
        if (Arrays.equals(header.hash, trusted)) {
            checkpoint = header;
        }
    }

    /** The block whose hash is trusted. */
    Header checkpoint() {
        return checkpoint;
    }

    /** The block at which the certificate starts. */
    Header start() {
        return changes.get(0);
    }

    private static Change change(byte[] data) {
        var reader = new Reader(data, "a set of validators");
        var before = reader.little(4);
        var count = reader.compact();
        require(count >= 1 && count <= 64, "a set of validators has 1 to 64 of them");
        var validators = new ArrayList<Validator>();
        for (var i = 0; i < count; i++) {
            var key = reader.take(33);
            var power = Bytes.fromLittle(reader.take(8));
            require(power.signum() > 0, "a validator has no voting power");
            require(power.bitLength() < 56, "a validator's voting power is out of range");
            require(validators.stream().noneMatch(other -> Arrays.equals(other.key, key)), "a validator stands there twice");
            validators.add(new Validator(key, power.longValue()));
        }
        reader.end();
        return new Change(before, validators);
    }

    private static Header header(byte[] data) {
        var reader = new Reader(data, "a header");
        reader.hash();
        var number = reader.compact();
        var stateRoot = reader.hash();
        var transactionsRoot = reader.hash();
        var count = reader.compact();
        require(count <= 16, "a header has more than 16 items");
        Change change = null;
        for (var i = 0; i < count; i++) {
            var kind = (int) reader.big(1);
            require(kind == 0 || kind == 4 || kind == 5 || kind == 6, "a header has an item of unknown kind " + kind);
            if (kind == 0) {
                reader.text(8192);
                continue;
            }
            var name = new String(reader.take(4), StandardCharsets.ISO_8859_1);
            var text = reader.text(8192);
            if (kind == 4 && name.equals("BCVS")) {
                require(change == null, "a header names validators twice");
                change = change(text);
            }
        }
        reader.end();
        return new Header(number, stateRoot, transactionsRoot, change, Sm2.sm3(data));
    }

    private Decided decided() {
        var header = header(reader.bytes());
        var turn = reader.take(4);
        var count = reader.big(1);
        require(count <= 64, "a decided header has more than 64 signatures");
        var places = new ArrayList<Integer>();
        var signatures = new ArrayList<byte[]>();
        for (var i = 0; i < count; i++) {
            places.add((int) reader.big(1));
            signatures.add(reader.take(64));
            require(i == 0 || places.get(i - 1) < places.get(i), "signatures do not ascend");
        }
        return new Decided(header, turn, places, signatures);
    }

    /** Refuses a header that these did not decide. Before the trusted one nothing is checked. */
    private void check(Decided decided, List<Validator> validators) {
        var header = decided.header;
        if (checkpoint == null || header.number <= checkpoint.number) {
            return;
        }
        var at = "block " + header.number;
        require(decided.places.stream().allMatch(place -> place < validators.size()), at + ": a signature of no validator");
        var signed = decided.places.stream().mapToLong(place -> validators.get(place).power).sum();
        var whole = validators.stream().mapToLong(Validator::power).sum();
        require(3 * signed > 2 * whole, at + ": not more than two thirds of the voting power signed");
        var turn = new byte[] {decided.turn[3], decided.turn[2], decided.turn[1], decided.turn[0]};
        var vote = Bytes.concat("billchain/consensus/1".getBytes(StandardCharsets.US_ASCII), genesis, new byte[] {2},
            Bytes.little(header.number, 8), new byte[] {1}, turn, new byte[] {1}, header.hash);
        for (var i = 0; i < decided.places.size(); i++) {
            var key = validators.get(decided.places.get(i)).key;
            require(Sm2.verify(key, Bytes.concat(vote, Sm2.sm3(key)), decided.signatures.get(i)),
                at + ": the signature of validator " + decided.places.get(i) + " is wrong");
        }
    }

    /** A header that the last change's validators decided, after that change. */
    private Header next() {
        var decided = decided();
        var last = changes.get(changes.size() - 1);
        require(decided.header.number > last.number, "blocks do not ascend");
        require(decided.header.change == null || decided.header.change.before == last.number,
            "block " + decided.header.number + ": a change of validators is left out");
        check(decided, last.change.validators);
        return decided.header;
    }

    /** A decided header before the head, checked with the validators of its block. */
    Header earlier() {
        var decided = decided();
        var header = decided.header;
        require(start().number < header.number && header.number < head.number,
            "the version's block is not between the certificate's start and its head");
        Header last = null;
        Header known = null;
        for (var change : changes) {
            last = change.number < header.number ? change : last;
            known = change.number == header.number ? change : known;
        }
        check(decided, last.change.validators);
        require(header.change == null ? known == null : known != null && Arrays.equals(known.hash, header.hash),
            "the version's block is not in line with the changes of validators");
        return header;
    }
}
