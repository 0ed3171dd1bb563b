//! What each call costs: time in picoseconds without the database, and the
//! database reads and writes of its longest path.
//!
//! Not measured yet: times are estimates, well above those of like calls; reads and
//! writes are counted by hand. `scripts/weights cooling` measures and writes this file
//! again. Do not edit it.

use frame::weights_prelude::*;

/// Weights of the contract's calls, and of what else it does for them.
pub trait WeightInfo {
    /// Weight of `set_policy`.
    fn set_policy() -> Weight;
    /// Weight of `walk`; `g` is 1 to 500.
    fn walk(g: u32) -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn set_policy() -> Weight {
        let time = Weight::from_parts(20_000_000, 0);
        time.saturating_add(T::DbWeight::get().reads_writes(2, 1))
    }
    fn walk(g: u32) -> Weight {
        let time = Weight::from_parts(60_000_000, 0);
        let weight = time.saturating_add(T::DbWeight::get().reads_writes(7, 3));
        let time = Weight::from_parts(30_000_000, 0);
        let each = time.saturating_add(T::DbWeight::get().reads_writes(22, 0));
        weight.saturating_add(each.saturating_mul(g.into()))
    }
}
