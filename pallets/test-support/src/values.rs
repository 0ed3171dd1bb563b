//! Values that tests are made of.

use billchain_primitives::{
    AccountId, BillKey, BillKind, BillSummary, Did, Fen, IssueDate, IssueTime, PayerType, Reason,
    SceneId, SummaryFields,
    seams::{AccessNodePolicy, ReimbursementMode, SceneTerms, VoidPolicy},
};

/// `did:bill:<name>`.
pub fn did(name: &str) -> Did {
    format!("did:bill:{name}").parse().expect("test names are plain")
}

/// The account of this seed.
pub fn account(seed: u8) -> AccountId {
    AccountId::new([seed; 32])
}

/// The seed of an account.
pub fn seed_of(account: &AccountId) -> u8 {
    <AccountId as AsRef<[u8; 32]>>::as_ref(account)[0]
}

/// A reason.
pub fn reason() -> Reason {
    Reason::new("开票有误").expect("a plain text")
}

/// An amount in fen.
pub fn fen(amount: i64) -> Fen {
    Fen::new(amount).expect("in bounds")
}

/// A date as `yyyymmdd`.
pub fn date(number: u32) -> IssueDate {
    IssueDate::new(number).expect("a real date")
}

/// Bill `number` of an outpatient code.
pub fn key(number: u32) -> BillKey {
    BillKey {
        code: "31060125".parse().expect("8 digits"),
        number: format!("{number:010}").parse().expect("10 digits"),
    }
}

/// A blue bill of `hospital` over 100.00 yuan, in scene 1.
pub fn blue_bill(number: u32) -> BillSummary {
    BillSummary {
        key: key(number),
        check_code: "a1B2c3".parse().expect("6 characters"),
        kind: BillKind::Blue,
        issue_date: date(20_261_124),
        issue_time: IssueTime::new(83_000).expect("a real time"),
        total: fen(10_000),
        issuer: did("hospital"),
        issuer_uscc: "91350100M000100Y43".parse().expect("18 characters"),
        payer_type: PayerType::Person,
        payer_ref: [7; 32],
        scene: SceneId(1),
        biz_no_hash: [8; 32],
        xml_hash: [9; 32],
        pdf_hash: [0; 32],
        location_hash: [0; 32],
        related: None,
    }
}

/// The red bill `number` of `blue`.
pub fn red(number: u32, blue: &BillSummary) -> BillSummary {
    BillSummary {
        key: key(number),
        kind: BillKind::Red,
        total: blue.total.negated(),
        related: Some(blue.key),
        ..blue.clone()
    }
}

/// The balance bill `number` over `amount` of `blue`.
pub fn balance(number: u32, blue: &BillSummary, amount: i64) -> BillSummary {
    BillSummary { key: key(number), total: fen(amount), related: Some(blue.key), ..blue.clone() }
}

/// An exclusive scene whose bills cannot be voided and which asks for nothing.
pub fn plain_scene() -> SceneTerms {
    SceneTerms {
        mode: ReimbursementMode::Exclusive,
        weight: 1,
        lock_period_ms: 1_000,
        void: VoidPolicy::Refused,
        access_node: AccessNodePolicy::NotRequired,
        required: SummaryFields::NONE,
    }
}
