//! Fields that a scene requires of its bills.

use crate::{BatchMode, Call, Error, mock::*};
use billchain_primitives::{
    BillKind, BillSummary, SummaryField, SummaryFields,
    seams::{BillLedger, SummaryProblem},
};
use frame::testing_prelude::*;

type BlankField = (SummaryField, fn(&mut BillSummary), Error<Test>, SummaryProblem);

fn whole(number: u32) -> BillSummary {
    BillSummary { pdf_hash: [1; 32], location_hash: [2; 32], ..bill(number) }
}

#[test]
fn a_bill_that_lacks_what_its_scene_requires_is_refused_by_the_fields_name() {
    let fields: [BlankField; 4] = [
        (
            SummaryField::PayerRef,
            |bill| bill.payer_ref = [0; 32],
            Error::<Test>::Bill(SummaryProblem::PayerRefMissing),
            SummaryProblem::PayerRefMissing,
        ),
        (
            SummaryField::BizNoHash,
            |bill| bill.biz_no_hash = [0; 32],
            Error::<Test>::Bill(SummaryProblem::BizNoHashMissing),
            SummaryProblem::BizNoHashMissing,
        ),
        (
            SummaryField::PdfHash,
            |bill| bill.pdf_hash = [0; 32],
            Error::<Test>::Bill(SummaryProblem::PdfHashMissing),
            SummaryProblem::PdfHashMissing,
        ),
        (
            SummaryField::LocationHash,
            |bill| bill.location_hash = [0; 32],
            Error::<Test>::Bill(SummaryProblem::LocationHashMissing),
            SummaryProblem::LocationHashMissing,
        ),
    ];
    for (field, blank, refused, problem) in fields {
        run(|| {
            let mut lacking = whole(1);
            blank(&mut lacking);
            let required = SummaryFields::of(&[field]);
            with_world(|world| world.required = required);
            let call = Call::register { summary: lacking.clone() };
            assert_noop!(send(HOSPITAL, call), refused);
            let notice = BillSummary { kind: BillKind::PaymentNotice, ..lacking.clone() };
            let result = send(HOSPITAL, Call::pre_issue { notice });
            assert!(result.is_err(), "{field:?}");
            let bills = vec![whole(2), lacking.clone()].try_into().expect("two bills");
            let call = Call::register_batch { bills, mode: BatchMode::AllOrNothing };
            let expected = Error::<Test>::BatchItem { index: 1, problem };
            assert_noop!(send(HOSPITAL, call), expected);

            assert_ok!(send(HOSPITAL, Call::register { summary: whole(3) }));
            with_world(|world| world.required = SummaryFields::NONE);
            assert_ok!(send(HOSPITAL, Call::register { summary: lacking }));
        });
    }
}

#[test]
fn a_red_bill_is_not_asked_for_what_its_blue_one_did_not_need() {
    use billchain_primitives::{
        BillStatus, Operation,
        history::{Cause, Entry},
    };
    run(|| {
        assert_ok!(send(HOSPITAL, Call::register { summary: bill(1) }));
        let every = SummaryFields::of(&SummaryField::ALL);
        with_world(|world| world.required = every);
        let red = BillSummary {
            kind: BillKind::Red,
            total: bill(1).total.negated(),
            related: Some(key(1)),
            ..bill(2)
        };
        let operator = did("hospital");
        let cause = Cause::Operation(Operation::RedReverse);
        // As the bill-update contract does it, which reverses the blue one.
        let mut blue = BillRegister::bill(&key(1)).expect("it is registered");
        blue.state.status = BillStatus::RedReversed;
        assert_ok!(BillRegister::advance(blue, Entry::plain(cause, operator.clone())));
        let entry = Entry::plain(cause, operator);
        assert_eq!(BillRegister::open(red, BillStatus::Normal, entry), Ok(()));
    });
}
