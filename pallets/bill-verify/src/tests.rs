//! Every comparison, every report and every refusal.

use crate::{
    Element, Elements, Error, Event, HashKind, Observation, Report, Reports, VerifyProblem,
    mock::*, report_key,
};
use billchain_primitives::{
    AccountId, Fen, IssueDate, Stamp, ThreeCodes, seams::ParticipantProblem,
};
use codec::Decode;
use frame::testing_prelude::*;

fn codes(number: u32, check_code: &str) -> ThreeCodes {
    ThreeCodes { key: key(number), check_code: check_code.parse().expect("6 characters") }
}

fn report(seed: u8, number: u32, found: Observation) -> DispatchResult {
    let account = AccountId::new([seed; 32]);
    BillVerify::report_mismatch(RuntimeOrigin::signed(account), key(number), found)
}

fn fen(amount: i64) -> Fen {
    Fen::new(amount).expect("in bounds")
}

fn date(number: u32) -> IssueDate {
    IssueDate::new(number).expect("a real date")
}

#[test]
fn hashes_of_originals_are_compared_by_the_three_codes() {
    let compare = |codes: &ThreeCodes, kind, hash| BillVerify::verify_hash(codes, kind, &hash);
    let recorded = [9; 32];
    let right = codes(1, "a1B2c3");
    assert_eq!(compare(&right, HashKind::Xml, [9; 32]), Ok(()));
    let mismatch = Err(VerifyProblem::HashMismatch { recorded });
    assert_eq!(compare(&right, HashKind::Xml, [8; 32]), mismatch);
    assert_eq!(compare(&codes(2, "a1B2c3"), HashKind::Pdf, [4; 32]), Ok(()));
    // Zero means "not known", also to someone who asks for zero.
    assert_eq!(compare(&right, HashKind::Pdf, [0; 32]), Err(VerifyProblem::NotRecorded));
    // The check code is compared exactly, and a wrong one learns nothing.
    for wrong in [codes(1, "A1B2C3"), codes(3, "a1B2c3")] {
        assert_eq!(compare(&wrong, HashKind::Xml, [9; 32]), Err(VerifyProblem::NotFound));
    }
}

#[test]
fn hashes_of_originals_are_compared_by_the_key_that_a_transaction_gives() {
    let compare = |number, hash| BillVerify::verify_hash_of(&key(number), HashKind::Xml, &hash);
    assert_eq!(compare(1, [9; 32]), Ok(()));
    assert_eq!(compare(1, [8; 32]), Err(VerifyProblem::HashMismatch { recorded: [9; 32] }));
    assert_eq!(compare(3, [9; 32]), Err(VerifyProblem::NotFound));
}

#[test]
fn elements_that_differ_are_named() {
    let elements = |number, check_code, issue_date, total| Elements {
        codes: codes(number, check_code),
        issue_date: date(issue_date),
        total: fen(total),
    };
    let rows: [(_, &[Element]); 5] = [
        (elements(1, "a1B2c3", 20_261_124, 12_345), &[]),
        (elements(1, "a1B2c4", 20_261_124, 12_345), &[Element::CheckCode]),
        (elements(1, "a1B2c3", 20_261_123, 12_345), &[Element::IssueDate]),
        (elements(1, "a1B2c3", 20_261_124, -12_345), &[Element::Total]),
        (
            elements(1, "A1B2c3", 20_251_124, 12_346),
            &[Element::CheckCode, Element::IssueDate, Element::Total],
        ),
    ];
    for (asked, differing) in rows {
        let expected = if differing.is_empty() {
            Ok(())
        } else {
            Err(VerifyProblem::ElementMismatch(differing.to_vec()))
        };
        assert_eq!(BillVerify::verify_elements(&asked), expected, "{asked:?}");
    }
    let unknown = elements(3, "a1B2c3", 20_261_124, 12_345);
    assert_eq!(BillVerify::verify_elements(&unknown), Err(VerifyProblem::NotFound));
}

#[test]
fn problems_are_said_in_words() {
    let both = VerifyProblem::ElementMismatch(vec![Element::IssueDate, Element::Total]);
    assert_eq!(both.to_string(), "not the bill's: issue date, total");
    let words: std::collections::BTreeSet<_> = [
        VerifyProblem::NotFound,
        VerifyProblem::NotRecorded,
        VerifyProblem::HashMismatch { recorded: [1; 32] },
        VerifyProblem::ElementMismatch(vec![Element::CheckCode]),
    ]
    .iter()
    .map(ToString::to_string)
    .collect();
    assert_eq!(words.len(), 4);
}

