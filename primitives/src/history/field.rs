//! The fields of a bill, each under a fixed path, and their values.
//!
//! A path is the one under which `bill_get` shows the field. Numbers and paths
//! are durable: new fields are added, none ever changes. Code and number of the
//! bill are no fields, because they never change.

use super::difference::Content;
use crate::{
    BillKey, BillKind, BillStatus, BillSummary, CheckCode, ClaimNo, Did, Fen, GrantId, IssueDate,
    IssueTime, Lock, LockPurpose, MAX_REIMBURSEMENTS, Moment, PayerType, Reimbursement, SceneId,
    Stamp, Uscc,
};
use codec::{Decode, Encode, Input, Output};
use core::{fmt, str::FromStr};
use serde::Serialize;
use sp_core::H256;

/// A field that versions of a bill may differ in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs, reason = "each is the field of the summary, the state or the lock")]
pub enum BillField {
    CheckCode,
    Kind,
    IssueDate,
    IssueTime,
    Total,
    Issuer,
    IssuerUscc,
    PayerType,
    PayerRef,
    Scene,
    BizNoHash,
    XmlHash,
    PdfHash,
    LocationHash,
    Related,
    Status,
    LockHolder,
    LockScene,
    LockClaimNo,
    LockGrant,
    LockEvidence,
    LockVersion,
    LockBlock,
    LockExtrinsic,
    LockSince,
    LockExpires,
    LockBefore,
    /// A part of the reimbursement at this place, from 0.
    Reimbursement(u8, Part),
}

/// A part of a reimbursement.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs, reason = "each is the field of the reimbursement")]
pub enum Part {
    Payer,
    Scene,
    Amount,
    Before,
}

/// The fields beside those of reimbursements, with their paths. The number of
/// one is its place here.
const SINGLE: [(BillField, &str); 27] = [
    (BillField::CheckCode, "check_code"),
    (BillField::Kind, "kind"),
    (BillField::IssueDate, "issue_date"),
    (BillField::IssueTime, "issue_time"),
    (BillField::Total, "total_fen"),
    (BillField::Issuer, "issuer"),
    (BillField::IssuerUscc, "issuer_uscc"),
    (BillField::PayerType, "payer_type"),
    (BillField::PayerRef, "payer_ref"),
    (BillField::Scene, "scene"),
    (BillField::BizNoHash, "biz_no_hash"),
    (BillField::XmlHash, "xml_hash"),
    (BillField::PdfHash, "pdf_hash"),
    (BillField::LocationHash, "location_hash"),
    (BillField::Related, "related"),
    (BillField::Status, "status"),
    (BillField::LockHolder, "lock.holder"),
    (BillField::LockScene, "lock.scene"),
    (BillField::LockClaimNo, "lock.claim_no"),
    (BillField::LockGrant, "lock.grant"),
    (BillField::LockEvidence, "lock.evidence"),
    (BillField::LockVersion, "lock.version"),
    (BillField::LockBlock, "lock.at.block"),
    (BillField::LockExtrinsic, "lock.at.extrinsic"),
    (BillField::LockSince, "lock.at.time"),
    (BillField::LockExpires, "lock.expires"),
    (BillField::LockBefore, "lock.before"),
];

/// The parts of a reimbursement with the ends of their paths.
const PARTS: [(Part, &str); 4] = [
    (Part::Payer, "payer"),
    (Part::Scene, "scene"),
    (Part::Amount, "amount_fen"),
    (Part::Before, "before"),
];

/// Number of the first part of the first reimbursement; those below are for
/// single fields.
const REIMBURSEMENTS: u8 = 64;

impl BillField {
    /// Every field, in the order of their numbers.
    pub fn all() -> impl Iterator<Item = BillField> {
        let single = SINGLE.into_iter().map(|(field, _)| field);
        let parts = (0..MAX_REIMBURSEMENTS as u8).flat_map(|place| {
            PARTS.into_iter().map(move |(part, _)| BillField::Reimbursement(place, part))
        });
        single.chain(parts)
    }

    /// The number that stands for it in SCALE.
    pub fn number(self) -> u8 {
        let place_in = |found: Option<usize>| found.unwrap_or_default() as u8;
        match self {
            Self::Reimbursement(place, part) => {
                let part = place_in(PARTS.iter().position(|(of, _)| *of == part));
                let parts = place.saturating_mul(PARTS.len() as u8).saturating_add(part);
                REIMBURSEMENTS.saturating_add(parts)
            }
            single => place_in(SINGLE.iter().position(|(of, _)| *of == single)),
        }
    }

