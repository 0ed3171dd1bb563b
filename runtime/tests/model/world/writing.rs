//! The model's words in the chain's.

use super::cast::did;
use crate::{
    model::code_parts,
    words::{Check, Draft, FieldRule, Key, Kind, Optional, Relation, Status},
};
use billchain_primitives::{
    BillKey, BillKind, BillStatus, BillSummary, CheckCode, Fen, IssueDate, IssueTime, PayerType,
    SceneId,
};
use pallet_bill_register as register;
use std::{collections::BTreeMap, sync::OnceLock};

/// The check codes, by the model's number.
pub const CHECK_CODES: [&str; 2] = ["a1B2c3", "A1b2C3"];

/// A code of an organisation, with its check digit and with another.
pub const USCC: &str = "91350100M000100Y43";
const USCC_MISPRINTED: &str = "91350100M000100Y42";

pub fn bill_key(key: Key) -> BillKey {
    let [region, class, kind] = code_parts(key);
    BillKey {
        code: format!("{region:02}{class:02}{kind:02}26").parse().expect("8 digits"),
        number: format!("{key:010}").parse().expect("10 digits"),
    }
}

pub fn check_code(number: u8) -> CheckCode {
    CHECK_CODES[usize::from(number)].parse().expect("6 characters")
}

pub fn hash(byte: u8) -> [u8; 32] {
    [byte; 32]
}

pub fn payer_type(organisation: bool) -> PayerType {
    if organisation { PayerType::Organisation } else { PayerType::Person }
}

pub fn kind(kind: Kind) -> BillKind {
    match kind {
        Kind::Blue => BillKind::Blue,
        Kind::Red => BillKind::Red,
        Kind::Notice => BillKind::PaymentNotice,
    }
}

pub fn status(status: Status) -> BillStatus {
    match status {
        Status::PreIssued => BillStatus::PreIssued,
        Status::Normal => BillStatus::Normal,
        Status::Locked => BillStatus::Locked,
        Status::PartlyReimbursed => BillStatus::PartlyReimbursed,
        Status::Reimbursed => BillStatus::Reimbursed,
        Status::RedReversed => BillStatus::RedReversed,
        Status::Voided => BillStatus::Voided,
    }
}

pub fn relation(relation: Relation) -> register::Relation {
    match relation {
        Relation::PayerAgent => register::Relation::PayerAgent,
        Relation::Claimant => register::Relation::Claimant,
        Relation::Insurer => register::Relation::Insurer,
        Relation::Other => register::Relation::Other,
    }
}

pub fn summary(draft: &Draft) -> BillSummary {
    let uscc = if draft.uscc_fits { USCC } else { USCC_MISPRINTED };
    BillSummary {
        key: bill_key(draft.key),
        check_code: check_code(draft.check),
        kind: kind(draft.kind),
        issue_date: date(draft.day),
        issue_time: IssueTime::new(83_000).expect("a real time"),
        total: Fen::new(draft.total).expect("in bounds"),
        issuer: did(draft.issuer),
        issuer_uscc: uscc.parse().expect("18 characters"),
        payer_type: payer_type(draft.organisation),
        payer_ref: hash(draft.hashes.payer),
        scene: SceneId(draft.scene),
        biz_no_hash: hash(draft.hashes.biz_no),
        xml_hash: hash(draft.hashes.xml),
        pdf_hash: hash(draft.hashes.pdf),
        location_hash: hash(draft.hashes.location),
        related: draft.related.map(bill_key),
    }
}

/// The date that many days after 1970-01-01.
pub fn date(days: u64) -> IssueDate {
    static DATES: OnceLock<BTreeMap<u64, IssueDate>> = OnceLock::new();
    let dates = DATES.get_or_init(|| {
        let numbers = 20_261_101..20_300_101;
        let dates = numbers.filter_map(|number| IssueDate::new(number).ok());
        dates.map(|date| (date.days(), date)).collect()
    });
    *dates.get(&days).expect("the test plays within three years")
}

pub fn field_rule(rule: &FieldRule) -> register::FieldRule {
    use register::{FieldCheck, OptionalField};
    let parts = |parts: &[u8]| {
        let parts: Vec<_> =
            parts.iter().map(|part| format!("{part:02}").parse().expect("2 digits")).collect();
        parts.try_into().expect("few parts")
    };
    let check = match &rule.check {
        Check::Required(optional) => FieldCheck::Required(match optional {
            Optional::Payer => OptionalField::PayerRef,
            Optional::BizNo => OptionalField::BizNoHash,
            Optional::Pdf => OptionalField::PdfHash,
            Optional::Location => OptionalField::LocationHash,
        }),
        Check::Total { least, most } => FieldCheck::Total {
            least_fen: Fen::new(*least).expect("in bounds"),
            most_fen: Fen::new(*most).expect("in bounds"),
        },
        Check::Regions(of) => FieldCheck::Regions(parts(of)),
        Check::Classes(of) => FieldCheck::Classes(parts(of)),
        Check::Kinds(of) => FieldCheck::Kinds(parts(of)),
        Check::IssuedWithin(days) => FieldCheck::IssuedWithin { days: *days },
        Check::Organisation(wanted) => FieldCheck::PayerType(payer_type(*wanted)),
        Check::UsccFits => FieldCheck::UsccCheckDigit,
        Check::Allotted(None) => FieldCheck::Allotted(register::AllottedCodes::All),
        Check::Allotted(Some(odd)) => {
            let codes = vec![bill_key(if *odd { 1 } else { 2 }).code];
            let codes = codes.try_into().expect("one code");
            FieldCheck::Allotted(register::AllottedCodes::Only(codes))
        }
    };
    register::FieldRule { kind: rule.kind.map(kind), check }
}
