//! The inherent, its success and each of its refusals; who is left out and when.

use crate::{
    COMMIT_DIGEST, CommitDigest, Error, Event, LastSetChange, Record, Records, SET_DIGEST, Seats,
    SetChange, mock::*,
};
use billchain_primitives::{AccountId, MAX_LATE_BLOCKS, ParentCommit, turn};
use codec::{Decode, DecodeAll, Encode};
use frame::{
    deps::sp_runtime::{DigestItem, traits::BadOrigin},
    testing_prelude::*,
};

const FOUR: [(u8, u64); 4] = [(1, 1), (2, 1), (3, 1), (4, 1)];

/// Swaps the first two.
fn swap<T: Clone, S: Get<u32>>(all: &mut BoundedVec<T, S>) {
    let mut swapped = all.to_vec();
    swapped.swap(0, 1);
    *all = BoundedVec::truncate_from(swapped);
}

fn events() -> Vec<Event<Test>> {
    System::events()
        .into_iter()
        .filter_map(|record| match record.event {
            RuntimeEvent::Participation(event) => Some(event),
            _ => None,
        })
        .collect()
}

fn record(seed: u8) -> Record {
    let known = Records::<Test>::get().into_iter().find(|one| one.validator == account(seed));
    known.unwrap_or_else(|| Record::new(account(seed)))
}

fn missed(seed: u8) -> (u32, u64) {
    (record(seed).missed, record(seed).missed_in_all)
}

/// The seed of this account.
fn seed_of(account_: &AccountId) -> u8 {
    (1..=9).find(|seed| account(*seed) == *account_).unwrap()
}

/// Whose turn it was in a round of the parent of the next block.
fn proposer(round: u32) -> u8 {
    let seats = Seats::<Test>::get();
    let order: Vec<_> = seats.iter().filter(|seat| seat.takes_turns).collect();
    let height = u64::from(System::block_number());
    seed_of(&order[turn(height, round, order.len())].validator)
}

#[test]
fn a_commit_is_booked_and_stands_in_the_header() {
    run(&FOUR, || {
        next(0, &[1, 2, 3, 4]);
        assert!(Records::<Test>::get().is_empty(), "nobody has missed anything");
        next(0, &[1, 2, 4]);
        assert_eq!(missed(3), (1, 1));
        next(3, &[1, 2, 3]);
        assert_eq!((missed(3), missed(4)), ((0, 1), (1, 1)));

        let digest = System::digest();
        let [DigestItem::Consensus(COMMIT_DIGEST, item)] = &digest.logs[..] else {
            panic!("{digest:?}");
        };
        let CommitDigest { round, signers, turns } = CommitDigest::decode(&mut &item[..]).unwrap();
        let seats = Seats::<Test>::get();
        let of = |bit: usize| seed_of(&seats[bit].validator);
        let mut signed: Vec<u8> = (0..64).filter(|bit| signers >> bit & 1 == 1).map(of).collect();
        signed.sort_unstable();
        assert_eq!((round, signed), (3, vec![1, 2, 3]));
        assert_eq!((item.len(), turns), (20, 0b1111));
    });
}

#[test]
fn who_is_missing_for_as_long_as_turns_take_is_left_out_until_it_is_seen() {
    run(&FOUR, || {
        for _ in 0..3 {
            next(0, &[1, 2, 4]);
            assert_eq!(Participation::left_out(), []);
        }
        next(0, &[1, 2, 4]);
        assert_eq!(Participation::left_out(), [account(3)]);
        let suspended = Event::TurnsSuspended { validator: account(3), missed: 4, failed: 0 };
        assert_eq!(events(), [suspended]);
        let standing = |seed| {
            let standings = Participation::standings();
            standings.into_iter().find(|one| one.record.validator == account(seed)).unwrap()
        };
        assert_eq!(System::block_number(), 5);
        assert_eq!((standing(3).last_seen, standing(3).takes_turns), (0, false));
        assert_eq!((standing(1).last_seen, standing(1).takes_turns), (4, true));

        next(0, &[1, 2, 4]);
        assert_eq!(events(), [], "said once");
        let seats = Seats::<Test>::get();
        let takes: Vec<bool> = (1..=4)
            .map(|seed| seats.iter().any(|s| s.validator == account(seed) && s.takes_turns))
            .collect();
        assert_eq!(takes, [true, true, false, true], "the block at hand is without its turn");

        next(0, &[1, 3, 4]);
        assert_eq!(Participation::left_out(), []);
        assert_eq!(events(), [Event::TurnsResumed { validator: account(3) }]);
        assert_eq!((missed(3), missed(2)), ((0, 5), (1, 1)));
    });
}

