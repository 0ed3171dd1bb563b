//! What each call costs: time in picoseconds without the database, and the
//! database reads and writes of its longest path.
//!
//! Measured by `billchain benchmark-weights pallets`; `scripts/weights` writes
//! this file again. Do not edit it.
//!
//! - Date: 2026-11-28
//! - Machine: AMD EPYC, 2 cores, linux 6.18
//! - Ledger: 200_000 bills; steps: 5, repeats: 15

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
    fn charge() -> Weight {
        let time = Weight::from_parts(20_000_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(3, 1))
    }
    fn set_limits() -> Weight {
        let time = Weight::from_parts(20_000_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(1, 1))
    }
    fn set_participant_quota() -> Weight {
        let time = Weight::from_parts(30_000_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(5, 4))
    }
    fn set_quotas() -> Weight {
        let time = Weight::from_parts(20_000_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(1, 1))
    }
}
