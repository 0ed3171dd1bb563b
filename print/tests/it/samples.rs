//! What certificates may prove, real and hostile.

use billchain_print::Font;
use billchain_verifier::{
    Bill, Block, Kind, Lock, Proved, Purpose, Reimbursement, Statement, Status, Transaction,
};

/// Bytes in the place of a certificate, with text that looks like an attachment: the printer
/// does not read them.
pub(crate) const CERTIFICATE: &[u8] =
    b"BCPF\x01\x01 what proves it: << /Length 5 >>\nstream\nBCPF1\nendstream endobj";

/// A bill that is there, neither locked nor reimbursed.
pub(crate) fn bill() -> Bill<'static> {
    Bill {
        code: "31060126",
        number: "0000000007",
        check_code: "a1B2c3",
        kind: Kind::Blue,
        issue_date: 20_261_130,
        issue_time: 93_015,
        total: 123_456,
        issuer: "did:bill:hospital-1",
        issuer_uscc: "12310000425006790C",
        payer_is_person: true,
        payer_ref: [0x1b; 32],
        scene: 3,
        biz_no_hash: [0x2c; 32],
        xml_hash: [0x3d; 32],
        pdf_hash: [0x4e; 32],
        location_hash: [0x5f; 32],
        related: None,
        status: Status::Normal,
        version: 1,
        version_hash: core::array::from_fn(|at| 0xa0 ^ at as u8),
        lock: None,
        reimbursements: Vec::new(),
        updated: 1_790_000_000_000,
        registered: (70_000, 300),
    }
}

/// A locked red bill with a reimbursement.
pub(crate) fn locked() -> Bill<'static> {
    Bill {
        kind: Kind::Red,
        total: -123_456,
        related: Some("310601260000000301"),
        status: Status::Locked,
        version: 4,
        pdf_hash: [0; 32],
        lock: Some(Lock {
            holder: "did:bill:insurer-a",
            purpose: Purpose::Claim {
                scene: 4,
                claim_no: "报销-2026-000123",
                grant: Some([8; 32]),
            },
            expires: Some(1_790_000_600_000),
        }),
        reimbursements: vec![paid("did:bill:insurer-b", 5_000)],
        ..bill()
    }
}

/// A bill with as much text as a bill can have.
pub(crate) fn crowded(text: &'static str) -> Bill<'static> {
    Bill {
        check_code: text,
        issuer: text,
        issuer_uscc: text,
        lock: Some(Lock {
            holder: text,
            purpose: Purpose::Claim { scene: u16::MAX, claim_no: text, grant: Some([8; 32]) },
            expires: Some(u64::MAX),
        }),
        reimbursements: vec![paid(text, i64::MIN); 8],
        total: i64::MIN,
        issue_date: u32::MAX,
        issue_time: u32::MAX,
        version: u32::MAX,
        updated: u64::MAX,
        registered: (u32::MAX, u32::MAX),
        ..locked()
    }
}

pub(crate) fn paid(payer: &'static str, amount: i64) -> Reimbursement<'static> {
    Reimbursement { payer, scene: 1, amount }
}

/// That a bill is there, and which transaction changed it last.
pub(crate) fn present(bill: Bill<'_>) -> Proved<'_> {
    let made = Block { number: 12, hash: [0x61; 32] };
    let transaction = Some(Transaction { block: made, index: 70, hash: [0x72; 32] });
    proved(Statement::Present { bill: Box::new(bill), transaction })
}

/// That there is no such bill.
pub(crate) fn absent() -> Proved<'static> {
    proved(Statement::Absent { code: "31060126", number: "0000000301" })
}

fn proved(statement: Statement<'_>) -> Proved<'_> {
    let hash = |first: u8| core::array::from_fn(|at| first.wrapping_mul(at as u8 + 1));
    let block = Block { number: 7_654_321, hash: hash(0xe5) };
    let genesis = hash(0x83);
    let from = Block { number: 0, hash: genesis };
    Proved { genesis, from, block, statement }
}

/// The font that the scripts install for tests.
pub(crate) fn font() -> Font {
    Font::read("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc".as_ref())
        .expect("the tests need the Debian package fonts-noto-cjk")
}
