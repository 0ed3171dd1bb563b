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
    /// Weight of `change_status`.
    fn change_status() -> Weight;
    /// Weight of `lock_with_grant`.
    fn lock_with_grant() -> Weight;
    /// Weight of `red_reverse`.
    fn red_reverse() -> Weight;
    /// Weight of `update_summary`.
    fn update_summary() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // At most: call 173.0 µs, its reads 24.8 µs, commit of its block 625.2 µs.
    fn change_status() -> Weight {
        let time = Weight::from_parts(173_064_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(11, 2))
    }
    // At most: call 229.4 µs, its reads 30.5 µs, commit of its block 1_799.6 µs.
    fn lock_with_grant() -> Weight {
        let time = Weight::from_parts(229_431_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(12, 3))
    }
    // At most: call 115.2 µs, its reads 25.3 µs, commit of its block 3_546.4 µs.
    fn red_reverse() -> Weight {
        let time = Weight::from_parts(115_209_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(11, 3))
    }
    // At most: call 52.8 µs, its reads 5.3 µs, commit of its block 6_096.5 µs.
    fn update_summary() -> Weight {
        let time = Weight::from_parts(52_838_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 1))
    }
}
