use super::*;
use billchain_primitives as chain;
use codec::Encode as _;
use std::vec;

const MOMENT: u64 = 1_790_000_000_000;

fn did(name: &str) -> chain::Did {
    chain::Did::new(name.as_bytes()).unwrap()
}

/// A bill of the chain's own kind.
pub(crate) fn chain_bill(number: &str) -> chain::Bill {
    let key = chain::BillKey { code: "31060126".parse().unwrap(), number: number.parse().unwrap() };
    let summary = chain::BillSummary {
        key,
        check_code: "a1B2c3".parse().unwrap(),
        kind: chain::BillKind::Blue,
        issue_date: chain::IssueDate::new(20_261_130).unwrap(),
        issue_time: chain::IssueTime::new(93_015).unwrap(),
        total: chain::Fen::new(123_456).unwrap(),
        issuer: did("did:bill:hospital-1"),
        issuer_uscc: "12310000425006790C".parse().unwrap(),
        payer_type: chain::PayerType::Person,
        payer_ref: [1; 32],
        scene: chain::SceneId(3),
        biz_no_hash: [2; 32],
        xml_hash: [3; 32],
        pdf_hash: [4; 32],
        location_hash: [5; 32],
        related: None,
    };
    let state = chain::BillState {
        status: chain::BillStatus::Normal,
        version: 1,
        version_hash: [6; 32],
        lock: None,
        reimbursements: Default::default(),
        updated: MOMENT,
    };
    let receipt = chain::Receipt {
        operation: chain::Operation::Register,
        block: 70_000,
        extrinsic: 300,
        filled_in: chain::SummaryFields::NONE,
    };
    chain::Bill { summary, state, receipt }
}

#[test]
fn keys_of_bills_are_those_of_the_state() {
    let prefix = |name: &[u8]| sp_crypto_hashing::twox_128(name);
    assert_eq!(PREFIX, [prefix(b"BillRegister"), prefix(b"Bills")].concat()[..]);
    let bytes = chain_bill("0000000001").summary.key.encode();
    assert_eq!(bytes, b"310601260000000001");
}

#[test]
fn a_bill_is_read_as_the_chain_writes_it() {
    let mut chain_bill = chain_bill("0123456789");
    let bytes = chain_bill.encode();
    let bill = Bill::read(&bytes).unwrap();
    assert_eq!((bill.code, bill.number, bill.check_code), ("31060126", "0123456789", "a1B2c3"));
    assert_eq!((bill.kind, bill.issue_date, bill.issue_time), (Kind::Blue, 20_261_130, 93_015));
    assert_eq!((bill.total, bill.scene, bill.payer_is_person), (123_456, 3, true));
    assert_eq!((bill.issuer, bill.issuer_uscc), ("did:bill:hospital-1", "12310000425006790C"));
    assert_eq!([bill.payer_ref, bill.biz_no_hash, bill.xml_hash], [[1; 32], [2; 32], [3; 32]]);
    assert_eq!([bill.pdf_hash, bill.location_hash, bill.version_hash], [[4; 32], [5; 32], [6; 32]]);
    assert_eq!((bill.status, bill.version, bill.updated), (Status::Normal, 1, MOMENT));
    assert_eq!((bill.related, &bill.lock, bill.registered), (None, &None, (70_000, 300)));

    let at = chain::Stamp { block: 9, extrinsic: Some(2), moment: MOMENT };
    let purpose = chain::LockPurpose::Claim {
        scene: chain::SceneId(4),
        claim_no: "报销-1".parse().unwrap(),
        grant: Some(chain::GrantId([8; 32].into())),
    };
    chain_bill.summary.kind = chain::BillKind::Red;
    chain_bill.summary.total = chain::Fen::new(-5).unwrap();
    chain_bill.summary.related = Some(chain_bill.summary.key);
    chain_bill.summary.payer_type = chain::PayerType::Organisation;
    chain_bill.state.status = chain::BillStatus::Locked;
    chain_bill.state.lock = Some(chain::Lock {
        holder: did("did:bill:insurer"),
        purpose,
        version: 2,
        at,
        expires: Some(MOMENT + 1),
        before: chain::BillStatus::PartlyReimbursed,
    });
    let paid = chain::Reimbursement {
        payer: did("did:bill:fund"),
        scene: chain::SceneId(1),
        amount: chain::Fen::new(77).unwrap(),
        before: chain::BillStatus::Normal,
    };
    chain_bill.state.reimbursements = vec![paid].try_into().unwrap();
    let bytes = chain_bill.encode();
    let bill = Bill::read(&bytes).unwrap();
    let purpose = Purpose::Claim { scene: 4, claim_no: "报销-1", grant: Some([8; 32]) };
    let lock = Lock { holder: "did:bill:insurer", purpose, expires: Some(MOMENT + 1) };
    assert_eq!((bill.status, bill.lock), (Status::Locked, Some(lock)));
    let paid = Reimbursement { payer: "did:bill:fund", scene: 1, amount: 77 };
    assert_eq!(bill.reimbursements, [paid]);
    assert_eq!((bill.kind, bill.total, bill.payer_is_person), (Kind::Red, -5, false));
    assert_eq!(bill.related, Some("310601260123456789"));

    let purpose = chain::LockPurpose::Administrative { evidence: [9; 32] };
    let lock = chain_bill.state.lock.as_mut().unwrap();
    (lock.purpose, lock.expires, lock.at.extrinsic) = (purpose, None, None);
    let bytes = chain_bill.encode();
    let lock = Bill::read(&bytes).unwrap().lock.unwrap();
    assert_eq!((lock.purpose, lock.expires), (Purpose::Administrative { evidence: [9; 32] }, None));
}

#[test]
fn a_bill_that_is_cut_or_goes_on_is_refused() {
    let bytes = chain_bill("0123456789").encode();
    for end in 0..bytes.len() {
        assert!(Bill::read(&bytes[..end]).is_err(), "{end} bytes");
    }
    assert!(Bill::read(&[&bytes[..], &[0]].concat()).is_err());
}

#[test]
fn every_status_has_its_number() {
    let all = [
        Status::PreIssued,
        Status::Normal,
        Status::Locked,
        Status::PartlyReimbursed,
        Status::Reimbursed,
        Status::RedReversed,
        Status::Voided,
    ];
    for (on_chain, expected) in chain::BillStatus::ALL.into_iter().zip(all) {
        let mut bill = chain_bill("0000000001");
        bill.state.status = on_chain;
        assert_eq!(Bill::read(&bill.encode()).unwrap().status, expected);
    }
}