#[test]
fn a_report_deposits_the_audit_event_and_a_record() {
    let found = Observation::XmlHash([1; 32]);
    let expected = Observation::XmlHash([9; 32]);
    let state = run(|| {
        assert_ok!(report(INSURER, 1, found));
        let reporter = did("insurer");
        System::assert_last_event(
            Event::MismatchReported { key: key(1), reporter, expected, found, report: 1 }.into(),
        );
        assert_eq!(Reports::<Test>::get(key(1)), 1);
        assert_eq!(Reports::<Test>::get(key(2)), 0);
    });
    let bytes = state.offchain_db().get(&report_key(&key(1), 1)).expect("it is there");
    let record = Report::decode(&mut &bytes[..]).expect("it is a report");
    let at = Stamp { block: 1, extrinsic: Some(3), moment: NOW };
    assert_eq!(record, Report { number: 1, reporter: did("insurer"), at, expected, found });
}

#[test]
fn every_respect_can_be_reported_and_reports_are_numbered_by_bill() {
    let differing = [
        Observation::XmlHash([1; 32]),
        Observation::PdfHash([1; 32]),
        Observation::CheckCode("A1B2c3".parse().expect("6 characters")),
        Observation::IssueDate(date(20_261_123)),
        Observation::Total(fen(12_344)),
    ];
    let state = run(|| {
        for found in differing {
            assert_ok!(report(INSURER, 2, found));
        }
        assert_ok!(report(INSURER, 1, differing[0]));
        assert_eq!(Reports::<Test>::iter().collect::<Vec<_>>(), [(key(1), 1), (key(2), 5)]);
    });
    for (number, found) in (1..).zip(differing) {
        let bytes = state.offchain_db().get(&report_key(&key(2), number)).expect("it is there");
        let record = Report::decode(&mut &bytes[..]).expect("it is a report");
        assert_eq!((record.number, record.found), (number, found));
        assert_ne!(record.expected, found);
    }
}

#[test]
fn what_agrees_is_no_mismatch() {
    run(|| {
        for (number, found) in [
            (1, Observation::XmlHash([9; 32])),
            (2, Observation::PdfHash([4; 32])),
            (1, Observation::CheckCode("a1B2c3".parse().expect("6 characters"))),
            (1, Observation::IssueDate(date(20_261_124))),
            (1, Observation::Total(fen(12_345))),
        ] {
            assert_noop!(report(INSURER, number, found), Error::<Test>::NothingDiffers);
        }
    });
}

#[test]
fn what_cannot_be_compared_is_no_mismatch() {
    run(|| {
        let hash = Observation::PdfHash([1; 32]);
        assert_noop!(report(INSURER, 1, hash), Error::<Test>::NotRecorded);
        assert_noop!(report(INSURER, 3, hash), Error::<Test>::BillNotFound);
        for zero in [Observation::XmlHash([0; 32]), Observation::PdfHash([0; 32])] {
            assert_noop!(report(INSURER, 1, zero), Error::<Test>::HashZero);
        }
    });
}

#[test]
fn only_active_participants_report() {
    run(|| {
        let found = Observation::XmlHash([1; 32]);
        for (seed, expected) in [
            (STRANGER, Error::<Test>::Sender(ParticipantProblem::NotFound)),
            (FROZEN, Error::Sender(ParticipantProblem::Frozen)),
            (CANCELLED, Error::Sender(ParticipantProblem::Cancelled)),
        ] {
            assert_noop!(report(seed, 1, found), expected);
        }
        let unsigned = BillVerify::report_mismatch(RuntimeOrigin::none(), key(1), found);
        assert_noop!(unsigned, DispatchError::BadOrigin);
    });
}

#[test]
fn counts_do_not_wrap() {
    run(|| {
        Reports::<Test>::insert(key(1), u32::MAX);
        let full = report(INSURER, 1, Observation::XmlHash([1; 32]));
        assert_noop!(full, DispatchError::Arithmetic(ArithmeticError::Overflow));
    });
}

#[test]
fn a_broken_state_is_noticed() {
    use frame::traits::Hooks;
    run(|| {
        Reports::<Test>::insert(key(3), 1);
        assert!(BillVerify::do_try_state().is_err(), "a report of no bill");
        Reports::<Test>::remove(key(3));
        Reports::<Test>::insert(key(1), 0);
        assert!(BillVerify::try_state(1).is_err(), "no report counted");
        Reports::<Test>::remove(key(1));
        BillVerify::integrity_test();
    });
}
