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
    /// Weight of `configure`.
    fn configure() -> Weight;
    /// Weight of `register`.
    fn register() -> Weight;
    /// Weight of `set_status`.
    fn set_status() -> Weight;
    /// Weight of `set_weight`.
    fn set_weight() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // At most: call 22.7 µs, its reads 2.4 µs, commit of its block 4_806.1 µs.
    fn configure() -> Weight {
        let time = Weight::from_parts(22_703_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(1, 1))
    }
    // At most: call 34.1 µs, its reads 6.2 µs, commit of its block 5_729.2 µs.
    fn register() -> Weight {
        let time = Weight::from_parts(34_191_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(2, 2))
    }
    // At most: call 32.5 µs, its reads 3.1 µs, commit of its block 3_830.4 µs.
    fn set_status() -> Weight {
        let time = Weight::from_parts(32_508_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(1, 1))
    }
    // At most: call 26.9 µs, its reads 2.8 µs, commit of its block 7_156.5 µs.
    fn set_weight() -> Weight {
        let time = Weight::from_parts(26_909_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(1, 1))
    }
}
