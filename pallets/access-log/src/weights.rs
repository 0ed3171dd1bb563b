//! What each call costs: time in picoseconds without the database, and the
//! database reads and writes of its longest path.
//!
//! Not measured yet: as `pallet_upgrade::confirm`, which decodes the same voters, with half as
//! much again. `scripts/weights` writes this file.

use frame::weights_prelude::*;

/// Weights of the contract's calls, and of what else it does for them.
pub trait WeightInfo {
    /// Weight of `anchor`.
    fn anchor() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn anchor() -> Weight {
        let time = Weight::from_parts(120_000_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(3, 1))
    }
}
