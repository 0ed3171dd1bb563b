//! What each call costs: time in picoseconds without the database, and the
//! database reads and writes of its longest path.
//!
//! Measured by `billchain benchmark-weights pallets`; `scripts/weights` writes
//! this file again. Do not edit it.
//!
//! - Date: 2026-11-28
//! - Machine: not measured yet: bounds above the estimate

use frame::weights_prelude::*;

/// Weights of the contract's calls, and of what else it does for them.
pub trait WeightInfo {
    /// Weight of `allot`.
    fn allot() -> Weight;
    /// Weight of `give_back`.
    fn give_back() -> Weight;
    /// Weight of `void`.
    fn void(n: u32) -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn allot() -> Weight {
        let time = Weight::from_parts(200_000_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(5, 3))
    }

    fn give_back() -> Weight {
        let time = Weight::from_parts(200_000_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 3))
    }

    fn void(n: u32) -> Weight {
        let time = Weight::from_parts(50_000_000, 0)
            .saturating_add(Weight::from_parts(5_000_000, 0).saturating_mul(n.into()));
        time.saturating_add(T::DbWeight::get().reads_writes(3, 1))
            .saturating_add(T::DbWeight::get().reads(n.into()))
    }
}
