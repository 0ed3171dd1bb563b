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
    // At most: call 74.1 µs, its reads 25.1 µs, commit of its block 1_074.0 µs.
    fn confirm() -> Weight {
        let time = Weight::from_parts(74_187_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(10, 5))
    }
    // At most: call 63.9 µs, its reads 13.7 µs, commit of its block 1_195.6 µs.
    fn link_party() -> Weight {
        let time = Weight::from_parts(63_921_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(6, 1))
    }
    // At most: call 168.3 µs, its reads 44.6 µs, commit of its block 1_082.2 µs.
    fn pre_issue() -> Weight {
        let time = Weight::from_parts(168_360_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(16, 6))
    }
    // At most: call 170.1 µs, its reads 49.1 µs, commit of its block 1_077.8 µs.
    fn register() -> Weight {
        let time = Weight::from_parts(170_105_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(16, 6))
    }
    // At most: call 46_149.4 µs, its reads 4_774.7 µs, commit of its block 19_745.8 µs.
    fn register_batch(n: u32) -> Weight {
        let time = Weight::from_parts(204_629_891, 0);
        let weight = time.saturating_add(T::DbWeight::get().reads_writes(29, 19));
        let time = Weight::from_parts(92_202_108, 0);
        let each = time.saturating_add(T::DbWeight::get().reads_writes(2, 2));
        weight.saturating_add(each.saturating_mul(n.into()))
    }
    // At most: call 53.5 µs, its reads 9.5 µs, commit of its block 1_591.9 µs.
    fn set_field_rules(n: u32) -> Weight {
        let time = Weight::from_parts(44_575_200, 0);
        let weight = time.saturating_add(T::DbWeight::get().reads_writes(3, 1));
        let time = Weight::from_parts(288_866, 0);
        let each = time.saturating_add(T::DbWeight::get().reads_writes(0, 0));
        weight.saturating_add(each.saturating_mul(n.into()))
    }
    // At most: call 62.1 µs, its reads 13.1 µs, commit of its block 1_398.8 µs.
    fn update_link() -> Weight {
        let time = Weight::from_parts(62_153_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(5, 1))
    }
    // At most: call 71.8 µs, its reads 26.3 µs, commit of its block 1_290.0 µs.
    fn void() -> Weight {
        let time = Weight::from_parts(71_830_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(10, 5))
    }
}
