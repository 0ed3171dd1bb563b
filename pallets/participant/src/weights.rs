//! What each call costs: time in picoseconds without the database, and the
//! database reads and writes of its longest path. Every path reads the block's
//! time.

use frame::weights_prelude::*;

/// Weights of the participant contract's calls.
pub trait WeightInfo {
    /// Weight of `register`.
    fn register() -> Weight;
    /// Weight of `set_status`.
    fn set_status() -> Weight;
    /// Weight of `rotate_key`.
    fn rotate_key() -> Weight;
    /// Weight of `update_info`.
    fn update_info() -> Weight;
    /// Weight of `set_roles`.
    fn set_roles() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Reads: Participants and its counter, Schemes, AccountToDid, UsccToDid,
    // System.Account, Timestamp.Now. Writes: Participants and its counter,
    // AccountToDid, UsccToDid, System.Account. Checking an SM2 point costs a
    // square root.
    fn register() -> Weight {
        Weight::from_parts(120_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(7, 5))
    }
    // Reads: Participants, Timestamp.Now. Writes: Participants, UsccToDid.
    fn set_status() -> Weight {
        Weight::from_parts(35_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(2, 2))
    }
    // Reads: Participants, Schemes, AccountToDid, System.Account, Timestamp.Now.
    // Writes: Participants, AccountToDid, System.Account.
    fn rotate_key() -> Weight {
        Weight::from_parts(120_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(5, 3))
    }
    // Reads: Participants, UsccToDid (new), Timestamp.Now. Writes:
    // Participants, UsccToDid (old and new).
    fn update_info() -> Weight {
        Weight::from_parts(40_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(3, 3))
    }
    // Reads: Participants, Timestamp.Now. Writes: Participants.
    fn set_roles() -> Weight {
        Weight::from_parts(30_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(2, 1))
    }
}
