//! The operators' council: who may administer the chain, by motion.
//!
//! `pallet-membership` holds the list, `pallet-collective` counts the votes. What
//! it measures in blocks, which follow work and are no time, is measured here in
//! block time: a motion that has not been carried out a week after it was proposed
//! lapses by itself, so nobody has to close it. And a member has a share of the
//! open motions, so none can keep the others from proposing.

use crate::{AccountId, Council, Hash, Moment, Runtime, System, Timestamp, limits::DbWeight};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
    dispatch::DispatchClass,
    traits::{ChangeMembers, Consideration, InitializeMembers, MaybeConsideration, PostInherents},
};
use pallet_collective::{CostOf, EnsureProportionAtLeast, Error, Instance1, ProposalOf, Proposals};
use scale_info::TypeInfo;
use sp_runtime::DispatchError;

/// Most motions that are open at once.
pub const MAX_MOTIONS: u32 = 64;

/// Most of them that one member proposed.
pub const MAX_MOTIONS_OF_MEMBER: u32 = 8;

/// How long a motion stays open, in milliseconds of block time: a week.
pub const MOTION_PERIOD_MS: Moment = 7 * 24 * 60 * 60 * 1000;

/// Motions that lapse in one block, at most; others follow in the next.
const MOST_LAPSES: usize = 8;

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

/// What `pallet-collective` keeps of a motion beside its proposer, for us.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct MotionTicket {
    /// Time of the block in which the motion lapses, in milliseconds.
    pub deadline: Moment,
}

impl Consideration<AccountId, u32> for MotionTicket {
    /// Refuses a motion beyond its proposer's share. Tickets of motions that
    /// have ended are taken back on the way, so that none is left for long.
    fn new(who: &AccountId, _open: u32) -> Result<Self, DispatchError> {
        let tickets: Vec<_> = CostOf::<Runtime, CouncilCollective>::iter().collect();
        let looked_at = u64::try_from(tickets.len()).unwrap_or(u64::MAX).saturating_add(1);
        let weight = DbWeight::get().reads_writes(looked_at.saturating_mul(2), looked_at);
        System::register_extra_weight_unchecked(weight, DispatchClass::Operational);
        let mut own = 0_u32;
        for (motion, (proposer, _)) in tickets {
            if !ProposalOf::<Runtime, CouncilCollective>::contains_key(motion) {
                CostOf::<Runtime, CouncilCollective>::remove(motion);
            } else if proposer == *who {
                own = own.saturating_add(1);
            }
        }
        if own >= MAX_MOTIONS_OF_MEMBER {
            return Err(Error::<Runtime, CouncilCollective>::TooManyProposals.into());
        }
        Ok(Self { deadline: Timestamp::get().saturating_add(MOTION_PERIOD_MS) })
    }

    fn update(self, _: &AccountId, _: u32) -> Result<Self, DispatchError> {
        Ok(self)
    }

    fn drop(self, _: &AccountId) -> Result<(), DispatchError> {
        Ok(())
    }
}

impl MaybeConsideration<AccountId, u32> for MotionTicket {
    fn is_none(&self) -> bool {
        false
    }
}

/// Ends the motions whose time is over, at the beginning of each block.
pub struct ExpiredMotions;

impl PostInherents for ExpiredMotions {
    fn post_inherents() {
        let now = Timestamp::get();
        // In the order in which they were proposed, which is that of deadlines.
        let open = Proposals::<Runtime, CouncilCollective>::get();
        let expired: Vec<Hash> = open
            .iter()
            .copied()
            .take_while(|motion| has_lapsed(motion, now))
            .take(MOST_LAPSES)
            .collect();
        for motion in &expired {
            Council::do_disapprove_proposal(*motion);
            CostOf::<Runtime, CouncilCollective>::remove(motion);
        }
        let ended = u64::try_from(expired.len()).unwrap_or(u64::MAX);
        let weight = DbWeight::get()
            .reads_writes(ended.saturating_mul(3).saturating_add(2), ended.saturating_mul(4));
        System::register_extra_weight_unchecked(weight, DispatchClass::Mandatory);
    }
}

fn has_lapsed(motion: &Hash, now: Moment) -> bool {
    CostOf::<Runtime, CouncilCollective>::get(motion)
        .is_some_and(|(_, ticket)| ticket.deadline <= now)
}