#[test]
fn a_late_precommit_shows_that_a_slow_validator_is_there() {
    run(&FOUR, || {
        for _ in 0..6 {
            next(0, &[1, 2, 4]);
        }
        assert_eq!(Participation::left_out(), [account(3)]);
        begin(8);
        let mut commit = commit(0, &[1, 2, 4]);
        commit.late = BoundedVec::truncate_from(vec![late(3, 5)]);
        assert_ok!(Participation::note_commit(RuntimeOrigin::none(), commit));
        assert_eq!(missed(3), (2, 7), "blocks 6 and 7 are still missing");
        assert_eq!(Participation::left_out(), []);
    });
}

#[test]
fn a_proposer_whose_turn_fails_proposes_nothing_for_a_while_and_for_longer_each_time() {
    run(&FOUR, || {
        let silent = proposer(0);
        let mut waits = Vec::new();
        while waits.len() < 3 {
            let round = u32::from(proposer(0) == silent);
            next(round, &[1, 2, 3, 4]);
            if round == 0 {
                continue;
            }
            assert_eq!(Participation::left_out(), [account(silent)]);
            let failed = record(silent).failed;
            let suspended = Event::TurnsSuspended { validator: account(silent), missed: 0, failed };
            assert_eq!(events(), [suspended]);
            waits.push(record(silent).out_until - System::block_number());
        }
        assert_eq!(waits, [8, 16, 32]);
        while proposer(0) != silent {
            next(0, &[1, 2, 3, 4]);
        }
        next(0, &[1, 2, 3, 4]);
        assert!(Records::<Test>::get().is_empty(), "one block of its own, and it is forgotten");
    });
}

#[test]
fn each_validator_fails_once_a_height_however_many_rounds_there_were() {
    run(&FOUR, || {
        let decider = proposer(1_000_000);
        next(1_000_000, &[1, 2, 3, 4]);
        for seed in 1..=4 {
            assert_eq!(record(seed).failed, u32::from(seed != decider));
        }
        assert_eq!(Participation::left_out().len(), 1, "never more than a third");
    });
}

#[test]
fn who_is_no_validator_any_more_is_forgotten_and_a_new_one_is_judged_from_its_block_on() {
    run(&FOUR, || {
        next(0, &[1, 2, 3]);
        assert_eq!(missed(4), (1, 1));
        // The next block is decided by others; its commit is judged by them.
        Keys::set(&[(1, 1), (2, 1), (3, 1), (5, 1)]);
        next(0, &[1, 2, 4]);
        assert_eq!(Records::<Test>::get().len(), 1, "4 is forgotten, 3 has missed one");
        next(0, &[1, 2, 5]);
        begin(5);
        let foreign = commit(0, &[1, 2, 4]);
        let refused = Participation::note_commit(RuntimeOrigin::none(), foreign);
        assert_noop!(refused, Error::<Test>::NotValidator);
    });
}

/// What the header of the block at hand says of the next one's validators, by seeds.
fn set_change() -> Option<(u32, Vec<(u8, u64)>)> {
    Participation::on_finalize(System::block_number());
    let item = System::digest().logs.into_iter().find_map(|item| match item {
        DigestItem::Consensus(SET_DIGEST, item) => Some(item),
        _ => None,
    })?;
    let SetChange { previous, validators } = SetChange::decode_all(&mut &item[..]).unwrap();
    let seed = |validator: [u8; 33]| (1..=9).find(|seed| key(*seed) == validator).unwrap();
    let mut named: Vec<(u8, u64)> =
        validators.into_iter().map(|(key, power)| (seed(key), power)).collect();
    named.sort_unstable();
    Some((previous, named))
}

#[test]
fn a_header_names_the_next_blocks_validators_when_they_change() {
    run(&FOUR, || {
        assert_eq!(set_change(), None);
        next(0, &[1, 2, 3, 4]);
        // The council changes them in the block at hand.
        let changed = [(1, 1), (2, 1), (3, 1), (5, 1)];
        Keys::set(&changed);
        assert_eq!(set_change(), Some((0, changed.to_vec())));
        assert_eq!(LastSetChange::<Test>::get(), 2);
        next(0, &[1, 2, 4]);
        assert_eq!(set_change(), None, "said once");
        // Of one the power alone.
        let heavier = [(1, 3), (2, 1), (3, 1), (5, 1)];
        Keys::set(&heavier);
        assert_eq!(set_change(), Some((2, heavier.to_vec())));
        next(0, &[1, 2, 5]);
        // Who takes turns is no change of who votes.
        for _ in 0..5 {
            next(0, &[1, 2, 5]);
            assert_eq!(set_change(), None);
        }
        assert_eq!(Participation::left_out(), [account(3)]);
        assert_eq!(LastSetChange::<Test>::get(), 3);
    });
}

