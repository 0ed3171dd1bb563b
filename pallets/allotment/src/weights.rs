//! What each call costs: time in picoseconds without the database, and the
//! database reads and writes of its longest path.
//!
//! Measured by `billchain benchmark-weights pallets`; `scripts/weights` writes
//! this file again. Do not edit it.
//!
//! - Date: 2026-11-29
//! - Machine: AMD EPYC, 2 cores, linux 6.18
//! - Ledger: 1_000_000 bills; steps: 10, repeats: 20

use frame::weights_prelude::*;

/// Weights of the contract's calls, and of what else it does for them.
pub trait WeightInfo {
    /// Weight of `allot`.
    fn allot() -> Weight;
    /// Weight of `give_back`.
    fn give_back() -> Weight;
    /// Weight of `void`; `n` is 1 to 100.
    fn void(n: u32) -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // At most: call 169.4 µs, its reads 20.0 µs, commit of its block 1_795.8 µs.
    fn allot() -> Weight {
        let time = Weight::from_parts(169_482_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(5, 3))
    }
    // At most: call 153.2 µs, its reads 18.6 µs, commit of its block 1_840.9 µs.
    fn give_back() -> Weight {
        let time = Weight::from_parts(153_204_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 3))
    }
    // At most: call 121.7 µs, its reads 233.8 µs, commit of its block 1_332.5 µs.
    fn void(n: u32) -> Weight {
        let time = Weight::from_parts(48_551_181, 0);
        let weight = time.saturating_add(T::DbWeight::get().reads_writes(3, 1));
        let time = Weight::from_parts(761_818, 0);
        let each = time.saturating_add(T::DbWeight::get().reads_writes(1, 0));
        weight.saturating_add(each.saturating_mul(n.into()))
    }
}
