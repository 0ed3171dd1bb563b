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
    /// Weight of `approve_adjustment`.
    fn approve_adjustment() -> Weight;
    /// Weight of `change_status`.
    fn change_status() -> Weight;
    /// Weight of `lock_with_grant`.
    fn lock_with_grant() -> Weight;
    /// Weight of `propose_adjustment`.
    fn propose_adjustment() -> Weight;
    /// Weight of `red_reverse`.
    fn red_reverse() -> Weight;
    /// Weight of `update_summary`.
    fn update_summary() -> Weight;
    /// Weight of `withdraw_adjustment`.
    fn withdraw_adjustment() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // At most: call 242.5 µs, its reads 33.2 µs, commit of its block 26_284.7 µs.
    fn approve_adjustment() -> Weight {
        let time = Weight::from_parts(242_530_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(8, 3))
    }
    // At most: call 339.2 µs, its reads 57.0 µs, commit of its block 23_224.4 µs.
    fn change_status() -> Weight {
        let time = Weight::from_parts(339_204_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(11, 2))
    }
    // At most: call 311.3 µs, its reads 34.6 µs, commit of its block 5_365.3 µs.
    fn lock_with_grant() -> Weight {
        let time = Weight::from_parts(311_373_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(12, 3))
    }
    // At most: call 84.6 µs, its reads 33.3 µs, commit of its block 26_203.3 µs.
    fn propose_adjustment() -> Weight {
        let time = Weight::from_parts(84_697_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(8, 2))
    }
    // At most: call 209.4 µs, its reads 48.1 µs, commit of its block 23_792.3 µs.
    fn red_reverse() -> Weight {
        let time = Weight::from_parts(209_453_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(11, 3))
    }
    // At most: call 118.1 µs, its reads 15.6 µs, commit of its block 26_870.3 µs.
    fn update_summary() -> Weight {
        let time = Weight::from_parts(118_125_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 1))
    }
    // At most: call 62.8 µs, its reads 16.3 µs, commit of its block 30_447.3 µs.
    fn withdraw_adjustment() -> Weight {
        let time = Weight::from_parts(62_883_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 2))
    }
}