#[test]
fn a_commit_that_proves_nothing_is_refused() {
    run(&[(1, 3), (2, 2), (3, 2), (4, 2)], || {
        let refused = |change: &dyn Fn(&mut ParentCommit), error: Error<Test>| {
            let mut spoilt = commit(1, &[1, 2, 3, 4]);
            change(&mut spoilt);
            assert_noop!(Participation::note_commit(RuntimeOrigin::none(), spoilt), error);
        };
        let (none, origin) = (commit(0, &[]), RuntimeOrigin::none());
        assert_noop!(Participation::note_commit(origin, none), Error::<Test>::NothingToCommit);
        begin(2);
        refused(&|one| swap(&mut one.precommits), Error::<Test>::OutOfOrder);
        refused(&|one| one.precommits[1] = one.precommits[0].clone(), Error::<Test>::OutOfOrder);
        refused(&|one| one.round = 0, Error::<Test>::NotSigned);
        refused(&|one| one.precommits[3].signature[5] ^= 1, Error::<Test>::NotSigned);
        refused(
            &|one| one.precommits = commit(1, &[1, 2, 9]).precommits,
            Error::<Test>::NotValidator,
        );
        // 5 and 6 of 9: two thirds are not more than two thirds.
        refused(&|one| one.precommits = commit(1, &[1, 2]).precommits, Error::<Test>::TooFew);
        refused(&|one| one.precommits = commit(1, &[2, 3, 4]).precommits, Error::<Test>::TooFew);
        refused(&|one| one.precommits.clear(), Error::<Test>::TooFew);
        let signed = RuntimeOrigin::signed(account(1));
        assert_noop!(Participation::note_commit(signed, commit(1, &[1, 2, 3])), BadOrigin);
        assert_ok!(Participation::note_commit(RuntimeOrigin::none(), commit(1, &[1, 2, 3])));
    });
}

#[test]
fn a_late_precommit_that_proves_nothing_is_refused() {
    run(&FOUR, || {
        for _ in 0..20 {
            next(0, &[1, 2, 3]);
        }
        begin(22);
        let refused = |late_ones: Vec<_>, error: Error<Test>| {
            let mut spoilt = commit(0, &[1, 2, 3]);
            spoilt.late = BoundedVec::truncate_from(late_ones);
            assert_noop!(Participation::note_commit(RuntimeOrigin::none(), spoilt), error);
        };
        refused(vec![late(4, 21)], Error::<Test>::NotLate);
        refused(vec![late(4, 22)], Error::<Test>::NotLate);
        refused(vec![late(4, 21 - MAX_LATE_BLOCKS - 1)], Error::<Test>::NotLate);
        refused(vec![late(9, 20)], Error::<Test>::NotValidator);
        refused(vec![late(4, 20), late(4, 20)], Error::<Test>::OutOfOrder);
        let mut forged = late(4, 20);
        forged.height = 19;
        refused(vec![forged], Error::<Test>::NotSigned);
        let mut good = commit(0, &[1, 2, 3]);
        good.late = BoundedVec::truncate_from(vec![late(4, 21 - MAX_LATE_BLOCKS)]);
        assert_ok!(Participation::note_commit(RuntimeOrigin::none(), good));
        assert_eq!(missed(4).0, MAX_LATE_BLOCKS);
    });
}

#[test]
fn the_inherent_is_made_of_the_commit_that_is_offered() {
    use frame::deps::frame_support::inherent::{InherentData, ProvideInherent};
    run(&FOUR, || {
        begin(2);
        let offered = commit(0, &[1, 2, 3]);
        let mut data = InherentData::new();
        assert!(Participation::create_inherent(&data).is_none());
        data.put_data(Participation::INHERENT_IDENTIFIER, &offered).unwrap();
        let call = Participation::create_inherent(&data).expect("a call");
        assert!(Participation::is_inherent(&call));
        assert_eq!(call.encode(), crate::Call::<Test>::note_commit { commit: offered }.encode());
    });
}

#[test]
fn what_never_holds_is_found() {
    run(&FOUR, || {
        let broken = |spoil: &dyn Fn()| {
            let (seats, records) = (Seats::<Test>::get(), Records::<Test>::get());
            spoil();
            assert!(Participation::do_try_state().is_err());
            Seats::<Test>::put(seats);
            Records::<Test>::put(records);
        };
        broken(&|| Seats::<Test>::mutate(swap));
        broken(&|| Seats::<Test>::mutate(|seats| seats[1] = seats[0].clone()));
        broken(&|| Seats::<Test>::mutate(|seats| seats[3].key = key(9)));
        broken(&|| Records::<Test>::put(BoundedVec::truncate_from(vec![Record::new(account(1))])));
        broken(&|| {
            let one = Record { missed: 1, ..Record::new(account(1)) };
            Records::<Test>::put(BoundedVec::truncate_from(vec![one.clone(), one]));
        });
    });
}
