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
    /// Weight of `confirm`.
    fn confirm() -> Weight;
    /// Weight of `link_party`.
    fn link_party() -> Weight;
    /// Weight of `pre_issue`.
    fn pre_issue() -> Weight;
    /// Weight of `register`.
    fn register() -> Weight;
    /// Weight of `register_batch`; `n` is 1 to 500.
    fn register_batch(n: u32) -> Weight;
    /// Weight of `set_field_rules`; `n` is 0 to 32.
    fn set_field_rules(n: u32) -> Weight;
    /// Weight of `update_link`.
    fn update_link() -> Weight;
    /// Weight of `void`.
    fn void() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // At most: call 105.0 µs, its reads 32.5 µs, commit of its block 35_644.5 µs.
    fn confirm() -> Weight {
        let time = Weight::from_parts(105_077_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(5, 1))
    }
    // At most: call 99.3 µs, its reads 28.5 µs, commit of its block 35_662.1 µs.
    fn link_party() -> Weight {
        let time = Weight::from_parts(99_340_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(6, 1))
    }
    // At most: call 247.4 µs, its reads 72.2 µs, commit of its block 35_379.7 µs.
    fn pre_issue() -> Weight {
        let time = Weight::from_parts(247_468_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(10, 1))
    }
    // At most: call 247.6 µs, its reads 73.4 µs, commit of its block 31_397.7 µs.
    fn register() -> Weight {
        let time = Weight::from_parts(247_657_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(10, 1))
    }
    // At most: call 54_690.2 µs, its reads 375.8 µs, commit of its block 36_653.6 µs.
    fn register_batch(n: u32) -> Weight {
        let time = Weight::from_parts(154_787_616, 0);
        let weight = time.saturating_add(T::DbWeight::get().reads_writes(9, 0));
        let time = Weight::from_parts(109_564_384, 0);
        let each = time.saturating_add(T::DbWeight::get().reads_writes(1, 1));
        weight.saturating_add(each.saturating_mul(n.into()))
    }
    // At most: call 87.4 µs, its reads 10.9 µs, commit of its block 31_715.2 µs.
    fn set_field_rules(n: u32) -> Weight {
        let time = Weight::from_parts(77_504_000, 0);
        let weight = time.saturating_add(T::DbWeight::get().reads_writes(3, 1));
        let time = Weight::from_parts(274_187, 0);
        let each = time.saturating_add(T::DbWeight::get().reads_writes(0, 0));
        weight.saturating_add(each.saturating_mul(n.into()))
    }
    // At most: call 96.6 µs, its reads 17.1 µs, commit of its block 31_681.4 µs.
    fn update_link() -> Weight {
        let time = Weight::from_parts(96_664_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(5, 1))
    }
    // At most: call 94.9 µs, its reads 18.0 µs, commit of its block 23_670.0 µs.
    fn void() -> Weight {
        let time = Weight::from_parts(94_921_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(5, 1))
    }
}
