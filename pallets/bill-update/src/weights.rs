//! What each call costs: time in picoseconds without the database, and the
//! database reads and writes of its longest path.

use frame::weights_prelude::*;

/// Weights of the contract's calls.
pub trait WeightInfo {
    /// Weight of `change_status`.
    fn change_status() -> Weight;
    /// Weight of `change_status` to a lock that uses a grant.
    fn lock_with_grant() -> Weight;
    /// Weight of `red_reverse`.
    fn red_reverse() -> Weight;
    /// Weight of `update_summary`.
    fn update_summary() -> Weight;
    /// Weight of `propose_adjustment`.
    fn propose_adjustment() -> Weight;
    /// Weight of `approve_adjustment`.
    fn approve_adjustment() -> Weight;
    /// Weight of `withdraw_adjustment`.
    fn withdraw_adjustment() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn change_status() -> Weight {
        Weight::from_parts(90_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(12, 3))
    }
    // Besides: reads Grants, Participants of holder and subject, Timestamp.Now;
    // writes Grants.
    fn lock_with_grant() -> Weight {
        Weight::from_parts(30_000_000, 0)
            .saturating_add(Self::change_status())
            .saturating_add(T::DbWeight::get().reads_writes(4, 1))
    }
    // Each new bill's scene and access nodes of the issuer count.
    fn red_reverse() -> Weight {
        Weight::from_parts(135_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(15, 4))
    }
    fn update_summary() -> Weight {
        Weight::from_parts(45_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(5, 2))
    }
    // Reads: participant by account and by DID, time, bill, rule, adjustment,
    // count; writes the last two.
    fn propose_adjustment() -> Weight {
        Weight::from_parts(40_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(7, 2))
    }
    // The lock of the bill may be expired, which makes a version more.
    fn approve_adjustment() -> Weight {
        Weight::from_parts(70_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(10, 5))
    }
    fn withdraw_adjustment() -> Weight {
        Weight::from_parts(30_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(4, 2))
    }
}
