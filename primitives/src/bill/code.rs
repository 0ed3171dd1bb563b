//! What names a bill and its issuer: 票据代码, 票据号码, 校验码, 统一社会信用代码.

use crate::codec_util::ascii_newtype;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

ascii_newtype!(
    /// 票据代码: region (2), class (2), kind (2), year (2).
    BillCode, 8, "8 digits", |b| b.iter().all(u8::is_ascii_digit)
);

impl BillCode {
    /// 行政区划: the region.
    pub const fn region(&self) -> CodePart {
        self.part(0)
    }

    /// 分类: the class.
    pub const fn class(&self) -> CodePart {
        self.part(2)
    }

    /// 种类: the kind within the class.
    pub const fn kind(&self) -> CodePart {
        self.part(4)
    }

    const fn part(&self, at: usize) -> CodePart {
        // Two digits of eight.
        CodePart([self.0[at], self.0[at + 1]])
    }
}

ascii_newtype!(
    /// One of the four parts of a [`BillCode`], such as a region or a class.
    CodePart, 2, "2 digits", |b| b.iter().all(u8::is_ascii_digit)
);

ascii_newtype!(
    /// 票据号码.
    BillNumber, 10, "10 digits", |b| b.iter().all(u8::is_ascii_digit)
);

impl BillNumber {
    /// The number before; none before the first.
    pub fn before(&self) -> Option<Self> {
        let last = self.0.iter().rposition(|digit| *digit > b'0')?;
        let mut digits = self.0;
        digits[last] -= 1;
        digits[last + 1..].fill(b'9');
        Some(Self(digits))
    }
}

ascii_newtype!(
    /// 校验码, compared exactly. Too short to be a secret: never treated as one.
    CheckCode, 6, "6 characters of 0-9, A-Z, a-z", |b| b.iter().all(u8::is_ascii_alphanumeric)
);

ascii_newtype!(
    /// 统一社会信用代码 (GB 32100). The check digit is not part of the rule:
    /// see [`Uscc::has_valid_check_digit`].
    Uscc, 18, "18 characters of 0-9, A-H, J-N, P, Q, R, T, U, W, X, Y",
    |b| b.iter().all(|c| USCC_ALPHABET.contains(c))
);

impl Uscc {
    /// Whether the last character is the check digit of GB 32100: the sum of
    /// the characters' values, weighted with the powers of 3 modulo 31.
    pub fn has_valid_check_digit(&self) -> bool {
        let value = |c: u8| USCC_ALPHABET.iter().position(|a| *a == c).unwrap_or_default();
        let (sum, _) = self.as_bytes()[..17]
            .iter()
            .fold((0, 1), |(sum, weight), c| (sum + value(*c) * weight, weight * 3 % 31));
        (31 - sum % 31) % 31 == value(self.as_bytes()[17])
    }
}

const USCC_ALPHABET: &[u8] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// Name of a bill that is unique in law: code and number.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
pub struct BillKey {
    /// 票据代码.
    pub code: BillCode,
    /// 票据号码.
    pub number: BillNumber,
}

impl fmt::Display for BillKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.code, self.number)
    }
}

/// 票据三码: code, number and check code.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
pub struct ThreeCodes {
    /// Code and number.
    pub key: BillKey,
    /// Check code.
    pub check_code: CheckCode,
}
