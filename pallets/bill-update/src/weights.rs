//! What each call costs: time in picoseconds without the database, and the
//! database reads and writes of its longest path.
//!
//! Measured by `billchain benchmark-weights pallets`; `scripts/weights` writes
//! this file again. Do not edit it.
//!
//! - Date: 2026-11-30
//! - Machine: Intel(R) Xeon(R) Processor, 2 cores, linux 6.18
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
    // At most: call 201.9 µs, its reads 36.0 µs, commit of its block 1_033.4 µs.
    fn approve_adjustment() -> Weight {
        let time = Weight::from_parts(201_986_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(14, 7))
    }
    // At most: call 253.5 µs, its reads 49.3 µs, commit of its block 953.0 µs.
    fn change_status() -> Weight {
        let time = Weight::from_parts(253_563_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(17, 6))
    }
    // At most: call 274.0 µs, its reads 56.7 µs, commit of its block 1_057.6 µs.
    fn lock_with_grant() -> Weight {
        let time = Weight::from_parts(274_034_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(18, 7))
    }
    // At most: call 48.3 µs, its reads 28.2 µs, commit of its block 778.4 µs.
    fn propose_adjustment() -> Weight {
        let time = Weight::from_parts(48_309_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(10, 2))
    }
    // At most: call 205.0 µs, its reads 69.4 µs, commit of its block 2_141.3 µs.
    fn red_reverse() -> Weight {
        let time = Weight::from_parts(205_069_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(24, 12))
    }
    // At most: call 69.0 µs, its reads 11.7 µs, commit of its block 834.3 µs.
    fn update_summary() -> Weight {
        let time = Weight::from_parts(69_093_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 1))
    }
    // At most: call 31.8 µs, its reads 10.1 µs, commit of its block 784.6 µs.
    fn withdraw_adjustment() -> Weight {
        let time = Weight::from_parts(31_826_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 2))
    }
}
