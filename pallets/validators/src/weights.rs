//! What each call costs: time in picoseconds without the database, and the
//! database reads and writes of its longest path.

use frame::weights_prelude::*;

/// Weights of the contract's calls.
pub trait WeightInfo {
    /// Weight of `add_validator`.
    fn add_validator() -> Weight;
    /// Weight of `remove_validator`.
    fn remove_validator() -> Weight;
    /// Weight of `rotate_validator_key`.
    fn rotate_validator_key() -> Weight;
    /// Weight of `add_observer`.
    fn add_observer() -> Weight;
    /// Weight of `remove_observer`.
    fn remove_observer() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn add_validator() -> Weight {
        Weight::from_parts(150_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(3, 3))
    }
    fn remove_validator() -> Weight {
        Weight::from_parts(60_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(2, 2))
    }
    fn rotate_validator_key() -> Weight {
        Weight::from_parts(150_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(1, 1))
    }
    fn add_observer() -> Weight {
        Weight::from_parts(40_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(2, 1))
    }
    fn remove_observer() -> Weight {
        Weight::from_parts(40_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(1, 1))
    }
}