    /// The field with this number.
    pub fn of_number(number: u8) -> Option<Self> {
        Self::all().find(|field| field.number() == number)
    }

    /// Reads a value of this field.
    fn read<I: Input>(self, input: &mut I) -> Result<FieldValue, codec::Error> {
        use FieldValue as V;
        Ok(match self {
            Self::CheckCode => V::CheckCode(Decode::decode(input)?),
            Self::Kind => V::Kind(Decode::decode(input)?),
            Self::IssueDate => V::Date(Decode::decode(input)?),
            Self::IssueTime => V::Time(Decode::decode(input)?),
            Self::Total | Self::Reimbursement(_, Part::Amount) => V::Fen(Decode::decode(input)?),
            Self::Issuer | Self::LockHolder | Self::Reimbursement(_, Part::Payer) => {
                V::Did(Decode::decode(input)?)
            }
            Self::IssuerUscc => V::Uscc(Decode::decode(input)?),
            Self::PayerType => V::PayerType(Decode::decode(input)?),
            Self::Scene | Self::LockScene | Self::Reimbursement(_, Part::Scene) => {
                V::Scene(Decode::decode(input)?)
            }
            Self::PayerRef
            | Self::BizNoHash
            | Self::XmlHash
            | Self::PdfHash
            | Self::LocationHash
            | Self::LockGrant
            | Self::LockEvidence => V::Hash(Decode::decode(input)?),
            Self::Related => V::Bill(Decode::decode(input)?),
            Self::Status | Self::LockBefore | Self::Reimbursement(_, Part::Before) => {
                V::Status(Decode::decode(input)?)
            }
            Self::LockClaimNo => V::ClaimNo(Decode::decode(input)?),
            Self::LockVersion | Self::LockBlock | Self::LockExtrinsic => {
                V::Number(Decode::decode(input)?)
            }
            Self::LockSince | Self::LockExpires => V::Moment(Decode::decode(input)?),
        })
    }
}

impl fmt::Display for BillField {
    /// The path.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reimbursement(place, part) => {
                let end = PARTS.iter().find(|(of, _)| of == part).map_or("", |(_, end)| end);
                write!(f, "reimbursements.{place}.{end}")
            }
            single => {
                let path = SINGLE.iter().find(|(of, _)| of == single).map_or("", |(_, path)| path);
                f.write_str(path)
            }
        }
    }
}

/// A path that no field has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the path of a field, such as status, pdf_hash, lock.holder or reimbursements.0.payer")]
pub struct UnknownField;

impl FromStr for BillField {
    type Err = UnknownField;

    fn from_str(path: &str) -> Result<Self, UnknownField> {
        Self::all().find(|field| field.to_string() == path).ok_or(UnknownField)
    }
}

impl Encode for BillField {
    fn encode_to<T: Output + ?Sized>(&self, output: &mut T) {
        output.push_byte(self.number());
    }
}

impl Decode for BillField {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        Self::of_number(input.read_byte()?)
            .ok_or_else(|| "BillField: expected the number of a field".into())
    }
}

/// The value of a field. Encodes as the value alone: which type it is, the
/// field says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(untagged)]
#[allow(missing_docs, reason = "each is named for its type")]
pub enum FieldValue {
    CheckCode(CheckCode),
    Kind(BillKind),
    Date(IssueDate),
    Time(IssueTime),
    Fen(Fen),
    Did(Did),
    Uscc(Uscc),
    PayerType(PayerType),
    Scene(SceneId),
    Hash(H256),
    Bill(BillKey),
    Status(BillStatus),
    ClaimNo(ClaimNo),
    Number(u32),
    Moment(Moment),
}

impl Encode for FieldValue {
    fn encode_to<T: Output + ?Sized>(&self, output: &mut T) {
        match self {
            Self::CheckCode(value) => value.encode_to(output),
            Self::Kind(value) => value.encode_to(output),
            Self::Date(value) => value.encode_to(output),
            Self::Time(value) => value.encode_to(output),
            Self::Fen(value) => value.encode_to(output),
            Self::Did(value) => value.encode_to(output),
            Self::Uscc(value) => value.encode_to(output),
            Self::PayerType(value) => value.encode_to(output),
            Self::Scene(value) => value.encode_to(output),
            Self::Hash(value) => value.encode_to(output),
            Self::Bill(value) => value.encode_to(output),
            Self::Status(value) => value.encode_to(output),
            Self::ClaimNo(value) => value.encode_to(output),
            Self::Number(value) => value.encode_to(output),
            Self::Moment(value) => value.encode_to(output),
        }
    }
}

