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
    /// Weight of `configure`.
    fn configure() -> Weight;
    /// Weight of `register`.
    fn register() -> Weight;
    /// Weight of `set_status`.
    fn set_status() -> Weight;
    /// Weight of `set_weight`.
    fn set_weight() -> Weight;
    /// Weight of `submit_approval`.
    fn submit_approval() -> Weight;
    /// Weight of `withdraw`.
    fn withdraw() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // At most: call 54.4 µs, its reads 12.4 µs, commit of its block 18_275.4 µs.
    fn configure() -> Weight {
        let time = Weight::from_parts(54_491_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(8, 3))
    }
    // At most: call 51.3 µs, its reads 18.4 µs, commit of its block 18_644.3 µs.
    fn register() -> Weight {
        let time = Weight::from_parts(51_337_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(9, 3))
    }
    // At most: call 26.9 µs, its reads 8.5 µs, commit of its block 2_173.5 µs.
    fn set_status() -> Weight {
        let time = Weight::from_parts(26_990_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(8, 3))
    }
    // At most: call 27.9 µs, its reads 8.6 µs, commit of its block 3_925.9 µs.
    fn set_weight() -> Weight {
        let time = Weight::from_parts(27_923_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(8, 3))
    }
    // At most: call 67.8 µs, its reads 14.1 µs, commit of its block 18_640.0 µs.
    fn submit_approval() -> Weight {
        let time = Weight::from_parts(67_802_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(9, 5))
    }
    // At most: call 48.4 µs, its reads 9.0 µs, commit of its block 16_796.5 µs.
    fn withdraw() -> Weight {
        let time = Weight::from_parts(48_471_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(7, 3))
    }
}
