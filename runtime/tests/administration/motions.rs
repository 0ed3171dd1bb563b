//! Motions of the council: a member's share of them, and their end by time.

use super::*;
use billchain_runtime::{
    Council, CouncilCollective, ExpiredMotions, MAX_MOTIONS_OF_MEMBER, MOTION_PERIOD_MS, Runtime,
};
use codec::Encode;
use frame_support::traits::PostInherents;

type CouncilCall = pallet_collective::Call<Runtime, CouncilCollective>;

const MEMBERS: [&str; 4] = ["one", "two", "three", "four"];

fn members() -> Vec<AccountId> {
    MEMBERS.into_iter().map(|name| key(name).account_id()).collect()
}

/// Proposes that a participant with this number be registered.
fn propose(member: &str, number: u32) -> Result<(), String> {
    send(
        member,
        CouncilCall::propose {
            threshold: 3,
            proposal: Box::new(motion(number)),
            length_bound: 10_000,
        },
    )
}

fn motion(number: u32) -> RuntimeCall {
    let name = format!("motion-{number}");
    RuntimeCall::Participant(pallet_participant::Call::register {
        registration: Registration {
            did: did(&name),
            name: name.parse().expect("plain names"),
            kind: ParticipantKind::Organisation,
            public_key: key(&name),
            roles: RoleSet::of(&[Role::User]),
            uscc_hash: None,
        },
    })
}

fn hash(number: u32) -> billchain_runtime::Hash {
    billchain_primitives::sm3(&motion(number).encode()).into()
}

fn open() -> usize {
    pallet_collective::Proposals::<Runtime, CouncilCollective>::get().len()
}

/// Begins a block at `moment`.
fn block_at(moment: u64) {
    System::set_block_number(System::block_number() + 1);
    Timestamp::set_timestamp(moment);
    ExpiredMotions::post_inherents();
}

#[test]
fn one_member_cannot_keep_the_others_from_proposing() {
    run_with(members(), || {
        for number in 0..MAX_MOTIONS_OF_MEMBER {
            assert_eq!(propose("one", number), Ok(()));
        }
        assert_eq!(propose("one", 100), Err("TooManyProposals".into()));
        assert_eq!(propose("two", 200), Ok(()), "the others have their own share");
        // What has ended makes room, whoever ended it.
        Council::do_disapprove_proposal(hash(3));
        assert_eq!(propose("one", 100), Ok(()));
        assert_eq!(propose("one", 101), Err("TooManyProposals".into()));
    });
}

#[test]
fn a_motion_lapses_by_time_and_nobody_has_to_close_it() {
    run_with(members(), || {
        let start = Timestamp::get();
        assert_eq!(propose("one", 1), Ok(()));
        block_at(start + 60_000);
        assert_eq!(propose("one", 2), Ok(()));
        // As many blocks as there are in a week at their fastest do not end it.
        System::set_block_number(7 * 24 * 60 * 60 * 20);
        block_at(start + MOTION_PERIOD_MS - 1);
        assert_eq!(open(), 2);
        block_at(start + MOTION_PERIOD_MS);
        assert_eq!(open(), 1, "the second has a minute left");
        let vote = CouncilCall::vote { proposal: hash(1), index: 0, approve: true };
        assert_eq!(send("two", vote), Err("ProposalMissing".into()));
        block_at(start + MOTION_PERIOD_MS + 60_000);
        assert_eq!(open(), 0);
        assert_eq!(propose("one", 1), Ok(()), "it may be proposed again");
    });
}

#[test]
fn silent_members_vote_for_nobody() {
    run_with(members(), || {
        assert_eq!(propose("one", 1), Ok(()));
        let vote = CouncilCall::vote { proposal: hash(1), index: 0, approve: true };
        assert_eq!(send("one", vote), Ok(()));
        let close = CouncilCall::close {
            proposal_hash: hash(1),
            index: 0,
            proposal_weight_bound: frame_support::weights::Weight::MAX,
            length_bound: 10_000,
        };
        System::set_block_number(7 * 24 * 60 * 60 * 20);
        assert_eq!(send("one", close), Err("TooEarly".into()));
    });
}
