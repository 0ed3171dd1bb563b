//! Adjustment by hand: what it can do, and who may.

use crate::{Adjustment, Adjustments, Call, Error, Event, mock::*};
use billchain_primitives::{
    BillKind, BillStatus, BillSummary, Element, Elements, Hash, Operation, Target, ThreeCodes,
    history::{self, Cause, VersionRecord},
    index,
    seams::{ParticipantProblem, TransitionProblem},
};
use codec::Decode;
use frame::testing_prelude::*;

fn elements(summary: &BillSummary) -> Elements {
    let codes = ThreeCodes { key: summary.key, check_code: summary.check_code };
    Elements { codes, issue_date: summary.issue_date, total: summary.total }
}

fn propose_of(elements: Elements, to: BillStatus) -> Call<Test> {
    let expected_version = None;
    Call::propose_adjustment { elements, expected_version, to, reason: reason(), evidence: [6; 32] }
}

fn propose(number: u32, to: BillStatus) -> Call<Test> {
    propose_of(elements(&stored(number).summary), to)
}

fn proposal(number: u32) -> Hash {
    BillUpdate::adjustment(&key(number)).expect("one waits").hash()
}

fn approve(number: u32) -> Call<Test> {
    Call::approve_adjustment { key: key(number), proposal: proposal(number) }
}

fn withdraw(number: u32) -> Call<Test> {
    Call::withdraw_adjustment { key: key(number), proposal: proposal(number), reason: reason() }
}

/// Both administrators agree.
fn adjust(number: u32, to: BillStatus) {
    assert_ok!(send(ADMIN, propose(number, to)));
    assert_ok!(send(SECOND_ADMIN, approve(number)));
    assert_eq!(status(number), to);
}

#[test]
fn a_second_administrator_carries_out_what_the_first_proposed() {
    let mut head = None;
    let state = run(|| {
        register(bill(1));
        assert_ok!(send(ADMIN, propose(1, BillStatus::Voided)));
        let (version, to) = (1, BillStatus::Voided);
        let proposal = proposal(1);
        assert_eq!(
            last_event(),
            Event::AdjustmentProposed {
                key: key(1),
                operator: did("admin"),
                proposal,
                from: BillStatus::Normal,
                to,
                reason: reason(),
                evidence: [6; 32],
                version,
            }
        );
        assert_eq!(status(1), BillStatus::Normal, "a proposal changes nothing");
        assert_ok!(send(SECOND_ADMIN, approve(1)));
        assert_eq!(
            last_event(),
            Event::Adjusted {
                key: key(1),
                proposer: did("admin"),
                operator: did("second-admin"),
                proposal,
                from: BillStatus::Normal,
                status: to,
                reason: reason(),
                evidence: [6; 32],
                version: 2,
            }
        );
        assert_eq!(Adjustments::<Test>::count(), 0);
        head = Some(stored(1));
    });
    let records: Vec<_> = (1..=2)
        .filter_map(|version| state.offchain_db().get(&index::history_key(&key(1), version)))
        .map(|bytes| VersionRecord::decode(&mut &bytes[..]).expect("it is a record"))
        .collect();
    assert_eq!(history::verify(&head.expect("it ran"), &records), Ok(()));
    // The record names both.
    let entry = &records[1].body.entry;
    assert_eq!(entry.cause, Cause::Operation(Operation::Adjust));
    assert_eq!((&entry.operator, &entry.proposer), (&did("second-admin"), &Some(did("admin"))));
    assert_eq!((&entry.reason, entry.evidence), (&Some(reason()), Some([6; 32])));
}

