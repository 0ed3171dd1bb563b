//! What each call costs: time in picoseconds without the database, and the
//! database reads and writes of its longest path.

use frame::weights_prelude::*;

/// Weights of the contract's calls, and of what it does before others.
pub trait WeightInfo {
    /// Announcing `n` locks, and their share of the end of the block.
    fn announce(n: u32) -> Weight;
    /// Weight of `open_case` with `n` parties.
    fn open_case(n: u32) -> Weight;
    /// Weight of `close_case`.
    fn close_case() -> Weight;
    /// Weight of `admin_lock`.
    fn admin_lock() -> Weight;
    /// Weight of `admin_unlock`.
    fn admin_unlock() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // The sender by account and by DID; a lock: its user, scene and contest,
    // at the end the search for the next contest, and a resolution, of which
    // there is one for two locks at most. A contest never reaches the disk.
    fn announce(n: u32) -> Weight {
        if n == 0 {
            return Weight::zero();
        }
        Weight::from_parts(15_000_000, 0)
            .saturating_mul(n.into())
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().reads_writes(4, 1).saturating_mul(n.into()))
    }
    // Sender, bill, open case and count; an account a party.
    fn open_case(n: u32) -> Weight {
        Weight::from_parts(40_000_000, 0)
            .saturating_add(T::DbWeight::get().reads_writes(6, 3))
            .saturating_add(T::DbWeight::get().reads(1).saturating_mul(n.into()))
    }
    fn close_case() -> Weight {
        Weight::from_parts(35_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(4, 2))
    }
    // As a change of status, and the case.
    fn admin_lock() -> Weight {
        Weight::from_parts(70_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(8, 3))
    }
    fn admin_unlock() -> Weight {
        Weight::from_parts(70_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(8, 3))
    }
}
