//! What each call costs: time in picoseconds without the database, and the
//! database reads and writes of its longest path.
//!
//! Measured by `billchain benchmark-weights pallets`; `scripts/weights` writes
//! this file again. Do not edit it.
//!
//! - Date: 2026-11-26
//! - Machine: AMD EPYC, 2 cores, linux 6.18
//! - Ledger: 200_000 bills; steps: 5, repeats: 15
//! - Since then estimated: the numbers of an issuer, one read, one write and 6 µs more for each new
//!   bill

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
    // At most: call 45.5 µs, its reads 11.8 µs, commit of its block 391.9 µs.
    fn confirm() -> Weight {
        let time = Weight::from_parts(45_581_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(6, 1))
    }
    // At most: call 49.1 µs, its reads 13.0 µs, commit of its block 515.2 µs.
    fn link_party() -> Weight {
        let time = Weight::from_parts(49_142_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(6, 1))
    }
    // At most: call 150.5 µs, its reads 25.8 µs, commit of its block 377.1 µs.
    fn pre_issue() -> Weight {
        let time = Weight::from_parts(156_584_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(12, 2))
    }
    // At most: call 124.4 µs, its reads 18.5 µs, commit of its block 345.0 µs.
    fn register() -> Weight {
        let time = Weight::from_parts(130_435_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(12, 2))
    }
    // At most: call 47_064.0 µs, its reads 803.6 µs, commit of its block 7_009.0 µs.
    fn register_batch(n: u32) -> Weight {
        let time = Weight::from_parts(74_691_988, 0);
        let weight = time.saturating_add(T::DbWeight::get().reads_writes(11, 1));
        let time = Weight::from_parts(98_267_012, 0);
        let each = time.saturating_add(T::DbWeight::get().reads_writes(1, 1));
        weight.saturating_add(each.saturating_mul(n.into()))
    }
    // At most: call 42.4 µs, its reads 4.6 µs, commit of its block 459.3 µs.
    fn set_field_rules(n: u32) -> Weight {
        let time = Weight::from_parts(32_098_000, 0);
        let weight = time.saturating_add(T::DbWeight::get().reads_writes(3, 1));
        let time = Weight::from_parts(329_250, 0);
        let each = time.saturating_add(T::DbWeight::get().reads_writes(0, 0));
        weight.saturating_add(each.saturating_mul(n.into()))
    }
    // At most: call 40.6 µs, its reads 7.2 µs, commit of its block 466.9 µs.
    fn update_link() -> Weight {
        let time = Weight::from_parts(40_661_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(5, 1))
    }
    // At most: call 52.1 µs, its reads 15.2 µs, commit of its block 497.6 µs.
    fn void() -> Weight {
        let time = Weight::from_parts(52_196_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(6, 1))
    }
}