#[test]
fn nobody_approves_an_own_proposal_or_without_being_an_administrator() {
    run(|| {
        register(bill(1));
        for sender in [HOSPITAL, INSURER_A, PLATFORM, AUDITOR] {
            let call = propose(1, BillStatus::Voided);
            assert_noop!(
                send(sender, call),
                Error::<Test>::Transition(TransitionProblem::RoleForbidden)
            );
        }
        assert_ok!(send(ADMIN, propose(1, BillStatus::Voided)));
        assert_noop!(send(ADMIN, approve(1)), Error::<Test>::SameAdministrator);
        for sender in [HOSPITAL, INSURER_A, PLATFORM, AUDITOR] {
            assert_noop!(
                send(sender, approve(1)),
                Error::<Test>::Transition(TransitionProblem::RoleForbidden)
            );
            assert_noop!(
                send(sender, withdraw(1)),
                Error::<Test>::Transition(TransitionProblem::RoleForbidden)
            );
        }
        for (sender, expected) in [
            (STRANGER, Error::<Test>::Sender(ParticipantProblem::NotFound)),
            (FROZEN, Error::Sender(ParticipantProblem::Frozen)),
            (CANCELLED, Error::Sender(ParticipantProblem::Cancelled)),
        ] {
            let expected: DispatchError = expected.into();
            for call in [propose(1, BillStatus::Voided), approve(1), withdraw(1)] {
                assert_eq!(send(sender, call), Err(expected));
            }
        }
        assert_eq!(status(1), BillStatus::Normal);
    });
}

#[test]
fn the_five_elements_must_match() {
    run(|| {
        register(bill(1));
        let good = elements(&bill(1));
        let wrong_date = billchain_primitives::IssueDate::new(20_261_123).expect("a real date");
        let rows = [
            (
                Elements {
                    codes: ThreeCodes {
                        check_code: "A1B2c3".parse().expect("6 characters"),
                        ..good.codes
                    },
                    ..good
                },
                Element::CheckCode,
            ),
            (Elements { issue_date: wrong_date, ..good }, Element::IssueDate),
            (Elements { total: fen(10_001), ..good }, Element::Total),
        ];
        for (elements, element) in rows {
            let call = propose_of(elements, BillStatus::Voided);
            assert_noop!(send(ADMIN, call), Error::<Test>::ElementMismatch(element));
        }
        let unknown = Elements { codes: ThreeCodes { key: key(9), ..good.codes }, ..good };
        let call = propose_of(unknown, BillStatus::Voided);
        assert_noop!(send(ADMIN, call), Error::<Test>::BillNotFound);
    });
}

#[test]
fn a_proposal_is_of_one_version_and_needs_evidence() {
    run(|| {
        register(bill(1));
        let call = |expected_version, evidence| Call::<Test>::propose_adjustment {
            elements: elements(&bill(1)),
            expected_version,
            to: BillStatus::Voided,
            reason: reason(),
            evidence,
        };
        assert_noop!(send(ADMIN, call(Some(2), [6; 32])), Error::<Test>::StaleVersion);
        assert_noop!(send(ADMIN, call(Some(1), [0; 32])), Error::<Test>::EvidenceMissing);
        assert_ok!(send(ADMIN, call(Some(1), [6; 32])));
        assert_noop!(send(SECOND_ADMIN, call(None, [7; 32])), Error::<Test>::AdjustmentPending);
        // What was agreed to was agreed to of the bill as it was.
        assert_ok!(change(INSURER_A, 1, lock(SHARED, "c")));
        assert_noop!(send(SECOND_ADMIN, approve(1)), Error::<Test>::StaleVersion);
        // A newer proposal takes the place of one that nobody can approve.
        assert_ok!(send(SECOND_ADMIN, call(Some(2), [7; 32])));
        assert_ok!(send(ADMIN, approve(1)));
        assert_eq!((status(1), stored(1).state.lock), (BillStatus::Voided, None));
    });
}

#[test]
fn what_is_approved_is_what_was_seen() {
    run(|| {
        register(bill(1));
        let unknown =
            || Call::<Test>::approve_adjustment { key: key(1), proposal: Hash::repeat_byte(1) };
        let withdraw_unknown = || Call::<Test>::withdraw_adjustment {
            key: key(1),
            proposal: Hash::repeat_byte(1),
            reason: reason(),
        };
        assert_noop!(send(SECOND_ADMIN, unknown()), Error::<Test>::AdjustmentNotFound);
        assert_noop!(send(ADMIN, withdraw_unknown()), Error::<Test>::AdjustmentNotFound);
        assert_ok!(send(ADMIN, propose(1, BillStatus::Voided)));
        assert_noop!(send(SECOND_ADMIN, unknown()), Error::<Test>::AdjustmentChanged);
        assert_noop!(send(ADMIN, withdraw_unknown()), Error::<Test>::AdjustmentChanged);
        let seen = approve(1);
        assert_ok!(send(ADMIN, withdraw(1)));
        assert_ok!(send(ADMIN, propose(1, BillStatus::RedReversed)));
        assert_noop!(send(SECOND_ADMIN, seen), Error::<Test>::AdjustmentChanged);
    });
}

