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
    // At most: call 81.5 µs, its reads 17.4 µs, commit of its block 12_739.2 µs.
    fn configure() -> Weight {
        let time = Weight::from_parts(81_521_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(8, 3))
    }
    // At most: call 76.5 µs, its reads 35.4 µs, commit of its block 15_748.2 µs.
    fn register() -> Weight {
        let time = Weight::from_parts(76_583_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(9, 3))
    }
    // At most: call 73.0 µs, its reads 25.7 µs, commit of its block 12_447.3 µs.
    fn set_status() -> Weight {
        let time = Weight::from_parts(73_090_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(8, 3))
    }
    // At most: call 71.9 µs, its reads 24.0 µs, commit of its block 11_779.8 µs.
    fn set_weight() -> Weight {
        let time = Weight::from_parts(71_988_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(8, 3))
    }
    // At most: call 99.0 µs, its reads 35.1 µs, commit of its block 12_005.2 µs.
    fn submit_approval() -> Weight {
        let time = Weight::from_parts(99_089_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(9, 5))
    }
    // At most: call 85.4 µs, its reads 16.4 µs, commit of its block 11_729.7 µs.
    fn withdraw() -> Weight {
        let time = Weight::from_parts(85_409_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(7, 3))
    }
}
