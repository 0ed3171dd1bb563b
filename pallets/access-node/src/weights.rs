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
    /// Weight of `link`.
    fn link() -> Weight;
    /// Weight of `register`.
    fn register() -> Weight;
    /// Weight of `set_status`; `n` is 0 to 1_000.
    fn set_status(n: u32) -> Weight;
    /// Weight of `unlink`.
    fn unlink() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // At most: call 75.7 µs, its reads 8.1 µs, commit of its block 8_524.7 µs.
    fn link() -> Weight {
        let time = Weight::from_parts(75_774_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(5, 3))
    }
    // At most: call 85.4 µs, its reads 5.9 µs, commit of its block 9_388.2 µs.
    fn register() -> Weight {
        let time = Weight::from_parts(85_418_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 3))
    }
    // At most: call 5_946.3 µs, its reads 9_929.4 µs, commit of its block 73_027.0 µs.
    fn set_status(n: u32) -> Weight {
        let time = Weight::from_parts(1_097_974_000, 0);
        let weight = time.saturating_add(T::DbWeight::get().reads_writes(3, 1));
        let time = Weight::from_parts(2_485_063, 0);
        let each = time.saturating_add(T::DbWeight::get().reads_writes(2, 1));
        weight.saturating_add(each.saturating_mul(n.into()))
    }
    // At most: call 57.2 µs, its reads 6.7 µs, commit of its block 4_315.3 µs.
    fn unlink() -> Weight {
        let time = Weight::from_parts(57_285_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 3))
    }
}
