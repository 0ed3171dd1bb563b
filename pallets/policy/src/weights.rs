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
    // At most: call 96.3 µs, its reads 12.8 µs, commit of its block 10_639.6 µs.
    fn finalize_approval() -> Weight {
        let time = Weight::from_parts(96_323_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(5, 2))
    }
    // At most: call 20_618.4 µs, its reads 540.2 µs, commit of its block 135_231.0 µs.
    fn set_status() -> Weight {
        let time = Weight::from_parts(20_618_493_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(144, 137))
    }
    // At most: call 973.0 µs, its reads 3_129.3 µs, commit of its block 12_193.2 µs.
    fn submit(b: u32) -> Weight {
        let time = Weight::from_parts(468_636_886, 0);
        let weight = time.saturating_add(T::DbWeight::get().reads_writes(1023, 15));
        let time = Weight::from_parts(81_462, 0);
        let each = time.saturating_add(T::DbWeight::get().reads_writes(0, 0));
        weight.saturating_add(each.saturating_mul(b.into()))
    }
    // At most: call 98.6 µs, its reads 24.6 µs, commit of its block 7_743.8 µs.
    fn submit_approval() -> Weight {
        let time = Weight::from_parts(98_676_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(5, 1))
    }
}
