//! SM2 digital signatures (GB/T 32918.2-2016) over the recommended 256-bit
//! curve (GB/T 32918.5-2017), with SM3, used as GM/T 0009-2023 says.
//!
//! What is signed is `e = SM3(Z_A ‖ message)`, where `Z_A` binds the signer's
//! id, the curve and the public key. **The id is always an argument**: two
//! sides that assume different ids reject each other's signatures without a
//! word why, so nothing here assumes one. The chain uses [`DEFAULT_ID`].
//!
//! Public keys travel in the 33-byte compressed form, signatures as the 64
//! bytes `r ‖ s`; DER is for exchange with other software.
//!
//! Keys that sign often verify faster: see [`KeyCache`].
//!
//! ```
//! use billchain_crypto::sm2::{DEFAULT_ID, SecretKey};
//! let secret = SecretKey::generate();
//! let signature = secret.sign(DEFAULT_ID, b"a bill");
//! assert!(secret.public().verify(DEFAULT_ID, b"a bill", &signature));
//! assert!(!secret.public().verify(DEFAULT_ID, b"another bill", &signature));
//! ```

mod cache;
mod curve;
mod digest;
mod public;
mod secret;
mod signature;
mod verifier;

pub use cache::{DEFAULT_TABLES, KeyCache, KeyCacheStats, PROMOTE_AFTER};
pub use public::PublicKey;
pub use secret::SecretKey;
pub use signature::Signature;

use crate::Error;

/// The signer id of the chain, and the default of GM/T 0009-2023.
pub const DEFAULT_ID: &[u8] = b"1234567812345678";

/// The longest signer id in bytes: its length in bits must fit two bytes
/// (`ENTL`, GB/T 32918.2, 5.5).
pub const MAX_ID_LEN: usize = (u16::MAX / 8) as usize;

/// Verifies a signature given as plain bytes: the compressed key, the signer
/// id, the message and `r ‖ s`.
///
/// Any bytes may be passed, none makes it panic.
///
/// # Errors
/// Says which input was malformed, or [`Error::SignatureMismatch`] when all
/// are well-formed and the signature is not one of that message by that key.
pub fn verify(
    public_key: &[u8; 33],
    id: &[u8],
    message: &[u8],
    signature: &[u8; 64],
) -> Result<(), Error> {
    KeyCache::global().verify(public_key, id, message, signature)
}
