//! What each call costs: time in picoseconds without the database, and the
//! database reads and writes of its longest path.

use frame::weights_prelude::*;

/// Weights of the contract's calls.
pub trait WeightInfo {
    /// Weight of `register`.
    fn register() -> Weight;
    /// Weight of `configure`.
    fn configure() -> Weight;
    /// Weight of `set_weight`.
    fn set_weight() -> Weight;
    /// Weight of `set_status`.
    fn set_status() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn register() -> Weight {
        Weight::from_parts(30_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(2, 2))
    }
    fn configure() -> Weight {
        Weight::from_parts(25_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(1, 1))
    }
    fn set_weight() -> Weight {
        Weight::from_parts(25_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(1, 1))
    }
    fn set_status() -> Weight {
        Weight::from_parts(25_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(1, 1))
    }
}
