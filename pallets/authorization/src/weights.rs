//! What each call costs: time in picoseconds without the database, and the
//! database reads and writes of its longest path. Every path reads the sender's
//! account and participant, and the block's time.

use frame::weights_prelude::*;

/// Weights of the contract's calls.
pub trait WeightInfo {
    /// Weight of `register_grant` with `n` bills.
    fn register_grant(n: u32) -> Weight;
    /// Weight of `revoke`.
    fn revoke() -> Weight;
    /// Weight of `freeze`.
    fn freeze() -> Weight;
    /// Weight of `activate`.
    fn activate() -> Weight;
    /// Weight of `record_use`.
    fn record_use() -> Weight;
    /// Weight of `record_transfer`.
    fn record_transfer() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Reads besides: Grants and its counter, GrantsOfHolder, the participants
    // holder and subject, the scene. Writes: Grants and its counter,
    // GrantsOfHolder.
    fn register_grant(n: u32) -> Weight {
        Weight::from_parts(45_000_000, 0)
            .saturating_add(Weight::from_parts(200_000, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads_writes(9, 3))
    }
    // Reads besides: Grants. Writes: Grants.
    fn revoke() -> Weight {
        Weight::from_parts(35_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(4, 1))
    }
    fn freeze() -> Weight {
        Self::revoke()
    }
    fn activate() -> Weight {
        Self::revoke()
    }
    // Reads besides: Grants, the bill, the scene, the participant holder.
    // Writes: Grants.
    fn record_use() -> Weight {
        Weight::from_parts(45_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(7, 1))
    }
    fn record_transfer() -> Weight {
        Self::revoke()
    }
}
