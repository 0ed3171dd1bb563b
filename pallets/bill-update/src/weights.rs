//! What each call costs: time in picoseconds without the database, and the
//! database reads and writes of its longest path.

use frame::weights_prelude::*;

/// Weights of the contract's calls.
pub trait WeightInfo {
    /// Weight of `change_status`.
    fn change_status() -> Weight;
    /// Weight of `red_reverse`.
    fn red_reverse() -> Weight;
    /// Weight of `update_summary`.
    fn update_summary() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn change_status() -> Weight {
        Weight::from_parts(45_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(8, 2))
    }
    fn red_reverse() -> Weight {
        Weight::from_parts(130_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(12, 4))
    }
    fn update_summary() -> Weight {
        Weight::from_parts(40_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(4, 2))
    }
}
