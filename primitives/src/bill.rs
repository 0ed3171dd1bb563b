//! What a fiscal electronic bill (财政电子票据) consists of on the chain.
//!
//! Amounts are whole fen (分); dates are the printed ones, in UTC+8. The
//! fields and their rules follow the `EInvoice` standard as far as it is
//! public; see `docs/` for the mapping.

use crate::{Did, codec_util::ascii_newtype, sm3};
use codec::{Decode, DecodeWithMemTracking, Encode, Input, MaxEncodedLen};
use core::{fmt, str::FromStr};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// A value that breaks the rule of its type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: expected {expected}, found \"{found}\"")]
pub struct InvalidField {
    /// The type, which names the field.
    pub field: &'static str,
    /// The rule in words.
    pub expected: &'static str,
    /// What was given, shortened and escaped.
    pub found: String,
}

pub(crate) fn printable(bytes: &[u8]) -> String {
    const SHOWN: usize = 80;
    let shown = &bytes[..bytes.len().min(SHOWN)];
    let mut text = match core::str::from_utf8(shown) {
        Ok(text) => text.escape_debug().to_string(),
        Err(_) => shown.escape_ascii().to_string(),
    };
    if bytes.len() > SHOWN {
        text.push('…');
    }
    text
}

ascii_newtype!(
    /// 票据代码: region (2), class (2), kind (2), year (2).
    BillCode, 8, "8 digits", |b| b.iter().all(u8::is_ascii_digit)
);
ascii_newtype!(
    /// One of the four parts of a [`BillCode`], such as a region or a class.
    CodePart, 2, "2 digits", |b| b.iter().all(u8::is_ascii_digit)
);
ascii_newtype!(
    /// 票据号码.
    BillNumber, 10, "10 digits", |b| b.iter().all(u8::is_ascii_digit)
);
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

const USCC_ALPHABET: &[u8] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

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

    /// From yuan with exactly two decimals, as bills print it: `1234.50`.
    fn from_str(text: &str) -> Result<Self, InvalidField> {
        let invalid = || InvalidField {
            field: "Fen",
            expected: "an amount in yuan with two decimals and a magnitude below 10^12",
            found: printable(text.as_bytes()),
        };
        let (negative, magnitude) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (yuan, fen) = magnitude.split_once('.').ok_or_else(invalid)?;
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if !digits(yuan) || !digits(fen) || fen.len() != 2 {
            return Err(invalid());
        }
        let yuan: i64 = yuan.parse().map_err(|_| invalid())?;
        let fen: i64 = fen.parse().map_err(|_| invalid())?;
        let total = yuan.checked_mul(100).and_then(|y| y.checked_add(fen)).ok_or_else(invalid)?;
        Self::new(if negative { -total } else { total }).map_err(|_| invalid())
    }
}

macro_rules! calendar_newtype {
    ($(#[$doc:meta])* $name:ident, $rule:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, MaxEncodedLen, TypeInfo,
            Serialize,
        )]
        #[serde(transparent)]
        pub struct $name(u32);

        impl $name {
            /// The value, if it is a real one.
            pub fn new(number: u32) -> Result<Self, InvalidField> {
                let check: fn(u32) -> bool = $check;
                if check(number) {
                    Ok(Self(number))
                } else {
                    Err(InvalidField {
                        field: stringify!($name),
                        expected: $rule,
                        found: number.to_string(),
                    })
                }
            }

            /// The decimal digits as a number.
            pub const fn get(self) -> u32 {
                self.0
            }
        }

        impl Decode for $name {
            fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
                Self::new(u32::decode(input)?)
                    .map_err(|_| concat!(stringify!($name), ": expected ", $rule).into())
            }
        }
        impl DecodeWithMemTracking for $name {}

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                Self::new(u32::deserialize(d)?).map_err(serde::de::Error::custom)
            }
        }
    };
}

calendar_newtype!(
    /// 开票日期 as the number `yyyymmdd`, in UTC+8.
    IssueDate, "a real date as yyyymmdd from 20000101 to 29991231",
    |n| {
        let (year, month, day) = (n / 10_000, n / 100 % 100, n % 100);
        (2000..3000).contains(&year)
            && (1..=12).contains(&month)
            && (1..=days_in_month(year, month)).contains(&day)
    }
);
calendar_newtype!(
    /// 开票时间 as the number `hhmmss`, in UTC+8.
    IssueTime, "a time of day as hhmmss",
    |n| n / 10_000 < 24 && n / 100 % 100 < 60 && n % 100 < 60
);

const fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn days_in_month(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

impl IssueDate {
    /// Days since 1970-01-01.
    pub const fn days(self) -> u64 {
        // Howard Hinnant's `days_from_civil`, for years after 1970 only.
        let (y, m, d) = (self.0 as u64 / 10_000, self.0 as u64 / 100 % 100, self.0 as u64 % 100);
        let y = if m <= 2 { y - 1 } else { y };
        let era = y / 400;
        let year_of_era = y % 400;
        let month = if m > 2 { m - 3 } else { m + 9 };
        let day_of_year = (153 * month + 2) / 5 + d - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }

    /// Days since 1970-01-01 of the moment `ms`, as a calendar in UTC+8 counts
    /// them.
    pub const fn days_of_moment(ms: u64) -> u64 {
        ms.saturating_add(8 * 3_600_000) / 86_400_000
    }
}

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

/// What sort of document a bill is.
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
#[serde(rename_all = "snake_case")]
pub enum BillKind {
    /// 蓝票: an ordinary bill.
    Blue,
    /// 红票: takes a blue bill back.
    Red,
    /// 电子缴款书: a payment notice before payment.
    PaymentNotice,
}

/// Where a bill stands in the status machine.
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
#[serde(rename_all = "snake_case")]
pub enum BillStatus {
    /// 预开.
    PreIssued,
    /// 正常.
    Normal,
    /// 锁定.
    Locked,
    /// 部分报销.
    PartlyReimbursed,
    /// 已报销.
    Reimbursed,
    /// 已冲红; final.
    RedReversed,
    /// 已作废; final.
    Voided,
}

impl BillStatus {
    /// Every status, in the order of the enum.
    pub const ALL: [BillStatus; 7] = [
        BillStatus::PreIssued,
        BillStatus::Normal,
        BillStatus::Locked,
        BillStatus::PartlyReimbursed,
        BillStatus::Reimbursed,
        BillStatus::RedReversed,
        BillStatus::Voided,
    ];

    /// Whether nothing may follow.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::RedReversed | Self::Voided)
    }
}

/// Whether the payer is a person or an organisation.
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
#[serde(rename_all = "snake_case")]
pub enum PayerType {
    /// 个人.
    Person,
    /// 单位.
    Organisation,
}

/// Number of a business scene (业务场景).
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
#[serde(transparent)]
pub struct SceneId(pub u16);

/// What the issuer says of a bill; nothing personal is in it.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct BillSummary {
    /// Code and number.
    pub key: BillKey,
    /// 校验码.
    pub check_code: CheckCode,
    /// Sort of document.
    pub kind: BillKind,
    /// 开票日期.
    pub issue_date: IssueDate,
    /// 开票时间.
    pub issue_time: IssueTime,
    /// 总金额 in fen; negative exactly on a red bill of a positive one.
    pub total: Fen,
    /// 开票单位.
    pub issuer: Did,
    /// 统一社会信用代码 of the issuer.
    pub issuer_uscc: Uscc,
    /// Sort of payer.
    pub payer_type: PayerType,
    /// `HMAC-SM3(key, id_type ‖ id_number)` of the payer; the key stays with
    /// the issuer.
    pub payer_ref: [u8; 32],
    /// Business scene the bill belongs to.
    pub scene: SceneId,
    /// SM3 of the issuer's business number.
    pub biz_no_hash: [u8; 32],
    /// SM3 of the XML original as delivered; not zero.
    pub xml_hash: [u8; 32],
    /// SM3 of the PDF; zero until it is known, filled once.
    pub pdf_hash: [u8; 32],
    /// SM3 of the place where the originals are stored; zero if unknown.
    pub location_hash: [u8; 32],
    /// The blue bill of a red or balance bill.
    pub related: Option<BillKey>,
}

impl BillSummary {
    /// SM3 of the encoded summary: equal exactly for equal content.
    pub fn content_hash(&self) -> [u8; 32] {
        sm3(&self.encode())
    }
}

#[cfg(test)]
mod tests;
