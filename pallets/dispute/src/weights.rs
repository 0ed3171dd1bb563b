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
    /// Weight of `admin_lock`.
    fn admin_lock() -> Weight;
    /// Weight of `admin_unlock`.
    fn admin_unlock() -> Weight;
    /// Weight of `announce`; `n` is 1 to 32.
    fn announce(n: u32) -> Weight;
    /// Weight of `close_case`.
    fn close_case() -> Weight;
    /// Weight of `open_case`; `n` is 1 to 16.
    fn open_case(n: u32) -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // At most: call 162.5 µs, its reads 20.1 µs, commit of its block 725.9 µs.
    fn admin_lock() -> Weight {
        let time = Weight::from_parts(162_569_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(13, 6))
    }
    // At most: call 91.3 µs, its reads 12.7 µs, commit of its block 575.1 µs.
    fn admin_unlock() -> Weight {
        let time = Weight::from_parts(91_386_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(11, 6))
    }
    // At most: call 1_127.6 µs, its reads 344.9 µs, commit of its block 5_153.6 µs.
    fn announce(n: u32) -> Weight {
        let time = Weight::from_parts(134_590_875, 0);
        let weight = time.saturating_add(T::DbWeight::get().reads_writes(5, 0));
        let time = Weight::from_parts(30_960_125, 0);
        let each = time.saturating_add(T::DbWeight::get().reads_writes(3, 2));
        weight.saturating_add(each.saturating_mul(n.into()))
    }
    // At most: call 49.8 µs, its reads 10.1 µs, commit of its block 587.8 µs.
    fn close_case() -> Weight {
        let time = Weight::from_parts(49_804_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 2))
    }
    // At most: call 75.5 µs, its reads 32.3 µs, commit of its block 516.2 µs.
    fn open_case(n: u32) -> Weight {
        let time = Weight::from_parts(38_499_500, 0);
        let weight = time.saturating_add(T::DbWeight::get().reads_writes(6, 3));
        let time = Weight::from_parts(2_527_875, 0);
        let each = time.saturating_add(T::DbWeight::get().reads_writes(1, 0));
        weight.saturating_add(each.saturating_mul(n.into()))
    }
}
