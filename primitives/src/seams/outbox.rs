//! Who has to be told outside of what was decided.

use crate::outbox::Fact;
use frame_support::weights::Weight;

/// What systems outside have to hear of. Played by the outbox pallet.
pub trait Outbox {
    /// Notes a fact for every connector that wants to hear of it, in the transaction at hand:
    /// what is rolled back is told to nobody. It never refuses. `fact` is asked only where a
    /// connector is registered at all.
    fn tell(fact: impl FnOnce() -> Fact);
}

/// Where nobody has to be told.
impl Outbox for () {
    fn tell(_: impl FnOnce() -> Fact) {}
}

/// Work of the block beside what the weights of its calls say. Played by the cooling pallet.
pub trait ExtraWork {
    /// Adds work that the transaction at hand made, whatever becomes of it.
    fn add(weight: Weight);
}

/// Where nobody counts.
impl ExtraWork for () {
    fn add(_: Weight) {}
}
