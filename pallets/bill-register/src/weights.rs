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
    /// A set of `n` field rules.
    fn set_field_rules(n: u32) -> Weight;
    /// One link.
    fn link_party() -> Weight;
    /// One change of a link.
    fn update_link() -> Weight;
}

/// Weights with the runtime's cost of a database access.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Reads: participant by account and by DID, rule, time, then per bill the
    // bill, its scene, the field rules of all scenes and of this one, the
    // issuer's access nodes and the scene's policies; writes: the bill.
    // `Touched` never reaches the disk.
    fn register() -> Weight {
        Weight::from_parts(60_000_000, 4096).saturating_add(T::DbWeight::get().reads_writes(10, 1))
    }

    fn register_batch(n: u32) -> Weight {
        Weight::from_parts(58_000_000, 4096)
            .saturating_mul(n.into())
            .saturating_add(Weight::from_parts(10_000_000, 4096))
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().reads_writes(4, 1).saturating_mul(n.into()))
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

    // Reads: scene, rules, time.
    fn set_field_rules(n: u32) -> Weight {
        Weight::from_parts(20_000_000, 4096)
            .saturating_add(Weight::from_parts(500_000, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads_writes(3, 1))
    }

    // Reads: the sender twice, the bill, the party, the links, time.
    fn link_party() -> Weight {
        Weight::from_parts(40_000_000, 4096).saturating_add(T::DbWeight::get().reads_writes(6, 1))
    }

    fn update_link() -> Weight {
        Self::link_party()
    }
}
