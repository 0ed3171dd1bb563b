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
    /// Weight of `register`.
    fn register() -> Weight;
    /// Weight of `rotate_key`.
    fn rotate_key() -> Weight;
    /// Weight of `set_roles`.
    fn set_roles() -> Weight;
    /// Weight of `set_status`.
    fn set_status() -> Weight;
    /// Weight of `update_info`.
    fn update_info() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // At most: call 84.0 µs, its reads 27.2 µs, commit of its block 7_744.3 µs.
    fn register() -> Weight {
        let time = Weight::from_parts(84_044_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(7, 5))
    }
    // At most: call 67.0 µs, its reads 16.7 µs, commit of its block 3_829.8 µs.
    fn rotate_key() -> Weight {
        let time = Weight::from_parts(67_030_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(5, 3))
    }
    // At most: call 37.2 µs, its reads 3.4 µs, commit of its block 7_787.9 µs.
    fn set_roles() -> Weight {
        let time = Weight::from_parts(37_216_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(2, 1))
    }
    // At most: call 41.4 µs, its reads 3.4 µs, commit of its block 6_097.4 µs.
    fn set_status() -> Weight {
        let time = Weight::from_parts(41_402_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(2, 2))
    }
    // At most: call 39.0 µs, its reads 5.2 µs, commit of its block 6_913.9 µs.
    fn update_info() -> Weight {
        let time = Weight::from_parts(39_019_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(3, 3))
    }
}
