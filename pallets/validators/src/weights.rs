//! What each call costs: time in picoseconds without the database, and the
//! database reads and writes of its longest path.
//!
//! Measured by `billchain benchmark-weights pallets`; `scripts/weights` writes
//! this file again. Do not edit it.
//!
//! - Date: 2026-11-26
//! - Machine: AMD EPYC, 2 cores, linux 6.18
//! - Ledger: 300_000 bills; steps: 10, repeats: 9

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
    // At most: call 303.1 µs, its reads 22.4 µs, commit of its block 6_153.0 µs.
    fn add_observer() -> Weight {
        let time = Weight::from_parts(303_134_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(2, 1))
    }
    // At most: call 277.9 µs, its reads 32.8 µs, commit of its block 7_457.6 µs.
    fn add_validator() -> Weight {
        let time = Weight::from_parts(277_909_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(3, 2))
    }
    // At most: call 205.5 µs, its reads 13.8 µs, commit of its block 10_655.4 µs.
    fn remove_observer() -> Weight {
        let time = Weight::from_parts(205_547_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(1, 1))
    }
    // At most: call 107.5 µs, its reads 6.5 µs, commit of its block 7_596.2 µs.
    fn remove_validator() -> Weight {
        let time = Weight::from_parts(107_540_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(1, 1))
    }
    // At most: call 87.9 µs, its reads 5.7 µs, commit of its block 5_383.4 µs.
    fn rotate_validator_key() -> Weight {
        let time = Weight::from_parts(87_950_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(1, 1))
    }
}
