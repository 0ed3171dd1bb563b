//! What each call costs: time in picoseconds without the database, and the
//! database reads and writes of its longest path.
//!
//! Measured by `billchain benchmark-weights pallets`; `scripts/weights` writes
//! this file again. Do not edit it.
//!
//! - Date: 2026-11-26
//! - Machine: AMD EPYC, 2 cores, linux 6.18
//! - Ledger: 200_000 bills; steps: 5, repeats: 15

use frame::weights_prelude::*;

/// Weights of the contract's calls, and of what else it does for them.
pub trait WeightInfo {
    /// Weight of `add_observer`.
    fn add_observer() -> Weight;
    /// Weight of `add_validator`.
    fn add_validator() -> Weight;
    /// Weight of `remove_observer`.
    fn remove_observer() -> Weight;
    /// Weight of `remove_validator`.
    fn remove_validator() -> Weight;
    /// Weight of `rotate_validator_key`.
    fn rotate_validator_key() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // At most: call 198.8 µs, its reads 16.9 µs, commit of its block 20_233.3 µs.
    fn add_observer() -> Weight {
        let time = Weight::from_parts(198_840_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(2, 1))
    }
    // At most: call 202.9 µs, its reads 25.3 µs, commit of its block 43_575.7 µs.
    fn add_validator() -> Weight {
        let time = Weight::from_parts(202_952_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(3, 2))
    }
    // At most: call 152.6 µs, its reads 12.3 µs, commit of its block 36_199.4 µs.
    fn remove_observer() -> Weight {
        let time = Weight::from_parts(152_649_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(1, 1))
    }
    // At most: call 72.9 µs, its reads 7.8 µs, commit of its block 19_666.9 µs.
    fn remove_validator() -> Weight {
        let time = Weight::from_parts(72_980_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(1, 1))
    }
    // At most: call 64.3 µs, its reads 6.8 µs, commit of its block 19_929.2 µs.
    fn rotate_validator_key() -> Weight {
        let time = Weight::from_parts(64_346_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(1, 1))
    }
}
