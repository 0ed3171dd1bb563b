//! The SM3 hash (GB/T 32905-2016), of one input or of many at once, and
//! HMAC-SM3 (RFC 2104).
//!
//! Hashing public data is our own: it is in every block, transaction and
//! Merkle node. One input is bound by the chain of 64 rounds, each of which
//! waits for the one before; of many inputs, eight are hashed side by side
//! where the processor has wide registers. What is hashed never depends on the
//! processor, only the time does: every path is tested equal to the portable
//! one, and that to RustCrypto and OpenSSL.
//!
//! Where a secret is hashed (HMAC here, PBKDF2 for key files, RFC 6979 for
//! signing) RustCrypto's `sm3` is used, which those constructions are built on.

mod compress;
mod many;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use many::{sm3_many, sm3_pair};

use compress::{BLOCK_LEN, IV, compress};
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
#[derive(Clone)]
pub struct Sm3 {
    state: [u32; 8],
    /// Bytes that do not fill a block yet; the rest is anything.
    pending: [u8; BLOCK_LEN],
    /// Bytes taken in; the last `length % 64` of them are pending.
    length: u64,
}

impl Sm3 {
    /// A hash of nothing yet.
    pub fn new() -> Self {
        Self { state: IV, pending: [0; BLOCK_LEN], length: 0 }
    }

    /// Takes in more bytes.
    pub fn update(&mut self, data: &[u8]) {
        let filled = self.filled();
        // Nobody lives to see 2⁶⁴ bytes, which is also more than SM3 allows.
        self.length = self.length.wrapping_add(data.len() as u64);
        let mut rest = data;
        if filled > 0 {
            let (taken, after) = data.split_at(data.len().min(BLOCK_LEN - filled));
            self.pending[filled..filled + taken.len()].copy_from_slice(taken);
            if filled + taken.len() < BLOCK_LEN {
                return;
            }
            compress(&mut self.state, &[self.pending]);
            rest = after;
        }
        let (blocks, rest) = rest.as_chunks();
        compress(&mut self.state, blocks);
        self.pending[..rest.len()].copy_from_slice(rest);
    }

    /// The hash of everything taken in.
    pub fn finalize(mut self) -> [u8; 32] {
        let filled = self.filled();
        finish(&mut self.state, &self.pending[..filled], self.length)
    }

    fn filled(&self) -> usize {
        (self.length % BLOCK_LEN as u64) as usize
    }
}

impl Default for Sm3 {
    fn default() -> Self {
        Self::new()
    }
}

/// The SM3 hash of `data`.
pub fn sm3(data: &[u8]) -> [u8; 32] {
    let (blocks, rest) = data.as_chunks();
    let mut state = IV;
    compress(&mut state, blocks);
    finish(&mut state, rest, data.len() as u64)
}

/// HMAC-SM3 of `data` under `key`; a key of any length is allowed.
pub fn hmac_sm3(key: &[u8], data: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<::sm3::Sm3>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(data);
    mac.finalize().into_bytes().into()
}

/// The last one or two blocks of a message of `length` bytes: its `rest`, which
/// is less than a block, and the padding. The second is not used if the first
/// has room for the length. (GB/T 32905, 5.2.)
fn padded(rest: &[u8], length: u64) -> ([[u8; BLOCK_LEN]; 2], usize) {
    let mut blocks = [[0; BLOCK_LEN]; 2];
    blocks[0][..rest.len()].copy_from_slice(rest);
    blocks[0][rest.len()] = 0x80;
    let count = if rest.len() < BLOCK_LEN - 8 { 1 } else { 2 };
    blocks[count - 1][BLOCK_LEN - 8..].copy_from_slice(&length.wrapping_mul(8).to_be_bytes());
    (blocks, count)
}

fn finish(state: &mut [u32; 8], rest: &[u8], length: u64) -> [u8; 32] {
    let (blocks, count) = padded(rest, length);
    compress(state, &blocks[..count]);
    digest(state.iter().copied())
}

/// The words of a final state as the hash.
fn digest(state: impl Iterator<Item = u32>) -> [u8; 32] {
    let mut hash = [0; 32];
    for (place, word) in hash.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *place = word.to_be_bytes();
    }
    hash
}

#[cfg(test)]
mod tests;
