//! What each call costs: time in picoseconds without the database, and the
//! database reads and writes of its longest path.
//!
//! Measured by `billchain benchmark-weights pallets`; `scripts/weights` writes
//! this file again. Do not edit it.
//!
//! - Date: 2026-11-30
//! - Machine: Intel(R) Xeon(R) Processor, 2 cores, linux 6.18
//! - Ledger: 1_000_000 bills; steps: 10, repeats: 20

use frame::weights_prelude::*;

/// Weights of the contract's calls, and of what else it does for them.
pub trait WeightInfo {
    /// Weight of `note_commit`; `p` is 1 to 64; `l` is 0 to 64.
    fn note_commit(p: u32, l: u32) -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // At most: call 2_373.2 µs, its reads 213.3 µs, commit of its block 2_247.1 µs.
    fn note_commit(p: u32, l: u32) -> Weight {
        let time = Weight::from_parts(915_487_714, 0);
        let weight = time.saturating_add(T::DbWeight::get().reads_writes(6, 2));
        let time = Weight::from_parts(7_938_571, 0);
        let each = time.saturating_add(T::DbWeight::get().reads_writes(0, 0));
        let weight = weight.saturating_add(each.saturating_mul(p.into()));
        let time = Weight::from_parts(15_209_714, 0);
        let each = time.saturating_add(T::DbWeight::get().reads_writes(1, 0));
        weight.saturating_add(each.saturating_mul(l.into()))
    }
}
