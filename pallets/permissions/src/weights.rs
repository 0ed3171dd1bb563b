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
    // At most: call 46.1 µs, its reads 9.9 µs, commit of its block 43_728.4 µs.
    fn remove_admin() -> Weight {
        let time = Weight::from_parts(46_199_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(2, 2))
    }
    // At most: call 50.0 µs, its reads 10.0 µs, commit of its block 35_705.2 µs.
    fn remove_transition_rule() -> Weight {
        let time = Weight::from_parts(50_074_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(3, 3))
    }
    // At most: call 47.3 µs, its reads 11.7 µs, commit of its block 47_683.4 µs.
    fn remove_whitelist() -> Weight {
        let time = Weight::from_parts(47_381_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(2, 2))
    }
    // At most: call 57.3 µs, its reads 13.4 µs, commit of its block 47_640.0 µs.
    fn set_admin() -> Weight {
        let time = Weight::from_parts(57_355_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(3, 2))
    }
    // At most: call 51.1 µs, its reads 12.5 µs, commit of its block 47_673.0 µs.
    fn set_transition_rule() -> Weight {
        let time = Weight::from_parts(51_185_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(3, 3))
    }
    // At most: call 61.6 µs, its reads 27.5 µs, commit of its block 47_514.3 µs.
    fn set_whitelist() -> Weight {
        let time = Weight::from_parts(61_693_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 2))
    }
}
