//! SM4 (GB/T 32907-2016) in Galois/Counter Mode, as RFC 8998 uses it.
//!
//! A nonce must never be used twice with one key: doing so reveals the
//! authentication key. The caller chooses nonces; see [`crate::keyfile`] and
//! [`crate::container`] for the places that seal, each with a fresh key for each file.

use crate::Error;
use ::sm4::Sm4;
use aes_gcm::{
    AesGcm, KeyInit,
    aead::{Aead, Payload, consts::U12},
};

/// Length in bytes of the authentication tag at the end of a ciphertext.
pub const TAG_LEN: usize = 16;

/// GCM is defined over any 128-bit block cipher; the crate's type is named
/// after its usual one.
type Sm4Gcm = AesGcm<Sm4, U12>;

/// Encrypts and authenticates `plaintext`, and authenticates `aad` with it.
/// Returns ciphertext ‖ 16-byte tag.
///
/// # Errors
/// [`Error::PlaintextTooLong`] above GCM's limit of 2³⁶ − 32 bytes.
pub fn seal(
    key: &[u8; 16],
    nonce: &[u8; 12],
    aad: &[u8],
    plaintext: &[u8],
) -> Result<Vec<u8>, Error> {
    Sm4Gcm::new(key.into())
        .encrypt(nonce.into(), Payload { msg: plaintext, aad })
        .map_err(|_| Error::PlaintextTooLong { length: plaintext.len() })
}

/// Checks and decrypts what [`seal`] made.
///
/// # Errors
/// [`Error::Unauthentic`] when anything at all differs from what was sealed.
pub fn open(
    key: &[u8; 16],
    nonce: &[u8; 12],
    aad: &[u8],
    ciphertext: &[u8],
) -> Result<Vec<u8>, Error> {
    Sm4Gcm::new(key.into())
        .decrypt(nonce.into(), Payload { msg: ciphertext, aad })
        .map_err(|_| Error::Unauthentic)
}
