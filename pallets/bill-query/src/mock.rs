//! A runtime of this contract alone, hashed with SM3, over a ledger of one
//! bill.

use crate::{self as pallet_bill_query};
use billchain_primitives::{
    AccountId, Bill, BillKey, BillKind, BillStatus, BillSummary, Fen, Header, IssueDate, IssueTime,
    Operation, PayerType, SceneId, Sm3Hasher, Stamp,
    history::{Cause, Entry, VersionBody, VersionRecord},
    seams::{BillLedger, BillsInForce, SummaryProblem},
};
pub use billchain_test_support::key;
use frame::{
    deps::sp_runtime::{ArithmeticError, generic},
    testing_prelude::*,
    traits::IdentityLookup,
};

type Block = generic::Block<Header, MockUncheckedExtrinsic<Test>>;

construct_runtime!(
    pub enum Test {
        System: frame_system,
        BillQuery: pallet_bill_query,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
    type Hashing = Sm3Hasher;
}

impl pallet_bill_query::Config for Test {
    type Ledger = OneBill;
    type InForce = OneBill;
}

/// A ledger that holds the bill of [`record`].
pub struct OneBill;

impl BillsInForce for OneBill {
    /// In force it is pre-issued, which it is not as it is stored.
    fn bill_in_force(key: &BillKey) -> Option<Bill> {
        let mut bill = Self::bill(key)?;
        bill.state.status = BillStatus::PreIssued;
        Some(bill)
    }
}

impl BillLedger for OneBill {
    fn bill(key: &BillKey) -> Option<Bill> {
        Some(record().bill(record().receipt()?)).filter(|bill| bill.summary.key == *key)
    }

    fn contains(key: &BillKey) -> bool {
        Self::bill(key).is_some()
    }

    fn open(_: BillSummary, _: BillStatus, _: Entry) -> Result<(), SummaryProblem> {
        Err(SummaryProblem::AlreadyExists)
    }

    fn advance(_: Bill, _: Entry) -> Result<Bill, ArithmeticError> {
        Err(ArithmeticError::Overflow)
    }
}

/// Version 1 of bill 1.
pub fn record() -> VersionRecord {
    let issuer: billchain_primitives::Did = "did:bill:hospital".parse().expect("a plain DID");
    let summary = BillSummary {
        key: key(1),
        check_code: "a1B2c3".parse().expect("6 characters"),
        kind: BillKind::Blue,
        issue_date: IssueDate::new(20_261_124).expect("a real date"),
        issue_time: IssueTime::new(83_000).expect("a real time"),
        total: Fen::new(12_345).expect("in bounds"),
        issuer: issuer.clone(),
        issuer_uscc: "91350100M000100Y43".parse().expect("18 characters"),
        payer_type: PayerType::Person,
        payer_ref: [7; 32],
        scene: SceneId(1),
        biz_no_hash: [8; 32],
        xml_hash: [9; 32],
        pdf_hash: [0; 32],
        location_hash: [0; 32],
        related: None,
    };
    VersionRecord::first(VersionBody {
        version: 1,
        entry: Entry::plain(Cause::Operation(Operation::Register), issuer),
        at: Stamp { block: 1, extrinsic: Some(1), moment: 1_000 },
        summary,
        status: BillStatus::Normal,
        lock: None,
        reimbursements: Default::default(),
    })
}
