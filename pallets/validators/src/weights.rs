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
    /// Weight of `add_observer`.
    fn add_observer() -> Weight;
    /// Weight of `add_validator`.
    fn add_validator() -> Weight;
    /// Weight of `remove_observer`.
    fn remove_observer() -> Weight;
    /// Weight of `remove_validator`.
    fn remove_validator() -> Weight;
    /// Weight of `report_equivocations`; `e` is 1 to 4.
    fn report_equivocations(e: u32) -> Weight;
    /// Weight of `rotate_validator_key`.
    fn rotate_validator_key() -> Weight;
    /// Weight of `set_operator`.
    fn set_operator() -> Weight;
    /// Weight of `set_peer_id`.
    fn set_peer_id() -> Weight;
    /// Weight of `set_power`.
    fn set_power() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // At most: call 458.7 µs, its reads 16.8 µs, commit of its block 1_176.6 µs.
    fn add_observer() -> Weight {
        let time = Weight::from_parts(458_773_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(2, 1))
    }
    // At most: call 344.7 µs, its reads 21.2 µs, commit of its block 992.0 µs.
    fn add_validator() -> Weight {
        let time = Weight::from_parts(344_753_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 4))
    }
    // At most: call 278.1 µs, its reads 10.7 µs, commit of its block 1_181.1 µs.
    fn remove_observer() -> Weight {
        let time = Weight::from_parts(278_154_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(1, 1))
    }
    // At most: call 102.4 µs, its reads 15.2 µs, commit of its block 1_060.0 µs.
    fn remove_validator() -> Weight {
        let time = Weight::from_parts(102_411_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 4))
    }
    // At most: call 245.8 µs, its reads 24.5 µs, commit of its block 945.0 µs.
    fn report_equivocations(e: u32) -> Weight {
        let time = Weight::from_parts(38_307_000, 0);
        let weight = time.saturating_add(T::DbWeight::get().reads_writes(2, 0));
        let time = Weight::from_parts(45_548_000, 0);
        let each = time.saturating_add(T::DbWeight::get().reads_writes(2, 1));
        weight.saturating_add(each.saturating_mul(e.into()))
    }
    // At most: call 113.0 µs, its reads 11.4 µs, commit of its block 971.7 µs.
    fn rotate_validator_key() -> Weight {
        let time = Weight::from_parts(113_098_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(3, 5))
    }
    fn set_operator() -> Weight {
        T::DbWeight::get().reads_writes(3, 3)
    }
    fn set_peer_id() -> Weight {
        T::DbWeight::get().reads_writes(2, 1)
    }
    fn set_power() -> Weight {
        T::DbWeight::get().reads_writes(1, 1)
    }
}
