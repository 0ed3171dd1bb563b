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
    /// Weight of `add_observer`.
    fn add_observer() -> Weight;
    /// Weight of `add_validator`.
    fn add_validator() -> Weight;
    /// Weight of `remove_observer`.
    fn remove_observer() -> Weight;
    /// Weight of `remove_validator`.
    fn remove_validator() -> Weight;
    /// Weight of `report_equivocations`.
    fn report_equivocations(e: u32) -> Weight;
    /// Weight of `rotate_validator_key`.
    fn rotate_validator_key() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // At most: call 310.4 µs, its reads 25.9 µs, commit of its block 15_513.8 µs.
    fn add_observer() -> Weight {
        let time = Weight::from_parts(310_485_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(2, 1))
    }
    // Reckoned, not measured: the call without tenures took 253.3 µs.
    fn add_validator() -> Weight {
        let time = Weight::from_parts(300_000_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(5, 4))
    }
    // At most: call 193.8 µs, its reads 15.0 µs, commit of its block 14_860.7 µs.
    fn remove_observer() -> Weight {
        let time = Weight::from_parts(193_860_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(1, 1))
    }
    // Reckoned, not measured: the call without tenures and records took 77.0 µs.
    fn remove_validator() -> Weight {
        let time = Weight::from_parts(200_000_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 5))
    }
    // Reckoned, not measured: two verifications each, and a full record read and
    // written.
    fn report_equivocations(e: u32) -> Weight {
        let time = Weight::from_parts(50_000_000, 0);
        let weight = time.saturating_add(T::DbWeight::get().reads_writes(2, 0));
        let time = Weight::from_parts(500_000_000, 0);
        let each = time.saturating_add(T::DbWeight::get().reads_writes(2, 1));
        weight.saturating_add(each.saturating_mul(e.into()))
    }
    // Reckoned, not measured: the call without tenures took 88.8 µs.
    fn rotate_validator_key() -> Weight {
        let time = Weight::from_parts(200_000_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 6))
    }
}
