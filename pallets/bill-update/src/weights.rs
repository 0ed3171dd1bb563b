//! What each call costs: time in picoseconds without the database, and the
//! database reads and writes of its longest path.
//!
//! Measured by `billchain benchmark-weights pallets`; `scripts/weights` writes
//! this file again. Do not edit it.
//!
//! - Date: 2026-11-26
//! - Machine: AMD EPYC, 2 cores, linux 6.18
//! - Ledger: 200_000 bills; steps: 5, repeats: 15
//! - Since then estimated: in `red_reverse` the field rules and the numbers of the issuer, three
//!   reads, one write and 12 µs more

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
    // At most: call 202.2 µs, its reads 16.6 µs, commit of its block 552.5 µs.
    fn approve_adjustment() -> Weight {
        let time = Weight::from_parts(202_206_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(10, 3))
    }
    // At most: call 263.8 µs, its reads 29.4 µs, commit of its block 590.4 µs.
    fn change_status() -> Weight {
        let time = Weight::from_parts(263_853_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(13, 2))
    }
    // At most: call 273.8 µs, its reads 30.3 µs, commit of its block 636.9 µs.
    fn lock_with_grant() -> Weight {
        let time = Weight::from_parts(273_896_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(14, 3))
    }
    // At most: call 42.6 µs, its reads 22.1 µs, commit of its block 488.9 µs.
    fn propose_adjustment() -> Weight {
        let time = Weight::from_parts(42_643_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(10, 2))
    }
    // At most: call 153.5 µs, its reads 30.2 µs, commit of its block 555.8 µs.
    fn red_reverse() -> Weight {
        let time = Weight::from_parts(165_576_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(17, 4))
    }
    // At most: call 68.4 µs, its reads 6.3 µs, commit of its block 505.7 µs.
    fn update_summary() -> Weight {
        let time = Weight::from_parts(68_481_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 1))
    }
    // At most: call 23.8 µs, its reads 4.4 µs, commit of its block 467.3 µs.
    fn withdraw_adjustment() -> Weight {
        let time = Weight::from_parts(23_806_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 2))
    }
}
