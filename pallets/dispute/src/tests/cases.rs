//! Cases that administrators open, act under and close.

use crate::{
    Act, ActRecord, Call, CaseCount, CaseId, Cases, Decision, Error, Event, OpenCases, Outcome,
    mock::*,
    types::{act_key, bill_case_key},
};
use billchain_primitives::{
    BillStatus, Did, Stamp,
    seams::{ParticipantProblem, TransitionProblem},
    sm3,
};
use codec::{Decode, Encode};
use frame::{deps::frame_support::assert_err, testing_prelude::*, traits::Hooks};

fn open(seed: u8, number: u32, parties: &[Did]) -> DispatchResult {
    let parties = parties.to_vec().try_into().expect("they are not too many");
    let (key, reason, evidence) = (key(number), reason(), [6; 32]);
    send(seed, Call::<Test>::open_case { key, parties, reason, evidence })
}

fn close(case: CaseId, outcome: Outcome) -> DispatchResult {
    let (reason, evidence) = (reason(), [7; 32]);
    send(ADMIN, Call::<Test>::close_case { case, outcome, reason, evidence })
}

fn lock(seed: u8, case: CaseId) -> DispatchResult {
    send(seed, Call::<Test>::admin_lock { case, reason: reason(), evidence: [8; 32] })
}

fn unlock(seed: u8, case: CaseId) -> DispatchResult {
    send(seed, Call::<Test>::admin_unlock { case, reason: reason(), evidence: [9; 32] })
}

fn status() -> BillStatus {
    pallet_bill_register::Bills::<Test>::get(key(1)).expect("it exists").state.status
}

const AT: Stamp = Stamp { block: 1, extrinsic: Some(3), moment: NOW };

#[test]
fn a_case_is_opened_acted_under_and_closed() {
    let parties = [user(1), user(2)];
    let mut hash = [0; 32];
    let state = run(|| {
        System::reset_events();
        assert_ok!(open(ADMIN, 1, &parties));
        let case = Dispute::case(1).expect("it was opened");
        assert_eq!(case.bill, key(1));
        assert_eq!(case.parties.to_vec(), parties);
        assert_eq!((case.operator, case.opened), (did("admin"), AT));
        assert_eq!((case.reason, case.evidence), (reason(), [6; 32]));
        assert_eq!((Dispute::decision(1), OpenCases::<Test>::get(key(1))), (None, Some(1)));

        assert_ok!(lock(ADMIN, 1));
        assert_eq!(status(), BillStatus::Locked);
        assert_ok!(unlock(ADMIN, 1));
        assert_eq!(status(), BillStatus::Normal);
        let outcome = Outcome::InFavourOf(user(2));
        assert_ok!(close(1, outcome.clone()));
        let operator = did("admin");
        let decision = Decision { outcome, operator, at: AT, reason: reason(), evidence: [7; 32] };
        assert_eq!(Dispute::decision(1), Some(decision));
        assert_eq!(OpenCases::<Test>::get(key(1)), None);
        let case = Dispute::case(1).expect("it stays");
        assert_eq!(case.acts, 4);
        hash = case.history_hash;

        let (operator, reason) = (did("admin"), reason());
        assert_eq!(
            events(),
            [
                Event::CaseOpened {
                    case: 1,
                    key: key(1),
                    parties: case.parties,
                    operator: operator.clone(),
                    reason: reason.clone(),
                    evidence: [6; 32],
                },
                Event::LockedUnderCase { case: 1, key: key(1), operator: operator.clone() },
                Event::UnlockedUnderCase { case: 1, key: key(1), operator: operator.clone() },
                Event::CaseClosed {
                    case: 1,
                    key: key(1),
                    outcome: Outcome::InFavourOf(user(2)),
                    operator,
                    reason,
                    evidence: [7; 32],
                },
            ]
        );
    });

    let index = state.offchain_db();
    assert_eq!(index.get(&bill_case_key(&key(1), 1)), Some(1_u32.encode()));
    let acts = [Act::Opened, Act::Locked, Act::Unlocked, Act::Closed(Outcome::InFavourOf(user(2)))];
    let mut chained = [0; 32];
    for (number, act) in (1..).zip(acts) {
        let bytes = index.get(&act_key(1, number)).expect("every act is in the index");
        let record = ActRecord::decode(&mut &bytes[..]).expect("it is one");
        assert_eq!((record.number, record.act, record.at), (number, act, AT));
        assert_eq!((record.operator, record.reason), (did("admin"), reason()));
        chained = sm3(&[&chained[..], &bytes].concat());
    }
    assert_eq!(chained, hash, "the state vouches for the history");
}

