//! What the calls of this pallet cost.
//!
//! The counts of reads and writes are those of the state; the base times are
//! estimates on the safe side until the benchmarks of the node replace them.

use frame::weights_prelude::*;

/// Weights of the calls of this pallet.
pub trait WeightInfo {
    /// One bill.
    fn register() -> Weight;
    /// A batch of `n` bills.
    fn register_batch(n: u32) -> Weight;
    /// One payment notice.
    fn pre_issue() -> Weight;
    /// Confirmation of one notice.
    fn confirm() -> Weight;
    /// Voiding of one notice.
    fn void() -> Weight;
}

/// Weights with the runtime's cost of a database access.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Reads: participant by account and by DID, rule, time, then per bill the
    // bill, its scene, the issuer's access nodes and the scene's policies;
    // writes: the bill. `Touched` never reaches the disk.
    fn register() -> Weight {
        Weight::from_parts(50_000_000, 4096).saturating_add(T::DbWeight::get().reads_writes(8, 1))
    }

    fn register_batch(n: u32) -> Weight {
        Weight::from_parts(48_000_000, 4096)
            .saturating_mul(n.into())
            .saturating_add(Weight::from_parts(10_000_000, 4096))
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().reads_writes(3, 1).saturating_mul(n.into()))
    }

    fn pre_issue() -> Weight {
        Self::register()
    }

    fn confirm() -> Weight {
        Weight::from_parts(35_000_000, 4096).saturating_add(T::DbWeight::get().reads_writes(6, 1))
    }

    fn void() -> Weight {
        Self::confirm()
    }
}
