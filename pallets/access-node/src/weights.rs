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
    // At most: call 37.7 µs, its reads 8.2 µs, commit of its block 405.1 µs.
    fn link() -> Weight {
        let time = Weight::from_parts(37_795_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(5, 3))
    }
    // At most: call 39.3 µs, its reads 5.8 µs, commit of its block 464.1 µs.
    fn register() -> Weight {
        let time = Weight::from_parts(39_327_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 3))
    }
    // At most: call 5_141.7 µs, its reads 7_837.4 µs, commit of its block 16_351.0 µs.
    fn set_status(n: u32) -> Weight {
        let time = Weight::from_parts(411_405_000, 0);
        let weight = time.saturating_add(T::DbWeight::get().reads_writes(6, 1));
        let time = Weight::from_parts(4_338_480, 0);
        let each = time.saturating_add(T::DbWeight::get().reads_writes(2, 1));
        weight.saturating_add(each.saturating_mul(n.into()))
    }
    // At most: call 39.0 µs, its reads 8.4 µs, commit of its block 520.3 µs.
    fn unlink() -> Weight {
        let time = Weight::from_parts(39_098_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 3))
    }
}
