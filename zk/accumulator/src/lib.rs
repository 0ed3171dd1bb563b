//! The accumulator of a payer's bills: one hash chain a payer reference.
//!
//! The runtime keeps one [`Accumulator`] of 32 bytes a payer reference and appends one [`Entry`]
//! whenever a bill of that payer is issued, or stops to be in force. The chain covers every entry
//! in its order, so whoever knows all of them can open it whole, and nobody can leave one out.
//! The hash is Poseidon2 over KoalaBear, which costs about a microsecond here and one row of a
//! table in a proof (`billchain-zk`).
//!
//! ```text
//! compress(h, b) = the first 8 elements of Poseidon2₁₆(h ‖ b), plus h      (8 + 8 → 8 elements)
//! chain of nobody = IV
//! chain of a payer = compress(compress(IV, reference[0..8]), reference[8..16])
//! chain + entry = compress(chain, block of the entry)
//! ```
//!
//! All of it is deterministic, without allocation and without the standard library.

#![no_std]
#![forbid(unsafe_code)]

mod entry;
mod hash;

pub use entry::{
    Change, Entry, EntryError, HEAD, HOLDER_HEAD, Kind, LIMB_BITS, MAX_AMOUNT, MAX_DAYS,
};
pub use hash::{
    Digest, FINAL_ROUNDS, INITIAL_ROUNDS, IV, InvalidDigest, Layers, PARTIAL_ROUNDS, RATE, WIDTH,
    compress, permute,
};
pub use p3_koala_bear::KoalaBear;

use p3_field::PrimeCharacteristicRing;

/// Blocks of a payer reference: 16 limbs of 16 bits, lowest byte first.
pub fn reference_blocks(reference: &[u8; 32]) -> [[KoalaBear; RATE]; 2] {
    let limb = |i: usize| {
        KoalaBear::from_u16(u16::from_le_bytes([reference[2 * i], reference[2 * i + 1]]))
    };
    [core::array::from_fn(limb), core::array::from_fn(|i| limb(RATE + i))]
}

/// Everything that was said of one payer's bills up to some block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Accumulator(Digest);

impl Accumulator {
    /// The accumulator of a payer without bills. A payer that the chain holds no accumulator of
    /// has this one.
    pub fn of(reference: &[u8; 32]) -> Self {
        let [low, high] = reference_blocks(reference);
        Self(compress(&compress(&IV, &low), &high))
    }

    /// The accumulator with one more entry.
    #[must_use]
    pub fn append(self, entry: &Entry) -> Self {
        Self(compress(&self.0, &entry.block()))
    }

    /// The accumulator of a payer with these entries, oldest first.
    pub fn of_entries<'a>(
        reference: &[u8; 32],
        entries: impl IntoIterator<Item = &'a Entry>,
    ) -> Self {
        entries.into_iter().fold(Self::of(reference), Self::append)
    }

    /// The value.
    pub const fn digest(&self) -> Digest {
        self.0
    }

    /// The 32 bytes that the state holds; see [`Digest::to_bytes`].
    pub fn to_bytes(self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// Reads what [`Accumulator::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, InvalidDigest> {
        Digest::from_bytes(bytes).map(Self)
    }
}

/// A secret of a holder (持票人): 7 elements, 217 bits. It is no key of the chain; who knows it can
/// make proofs for the commitment that came from it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([KoalaBear; RATE - 1]);

impl Secret {
    /// From 32 random bytes, of which 28 are taken, four an element modulo the field's order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(core::array::from_fn(|i| {
            let word = [bytes[4 * i], bytes[4 * i + 1], bytes[4 * i + 2], bytes[4 * i + 3]];
            KoalaBear::from_u32(u32::from_le_bytes(word))
        }))
    }

    /// Block of the secret: its elements, and [`HOLDER_HEAD`] where an entry has its head.
    pub fn block(&self) -> [KoalaBear; RATE] {
        core::array::from_fn(|i| match i {
            HEAD => KoalaBear::from_u32(HOLDER_HEAD),
            i if i < HEAD => self.0[i],
            i => self.0[i - 1],
        })
    }
}

/// Says nothing of what it holds.
impl core::fmt::Debug for Secret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Secret")
    }
}

/// Commitment of a holder: it binds a payer reference and hides it behind the secret.
pub fn commitment(reference: &[u8; 32], secret: &Secret) -> Digest {
    compress(&Accumulator::of(reference).digest(), &secret.block())
}
