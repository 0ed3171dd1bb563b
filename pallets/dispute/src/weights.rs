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
    // At most: call 62.8 µs, its reads 14.4 µs, commit of its block 595.3 µs.
    fn admin_lock() -> Weight {
        let time = Weight::from_parts(62_882_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(7, 2))
    }
    // At most: call 61.8 µs, its reads 11.4 µs, commit of its block 2_092.7 µs.
    fn admin_unlock() -> Weight {
        let time = Weight::from_parts(61_854_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(6, 2))
    }
    // At most: call 1_074.4 µs, its reads 464.9 µs, commit of its block 20_270.5 µs.
    fn announce(n: u32) -> Weight {
        let time = Weight::from_parts(134_669_700, 0);
        let weight = time.saturating_add(T::DbWeight::get().reads_writes(5, 0));
        let time = Weight::from_parts(28_590_300, 0);
        let each = time.saturating_add(T::DbWeight::get().reads_writes(3, 2));
        weight.saturating_add(each.saturating_mul(n.into()))
    }
    // At most: call 56.4 µs, its reads 6.4 µs, commit of its block 2_729.2 µs.
    fn close_case() -> Weight {
        let time = Weight::from_parts(56_494_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 2))
    }
    // At most: call 80.5 µs, its reads 38.8 µs, commit of its block 6_215.7 µs.
    fn open_case(n: u32) -> Weight {
        let time = Weight::from_parts(56_788_500, 0);
        let weight = time.saturating_add(T::DbWeight::get().reads_writes(6, 3));
        let time = Weight::from_parts(2_198_750, 0);
        let each = time.saturating_add(T::DbWeight::get().reads_writes(1, 0));
        weight.saturating_add(each.saturating_mul(n.into()))
    }
}
