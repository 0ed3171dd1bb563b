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
    /// Weight of `confirm`.
    fn confirm() -> Weight;
    /// Weight of `pre_issue`.
    fn pre_issue() -> Weight;
    /// Weight of `register`.
    fn register() -> Weight;
    /// Weight of `register_batch`; `n` is 1 to 500.
    fn register_batch(n: u32) -> Weight;
    /// Weight of `void`.
    fn void() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // At most: call 49.2 µs, its reads 15.1 µs, commit of its block 9_705.7 µs.
    fn confirm() -> Weight {
        let time = Weight::from_parts(49_283_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(5, 1))
    }
    // At most: call 175.8 µs, its reads 31.3 µs, commit of its block 10_846.7 µs.
    fn pre_issue() -> Weight {
        let time = Weight::from_parts(175_891_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(8, 1))
    }
    // At most: call 170.3 µs, its reads 31.7 µs, commit of its block 11_637.1 µs.
    fn register() -> Weight {
        let time = Weight::from_parts(170_380_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(8, 1))
    }
    // At most: call 43_157.5 µs, its reads 378.3 µs, commit of its block 30_283.7 µs.
    fn register_batch(n: u32) -> Weight {
        let time = Weight::from_parts(220_671_518, 0);
        let weight = time.saturating_add(T::DbWeight::get().reads_writes(7, 0));
        let time = Weight::from_parts(86_671_445, 0);
        let each = time.saturating_add(T::DbWeight::get().reads_writes(1, 1));
        weight.saturating_add(each.saturating_mul(n.into()))
    }
    // At most: call 43.3 µs, its reads 12.3 µs, commit of its block 3_612.3 µs.
    fn void() -> Weight {
        let time = Weight::from_parts(43_383_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(5, 1))
    }
}
