//! What each call costs: time in picoseconds without the database, and the
//! database reads and writes of its longest path.
//!
//! Measured by `billchain benchmark-weights pallets`; `scripts/weights` writes
//! this file again. Do not edit it.
//!
//! - Date: 2026-11-29
//! - Machine: AMD EPYC, 2 cores, linux 6.18
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
    // At most: call 44.2 µs, its reads 10.6 µs, commit of its block 879.2 µs.
    fn confirm() -> Weight {
        let time = Weight::from_parts(44_274_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(10, 5))
    }
    // At most: call 39.8 µs, its reads 8.7 µs, commit of its block 858.2 µs.
    fn link_party() -> Weight {
        let time = Weight::from_parts(39_841_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(6, 1))
    }
    // At most: call 139.2 µs, its reads 22.1 µs, commit of its block 843.0 µs.
    fn pre_issue() -> Weight {
        let time = Weight::from_parts(139_215_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(16, 6))
    }
    // At most: call 131.9 µs, its reads 21.7 µs, commit of its block 827.8 µs.
    fn register() -> Weight {
        let time = Weight::from_parts(131_994_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(16, 6))
    }
    // At most: call 44_801.6 µs, its reads 862.2 µs, commit of its block 7_225.0 µs.
    fn register_batch(n: u32) -> Weight {
        let time = Weight::from_parts(151_099_760, 0);
        let weight = time.saturating_add(T::DbWeight::get().reads_writes(29, 19));
        let time = Weight::from_parts(89_504_281, 0);
        let each = time.saturating_add(T::DbWeight::get().reads_writes(2, 2));
        weight.saturating_add(each.saturating_mul(n.into()))
    }
    // At most: call 47.7 µs, its reads 4.2 µs, commit of its block 1_010.6 µs.
    fn set_field_rules(n: u32) -> Weight {
        let time = Weight::from_parts(35_273_500, 0);
        let weight = time.saturating_add(T::DbWeight::get().reads_writes(3, 1));
        let time = Weight::from_parts(339_071, 0);
        let each = time.saturating_add(T::DbWeight::get().reads_writes(0, 0));
        weight.saturating_add(each.saturating_mul(n.into()))
    }
    // At most: call 42.6 µs, its reads 7.7 µs, commit of its block 1_104.4 µs.
    fn update_link() -> Weight {
        let time = Weight::from_parts(42_653_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(5, 1))
    }
    // At most: call 58.1 µs, its reads 13.4 µs, commit of its block 1_176.8 µs.
    fn void() -> Weight {
        let time = Weight::from_parts(58_168_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(10, 5))
    }
}