#[test]
fn the_bills_own_history_and_events_tell_of_the_lock() {
    use pallet_bill_update::Event as Update;
    run(|| {
        assert_ok!(open(ADMIN, 1, &[user(1)]));
        assert_ok!(lock(ADMIN, 1));
        let said = System::read_events_for_pallet::<Update<Test>>().pop();
        let (operator, version) = (did("admin"), 2);
        let (key, reason, evidence) = (key(1), reason(), [8; 32]);
        assert_eq!(said, Some(Update::AdminLocked { key, operator, reason, evidence, version }));
        // A claimant hears that it is an administrator's.
        let refused = pallet_bill_update::Error::<Test>::LockedByAdministrator;
        assert_eq!(Ask::of(1, 0).run(), Err(refused.into()));
    });
}

#[test]
fn an_administrator_takes_a_claimants_lock_away_under_a_case() {
    run(|| {
        assert_ok!(Ask::of(1, 0).run());
        assert_ok!(open(ADMIN, 1, &[user(1)]));
        assert_ok!(unlock(ADMIN, 1));
        assert_eq!(status(), BillStatus::Normal);
    });
}

#[test]
fn a_bill_has_one_open_case_at_a_time() {
    run(|| {
        assert_ok!(open(ADMIN, 1, &[user(1)]));
        assert_noop!(open(ADMIN, 1, &[user(2)]), Error::<Test>::AlreadyOpen);
        assert_ok!(open(ADMIN, 2, &[user(2)]));
        assert_ok!(close(1, Outcome::Dismissed));
        assert_ok!(open(ADMIN, 1, &[user(2)]));
        assert_eq!((CaseCount::<Test>::get(), OpenCases::<Test>::get(key(1))), (3, Some(3)));
        assert_eq!(Dispute::decision(1).map(|d| d.outcome), Some(Outcome::Dismissed));
    });
}

#[test]
fn only_administrators_act() {
    run(|| {
        assert_ok!(open(ADMIN, 1, &[user(1)]));
        for (seed, expected) in [
            (STRANGER, Error::<Test>::Sender(ParticipantProblem::NotFound)),
            (FROZEN, Error::Sender(ParticipantProblem::Frozen)),
            (CANCELLED, Error::Sender(ParticipantProblem::Cancelled)),
            (HOSPITAL, Error::NotAdministrator),
            (USER + 1, Error::NotAdministrator),
        ] {
            let expected: DispatchError = expected.into();
            assert_noop!(open(seed, 2, &[user(1)]), expected);
            assert_noop!(lock(seed, 1), expected);
            assert_noop!(unlock(seed, 1), expected);
            let (case, outcome) = (1, Outcome::Dismissed);
            let (reason, evidence) = (reason(), [7; 32]);
            let call = Call::<Test>::close_case { case, outcome, reason, evidence };
            assert_noop!(send(seed, call), expected);
        }
        let unsigned = Dispute::admin_lock(RuntimeOrigin::none(), 1, reason(), [8; 32]);
        assert_noop!(unsigned, DispatchError::BadOrigin);
    });
}

#[test]
fn a_case_needs_a_bill_and_parties_that_exist() {
    run(|| {
        for (number, parties, expected) in [
            (3, vec![user(1)], Error::<Test>::BillNotFound),
            (1, vec![], Error::PartiesMissing),
            (1, vec![user(1), user(2), user(1)], Error::PartyRepeated),
            (1, vec![user(1), did("nobody")], Error::PartyUnknown),
        ] {
            assert_noop!(open(ADMIN, number, &parties), expected);
        }
        assert_ok!(open(ADMIN, 1, &[user(1), user(2), user(3)]));
    });
    let too_many: Result<BoundedVec<Did, ConstU32<3>>, _> =
        (1..=4).map(user).collect::<Vec<_>>().try_into();
    assert!(too_many.is_err());
    let encoded = (1..=4).map(user).collect::<Vec<_>>().encode();
    assert!(BoundedVec::<Did, ConstU32<3>>::decode(&mut &encoded[..]).is_err());
}

