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
    /// Weight of `cancel`.
    fn cancel() -> Weight;
    /// Weight of `conclude`.
    fn conclude() -> Weight;
    /// Weight of `confirm`.
    fn confirm() -> Weight;
    /// Weight of `schedule`.
    fn schedule() -> Weight;
    /// Weight of `withdraw`.
    fn withdraw() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // At most: call 18.0 µs, its reads 2.5 µs, commit of its block 365.7 µs.
    fn cancel() -> Weight {
        let time = Weight::from_parts(18_047_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(1, 2))
    }
    // At most: call 70.6 µs, its reads 13.0 µs, commit of its block 467.5 µs.
    fn conclude() -> Weight {
        let time = Weight::from_parts(70_683_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 2))
    }
    // At most: call 78.0 µs, its reads 7.9 µs, commit of its block 531.9 µs.
    fn confirm() -> Weight {
        let time = Weight::from_parts(78_004_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(3, 1))
    }
    // At most: call 20.2 µs, its reads 5.7 µs, commit of its block 448.4 µs.
    fn schedule() -> Weight {
        let time = Weight::from_parts(20_249_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(2, 1))
    }
    // At most: call 19.2 µs, its reads 4.9 µs, commit of its block 502.0 µs.
    fn withdraw() -> Weight {
        let time = Weight::from_parts(19_208_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(2, 1))
    }
}
