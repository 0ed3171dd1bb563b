package billchain;

/**
 * A signed transaction. Keep it, and send it again after whatever happened: it is executed once at
 * most.
 *
 * @param bill the bill, as code-number, that it is about; null if it is about none
 */
public record Prepared(byte[] transaction, long nonce, String bill) {
    /** The transaction's hash. */
    public String hash() {
        return Bytes.hex(Sm2.sm3(transaction));
    }
}
