//! Reversal in red and hashes that come later.

use crate::{Call, Error, Event, Mismatch, mock::*};
use billchain_primitives::{
    BillKind, BillStatus, BillSummary, Operation, Target,
    seams::{ParticipantProblem, SummaryProblem, TransitionProblem},
};
use frame::testing_prelude::*;

fn reverse(
    expected_version: Option<u32>,
    red: BillSummary,
    balance: Option<BillSummary>,
) -> Call<Test> {
    Call::red_reverse { key: key(1), expected_version, red, balance, reason: reason() }
}

fn fill(pdf: Option<u8>, location: Option<u8>) -> Call<Test> {
    let (pdf_hash, location_hash) = (pdf.map(|b| [b; 32]), location.map(|b| [b; 32]));
    Call::update_summary { key: key(1), expected_version: None, pdf_hash, location_hash }
}

#[test]
fn one_call_reverses_and_adds_the_red_and_the_balance_bill() {
    run(|| {
        register(bill(1));
        let balance = balance(3, &bill(1), 4_000);
        assert_ok!(send(HOSPITAL, reverse(Some(1), red(2, &bill(1)), Some(balance))));
        assert_eq!(status(1), BillStatus::RedReversed);
        assert_eq!((status(2), stored(2).summary.total), (BillStatus::Normal, fen(-10_000)));
        assert_eq!((status(3), stored(3).summary.related), (BillStatus::Normal, Some(key(1))));
        assert_eq!(
            last_event(),
            Event::RedReversed {
                key: key(1),
                operator: did("hospital"),
                red: key(2),
                balance: Some(key(3)),
                reason: reason(),
                version: 2,
            }
        );
        assert_noop!(
            send(HOSPITAL, reverse(None, red(4, &bill(1)), None)),
            Error::<Test>::Transition(TransitionProblem::FinalStatus)
        );
        // The balance bill is an ordinary one.
        assert_ok!(change(INSURER_A, 3, lock(SHARED, "c")));
    });
}

#[test]
fn a_red_bill_that_does_not_fit_is_refused_by_field() {
    let good = red(2, &bill(1));
    let with = |change: fn(&mut BillSummary)| {
        let mut red = good.clone();
        change(&mut red);
        red
    };
    let rows = [
        (with(|r| r.kind = BillKind::Blue), Mismatch::Kind),
        (with(|r| r.related = None), Mismatch::Related),
        (with(|r| r.related = Some(key(9))), Mismatch::Related),
        (with(|r| r.issuer = did("clinic")), Mismatch::Issuer),
        (
            with(|r| r.issuer_uscc = "91350100M000100Y44".parse().expect("18 characters")),
            Mismatch::IssuerUscc,
        ),
        (with(|r| r.scene = SHARED), Mismatch::Scene),
        (with(|r| r.total = fen(-9_999)), Mismatch::Total),
    ];
    run(|| {
        register(bill(1));
        for (red, field) in rows {
            assert_noop!(
                send(HOSPITAL, reverse(None, red, None)),
                Error::<Test>::RedMismatch(field)
            );
        }
        for (balance, field) in [
            (balance(3, &bill(1), 10_001), Mismatch::Total),
            (
                BillSummary { kind: BillKind::PaymentNotice, ..balance(3, &bill(1), 1) },
                Mismatch::Kind,
            ),
            (bill(3), Mismatch::Related),
        ] {
            assert_noop!(
                send(HOSPITAL, reverse(None, good.clone(), Some(balance))),
                Error::<Test>::BalanceMismatch(field)
            );
        }
    });
}

#[test]
fn nothing_of_a_reversal_stays_if_one_of_its_bills_is_refused() {
    run(|| {
        register(bill(1));
        register(bill(5));
        let exists = SummaryProblem::AlreadyExists;
        assert_noop!(
            send(HOSPITAL, reverse(None, red(5, &bill(1)), None)),
            Error::<Test>::RedBill(exists)
        );
        let same_key = balance(2, &bill(1), 1);
        assert_noop!(
            send(HOSPITAL, reverse(None, red(2, &bill(1)), Some(same_key))),
            Error::<Test>::BalanceBill(exists)
        );
        let no_xml = BillSummary { xml_hash: [0; 32], ..red(2, &bill(1)) };
        assert_noop!(
            send(HOSPITAL, reverse(None, no_xml, None)),
            Error::<Test>::RedBill(SummaryProblem::XmlHashMissing)
        );
    });
}

