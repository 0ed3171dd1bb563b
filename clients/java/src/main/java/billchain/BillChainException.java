package billchain;

import billchain.generated.Answers.TransactionView;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Something went wrong. {@link #code()} is stable, words are not; {@link #field()} is the place of
 * what is wrong, and {@link #bill()} the bill (code-number) that it is about; null where they are not
 * known.
 */
public class BillChainException extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final String code;
    private final String field;
    private final String zh;
    private String bill;

    public BillChainException(String message, String code, String field, String bill, String zh) {
        super(message);
        this.code = code;
        this.field = field;
        this.bill = bill;
        this.zh = zh;
    }

    public BillChainException(String message, String code) {
        this(message, code, null, null, null);
    }

    /** What went wrong. */
    public String code() {
        return code;
    }

    /** Where. */
    public String field() {
        return field;
    }

    /** Of which bill. */
    public String bill() {
        return bill;
    }

    /** The Chinese text, where the node gives one. */
    public String zh() {
        return zh;
    }

    BillChainException about(String bill) {
        this.bill = this.bill == null ? bill : this.bill;
        return this;
    }

    /** A file holds no SM2 key that can be used. */
    public static final class KeyFile extends BillChainException {
        private static final long serialVersionUID = 1L;

        public KeyFile(String reason, String code) {
            super("key file: " + reason, code);
        }
    }

    /** A value that a call does not take; {@link #field()} is its place. */
    public static final class BadForm extends BillChainException {
        private static final long serialVersionUID = 1L;

        public BadForm(String place, String expected, Object found) {
            super(place + ": expected " + expected + ", found " + shown(found), "Form", place, null, null);
        }

        private static String shown(Object found) {
            var text = found instanceof String ? "\"" + found + "\"" : String.valueOf(found);
            return text.length() > 120 ? text.substring(0, 117) + "..." : text;
        }
    }

    /** No node gave an answer in time; {@link #causes()} says of each node why. */
    public static final class Unreachable extends BillChainException {
        private static final long serialVersionUID = 1L;
        private final transient Map<String, Exception> causes;

        public Unreachable(String method, Map<String, Exception> causes) {
            super(method + ": no node answers: " + causes, "Unreachable");
            this.causes = causes;
        }

        public Map<String, Exception> causes() {
            return causes;
        }
    }

    /** A node follows another chain, or other rules, than this client was made for. */
    public static final class WrongChain extends BillChainException {
        private static final long serialVersionUID = 1L;

        public WrongChain(String message) {
            super(message, "WrongChain");
        }
    }

    /** A node refused a request. {@link #code()} is JSON-RPC's. */
    public static final class RpcRefused extends BillChainException {
        private static final long serialVersionUID = 1L;
        private static final Pattern PLACE = Pattern.compile("^([A-Za-z_][\\w.]*): expected ");
        private final int number;
        private final int pool;
        private final boolean temporary;
        private final String words;

        public RpcRefused(String method, JsonNode error) {
            super(method + ": " + error.path("message").asText() + " (code " + error.path("code").asInt() + ")",
                error.path("code").asText(), place(error), null, error.path("data").path("zh").asText(null));
            number = error.path("code").asInt();
            words = error.path("message").asText();
            pool = error.path("data").path("code").asInt();
            temporary = error.path("data").path("temporary").asBoolean();
        }

        private static String place(JsonNode error) {
            var found = PLACE.matcher(error.path("message").asText());
            return error.path("code").asInt() == -32602 && found.find() ? found.group(1) : null;
        }

        /** The code as a number. */
        public int number() {
            return number;
        }

        /** The transaction pool's own code; 0 if it is not the pool that refuses. */
        public int pool() {
            return pool;
        }

        /** Whether the same request may succeed later. */
        public boolean temporary() {
            return temporary;
        }

        /** The node's words. */
        public String words() {
            return words;
        }
    }

    /**
     * A transaction is not final in time. It may still become so: send the same {@link #prepared()}
     * again, at any node and any time.
     */
    public static final class NotFinal extends BillChainException {
        private static final long serialVersionUID = 1L;
        private final transient Prepared prepared;

        public NotFinal(Prepared prepared, String state) {
            super("transaction " + prepared.hash() + " is not final in time: it is " + state, "NotFinal",
                null, prepared.bill(), null);
            this.prepared = prepared;
        }

        public Prepared prepared() {
            return prepared;
        }
    }

    /**
     * A transaction is final and its call failed: nothing was changed. {@link #code()} is the
     * contract's name and the error's, as {@code BillUpdate.LockedByOther}.
     */
    public static final class CallFailed extends BillChainException {
        private static final long serialVersionUID = 1L;
        private static final Pattern FIELD = Pattern.compile("(?:SummaryField|field): (\\w+)");
        private final transient TransactionView outcome;

        public CallFailed(TransactionView outcome, String bill) {
            super(words(outcome), codeOf(outcome), fieldOf(outcome), bill, outcome.error().zh());
            this.outcome = outcome;
        }

        /** What became of the transaction. */
        public TransactionView outcome() {
            return outcome;
        }

        /** What the error names; null if it names nothing. */
        public String details() {
            return outcome.error().details();
        }

        private static String codeOf(TransactionView outcome) {
            return outcome.error().pallet() + "." + outcome.error().name();
        }

        private static String words(TransactionView outcome) {
            var details = outcome.error().details();
            return codeOf(outcome) + (details == null ? "" : " (" + details + ")") + ": " + outcome.error().docs();
        }

        private static String fieldOf(TransactionView outcome) {
            var details = outcome.error().details();
            var found = FIELD.matcher(details == null ? "" : details);
            return found.find() ? found.group(1) : null;
        }
    }

    /** A certificate proves nothing, or another thing than was asked for. */
    public static final class CertificateRefused extends BillChainException {
        private static final long serialVersionUID = 1L;

        public CertificateRefused(String message) {
            super(message, "CertificateRefused");
        }
    }
}
