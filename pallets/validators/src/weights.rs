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
    /// Weight of `set_address`.
    fn set_address() -> Weight;
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
    // At most: call 448.4 µs, its reads 16.0 µs, commit of its block 882.4 µs.
    fn add_observer() -> Weight {
        let time = Weight::from_parts(448_417_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(2, 1))
    }
    // At most: call 325.0 µs, its reads 22.0 µs, commit of its block 738.0 µs.
    fn add_validator() -> Weight {
        let time = Weight::from_parts(325_022_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 4))
    }
    // At most: call 253.2 µs, its reads 11.2 µs, commit of its block 4_459.9 µs.
    fn remove_observer() -> Weight {
        let time = Weight::from_parts(253_218_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(1, 2))
    }
    // At most: call 99.3 µs, its reads 14.7 µs, commit of its block 732.2 µs.
    fn remove_validator() -> Weight {
        let time = Weight::from_parts(99_329_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(4, 5))
    }
    // At most: call 219.1 µs, its reads 22.8 µs, commit of its block 3_303.9 µs.
    fn report_equivocations(e: u32) -> Weight {
        let time = Weight::from_parts(37_630_500, 0);
        let weight = time.saturating_add(T::DbWeight::get().reads_writes(2, 0));
        let time = Weight::from_parts(44_931_500, 0);
        let each = time.saturating_add(T::DbWeight::get().reads_writes(2, 1));
        weight.saturating_add(each.saturating_mul(e.into()))
    }
    // At most: call 110.9 µs, its reads 16.3 µs, commit of its block 3_521.8 µs.
    fn rotate_validator_key() -> Weight {
        let time = Weight::from_parts(110_944_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(3, 5))
    }
    // At most: call 311.6 µs, its reads 15.0 µs, commit of its block 3_343.2 µs.
    fn set_address() -> Weight {
        let time = Weight::from_parts(311_612_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(2, 1))
    }
    // At most: call 96.3 µs, its reads 12.0 µs, commit of its block 3_565.3 µs.
    fn set_operator() -> Weight {
        let time = Weight::from_parts(96_303_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(3, 3))
    }
    // At most: call 311.6 µs, its reads 15.0 µs, commit of its block 3_343.2 µs.
    fn set_peer_id() -> Weight {
        let time = Weight::from_parts(311_612_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(3, 3))
    }
    // At most: call 98.3 µs, its reads 7.8 µs, commit of its block 3_513.2 µs.
    fn set_power() -> Weight {
        let time = Weight::from_parts(98_357_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(1, 1))
    }
}
