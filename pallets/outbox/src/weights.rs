//! What each call costs: time in picoseconds without the database, and the
//! database reads and writes of its longest path.
//!
//! Measured by `billchain benchmark-weights pallets`; `scripts/weights` writes
//! this file again. Do not edit it.

use frame::weights_prelude::*;

/// Weights of the contract's calls, and of what else it does for them.
pub trait WeightInfo {
    /// Weight of `register`.
    fn register() -> Weight;
    /// Weight of `update`.
    fn update() -> Weight;
    /// Weight of `set_status`.
    fn set_status() -> Weight;
    /// Weight of `claim`.
    fn claim() -> Weight;
    /// Weight of `release`.
    fn release() -> Weight;
    /// Weight of `report`; `n` is 1 to 500.
    fn report(n: u32) -> Weight;
    /// Weight of `revive`.
    fn revive() -> Weight;
    /// Weight of `discard`.
    fn discard() -> Weight;
    /// Weight of `retell`; `n` is 1 to 500.
    fn retell(n: u32) -> Weight;
    /// Weight of `tell`.
    fn tell() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn register() -> Weight {
        let time = Weight::from_parts(40_000_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(18, 4))
    }
    fn update() -> Weight {
        let time = Weight::from_parts(40_000_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(18, 3))
    }
    fn set_status() -> Weight {
        let time = Weight::from_parts(30_000_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(3, 3))
    }
    fn claim() -> Weight {
        let time = Weight::from_parts(30_000_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 1))
    }
    fn release() -> Weight {
        let time = Weight::from_parts(30_000_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 1))
    }
    fn report(n: u32) -> Weight {
        let time = Weight::from_parts(40_000_000, 0);
        let weight = time.saturating_add(T::DbWeight::get().reads_writes(6, 3));
        let time = Weight::from_parts(30_000_000, 0);
        let each = time.saturating_add(T::DbWeight::get().reads_writes(3, 2));
        weight.saturating_add(each.saturating_mul(n.into()))
    }
    fn revive() -> Weight {
        let time = Weight::from_parts(30_000_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(5, 2))
    }
    fn discard() -> Weight {
        let time = Weight::from_parts(40_000_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(6, 4))
    }
    fn retell(n: u32) -> Weight {
        let time = Weight::from_parts(30_000_000, 0);
        let weight = time.saturating_add(T::DbWeight::get().reads_writes(4, 0));
        let time = Weight::from_parts(15_000_000, 0);
        let each = time.saturating_add(T::DbWeight::get().reads_writes(1, 0));
        weight.saturating_add(each.saturating_mul(n.into()))
    }
    fn tell() -> Weight {
        let time = Weight::from_parts(15_000_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(2, 3))
    }
}
