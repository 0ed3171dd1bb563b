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
    // At most: call 207.0 µs, its reads 38.2 µs, commit of its block 31_639.6 µs.
    fn admin_lock() -> Weight {
        let time = Weight::from_parts(207_009_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(7, 2))
    }
    // At most: call 158.4 µs, its reads 39.9 µs, commit of its block 42_062.4 µs.
    fn admin_unlock() -> Weight {
        let time = Weight::from_parts(158_426_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(6, 2))
    }
    // At most: call 1_138.1 µs, its reads 392.1 µs, commit of its block 38_048.3 µs.
    fn announce(n: u32) -> Weight {
        let time = Weight::from_parts(127_784_000, 0);
        let weight = time.saturating_add(T::DbWeight::get().reads_writes(5, 0));
        let time = Weight::from_parts(31_453_875, 0);
        let each = time.saturating_add(T::DbWeight::get().reads_writes(3, 2));
        weight.saturating_add(each.saturating_mul(n.into()))
    }
    // At most: call 80.3 µs, its reads 10.8 µs, commit of its block 24_159.4 µs.
    fn close_case() -> Weight {
        let time = Weight::from_parts(80_330_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 2))
    }
    // At most: call 101.1 µs, its reads 55.2 µs, commit of its block 27_605.2 µs.
    fn open_case(n: u32) -> Weight {
        let time = Weight::from_parts(76_860_000, 0);
        let weight = time.saturating_add(T::DbWeight::get().reads_writes(6, 3));
        let time = Weight::from_parts(1_669_000, 0);
        let each = time.saturating_add(T::DbWeight::get().reads_writes(1, 0));
        weight.saturating_add(each.saturating_mul(n.into()))
    }
}
