//! What each call costs: time in picoseconds without the database, and the
//! database reads and writes of its longest path.

use frame::weights_prelude::*;

/// Weights of the contract's calls.
pub trait WeightInfo {
    /// Weight of `set_transition_rule`.
    fn set_transition_rule() -> Weight;
    /// Weight of `remove_transition_rule`.
    fn remove_transition_rule() -> Weight;
    /// Weight of `set_admin`.
    fn set_admin() -> Weight;
    /// Weight of `remove_admin`.
    fn remove_admin() -> Weight;
    /// Weight of `set_whitelist`.
    fn set_whitelist() -> Weight;
    /// Weight of `remove_whitelist`.
    fn remove_whitelist() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Rules and RulesVersion, and the record of the change.
    fn set_transition_rule() -> Weight {
        Weight::from_parts(35_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(3, 3))
    }
    fn remove_transition_rule() -> Weight {
        Weight::from_parts(35_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(3, 3))
    }
    // The participant, Admins and its counter; below, Whitelist and its
    // counter, and the scene.
    fn set_admin() -> Weight {
        Weight::from_parts(25_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(3, 2))
    }
    fn remove_admin() -> Weight {
        Weight::from_parts(25_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(2, 2))
    }
    fn set_whitelist() -> Weight {
        Weight::from_parts(30_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(4, 2))
    }
    fn remove_whitelist() -> Weight {
        Weight::from_parts(30_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(2, 2))
    }
}
