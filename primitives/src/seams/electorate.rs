//! Those whose votes decide blocks.

use crate::AccountId;

/// The validators of the next block. Played by the validators pallet.
pub trait Electorate {
    /// Account of each validator's operator with its voting power.
    fn voters() -> Vec<(AccountId, u64)>;
}
