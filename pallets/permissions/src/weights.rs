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
    // At most: call 13.4 µs, its reads 2.4 µs, commit of its block 348.1 µs.
    fn remove_admin() -> Weight {
        let time = Weight::from_parts(13_450_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(2, 2))
    }
    // At most: call 15.9 µs, its reads 4.0 µs, commit of its block 323.3 µs.
    fn remove_transition_rule() -> Weight {
        let time = Weight::from_parts(15_983_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 4))
    }
    // At most: call 13.5 µs, its reads 1.9 µs, commit of its block 356.7 µs.
    fn remove_whitelist() -> Weight {
        let time = Weight::from_parts(13_539_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(2, 2))
    }
    // At most: call 17.6 µs, its reads 3.4 µs, commit of its block 307.4 µs.
    fn set_admin() -> Weight {
        let time = Weight::from_parts(17_628_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(3, 2))
    }
    // At most: call 22.3 µs, its reads 4.9 µs, commit of its block 312.7 µs.
    fn set_transition_rule() -> Weight {
        let time = Weight::from_parts(22_395_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(5, 4))
    }
    // At most: call 22.5 µs, its reads 4.7 µs, commit of its block 334.1 µs.
    fn set_whitelist() -> Weight {
        let time = Weight::from_parts(22_564_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 2))
    }
}