#[test]
fn only_the_issuer_reverses_and_only_a_normal_bill() {
    run(|| {
        let red = red(2, &bill(1));
        assert_noop!(send(HOSPITAL, reverse(None, red.clone(), None)), Error::<Test>::BillNotFound);
        register(bill(1));
        for (sender, expected) in [
            (CLINIC, Error::<Test>::NotIssuer),
            (INSURER_A, Error::Transition(TransitionProblem::RoleForbidden)),
            (STRANGER, Error::Sender(ParticipantProblem::NotFound)),
        ] {
            assert_noop!(send(sender, reverse(None, red.clone(), None)), expected);
        }
        assert_noop!(
            send(HOSPITAL, reverse(Some(2), red.clone(), None)),
            Error::<Test>::StaleVersion
        );
        let refused = |red: &BillSummary| {
            let call = reverse(None, red.clone(), None);
            assert_noop!(
                send(HOSPITAL, call),
                Error::<Test>::Transition(TransitionProblem::IllegalTransition)
            );
        };
        assert_ok!(change(INSURER_A, 1, lock(SHARED, "c")));
        refused(&red);
        assert_ok!(change(INSURER_A, 1, reimburse(1)));
        refused(&red);
        assert_ok!(change(INSURER_A, 1, reverse_use()));
        assert_ok!(send(HOSPITAL, reverse(None, red, None)));
    });
}

#[test]
fn an_expired_lock_does_not_hinder_a_reversal() {
    run(|| {
        register(bill(1));
        assert_ok!(change(INSURER_A, 1, lock(SHARED, "c")));
        pass(PERIOD + 1);
        assert_ok!(send(HOSPITAL, reverse(Some(2), red(2, &bill(1)), None)));
        assert_eq!(stored(1).state.version, 4);
    });
}

#[test]
fn a_red_bill_stays_what_it_is() {
    run(|| {
        register(bill(1));
        assert_ok!(send(HOSPITAL, reverse(None, red(2, &bill(1)), None)));
        for (sender, refused) in
            [(INSURER_A, lock(SHARED, "c")), (ADMIN, admin_lock()), (HOSPITAL, void())]
        {
            assert_noop!(change(sender, 2, refused), Error::<Test>::RedBillFixed);
        }
        let red_of_red = BillSummary { related: Some(key(2)), ..bill(3) };
        let (key, reason) = (key(2), reason());
        let (expected_version, balance) = (None, None);
        let call =
            Call::<Test>::red_reverse { key, expected_version, red: red_of_red, balance, reason };
        assert_noop!(send(HOSPITAL, call), Error::<Test>::RedBillFixed);
    });
}

#[test]
fn a_reversal_needs_rules_that_make_sense() {
    run(|| {
        register(bill(1));
        for from in [Some(BillStatus::Normal), None] {
            let rule = (from, Operation::RedReverse);
            let wrong = Target::Status(BillStatus::Voided);
            let before = with_world(|world| {
                core::mem::replace(&mut world.rules.get_mut(&rule).expect("it is there").1, wrong)
            });
            let call = reverse(None, red(2, &bill(1)), None);
            assert_noop!(send(HOSPITAL, call), Error::<Test>::RuleUnusable);
            with_world(|world| world.rules.get_mut(&rule).expect("it is there").1 = before);
        }
    });
}

#[test]
fn missing_hashes_are_filled_in_once() {
    run(|| {
        register(bill(1));
        assert_ok!(send(HOSPITAL, fill(Some(1), None)));
        assert_eq!(
            last_event(),
            Event::SummaryUpdated {
                key: key(1),
                operator: did("hospital"),
                pdf_hash: Some([1; 32]),
                location_hash: None,
                version: 2,
            }
        );
        assert_noop!(send(HOSPITAL, fill(Some(2), Some(2))), Error::<Test>::AlreadyFilled);
        assert_ok!(send(HOSPITAL, fill(None, Some(2))));
        let summary = stored(1).summary;
        assert_eq!((summary.pdf_hash, summary.location_hash), ([1; 32], [2; 32]));
        assert_noop!(send(HOSPITAL, fill(None, Some(2))), Error::<Test>::AlreadyFilled);
    });
}

#[test]
fn refusals_of_a_summary_update() {
    run(|| {
        assert_noop!(send(HOSPITAL, fill(Some(1), None)), Error::<Test>::BillNotFound);
        register(bill(1));
        let stale = Call::<Test>::update_summary {
            key: key(1),
            expected_version: Some(2),
            pdf_hash: Some([1; 32]),
            location_hash: None,
        };
        assert_noop!(send(HOSPITAL, stale), Error::<Test>::StaleVersion);
        assert_noop!(send(HOSPITAL, fill(None, None)), Error::<Test>::NothingToUpdate);
        assert_noop!(send(HOSPITAL, fill(Some(0), None)), Error::<Test>::HashZero);
        assert_noop!(send(CLINIC, fill(Some(1), None)), Error::<Test>::NotIssuer);
        assert_noop!(
            send(INSURER_A, fill(Some(1), None)),
            Error::<Test>::Transition(TransitionProblem::RoleForbidden)
        );
        assert_ok!(send(HOSPITAL, reverse(None, red(2, &bill(1)), None)));
        assert_noop!(
            send(HOSPITAL, fill(Some(1), None)),
            Error::<Test>::Transition(TransitionProblem::FinalStatus)
        );
    });
}
