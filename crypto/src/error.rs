//! What can be wrong with a key, a signature or a ciphertext.

/// A refused cryptographic input. Which bytes were refused is not repeated in
/// the message: they may be secret, and the caller knows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A secret key outside `[1, n-2]` (GB/T 32918.2, 6.1: `1 + d` must be invertible).
    #[error("SM2 secret key is out of range: expected an integer in [1, n-2]")]
    SecretKeyOutOfRange,
    /// A public key whose length and first byte are not a SEC1 point encoding.
    #[error(
        "SM2 public key has a bad encoding: expected 33 bytes starting with 02 or 03, \
         or 65 bytes starting with 04"
    )]
    PublicKeyEncoding,
    /// A public key whose coordinates are not those of a point of the curve.
    #[error("SM2 public key is not a point of the curve")]
    PublicKeyNotOnCurve,
    /// A signature whose `r` or `s` is outside `[1, n-1]` (GB/T 32918.2, 7.1: B1, B2).
    #[error("SM2 signature is out of range: expected r and s in [1, n-1]")]
    SignatureOutOfRange,
    /// A signature that is not a DER `SEQUENCE { INTEGER r, INTEGER s }`.
    #[error("SM2 signature is not DER: expected SEQUENCE {{ INTEGER r, INTEGER s }}")]
    SignatureEncoding,
    /// A well-formed signature that does not belong to this key, signer id and message.
    #[error("SM2 signature does not match the key, signer id and message")]
    SignatureMismatch,
    /// A signer id whose bit length does not fit the two bytes of `ENTL`.
    #[error("SM2 signer id is too long: {length} bytes, at most {max}", max = crate::sm2::MAX_ID_LEN)]
    SignerIdTooLong {
        /// Length of the refused id in bytes.
        length: usize,
    },
    /// A plaintext longer than GCM allows under one nonce.
    #[error("SM4-GCM plaintext is too long: {length} bytes")]
    PlaintextTooLong {
        /// Length of the refused plaintext in bytes.
        length: usize,
    },
    /// A ciphertext whose tag does not match: wrong key, nonce or associated
    /// data, or changed bytes.
    #[error("SM4-GCM authentication failed: wrong key, nonce or associated data, or changed bytes")]
    Unauthentic,
}
