//! Fields of a bill's summary that a scene may ask for. The others are always
//! there.

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
}

/// A set of [`SummaryField`]s: one bit each, in the order of the enum, lowest
/// first.
#[derive(
    Clone, Copy, Default, PartialEq, Eq, Encode, MaxEncodedLen, TypeInfo, Serialize, Deserialize,
)]
#[serde(from = "Vec<SummaryField>", into = "Vec<SummaryField>")]
pub struct RequiredFields(u8);

impl RequiredFields {
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

    /// The first field of the set that the bill lacks.
    pub fn missing(self, summary: &BillSummary) -> Option<SummaryField> {
        self.iter().find(|field| !field.is_given(summary))
    }
}

impl Decode for RequiredFields {
    fn decode<I: codec::Input>(input: &mut I) -> Result<Self, codec::Error> {
        let bits = input.read_byte()?;
        if bits & !Self::ALL != 0 {
            return Err("RequiredFields: expected only the bits of the four fields".into());
        }
        Ok(Self(bits))
    }
}
impl DecodeWithMemTracking for RequiredFields {}

impl From<Vec<SummaryField>> for RequiredFields {
    fn from(fields: Vec<SummaryField>) -> Self {
        Self::of(&fields)
    }
}

impl From<RequiredFields> for Vec<SummaryField> {
    fn from(set: RequiredFields) -> Self {
        set.iter().collect()
    }
}

impl core::fmt::Debug for RequiredFields {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_hold_what_they_were_given_and_refuse_foreign_bits() {
        let set = RequiredFields::of(&[SummaryField::PdfHash, SummaryField::PayerRef]);
        let fields: Vec<_> = set.into();
        assert_eq!(fields, [SummaryField::PayerRef, SummaryField::PdfHash]);
        assert_eq!(RequiredFields::decode(&mut &set.encode()[..]), Ok(set));
        assert!(RequiredFields::decode(&mut &[0b1_0000][..]).is_err());
        let json = serde_json::to_string(&set).unwrap();
        assert_eq!(json, r#"["payer_ref","pdf_hash"]"#);
        assert_eq!(serde_json::from_str::<RequiredFields>(&json).unwrap(), set);
    }
}
