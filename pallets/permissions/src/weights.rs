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
    /// Weight of `remove_admin`.
    fn remove_admin() -> Weight;
    /// Weight of `remove_transition_rule`.
    fn remove_transition_rule() -> Weight;
    /// Weight of `remove_whitelist`.
    fn remove_whitelist() -> Weight;
    /// Weight of `set_admin`.
    fn set_admin() -> Weight;
    /// Weight of `set_transition_rule`.
    fn set_transition_rule() -> Weight;
    /// Weight of `set_whitelist`.
    fn set_whitelist() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // At most: call 26.4 µs, its reads 2.3 µs, commit of its block 7_586.3 µs.
    fn remove_admin() -> Weight {
        let time = Weight::from_parts(26_469_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(2, 2))
    }
    // At most: call 28.7 µs, its reads 2.8 µs, commit of its block 7_860.9 µs.
    fn remove_transition_rule() -> Weight {
        let time = Weight::from_parts(28_723_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(2, 2))
    }
    // At most: call 29.2 µs, its reads 2.2 µs, commit of its block 5_399.2 µs.
    fn remove_whitelist() -> Weight {
        let time = Weight::from_parts(29_253_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(2, 2))
    }
    // At most: call 33.1 µs, its reads 3.2 µs, commit of its block 5_230.1 µs.
    fn set_admin() -> Weight {
        let time = Weight::from_parts(33_170_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(2, 2))
    }
    // At most: call 26.7 µs, its reads 1.7 µs, commit of its block 7_776.6 µs.
    fn set_transition_rule() -> Weight {
        let time = Weight::from_parts(26_709_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(1, 2))
    }
    // At most: call 25.9 µs, its reads 3.4 µs, commit of its block 3_740.7 µs.
    fn set_whitelist() -> Weight {
        let time = Weight::from_parts(25_998_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(2, 2))
    }
}
