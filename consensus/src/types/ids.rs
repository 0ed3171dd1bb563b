//! Heights, rounds, validator addresses and block hashes.

use std::fmt;

use billchain_crypto::{sm2::PublicKey, sm3::sm3};
use billchain_primitives::Hash;
use codec::{Decode, Encode, MaxEncodedLen};
use malachitebft_app_channel::app::types::core;
use thiserror::Error;

/// Height of a block: the number consensus decides at. Genesis is 0 and is
/// never decided; the first decided height is 1.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, MaxEncodedLen,
)]
pub struct Height(u64);

impl Height {
    /// The height with this number.
    pub const fn new(height: u64) -> Self {
        Self(height)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl core::Height for Height {
    const ZERO: Self = Self(0);
    const INITIAL: Self = Self(1);

    fn increment_by(&self, n: u64) -> Self {
        Self(self.0.saturating_add(n))
    }

    fn decrement_by(&self, n: u64) -> Option<Self> {
        self.0.checked_sub(n).map(Self)
    }

    fn as_u64(&self) -> u64 {
        self.0
    }
}

impl fmt::Display for Height {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Round of a height: one attempt to decide it, in one proposer's turn. A height
/// begins with round 0. The engine's round may also be nil, which is none: it
/// becomes no number here.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, MaxEncodedLen,
)]
pub struct Round(u32);

impl Round {
    /// The round that a height begins with.
    pub const FIRST: Self = Self(0);

    /// The round with this number.
    pub const fn new(round: u32) -> Self {
        Self(round)
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The round `count` rounds later, or the last there is.
    pub(crate) const fn after(self, count: u32) -> Self {
        Self(self.0.saturating_add(count))
    }

    /// The round `count` rounds earlier, or the first.
    pub(crate) const fn before(self, count: u32) -> Self {
        Self(self.0.saturating_sub(count))
    }

    /// Rounds since `earlier`; `None` if that is a later one.
    pub(crate) const fn since(self, earlier: Self) -> Option<u32> {
        self.0.checked_sub(earlier.0)
    }
}

/// The engine named the nil round where only a round makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the nil round where a round is expected")]
pub struct NilRound;

impl TryFrom<core::Round> for Round {
    type Error = NilRound;

    fn try_from(round: core::Round) -> Result<Self, NilRound> {
        round.as_u32().map(Self).ok_or(NilRound)
    }
}

impl From<Round> for core::Round {
    fn from(round: Round) -> Self {
        Self::new(round.0)
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Address of a validator: the SM3 of its compressed SM2 key, the same 32 bytes
/// as the account id of that key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, MaxEncodedLen)]
pub struct Address([u8; 32]);

impl Address {
    /// Address of the validator with this key.
    pub fn from_public_key(key: &PublicKey) -> Self {
        Self(sm3(&key.to_compressed()))
    }

    /// The address as bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for Address {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl core::Address for Address {}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", hex::encode(self.0))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

/// Hash of a block: the identifier consensus votes on.
#[derive(
    Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, MaxEncodedLen,
)]
pub struct BlockHash(Hash);

impl BlockHash {
    /// The hash as the rest of the node has it.
    pub const fn get(self) -> Hash {
        self.0
    }
}

impl From<Hash> for BlockHash {
    fn from(hash: Hash) -> Self {
        Self(hash)
    }
}

impl From<BlockHash> for Hash {
    fn from(hash: BlockHash) -> Self {
        hash.0
    }
}

impl fmt::Display for BlockHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(self.0))
    }
}

impl fmt::Debug for BlockHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlockHash({self})")
    }
}
