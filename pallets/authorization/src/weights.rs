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
    /// Weight of `activate`.
    fn activate() -> Weight;
    /// Weight of `freeze`.
    fn freeze() -> Weight;
    /// Weight of `record_transfer`.
    fn record_transfer() -> Weight;
    /// Weight of `record_use`.
    fn record_use() -> Weight;
    /// Weight of `register_grant`; `n` is 0 to 100.
    fn register_grant(n: u32) -> Weight;
    /// Weight of `revoke`.
    fn revoke() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // At most: call 29.5 µs, its reads 5.3 µs, commit of its block 482.6 µs.
    fn activate() -> Weight {
        let time = Weight::from_parts(29_583_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 1))
    }
    // At most: call 36.0 µs, its reads 8.0 µs, commit of its block 548.9 µs.
    fn freeze() -> Weight {
        let time = Weight::from_parts(36_095_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 1))
    }
    // At most: call 33.4 µs, its reads 8.5 µs, commit of its block 546.4 µs.
    fn record_transfer() -> Weight {
        let time = Weight::from_parts(33_400_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 1))
    }
    // At most: call 37.1 µs, its reads 8.1 µs, commit of its block 448.7 µs.
    fn record_use() -> Weight {
        let time = Weight::from_parts(37_133_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(7, 1))
    }
    // At most: call 66.2 µs, its reads 12.7 µs, commit of its block 553.0 µs.
    fn register_grant(n: u32) -> Weight {
        let time = Weight::from_parts(51_597_000, 0);
        let weight = time.saturating_add(T::DbWeight::get().reads_writes(8, 3));
        let time = Weight::from_parts(116_306, 0);
        let each = time.saturating_add(T::DbWeight::get().reads_writes(0, 0));
        weight.saturating_add(each.saturating_mul(n.into()))
    }
    // At most: call 37.8 µs, its reads 9.5 µs, commit of its block 534.7 µs.
    fn revoke() -> Weight {
        let time = Weight::from_parts(37_898_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 1))
    }
}
