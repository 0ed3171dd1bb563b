//! What each call costs: time in picoseconds without the database, and the
//! database reads and writes of its longest path.
//!
//! Measured by `billchain benchmark-weights pallets`; `scripts/weights` writes
//! this file again. Do not edit it.
//!
//! - Date: 2026-11-29
//! - Machine: AMD EPYC, 2 cores, linux 6.18
//! - Ledger: 1_000_000 bills; steps: 10, repeats: 20

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
    // At most: call 199.6 µs, its reads 18.3 µs, commit of its block 688.8 µs.
    fn approve_adjustment() -> Weight {
        let time = Weight::from_parts(199_686_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(14, 7))
    }
    // At most: call 235.0 µs, its reads 27.1 µs, commit of its block 663.2 µs.
    fn change_status() -> Weight {
        let time = Weight::from_parts(235_085_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(17, 6))
    }
    // At most: call 277.3 µs, its reads 30.6 µs, commit of its block 747.3 µs.
    fn lock_with_grant() -> Weight {
        let time = Weight::from_parts(277_341_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(18, 7))
    }
    // At most: call 40.4 µs, its reads 23.1 µs, commit of its block 649.0 µs.
    fn propose_adjustment() -> Weight {
        let time = Weight::from_parts(40_400_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(10, 2))
    }
    // At most: call 176.3 µs, its reads 33.8 µs, commit of its block 1_287.3 µs.
    fn red_reverse() -> Weight {
        let time = Weight::from_parts(176_304_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(24, 12))
    }
    // At most: call 62.0 µs, its reads 5.9 µs, commit of its block 641.3 µs.
    fn update_summary() -> Weight {
        let time = Weight::from_parts(62_072_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 1))
    }
    // At most: call 26.2 µs, its reads 8.0 µs, commit of its block 641.7 µs.
    fn withdraw_adjustment() -> Weight {
        let time = Weight::from_parts(26_220_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 2))
    }
}
