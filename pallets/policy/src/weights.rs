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
    /// Weight of `finalize_approval`.
    fn finalize_approval() -> Weight;
    /// Weight of `set_status`.
    fn set_status() -> Weight;
    /// Weight of `submit`; `b` is 2_048 to 16_384.
    fn submit(b: u32) -> Weight;
    /// Weight of `submit_approval`.
    fn submit_approval() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // At most: call 110.2 µs, its reads 17.1 µs, commit of its block 8_592.0 µs.
    fn finalize_approval() -> Weight {
        let time = Weight::from_parts(110_236_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(5, 2))
    }
    // At most: call 16_401.6 µs, its reads 759.6 µs, commit of its block 46_990.7 µs.
    fn set_status() -> Weight {
        let time = Weight::from_parts(16_401_643_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(144, 137))
    }
    // At most: call 3_488.5 µs, its reads 1_968.0 µs, commit of its block 11_020.1 µs.
    fn submit(b: u32) -> Weight {
        let time = Weight::from_parts(735_784_380, 0);
        let weight = time.saturating_add(T::DbWeight::get().reads_writes(1023, 15));
        let time = Weight::from_parts(230_667, 0);
        let each = time.saturating_add(T::DbWeight::get().reads_writes(0, 0));
        weight.saturating_add(each.saturating_mul(b.into()))
    }
    // At most: call 105.7 µs, its reads 13.3 µs, commit of its block 11_515.1 µs.
    fn submit_approval() -> Weight {
        let time = Weight::from_parts(105_769_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(5, 1))
    }
}
