//! The operators' council: who may administer the chain, by motion.
//!
//! `pallet-membership` holds the list, `pallet-collective` counts the votes.

use crate::{AccountId, Council, System};
use frame_support::traits::{ChangeMembers, InitializeMembers};
use pallet_collective::{EnsureProportionAtLeast, Instance1};

/// The instance of `pallet-collective` that is the council.
pub type CouncilCollective = Instance1;

/// A motion that at least three quarters of the council approved.
pub type CouncilMajority = EnsureProportionAtLeast<AccountId, CouncilCollective, 3, 4>;

/// Hands changes of the membership on to the council, and lets the members'
/// accounts exist: an account that nothing provides for cannot send a
/// transaction.
///
/// A former member's account stays, though `CheckSender` no longer admits it:
/// were it reaped, its nonce would begin again and its old transactions be
/// valid once more when it returns.
pub struct CouncilSync;

impl InitializeMembers<AccountId> for CouncilSync {
    fn initialize_members(members: &[AccountId]) {
        for member in members {
            System::inc_providers(member);
        }
        <Council as InitializeMembers<AccountId>>::initialize_members(members);
    }
}

impl ChangeMembers<AccountId> for CouncilSync {
    fn change_members_sorted(incoming: &[AccountId], outgoing: &[AccountId], new: &[AccountId]) {
        for member in incoming {
            System::inc_providers(member);
        }
        Council::change_members_sorted(incoming, outgoing, new);
    }

    fn set_prime(prime: Option<AccountId>) {
        Council::set_prime(prime);
    }

    fn get_prime() -> Option<AccountId> {
        Council::get_prime()
    }
}
