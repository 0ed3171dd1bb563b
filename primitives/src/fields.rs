//! Fields of a bill's summary that may be missing: a scene may ask for them, and
//! some come later. The others are always there.

use crate::BillSummary;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// A field that an issuer may leave out, as zeroes, unless the scene asks for
/// it.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
    frame_support::PalletError,
)]
#[serde(rename_all = "snake_case")]
pub enum SummaryField {
    /// [`BillSummary::payer_ref`].
    PayerRef,
    /// [`BillSummary::biz_no_hash`].
    BizNoHash,
    /// [`BillSummary::pdf_hash`].
    PdfHash,
    /// [`BillSummary::location_hash`].
    LocationHash,
}

impl SummaryField {
    /// Every field, in the order of its bit.
    pub const ALL: [SummaryField; 4] =
        [Self::PayerRef, Self::BizNoHash, Self::PdfHash, Self::LocationHash];

    const fn bit(self) -> u8 {
        1 << (self as u8)
    }

    /// Whether the bill has the field.
    pub fn is_given(self, summary: &BillSummary) -> bool {
        let value = match self {
            Self::PayerRef => &summary.payer_ref,
            Self::BizNoHash => &summary.biz_no_hash,
            Self::PdfHash => &summary.pdf_hash,
            Self::LocationHash => &summary.location_hash,
        };
        *value != [0; 32]
    }

    /// Takes the field from the bill.
    pub fn clear(self, summary: &mut BillSummary) {
        let value = match self {
            Self::PayerRef => &mut summary.payer_ref,
            Self::BizNoHash => &mut summary.biz_no_hash,
            Self::PdfHash => &mut summary.pdf_hash,
            Self::LocationHash => &mut summary.location_hash,
        };
        *value = [0; 32];
    }
}

/// A set of [`SummaryField`]s: one bit each, in the order of the enum, lowest
/// first.
#[derive(
    Clone, Copy, Default, PartialEq, Eq, Encode, MaxEncodedLen, TypeInfo, Serialize, Deserialize,
)]
#[serde(from = "Vec<SummaryField>", into = "Vec<SummaryField>")]
pub struct SummaryFields(u8);

impl SummaryFields {
    /// No field.
    pub const NONE: Self = Self(0);

    const ALL: u8 = (1 << SummaryField::ALL.len()) - 1;

    /// The set of `fields`.
    pub fn of(fields: &[SummaryField]) -> Self {
        Self(fields.iter().fold(0, |bits, field| bits | field.bit()))
    }

    /// The fields, in the order of the enum.
    pub fn iter(self) -> impl Iterator<Item = SummaryField> {
        SummaryField::ALL.into_iter().filter(move |field| self.0 & field.bit() != 0)
    }

    /// The fields that the bill has `after`, and lacked `before`.
    pub fn filled_in(before: &BillSummary, after: &BillSummary) -> Self {
        let filled_in = |field: &&SummaryField| !field.is_given(before) && field.is_given(after);
        Self(SummaryField::ALL.iter().filter(filled_in).fold(0, |bits, field| bits | field.bit()))
    }

    /// The fields of both sets.
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The first field of the set that the bill lacks.
    pub fn missing(self, summary: &BillSummary) -> Option<SummaryField> {
        self.iter().find(|field| !field.is_given(summary))
    }
}

impl Decode for SummaryFields {
    fn decode<I: codec::Input>(input: &mut I) -> Result<Self, codec::Error> {
        let bits = input.read_byte()?;
        if bits & !Self::ALL != 0 {
            return Err("SummaryFields: expected only the bits of the four fields".into());
        }
        Ok(Self(bits))
    }
}
impl DecodeWithMemTracking for SummaryFields {}

impl From<Vec<SummaryField>> for SummaryFields {
    fn from(fields: Vec<SummaryField>) -> Self {
        Self::of(&fields)
    }
}

impl From<SummaryFields> for Vec<SummaryField> {
    fn from(set: SummaryFields) -> Self {
        set.iter().collect()
    }
}

impl core::fmt::Debug for SummaryFields {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BillKey, BillKind, Fen, IssueDate, IssueTime, PayerType, SceneId};

    /// A bill that lacks every field that may be missing.
    fn bare() -> BillSummary {
        BillSummary {
            key: BillKey {
                code: "31060125".parse().unwrap(),
                number: "0000000001".parse().unwrap(),
            },
            check_code: "a1B2c3".parse().unwrap(),
            kind: BillKind::Blue,
            issue_date: IssueDate::new(20_261_124).unwrap(),
            issue_time: IssueTime::new(83_000).unwrap(),
            total: Fen::ZERO,
            issuer: "did:bill:hospital".parse().unwrap(),
            issuer_uscc: "91350100M000100Y43".parse().unwrap(),
            payer_type: PayerType::Person,
            payer_ref: [0; 32],
            scene: SceneId(1),
            biz_no_hash: [0; 32],
            xml_hash: [9; 32],
            pdf_hash: [0; 32],
            location_hash: [0; 32],
            related: None,
        }
    }

    #[test]
    fn each_field_is_missing_then_filled_in_then_cleared_and_no_other_is() {
        let all = SummaryFields::of(&SummaryField::ALL);
        let mut filled = bare();
        filled.payer_ref = [1; 32];
        filled.biz_no_hash = [2; 32];
        filled.pdf_hash = [3; 32];
        filled.location_hash = [4; 32];
        assert_eq!(SummaryFields::filled_in(&bare(), &filled), all);
        assert_eq!(SummaryFields::filled_in(&filled, &bare()), SummaryFields::NONE);
        for field in SummaryField::ALL {
            let mut lacking = filled.clone();
            field.clear(&mut lacking);
            let one = SummaryFields::of(&[field]);
            assert_eq!(SummaryFields::filled_in(&lacking, &filled), one, "{field:?}");
            assert_eq!(all.missing(&lacking), Some(field));
        }
        let union = SummaryField::ALL
            .into_iter()
            .fold(SummaryFields::NONE, |set, field| set.union(SummaryFields::of(&[field])));
        assert_eq!(union, all);
        all.iter().for_each(|field| field.clear(&mut filled));
        assert_eq!(filled, bare());
    }

    #[test]
    fn sets_hold_what_they_were_given_and_refuse_foreign_bits() {
        let set = SummaryFields::of(&[SummaryField::PdfHash, SummaryField::PayerRef]);
        let fields: Vec<_> = set.into();
        assert_eq!(fields, [SummaryField::PayerRef, SummaryField::PdfHash]);
        assert_eq!(SummaryFields::decode(&mut &set.encode()[..]), Ok(set));
        assert!(SummaryFields::decode(&mut &[0b1_0000][..]).is_err());
        let json = serde_json::to_string(&set).unwrap();
        assert_eq!(json, r#"["payer_ref","pdf_hash"]"#);
        assert_eq!(serde_json::from_str::<SummaryFields>(&json).unwrap(), set);
    }
}
