//! What each call costs: time in picoseconds without the database, and the
//! database reads and writes of its longest path.
//!
//! Measured by `billchain benchmark-weights pallets`; `scripts/weights` writes
//! this file again. Do not edit it.
//!
//! - Date: 2026-12-01
//! - Machine: Intel(R) Xeon(R) Processor, 2 cores, linux 6.18
//! - Ledger: 1_000_000 bills; steps: 10, repeats: 20

use frame::weights_prelude::*;

/// Weights of the contract's calls, and of what else it does for them.
pub trait WeightInfo {
    /// Weight of `set_policy`.
    fn set_policy() -> Weight;
    /// Weight of `walk`; `g` is 1 to 500.
    fn walk(g: u32) -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // At most: call 10.0 µs, its reads 1.4 µs, commit of its block 316.9 µs.
    fn set_policy() -> Weight {
        let time = Weight::from_parts(10_064_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(1, 1))
    }
    // At most: call 9_167.4 µs, its reads 16_664.4 µs, commit of its block 1_399.1 µs.
    fn walk(g: u32) -> Weight {
        let time = Weight::from_parts(1_096_673_656, 0);
        let weight = time.saturating_add(T::DbWeight::get().reads_writes(89, 2));
        let time = Weight::from_parts(15_438_006, 0);
        let each = time.saturating_add(T::DbWeight::get().reads_writes(10, 0));
        weight.saturating_add(each.saturating_mul(g.into()))
    }
}
