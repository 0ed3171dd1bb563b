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
    /// Weight of `submit_approval`.
    fn submit_approval() -> Weight;
    /// Weight of `withdraw`.
    fn withdraw() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // The sender's DID, participant and office; the scene, the number of
    // scenes, the open proposal, their numbers. Writes the proposal and the
    // two numbers.
    fn register() -> Weight {
        Weight::from_parts(40_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(8, 3))
    }
    fn configure() -> Weight {
        Weight::from_parts(40_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(8, 3))
    }
    fn set_weight() -> Weight {
        Weight::from_parts(35_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(8, 3))
    }
    fn set_status() -> Weight {
        Weight::from_parts(35_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(8, 3))
    }
    // As above with the trail; writes the scene, the number of scenes, the
    // proposal, their number and the trail.
    fn submit_approval() -> Weight {
        Weight::from_parts(60_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(8, 5))
    }
    fn withdraw() -> Weight {
        Weight::from_parts(40_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(6, 3))
    }
}
