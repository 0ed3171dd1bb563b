//! Who asks: a code by HMAC-SM3 over each question, with a key that only requester and
//! operator have. The key itself never travels, so that a line that others read gives
//! nobody the right to ask.
//!
//! Three headers: the requester's id, the time in milliseconds since 1970, and the code in
//! hex of `BillChain-Refs-1 LF path LF id LF time LF SM3(body)`. A code is good for a minute
//! around its time, and once.

use billchain_crypto::sm3::{hmac_sm3, sm3};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Header with the requester's id.
pub const REQUESTER: &str = "billchain-requester";
/// Header with the time of the question.
pub const TIME: &str = "billchain-time";
/// Header with the code.
pub const CODE: &str = "billchain-code";
/// How far the time of a question may be from the operator's, in milliseconds.
pub const WINDOW_MS: u64 = 60_000;
/// Longest id of a requester.
pub const MAX_ID: usize = 64;

/// A requester's key.
pub type Key = Zeroizing<[u8; 32]>;

/// What a code is over.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// Path of the request.
    pub path: &'a str,
    /// The requester's id.
    pub requester: &'a str,
    /// Milliseconds since 1970.
    pub time_ms: u64,
    /// The body.
    pub body: &'a [u8],
}

impl Signed<'_> {
    /// The code.
    pub fn code(&self, key: &Key) -> [u8; 32] {
        let Self { path, requester, time_ms, body } = self;
        let text =
            format!("BillChain-Refs-1\n{path}\n{requester}\n{time_ms}\n{}", hex::encode(sm3(body)));
        hmac_sm3(&key[..], text.as_bytes())
    }

    /// Whether `code`, in hex, is the one of this key.
    pub fn is_signed_by(&self, key: &Key, code: &str) -> bool {
        let mut given = [0; 32];
        hex::decode_to_slice(code, &mut given).is_ok()
            && self.code(key)[..].ct_eq(&given[..]).into()
    }
}

/// Whether an id may be a requester's: 1 to [`MAX_ID`] letters, digits, `-`, `_`, `.`, `:`.
pub fn is_id(id: &str) -> bool {
    let right = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':');
    (1..=MAX_ID).contains(&id.len()) && id.bytes().all(right)
}

/// Reads a key: 64 digits of hex.
pub fn key(text: &str) -> Option<Key> {
    let mut key = Key::default();
    hex::decode_to_slice(text.trim(), &mut key[..]).ok().map(|()| key)
}