/// What became of one field.
#[derive(Clone, PartialEq, Eq, Debug, Encode)]
pub struct FieldChange {
    /// The field.
    pub field: BillField,
    /// Its value before; none: it had none.
    pub old: Option<FieldValue>,
    /// Its value after; none: it has none any more.
    pub new: Option<FieldValue>,
}

impl Decode for FieldChange {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        let field = BillField::decode(input)?;
        let mut value = || match input.read_byte()? {
            0 => Ok(None),
            1 => field.read(input).map(Some),
            _ => Err("FieldChange: expected 0 or 1 before a value".into()),
        };
        Ok(Self { field, old: value()?, new: value()? })
    }
}

/// The values that are there, in the order of their fields.
pub(super) fn values(content: Content<'_>) -> Vec<(BillField, FieldValue)> {
    let Content { summary, status, lock, reimbursements } = content;
    let mut values = summary_values(summary);
    values.push((BillField::Status, FieldValue::Status(status)));
    lock.into_iter().for_each(|lock| values.extend(lock_values(lock)));
    for (place, reimbursement) in (0..).zip(reimbursements) {
        // Every field is named, here and below, so that a new one is not
        // forgotten.
        let Reimbursement { payer, scene, amount, before } = reimbursement.clone();
        values.extend(
            [
                (Part::Payer, FieldValue::Did(payer)),
                (Part::Scene, FieldValue::Scene(scene)),
                (Part::Amount, FieldValue::Fen(amount)),
                (Part::Before, FieldValue::Status(before)),
            ]
            .map(|(part, value)| (BillField::Reimbursement(place, part), value)),
        );
    }
    values
}

fn summary_values(summary: &BillSummary) -> Vec<(BillField, FieldValue)> {
    use {BillField as F, FieldValue as V};
    let BillSummary {
        key: _,
        check_code,
        kind,
        issue_date,
        issue_time,
        total,
        issuer,
        issuer_uscc,
        payer_type,
        payer_ref,
        scene,
        biz_no_hash,
        xml_hash,
        pdf_hash,
        location_hash,
        related,
    } = summary.clone();
    let known = |hash: [u8; 32]| (hash != [0; 32]).then_some(V::Hash(H256(hash)));
    [
        (F::CheckCode, Some(V::CheckCode(check_code))),
        (F::Kind, Some(V::Kind(kind))),
        (F::IssueDate, Some(V::Date(issue_date))),
        (F::IssueTime, Some(V::Time(issue_time))),
        (F::Total, Some(V::Fen(total))),
        (F::Issuer, Some(V::Did(issuer))),
        (F::IssuerUscc, Some(V::Uscc(issuer_uscc))),
        (F::PayerType, Some(V::PayerType(payer_type))),
        (F::PayerRef, Some(V::Hash(H256(payer_ref)))),
        (F::Scene, Some(V::Scene(scene))),
        (F::BizNoHash, Some(V::Hash(H256(biz_no_hash)))),
        (F::XmlHash, Some(V::Hash(H256(xml_hash)))),
        (F::PdfHash, known(pdf_hash)),
        (F::LocationHash, known(location_hash)),
        (F::Related, related.map(V::Bill)),
    ]
    .into_iter()
    .filter_map(|(field, value)| Some((field, value?)))
    .collect()
}

fn lock_values(lock: &Lock) -> Vec<(BillField, FieldValue)> {
    use {BillField as F, FieldValue as V};
    let Lock { holder, purpose, version, at, expires, before } = lock.clone();
    let Stamp { block, extrinsic, moment } = at;
    let (scene, claim_no, grant, evidence) = match purpose {
        LockPurpose::Claim { scene, claim_no, grant } => (Some(scene), Some(claim_no), grant, None),
        LockPurpose::Administrative { evidence } => (None, None, None, Some(evidence)),
    };
    [
        (F::LockHolder, Some(V::Did(holder))),
        (F::LockScene, scene.map(V::Scene)),
        (F::LockClaimNo, claim_no.map(V::ClaimNo)),
        (F::LockGrant, grant.map(|GrantId(hash)| V::Hash(hash))),
        (F::LockEvidence, evidence.map(|hash| V::Hash(H256(hash)))),
        (F::LockVersion, Some(V::Number(version))),
        (F::LockBlock, Some(V::Number(block))),
        (F::LockExtrinsic, extrinsic.map(V::Number)),
        (F::LockSince, Some(V::Moment(moment))),
        (F::LockExpires, expires.map(V::Moment)),
        (F::LockBefore, Some(V::Status(before))),
    ]
    .into_iter()
    .filter_map(|(field, value)| Some((field, value?)))
    .collect()
}
