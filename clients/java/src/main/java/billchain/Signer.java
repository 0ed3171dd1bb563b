package billchain;

/** Signs for an account. A device (密码机, U-key) stands behind it as well as a file. */
public interface Signer {
    /** The compressed public key, 33 bytes. */
    byte[] publicKey();

    /** SM2 over the payload with signer id 1234567812345678: r and s, 64 bytes. */
    byte[] sign(byte[] payload);
}
