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
    // At most: call 42.0 µs, its reads 10.0 µs, commit of its block 370.1 µs.
    fn register() -> Weight {
        let time = Weight::from_parts(42_075_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(7, 5))
    }
    // At most: call 34.1 µs, its reads 8.1 µs, commit of its block 374.3 µs.
    fn rotate_key() -> Weight {
        let time = Weight::from_parts(34_118_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(5, 3))
    }
    // At most: call 22.0 µs, its reads 4.8 µs, commit of its block 351.6 µs.
    fn set_roles() -> Weight {
        let time = Weight::from_parts(22_065_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(3, 1))
    }
    // At most: call 25.3 µs, its reads 5.6 µs, commit of its block 364.8 µs.
    fn set_status() -> Weight {
        let time = Weight::from_parts(25_358_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(5, 1))
    }
    // At most: call 25.4 µs, its reads 3.7 µs, commit of its block 395.1 µs.
    fn update_info() -> Weight {
        let time = Weight::from_parts(25_459_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(3, 3))
    }
}