#[test]
fn a_proposal_is_withdrawn_or_turned_down_with_a_reason() {
    run(|| {
        register(bill(1));
        for sender in [ADMIN, SECOND_ADMIN] {
            assert_ok!(send(ADMIN, propose(1, BillStatus::Voided)));
            let proposal = proposal(1);
            assert_ok!(send(sender, withdraw(1)));
            let operator = if sender == ADMIN { did("admin") } else { did("second-admin") };
            let proposer = did("admin");
            let (key, reason) = (key(1), reason());
            let expected = Event::AdjustmentWithdrawn { key, operator, proposer, proposal, reason };
            assert_eq!(last_event(), expected);
        }
        // Also when the bill is final by now.
        assert_ok!(send(ADMIN, propose(1, BillStatus::Voided)));
        let red = red(2, &bill(1));
        let call = Call::red_reverse {
            key: key(1),
            expected_version: None,
            red,
            balance: None,
            reason: reason(),
        };
        assert_ok!(send(HOSPITAL, call));
        assert_noop!(
            send(SECOND_ADMIN, approve(1)),
            Error::<Test>::Transition(TransitionProblem::FinalStatus)
        );
        assert_ok!(send(SECOND_ADMIN, withdraw(1)));
    });
}

#[test]
fn so_many_proposals_wait_and_no_more() {
    run(|| {
        (1..=3).for_each(|number| register(bill(number)));
        assert_ok!(send(ADMIN, propose(1, BillStatus::Voided)));
        assert_ok!(send(ADMIN, propose(2, BillStatus::Voided)));
        let third = propose(3, BillStatus::Voided);
        assert_noop!(send(ADMIN, third.clone()), Error::<Test>::TooManyAdjustments);
        assert_ok!(send(SECOND_ADMIN, approve(1)));
        assert_ok!(send(ADMIN, third));
    });
}

#[test]
fn a_bill_is_adjusted_to_any_status_that_it_can_have() {
    run(|| {
        let notice = BillSummary { kind: BillKind::PaymentNotice, ..bill(1) };
        register(notice);
        register(bill(2));
        let impossible: DispatchError = Error::<Test>::AdjustmentImpossible.into();
        for to in [BillStatus::Locked, BillStatus::Reimbursed, BillStatus::PartlyReimbursed] {
            assert_noop!(send(ADMIN, propose(2, to)), impossible);
        }
        // Only a notice is pre-issued.
        assert_noop!(send(ADMIN, propose(2, BillStatus::PreIssued)), impossible);
        adjust(1, BillStatus::PreIssued);
        let same = Error::<Test>::NothingToAdjust;
        assert_noop!(send(ADMIN, propose(1, BillStatus::PreIssued)), same);
        adjust(1, BillStatus::Normal);

        assert_ok!(change(INSURER_A, 2, lock(SHARED, "c")));
        assert_ok!(change(INSURER_A, 2, reimburse(6_000)));
        adjust(2, BillStatus::Reimbursed);
        assert_eq!(stored(2).reimbursed(), fen(6_000));
        adjust(2, BillStatus::PartlyReimbursed);
        assert_ok!(change(INSURER_B, 2, lock(SHARED_TOO, "d")));
        adjust(2, BillStatus::PartlyReimbursed);
        assert_eq!((stored(2).reimbursed(), stored(2).state.lock), (fen(6_000), None));
        // Normal again, its reimbursement does not count any more.
        adjust(2, BillStatus::Normal);
        assert_eq!(stored(2).reimbursed(), fen(0));
        assert_ok!(change(INSURER_B, 2, lock(SHARED, "e")));
        assert_ok!(change(INSURER_B, 2, reimburse(10_000)));
        adjust(2, BillStatus::RedReversed);
        let call = propose(2, BillStatus::Normal);
        assert_noop!(send(ADMIN, call), Error::<Test>::Transition(TransitionProblem::FinalStatus));
        adjust(1, BillStatus::Voided);
    });
}

