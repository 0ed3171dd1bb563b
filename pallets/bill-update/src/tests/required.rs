//! Fields that the scene of a claim requires.

use crate::{Call, Error, StatusBatch, StatusItem, mock::*};
use billchain_primitives::{BatchMode, BillStatus, BillSummary, SummaryField, SummaryFields};
use frame::testing_prelude::*;

fn whole(number: u32) -> BillSummary {
    BillSummary { pdf_hash: [1; 32], location_hash: [2; 32], ..bill(number) }
}

/// A bill of the exclusive scene that lacks `field`.
fn lacking(number: u32, field: SummaryField) -> BillSummary {
    let mut summary = whole(number);
    field.clear(&mut summary);
    summary
}

fn require(fields: &[SummaryField]) {
    with_world(|world| world.required = Some((SHARED, SummaryFields::of(fields))));
}

#[test]
fn a_bill_that_lacks_what_the_scene_of_the_claim_requires_is_not_locked() {
    let rows: [(SummaryField, Error<Test>); 4] = [
        (SummaryField::PayerRef, Error::FieldMissing(SummaryField::PayerRef)),
        (SummaryField::BizNoHash, Error::FieldMissing(SummaryField::BizNoHash)),
        (SummaryField::PdfHash, Error::FieldMissing(SummaryField::PdfHash)),
        (SummaryField::LocationHash, Error::FieldMissing(SummaryField::LocationHash)),
    ];
    for (field, refused) in rows {
        run(|| {
            require(&[field]);
            // Its own scene asks for nothing, so it came.
            register(lacking(1, field));
            register(whole(2));
            let refused: DispatchError = refused.into();
            for claim in [lock(SHARED, "c"), lock_with(grant(), SHARED, "c")] {
                assert_noop!(change(INSURER_A, 1, claim), refused);
            }
            assert_ok!(change(INSURER_A, 2, lock(SHARED, "c")));
            // Nor does another scene ask, nor a lock that is no claim.
            assert_ok!(change(INSURER_A, 1, lock(SHARED_TOO, "c")));
            assert_ok!(change(INSURER_A, 1, unlock()));
            assert_ok!(change(ADMIN, 1, admin_lock()));
        });
    }
}

#[test]
fn a_bill_that_lacks_what_the_scene_requires_by_now_is_not_reimbursed() {
    for field in SummaryField::ALL {
        run(|| {
            register(lacking(1, field));
            register(whole(2));
            for number in [1, 2] {
                assert_ok!(change(INSURER_A, number, lock(SHARED, "c")));
            }
            require(&[field]);
            assert_noop!(change(INSURER_A, 1, reimburse(1)), Error::<Test>::FieldMissing(field));
            assert_ok!(change(INSURER_A, 2, reimburse(1)));
            // The same lock again is no new one, and a lock can be given back.
            assert_ok!(change(INSURER_A, 1, lock(SHARED, "c")));
            assert_ok!(change(INSURER_A, 1, unlock()));
            assert_eq!(status(1), BillStatus::Normal);
        });
    }
}

#[test]
fn what_the_issuer_fills_in_is_not_missing_any_longer() {
    run(|| {
        register(bill(1));
        require(&[SummaryField::PdfHash, SummaryField::LocationHash]);
        let fill = |pdf_hash, location_hash| Call::<Test>::update_summary {
            key: key(1),
            expected_version: None,
            pdf_hash,
            location_hash,
        };
        assert_noop!(
            change(INSURER_A, 1, lock(SHARED, "c")),
            Error::<Test>::FieldMissing(SummaryField::PdfHash)
        );
        assert_ok!(send(HOSPITAL, fill(Some([1; 32]), None)));
        assert_noop!(
            change(INSURER_A, 1, lock(SHARED, "c")),
            Error::<Test>::FieldMissing(SummaryField::LocationHash)
        );
        assert_ok!(send(HOSPITAL, fill(None, Some([2; 32]))));
        assert_ok!(change(INSURER_A, 1, lock(SHARED, "c")));
        assert_ok!(change(INSURER_A, 1, reimburse(1)));
    });
}

#[test]
fn a_batch_names_the_field_that_its_bill_lacks() {
    run(|| {
        require(&[SummaryField::PdfHash]);
        register(whole(1));
        register(bill(2));
        let item = |number| StatusItem {
            key: key(number),
            expected_version: None,
            change: lock(SHARED, "c"),
        };
        let changes = StatusBatch::try_from(vec![item(1), item(2)]).expect("two items");
        let call = |mode| Call::<Test>::change_status_batch { changes: changes.clone(), mode };
        let refused =
            Error::<Test>::BatchItemFieldMissing { index: 1, field: SummaryField::PdfHash };
        assert_noop!(send(INSURER_A, call(BatchMode::AllOrNothing)), refused);
        assert_ok!(send(INSURER_A, call(BatchMode::PerItem)));
        assert_eq!((status(1), status(2)), (BillStatus::Locked, BillStatus::Normal));
    });
}
