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
    // At most: call 95.8 µs, its reads 29.4 µs, commit of its block 35_686.3 µs.
    fn register() -> Weight {
        let time = Weight::from_parts(95_862_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(7, 5))
    }
    // At most: call 88.1 µs, its reads 21.0 µs, commit of its block 39_659.8 µs.
    fn rotate_key() -> Weight {
        let time = Weight::from_parts(88_171_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(5, 3))
    }
    // At most: call 20.8 µs, its reads 5.2 µs, commit of its block 464.0 µs.
    fn set_roles() -> Weight {
        let time = Weight::from_parts(20_891_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(3, 1))
    }
    // At most: call 71.9 µs, its reads 20.4 µs, commit of its block 31_698.3 µs.
    fn set_status() -> Weight {
        let time = Weight::from_parts(71_927_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(5, 1))
    }
    // At most: call 73.0 µs, its reads 11.6 µs, commit of its block 39_624.6 µs.
    fn update_info() -> Weight {
        let time = Weight::from_parts(73_080_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(3, 3))
    }
}