#[test]
fn a_red_bill_is_not_adjusted() {
    run(|| {
        register(bill(1));
        let (key, expected_version, balance) = (key(1), None, None);
        let (red, reason) = (red(2, &bill(1)), reason());
        let call = Call::red_reverse { key, expected_version, red, balance, reason };
        assert_ok!(send(HOSPITAL, call));
        let call = propose(2, BillStatus::Voided);
        assert_noop!(send(ADMIN, call), Error::<Test>::RedBillFixed);
    });
}

#[test]
fn the_rules_decide_what_is_adjusted() {
    run(|| {
        register(bill(1));
        let rule = (Some(BillStatus::Normal), Operation::Adjust);
        let retarget = |target| {
            with_world(|world| world.rules.get_mut(&rule).expect("it is there").1 = target);
        };
        retarget(Target::Status(BillStatus::Voided));
        let call = propose(1, BillStatus::RedReversed);
        assert_noop!(send(ADMIN, call), Error::<Test>::RuleUnusable);
        assert_ok!(send(ADMIN, propose(1, BillStatus::Voided)));
        // What the rules say when it is approved counts.
        retarget(Target::BeforeLock);
        assert_noop!(send(SECOND_ADMIN, approve(1)), Error::<Test>::RuleUnusable);
        with_world(|world| world.rules.remove(&rule));
        assert_noop!(
            send(SECOND_ADMIN, approve(1)),
            Error::<Test>::Transition(TransitionProblem::IllegalTransition)
        );
        let call = propose(1, BillStatus::Voided);
        assert_noop!(
            send(ADMIN, call),
            Error::<Test>::Transition(TransitionProblem::IllegalTransition)
        );
    });
}

#[test]
fn an_expired_lock_does_not_hinder_an_adjustment() {
    run(|| {
        register(bill(1));
        assert_ok!(change(INSURER_A, 1, lock(SHARED, "c")));
        pass(PERIOD + 1);
        // In force the bill is normal already.
        let same = Error::<Test>::NothingToAdjust;
        assert_noop!(send(ADMIN, propose(1, BillStatus::Normal)), same);
        assert_ok!(send(ADMIN, propose(1, BillStatus::Voided)));
        assert_ok!(send(SECOND_ADMIN, approve(1)));
        assert_eq!((status(1), stored(1).state.version), (BillStatus::Voided, 4));
        assert!(matches!(last_event(), Event::Adjusted { from: BillStatus::Normal, .. }));
    });
}

#[test]
fn a_broken_state_is_noticed() {
    use frame::traits::Hooks;
    fn broken(change: impl FnOnce(&mut Adjustment)) -> bool {
        let mut found = false;
        run(|| {
            register(bill(1));
            assert_ok!(send(ADMIN, propose(1, BillStatus::Voided)));
            let sound = BillUpdate::adjustment(&key(1)).expect("it waits");
            let mut adjustment = sound.clone();
            change(&mut adjustment);
            Adjustments::<Test>::insert(key(1), adjustment);
            found = BillUpdate::try_state(1).is_err();
            Adjustments::<Test>::insert(key(1), sound);
        });
        found
    }
    assert!(!broken(|_| ()));
    assert!(broken(|adjustment| adjustment.key = key(2)));
    assert!(broken(|adjustment| adjustment.version = 0));
    assert!(broken(|adjustment| adjustment.version = 2));
    assert!(broken(|adjustment| adjustment.to = BillStatus::Locked));
    run(|| {
        register(bill(1));
        assert_ok!(send(ADMIN, propose(1, BillStatus::Voided)));
        let adjustment = BillUpdate::adjustment(&key(1)).expect("it waits");
        Adjustments::<Test>::insert(key(2), Adjustment { key: key(2), ..adjustment.clone() });
        assert!(BillUpdate::do_try_state().is_err(), "of no bill");
        Adjustments::<Test>::remove(key(2));
        for number in [2, 3] {
            register(bill(number));
            let adjustment = Adjustment { key: key(number), ..adjustment.clone() };
            Adjustments::<Test>::insert(key(number), adjustment);
        }
        assert!(BillUpdate::do_try_state().is_err(), "too many");
        Adjustments::<Test>::remove(key(3));
    });
}
