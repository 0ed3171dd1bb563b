//! The SM3 hash (GB/T 32905-2016) and HMAC-SM3 (RFC 2104).

use ::sm3::Digest;
use hmac::{Hmac, KeyInit, Mac};

/// An incremental SM3 hash.
///
/// ```
/// use billchain_crypto::sm3::{Sm3, sm3};
/// let mut hash = Sm3::new();
/// hash.update(b"a");
/// hash.update(b"bc");
/// assert_eq!(hash.finalize(), sm3(b"abc"));
/// ```
#[derive(Clone, Default)]
pub struct Sm3(::sm3::Sm3);

impl Sm3 {
    /// A hash of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in more bytes.
    pub fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    /// The hash of everything taken in.
    pub fn finalize(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

/// The SM3 hash of `data`.
pub fn sm3(data: &[u8]) -> [u8; 32] {
    ::sm3::Sm3::digest(data).into()
}

/// HMAC-SM3 of `data` under `key`; a key of any length is allowed.
pub fn hmac_sm3(key: &[u8], data: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<::sm3::Sm3>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(data);
    mac.finalize().into_bytes().into()
}
