//! What each call costs: time in picoseconds without the database, and the
//! database reads and writes of its longest path. Every path reads the block's
//! time.

use frame::weights_prelude::*;

/// Weights of the contract's calls.
pub trait WeightInfo {
    /// Weight of `register`.
    fn register() -> Weight;
    /// Weight of `set_status` of a node linked to `n` participants.
    fn set_status(n: u32) -> Weight;
    /// Weight of `link`.
    fn link() -> Weight;
    /// Weight of `unlink`.
    fn unlink() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Reads: Nodes and its counter, KeyToNode, Timestamp.Now. Writes: Nodes and
    // its counter, KeyToNode. Checking an SM2 point costs a square root.
    fn register() -> Weight {
        Weight::from_parts(120_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(4, 3))
    }
    // Reads: Nodes, Timestamp.Now, and for each link Links and NodesOf. Writes:
    // Nodes, and NodesOf for each link.
    fn set_status(n: u32) -> Weight {
        let link =
            Weight::from_parts(10_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(2, 1));
        Weight::from_parts(35_000_000, 0)
            .saturating_add(T::DbWeight::get().reads_writes(2, 1))
            .saturating_add(link.saturating_mul(n.into()))
    }
    // Reads: Nodes, Links, NodesOf, the participant, Timestamp.Now. Writes:
    // Nodes, Links, NodesOf.
    fn link() -> Weight {
        Weight::from_parts(40_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(5, 3))
    }
    // Reads: Nodes, Links, NodesOf, Timestamp.Now. Writes: Nodes, Links,
    // NodesOf.
    fn unlink() -> Weight {
        Weight::from_parts(40_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(4, 3))
    }
}
