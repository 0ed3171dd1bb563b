//! Heights, validator addresses and block hashes.

use std::fmt;

use billchain_crypto::{sm2::PublicKey, sm3::sm3};
use billchain_primitives::Hash;
use codec::{Decode, Encode, MaxEncodedLen};
use malachitebft_app_channel::app::types::core;

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