#[test]
fn every_act_needs_evidence() {
    run(|| {
        assert_ok!(open(ADMIN, 1, &[user(1)]));
        let (reason, evidence) = (reason(), [0; 32]);
        let parties = vec![user(1)].try_into().expect("one is not too many");
        let calls = [
            Call::<Test>::open_case { key: key(2), parties, reason: reason.clone(), evidence },
            Call::close_case {
                case: 1,
                outcome: Outcome::Dismissed,
                reason: reason.clone(),
                evidence,
            },
            Call::admin_lock { case: 1, reason: reason.clone(), evidence },
            Call::admin_unlock { case: 1, reason, evidence },
        ];
        for call in calls {
            assert_noop!(send(ADMIN, call.clone()), Error::<Test>::EvidenceMissing);
        }
    });
}

#[test]
fn nothing_is_done_under_a_case_that_is_not_open() {
    run(|| {
        for act in [lock(ADMIN, 1), unlock(ADMIN, 1), close(1, Outcome::Dismissed)] {
            assert_err!(act, Error::<Test>::CaseNotFound);
        }
        assert_ok!(open(ADMIN, 1, &[user(1)]));
        assert_ok!(close(1, Outcome::Dismissed));
        assert_noop!(lock(ADMIN, 1), Error::<Test>::NotOpen);
        assert_noop!(unlock(ADMIN, 1), Error::<Test>::NotOpen);
        assert_noop!(close(1, Outcome::Dismissed), Error::<Test>::NotOpen);
        assert_eq!((Dispute::case(2), Dispute::decision(2)), (None, None));
    });
}

#[test]
fn a_decision_favours_a_party_or_nobody() {
    run(|| {
        assert_ok!(open(ADMIN, 1, &[user(1)]));
        assert_noop!(close(1, Outcome::InFavourOf(user(2))), Error::<Test>::NotParty);
        assert_ok!(close(1, Outcome::InFavourOf(user(1))));
    });
}

#[test]
fn what_the_status_machine_refuses_leaves_no_act() {
    run(|| {
        assert_ok!(open(ADMIN, 1, &[user(1)]));
        assert_noop!(unlock(ADMIN, 1), pallet_bill_update::Error::<Test>::NotLocked);
        assert_ok!(lock(ADMIN, 1));
        assert_noop!(
            lock(ADMIN, 1),
            pallet_bill_update::Error::<Test>::Transition(TransitionProblem::IllegalTransition)
        );
        assert_eq!(Dispute::case(1).map(|case| case.acts), Some(2));
        // The lock outlives the case; the next case can end it.
        assert_ok!(close(1, Outcome::Dismissed));
        assert_eq!(status(), BillStatus::Locked);
        assert_ok!(open(ADMIN, 1, &[user(1)]));
        assert_ok!(unlock(ADMIN, 2));
    });
}

#[test]
fn numbers_do_not_wrap() {
    run(|| {
        assert_ok!(open(ADMIN, 1, &[user(1)]));
        let overflow = DispatchError::Arithmetic(ArithmeticError::Overflow);
        CaseCount::<Test>::put(u32::MAX);
        assert_noop!(open(ADMIN, 2, &[user(1)]), overflow);
        CaseCount::<Test>::put(1);
        let with_acts = |acts| {
            Cases::<Test>::mutate(1, |case| case.as_mut().expect("it is open").acts = acts);
        };
        with_acts(u32::MAX);
        assert_noop!(lock(ADMIN, 1), overflow);
        with_acts(1);
    });
}

#[test]
fn a_broken_case_is_noticed() {
    run(|| {
        assert_ok!(open(ADMIN, 1, &[user(1), user(2)]));
        let good = Dispute::case(1).expect("it was opened");
        let decision = |outcome| {
            Some(Decision {
                outcome,
                operator: did("admin"),
                at: AT,
                reason: reason(),
                evidence: [7; 32],
            })
        };
        let mut broken = vec![good.clone(); 6];
        broken[0].parties = Default::default();
        broken[1].parties[1] = user(1);
        broken[2].acts = 0;
        broken[3].decision = decision(Outcome::Dismissed);
        broken[4].bill = key(9);
        broken[5].decision = decision(Outcome::InFavourOf(user(3)));
        for (index, case) in broken.into_iter().enumerate() {
            Cases::<Test>::insert(1, case);
            assert!(Dispute::try_state(1).is_err(), "{index}");
        }
        Cases::<Test>::insert(1, &good);
        OpenCases::<Test>::remove(key(1));
        assert!(Dispute::do_try_state().is_err(), "an open case is not noted");
        OpenCases::<Test>::insert(key(1), 1);
        CaseCount::<Test>::put(2);
        assert!(Dispute::do_try_state().is_err(), "a number without a case");
        CaseCount::<Test>::put(0);
        assert!(Dispute::do_try_state().is_err(), "a case without a number");
        CaseCount::<Test>::put(1);
    });
}
