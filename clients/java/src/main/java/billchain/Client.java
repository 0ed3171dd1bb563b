package billchain;

import billchain.BillChainException.CallFailed;
import billchain.BillChainException.CertificateRefused;
import billchain.BillChainException.NotFinal;
import billchain.BillChainException.RpcRefused;
import billchain.BillChainException.Unreachable;
import billchain.generated.Answers.TransactionView;
import billchain.generated.Methods;
import billchain.verifier.CertificateVerifier;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.math.BigInteger;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A participant's client of several nodes of one chain: calls signed, sent, retried and waited for;
 * bills read and proved. Threads may share it.
 */
public final class Client implements Asker {
    /** The pool has it, a block has it, or its nonce is another one's, in the pool or in a block. */
    private static final Set<Integer> TO_BE_SEEN = Set.of(2000, 2001, 2008, 2105);
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final long AGAIN = 2_000_000_000L;

    public final Methods.Bill bill = new Methods.Bill(this);
    public final Methods.Participant participant = new Methods.Participant(this);
    public final Methods.Node node = new Methods.Node(this);
    public final Methods.Authorization authorization = new Methods.Authorization(this);
    public final Methods.Allotment allotment = new Methods.Allotment(this);
    public final Methods.Scene scene = new Methods.Scene(this);
    public final Methods.Permission permission = new Methods.Permission(this);
    public final Methods.Policy policy = new Methods.Policy(this);
    public final Methods.Dispute dispute = new Methods.Dispute(this);
    public final Methods.Validator validator = new Methods.Validator(this);
    public final Methods.Consensus consensus = new Methods.Consensus(this);
    public final Methods.Upgrade upgrade = new Methods.Upgrade(this);
    public final Methods.Cooling cooling = new Methods.Cooling(this);
    public final Methods.Transaction transaction = new Methods.Transaction(this);
    public final Methods.Access access = new Methods.Access(this);
    public final Methods.Connector connector = new Methods.Connector(this);
    public final Methods.Outbox outbox = new Methods.Outbox(this);
    public final Methods.Subscription subscription = new Methods.Subscription(this);
    private final ObjectMapper json =
        new ObjectMapper().configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false);
    private final Codec codec = Codec.own();
    private final Object turn = new Object();
    private final String genesis;
    private final Nodes nodes;
    private final Signer signer;

    private Client(Builder from) {
        var digest = from.genesis == null ? null : Bytes.unhex(from.genesis);
        if (digest == null || digest.length != 32) {
            throw new BillChainException("genesis: expected 64 hexadecimal digits", "Form", "genesis", null, null);
        }
        genesis = Bytes.hex(digest);
        signer = from.signer;
        nodes = new Nodes(from.nodes, genesis, codec.rules(), from.timeout, from.headers, from.http);
    }

    /**
     * A client of these nodes.
     *
     * @param nodes JSON-RPC of one or more nodes, as {@code http://127.0.0.1:9944}
     * @param genesis hash of the chain's genesis block, from somewhere that one trusts
     */
    public static Builder of(List<String> nodes, String genesis) {
        return new Builder(nodes, genesis);
    }

    /** What a client is made of. */
    public static final class Builder {
        private final List<String> nodes;
        private final String genesis;
        private Signer signer;
        private Duration timeout = Duration.ofSeconds(10);
        private Map<String, String> headers = Map.of();
        private HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(5)).build();

        private Builder(List<String> nodes, String genesis) {
            this.nodes = nodes;
            this.genesis = genesis;
        }

        /** Who signs; without one the client reads only. */
        public Builder signer(Signer signer) {
            this.signer = signer;
            return this;
        }

        /** How long one answer of one node may take; 10 s if it is left out. */
        public Builder timeout(Duration timeout) {
            this.timeout = timeout;
            return this;
        }

        /** Headers of each request, for instance an API key. */
        public Builder headers(Map<String, String> headers) {
            this.headers = headers;
            return this;
        }

        /** How to connect, for instance with a certificate of the client's. */
        public Builder http(HttpClient http) {
            this.http = http;
            return this;
        }

        public Client build() {
            return new Client(this);
        }
    }

    @Override
    public <T> T ask(String method, List<?> params, TypeReference<T> type) {
        try {
            var result = nodes.ask(method, params, nodes.timeout, null).result();
            return json.readValue(json.treeAsTokens(result), json.constructType(type.getType()));
        } catch (RpcRefused refused) {
            throw refused.about(billOf(params));
        } catch (java.io.IOException other) {
            throw new BillChainException(method + " answered in another form: " + other.getMessage(), "Undecodable");
        }
    }

    private static String billOf(List<?> params) {
        return params.size() >= 2 && params.get(0) instanceof String code && code.matches("[0-9]{8}")
            && params.get(1) instanceof String number && number.matches("[0-9]{10}") ? code + "-" + number : null;
    }

    private Signer ownSigner() {
        if (signer == null) {
            throw new BillChainException("this client has no signer: it reads only", "NoSigner");
        }
        return signer;
    }

    /** The account that the signer acts for. */
    public String account() {
        return Bytes.hex(Sm2.sm3(ownSigner().publicKey()));
    }

    /** A transaction of this call and nonce. Nothing is sent. */
    public Prepared sign(Call call, long nonce) {
        var key = ownSigner().publicKey();
        var encoded = codec.call(call);
        var extension = Bytes.concat(new byte[1], Codec.compact(BigInteger.valueOf(nonce)));
        var block = Bytes.unhex(genesis);
        var payload = Bytes.concat(encoded, extension, Bytes.little(codec.rules().get("version").asLong(), 4),
            Bytes.little(codec.rules().get("transaction_version").asLong(), 4), block, block);
        var signature = ownSigner().sign(payload);
        if (!Sm2.verify(key, payload, signature)) {
            throw new BillChainException("the signer's signature is not its key's: expected r and s in 64 bytes, "
                + "signer id 1234567812345678", "BadSignature");
        }
        var body = Bytes.concat(new byte[] {(byte) 0x84, 0}, Sm2.sm3(key), new byte[] {0x10}, key, signature,
            extension, encoded);
        return new Prepared(Bytes.concat(Codec.compact(BigInteger.valueOf(body.length)), body), nonce, call.bill());
    }

    /** As {@link #execute(Call, Duration)}, with 30 s of patience. */
    public Outcome execute(Call call) {
        return execute(call, PATIENCE);
    }

    /**
     * Signs a call, sends it, and waits until it is final. A lost connection never makes two of it: the
     * same bytes are sent again, and another transaction is signed only when the first one can never be
     * executed any more.
     *
     * @throws CallFailed if the chain refuses it
     * @throws NotFinal if it is not final in time
     */
    public Outcome execute(Call call, Duration patience) {
        var deadline = System.nanoTime() + patience.toNanos();
        while (true) {
            Prepared prepared;
            synchronized (turn) {
                var nonce = ask("system_accountNextIndex", List.of(account()), new TypeReference<Long>() {});
                prepared = sign(call, nonce);
                submit(prepared, deadline);
            }
            var outcome = await(prepared, deadline);
            if (outcome != null) {
                return outcome;
            }
        }
    }

    /** Sends a signed transaction, at first or again, and waits until it is final. */
    public Outcome send(Prepared prepared, Duration patience) {
        var deadline = System.nanoTime() + patience.toNanos();
        submit(prepared, deadline);
        var outcome = await(prepared, deadline);
        if (outcome == null) {
            throw new BillChainException("transaction " + prepared.hash() + " can never be executed: another one has its "
                + "nonce " + prepared.nonce(), "Superseded", null, prepared.bill(), null);
        }
        return outcome;
    }

    private void submit(Prepared prepared, long deadline) {
        try {
            var left = Duration.ofNanos(Math.max(deadline - System.nanoTime(), 100_000_000));
            nodes.ask("author_submitExtrinsic", List.of(Bytes.hex(prepared.transaction())), left, null);
        } catch (RpcRefused refused) {
            // It is there; or its nonce is another one's, and what becomes of it has to be seen.
            if (!TO_BE_SEEN.contains(refused.pool())) {
                throw refused.about(prepared.bill());
            }
        } catch (Unreachable nobody) {
            throw notKnown(prepared, nobody);
        }
    }

    private static NotFinal notKnown(Prepared prepared, Unreachable nobody) {
        var shown = new NotFinal(prepared, "unknown, because no node answers");
        shown.initCause(nobody);
        return shown;
    }

    /** What became of it; null if it can never be executed any more. */
    private Outcome await(Prepared prepared, long deadline) {
        var asked = System.nanoTime();
        var state = "unknown";
        for (var pause = 50L;; pause = Math.min(pause * 3 / 2, 400)) {
            var left = deadline - System.nanoTime();
            if (left <= 0) {
                throw new NotFinal(prepared, state);
            }
            try {
                var answered = nodes.ask("transaction_status", List.of(prepared.hash()), Duration.ofNanos(left), null);
                state = answered.result().path("state").asText();
                if (state.equals("final")) {
                    return outcome(answered.result(), prepared);
                }
                if (state.equals("unknown") && isDead(prepared, answered.url())) {
                    return null;
                }
            } catch (Unreachable nobody) {
                throw notKnown(prepared, nobody);
            }
            if (state.equals("unknown") && System.nanoTime() - asked > AGAIN) {
                asked = System.nanoTime();
                submit(prepared, deadline);
            }
            Nodes.sleep(pause);
        }
    }

    private Outcome outcome(JsonNode result, Prepared prepared) {
        var view = json.convertValue(result, TransactionView.class);
        if (!Boolean.TRUE.equals(view.success())) {
            throw new CallFailed(view, prepared.bill());
        }
        return Outcome.of(view);
    }

    /** Whether a node's state has gone beyond the nonce without this transaction. */
    private boolean isDead(Prepared prepared, String url) {
        var encoded = nodes.ask("state_call", List.of("AccountNonceApi_account_nonce", account()), nodes.timeout, url);
        var next = Bytes.unhex(encoded.result().asText());
        if (next == null || Bytes.fromLittle(next).compareTo(BigInteger.valueOf(prepared.nonce())) <= 0) {
            return false;
        }
        var again = nodes.ask("transaction_status", List.of(prepared.hash()), nodes.timeout, url);
        return !again.result().path("state").asText().equals("final");
    }

    /**
     * A certificate and what it proves.
     *
     * @param proved the fields that docs/certificates.md lists
     */
    public record Certified(byte[] certificate, JsonNode proved) {}

    /**
     * The certificate of a bill, or that there is none, fetched and checked. No node is trusted.
     *
     * @throws CertificateRefused if it proves nothing, or another thing
     */
    public Certified certified(String code, String number) {
        var certificate = Bytes.unhex(bill.certificate(code, number).certificate());
        var proved = verify(certificate == null ? new byte[0] : certificate);
        if (!proved.path("bill").asText().equals(code + "-" + number)) {
            throw (CertificateRefused) new CertificateRefused("the certificate is of another thing, expected "
                + code + "-" + number).about(code + "-" + number);
        }
        return new Certified(certificate, proved);
    }

    /** What a certificate proves to whoever trusts this client's genesis. */
    public JsonNode verify(byte[] certificate) {
        return CertificateVerifier.verify(certificate, Bytes.unhex(genesis), null);
    }
}
