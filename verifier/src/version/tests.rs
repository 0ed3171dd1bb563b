use super::*;
use crate::bill::tests::chain_bill;
use billchain_primitives::{
    BillStatus, Operation, Reason, Stamp,
    history::{self, Entry, VersionBody, VersionRecord},
};
use codec::Encode as _;
use std::{format, vec::Vec};

/// The first version of a bill, made by this.
fn record(cause: history::Cause) -> VersionRecord {
    let bill = chain_bill("0000000001");
    let operator = bill.summary.issuer.clone();
    VersionRecord::first(VersionBody {
        version: 1,
        entry: Entry {
            evidence: Some([9; 32]),
            proposer: Some(operator.clone()),
            ..Entry::plain(cause, operator)
        },
        at: Stamp { block: 9, extrinsic: None, moment: 77 },
        summary: bill.summary,
        status: BillStatus::Voided,
        lock: None,
        reimbursements: Default::default(),
    })
}

fn head(record: &VersionRecord) -> VersionHead {
    VersionHead::read(&record.head().encode()).unwrap()
}

#[test]
fn what_a_version_says_is_read_as_the_chain_writes_it() {
    let mut record = record(history::Cause::Operation(Operation::Adjust));
    record.body.entry.reason = Some(Reason::new(&"由".repeat(85)).unwrap());
    let content = record.body.encode();
    let (bill, change) = read_content(&content, &head(&record)).unwrap();
    let issuer = "did:bill:hospital-1";
    assert_eq!(
        (bill.number, bill.issuer, bill.status),
        ("0000000001", issuer, crate::Status::Voided)
    );
    assert_eq!((bill.version, bill.updated, bill.total), (1, 77, 123_456));
    assert_eq!(
        (change.cause, change.operator, change.proposer),
        (Cause::Adjust, issuer, Some(issuer))
    );
    assert_eq!((change.reason, change.evidence), (Some(&*"由".repeat(85)), Some([9; 32])));
    assert_eq!((change.block, change.index), (9, None));
    for end in 0..content.len() {
        assert!(read_said(&content[..end]).is_err(), "{end} bytes");
    }
    assert!(read_said(&[&content[..], &[0]].concat()).is_err(), "it goes on");
}

#[test]
fn every_cause_has_its_number_and_name() {
    let operations: Vec<Operation> =
        (0..).map_while(|number: u8| codec::Decode::decode(&mut &[number][..]).ok()).collect();
    assert_eq!(operations.len(), 13);
    for operation in operations {
        let record = record(history::Cause::Operation(operation));
        let content = record.body.encode();
        let (_, change) = read_said(&content).unwrap();
        assert_eq!(format!("{:?}", change.cause), format!("{operation:?}"));
        assert_eq!(
            format!("\"{}\"", change.cause.name()),
            serde_json::to_string(&operation).unwrap()
        );
    }
    let content = record(history::Cause::Summary).body.encode();
    let (_, change) = read_said(&content).unwrap();
    assert_eq!((change.cause, change.cause.name()), (Cause::Summary, "summary"));
    for (at, byte) in [(4, 2), (4, 255)] {
        let mut other = content.clone();
        other[at] = byte;
        assert!(read_said(&other).is_err(), "{byte}");
    }
    let mut other = record(history::Cause::Operation(Operation::Adjust)).body.encode();
    other[5] = 13;
    assert!(read_said(&other).is_err());
}

#[test]
fn a_content_is_that_of_one_head() {
    let one = record(history::Cause::Summary);
    let content = one.body.encode();
    let contradicts = |head: &VersionHead| {
        let found = read_content(&content, head);
        assert!(matches!(found, Err(Refusal::Contradiction { .. })), "{found:?}");
    };
    contradicts(&head(&record(history::Cause::Operation(Operation::Adjust))));
    // A head that names the content's digest, and says another thing.
    contradicts(&VersionHead { version: 2, ..head(&one) });
    contradicts(&VersionHead { block: 8, ..head(&one) });
    contradicts(&VersionHead { transaction: Some(0), ..head(&one) });
    contradicts(&VersionHead { moment: 78, ..head(&one) });
    contradicts(&VersionHead { key: *b"310601260000000002", ..head(&one) });
    read_content(&content, &head(&one)).unwrap();
}
