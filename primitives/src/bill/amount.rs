//! Amounts of money, in whole fen (分).

use super::{InvalidField, printable};
use codec::{Decode, DecodeWithMemTracking, Encode, Input, MaxEncodedLen};
use core::{fmt, str::FromStr};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// An amount of money in fen (分), negative on a red bill.
#[derive(
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Debug,
    Encode,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
)]
#[serde(transparent)]
pub struct Fen(i64);

impl Fen {
    /// Largest magnitude: one trillion yuan less one fen.
    pub const MAX: i64 = 99_999_999_999_999;
    /// Nothing.
    pub const ZERO: Fen = Fen(0);

    /// The amount, if its magnitude is at most [`Fen::MAX`].
    pub fn new(fen: i64) -> Result<Self, InvalidField> {
        if (-Self::MAX..=Self::MAX).contains(&fen) {
            Ok(Self(fen))
        } else {
            Err(InvalidField {
                field: "Fen",
                expected: "a magnitude below 10^14",
                found: fen.to_string(),
            })
        }
    }

    /// Number of fen.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The red counterpart.
    pub const fn negated(self) -> Self {
        // The magnitude bound keeps this far from overflow.
        Self(-self.0)
    }

    /// `self + other`, unless it leaves the bounds.
    pub fn checked_add(self, other: Fen) -> Option<Fen> {
        Self::new(self.0.checked_add(other.0)?).ok()
    }

    /// `self - other`, unless it leaves the bounds.
    pub fn checked_sub(self, other: Fen) -> Option<Fen> {
        Self::new(self.0.checked_sub(other.0)?).ok()
    }
}

impl Decode for Fen {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        Self::new(i64::decode(input)?).map_err(|_| "Fen: expected a magnitude below 10^14".into())
    }
}

impl DecodeWithMemTracking for Fen {}

impl<'de> Deserialize<'de> for Fen {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(i64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Fen {
    /// In yuan with two decimals.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let magnitude = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", magnitude / 100, magnitude % 100)
    }
}

impl FromStr for Fen {
    type Err = InvalidField;

    /// From yuan with exactly two decimals, as bills print it: `1234.50`. An
    /// amount has one form: no leading zeros, and zero has no sign.
    fn from_str(text: &str) -> Result<Self, InvalidField> {
        let invalid = || InvalidField {
            field: "Fen",
            expected: "an amount in yuan with two decimals, no leading zeros, no sign at zero \
                       and a magnitude below 10^12",
            found: printable(text.as_bytes()),
        };
        let (negative, magnitude) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (yuan, fen) = magnitude.split_once('.').ok_or_else(invalid)?;
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        let leading_zero = yuan.len() > 1 && yuan.starts_with('0');
        if !digits(yuan) || !digits(fen) || fen.len() != 2 || leading_zero {
            return Err(invalid());
        }
        let yuan: i64 = yuan.parse().map_err(|_| invalid())?;
        let fen: i64 = fen.parse().map_err(|_| invalid())?;
        let total = yuan.checked_mul(100).and_then(|y| y.checked_add(fen)).ok_or_else(invalid)?;
        if negative && total == 0 {
            return Err(invalid());
        }
        Self::new(if negative { -total } else { total }).map_err(|_| invalid())
    }
}
