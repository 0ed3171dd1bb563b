//! The keys that sign votes.

use crate::{AccountId, BlockNumber};

/// The keys of validators. Played by the validators pallet.
pub trait ConsensusKeys {
    /// Compressed SM2 key of each validator of the next block with its voting power,
    /// in no particular order.
    fn keys() -> Vec<([u8; 33], u64)>;

    /// The key of this account, if it decided block `height`.
    fn key_at(account: &AccountId, height: BlockNumber) -> Option<[u8; 33]>;
}
