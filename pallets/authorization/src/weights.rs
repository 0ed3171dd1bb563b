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
    // At most: call 90.7 µs, its reads 11.4 µs, commit of its block 25_723.5 µs.
    fn activate() -> Weight {
        let time = Weight::from_parts(90_704_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 1))
    }
    // At most: call 84.2 µs, its reads 7.1 µs, commit of its block 13_988.4 µs.
    fn freeze() -> Weight {
        let time = Weight::from_parts(84_234_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 1))
    }
    // At most: call 83.6 µs, its reads 14.8 µs, commit of its block 28_341.3 µs.
    fn record_transfer() -> Weight {
        let time = Weight::from_parts(83_663_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 1))
    }
    // At most: call 101.9 µs, its reads 23.7 µs, commit of its block 27_874.8 µs.
    fn record_use() -> Weight {
        let time = Weight::from_parts(101_922_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(7, 1))
    }
    // At most: call 122.6 µs, its reads 26.1 µs, commit of its block 28_459.4 µs.
    fn register_grant(n: u32) -> Weight {
        let time = Weight::from_parts(103_694_000, 0);
        let weight = time.saturating_add(T::DbWeight::get().reads_writes(8, 3));
        let time = Weight::from_parts(186_840, 0);
        let each = time.saturating_add(T::DbWeight::get().reads_writes(0, 0));
        weight.saturating_add(each.saturating_mul(n.into()))
    }
    // At most: call 55.1 µs, its reads 6.7 µs, commit of its block 3_389.0 µs.
    fn revoke() -> Weight {
        let time = Weight::from_parts(55_111_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 1))
    }
}
