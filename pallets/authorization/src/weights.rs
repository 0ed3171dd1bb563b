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
    // At most: call 55.5 µs, its reads 5.7 µs, commit of its block 7_154.2 µs.
    fn activate() -> Weight {
        let time = Weight::from_parts(55_534_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 1))
    }
    // At most: call 34.8 µs, its reads 4.9 µs, commit of its block 452.1 µs.
    fn freeze() -> Weight {
        let time = Weight::from_parts(34_802_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 1))
    }
    // At most: call 27.9 µs, its reads 4.5 µs, commit of its block 357.5 µs.
    fn record_transfer() -> Weight {
        let time = Weight::from_parts(27_961_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 1))
    }
    // At most: call 78.9 µs, its reads 11.9 µs, commit of its block 7_685.0 µs.
    fn record_use() -> Weight {
        let time = Weight::from_parts(78_917_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(7, 1))
    }
    // At most: call 95.9 µs, its reads 13.2 µs, commit of its block 7_660.4 µs.
    fn register_grant(n: u32) -> Weight {
        let time = Weight::from_parts(74_290_000, 0);
        let weight = time.saturating_add(T::DbWeight::get().reads_writes(8, 3));
        let time = Weight::from_parts(158_922, 0);
        let each = time.saturating_add(T::DbWeight::get().reads_writes(0, 0));
        weight.saturating_add(each.saturating_mul(n.into()))
    }
    // At most: call 43.8 µs, its reads 5.4 µs, commit of its block 7_219.7 µs.
    fn revoke() -> Weight {
        let time = Weight::from_parts(43_885_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 1))
    }
}
