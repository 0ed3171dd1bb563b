//! SM2 as Malachite sees it.

use billchain_crypto::sm2::{PublicKey, SecretKey, Signature};
use malachitebft_app_channel::app::types::core::SigningScheme;
use thiserror::Error;

/// Why bytes are not an SM2 key or signature.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Sm2DecodingError {
    /// Wrong number of bytes.
    #[error("{what} has {found} bytes, expected {expected}")]
    Length {
        /// "signature" or "public key".
        what: &'static str,
        /// Bytes given.
        found: usize,
        /// Bytes expected.
        expected: usize,
    },
    /// Right length, but no such point or number.
    #[error("not a valid SM2 {what}")]
    Invalid {
        /// "signature" or "public key".
        what: &'static str,
    },
}

/// SM2 (GB/T 32918) as Malachite's signing scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sm2Scheme;

fn fixed<const N: usize>(bytes: &[u8], what: &'static str) -> Result<[u8; N], Sm2DecodingError> {
    bytes.try_into().map_err(|_| Sm2DecodingError::Length { what, found: bytes.len(), expected: N })
}

impl SigningScheme for Sm2Scheme {
    type DecodingError = Sm2DecodingError;
    type Signature = Signature;
    type PublicKey = PublicKey;
    type PrivateKey = SecretKey;

    fn decode_signature(bytes: &[u8]) -> Result<Signature, Sm2DecodingError> {
        let what = "signature";
        Signature::from_bytes(&fixed(bytes, what)?).map_err(|_| Sm2DecodingError::Invalid { what })
    }

    fn encode_signature(signature: &Signature) -> Vec<u8> {
        signature.to_bytes().to_vec()
    }

    fn decode_public_key(bytes: &[u8]) -> Result<PublicKey, Sm2DecodingError> {
        let what = "public key";
        PublicKey::from_compressed(&fixed(bytes, what)?)
            .map_err(|_| Sm2DecodingError::Invalid { what })
    }

    fn encode_public_key(key: &PublicKey) -> Vec<u8> {
        key.to_compressed().to_vec()
    }
}
