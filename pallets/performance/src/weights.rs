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
    /// Weight of `charge`.
    fn charge() -> Weight;
    /// Weight of `set_limits`.
    fn set_limits() -> Weight;
    /// Weight of `set_participant_quota`.
    fn set_participant_quota() -> Weight;
    /// Weight of `set_quotas`.
    fn set_quotas() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // At most: call 8.5 µs, its reads 3.1 µs, commit of its block 497.7 µs.
    fn charge() -> Weight {
        let time = Weight::from_parts(8_553_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(3, 1))
    }
    // At most: call 9.4 µs, its reads 1.7 µs, commit of its block 553.0 µs.
    fn set_limits() -> Weight {
        let time = Weight::from_parts(9_423_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(1, 1))
    }
    // At most: call 18.0 µs, its reads 5.8 µs, commit of its block 542.1 µs.
    fn set_participant_quota() -> Weight {
        let time = Weight::from_parts(18_007_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 2))
    }
    // At most: call 10.0 µs, its reads 1.7 µs, commit of its block 532.2 µs.
    fn set_quotas() -> Weight {
        let time = Weight::from_parts(10_055_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(1, 1))
    }
}
