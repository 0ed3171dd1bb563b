//! Totals (合计): how many bills of each kind and status there are, and over how
//! much, among the numbers of a block and in a month of an issuer.
//!
//! The chain keeps a [`Tally`] of each [`NumberBlock`] and of each issuer's
//! [`Month`] that has bills, and a certificate shows them to who checks numbers
//! without reading each bill. So the encodings here are durable.

#[cfg(test)]
mod tests;

use crate::{
    Bill, BillCode, BillKey, BillKind, BillNumber, BillStatus, BillSummary, Fen, IssueDate,
    codec_util::ascii_newtype, sm3,
};
use codec::{Compact, Decode, DecodeWithMemTracking, Encode, Input, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use sp_core::{ConstU32, bounded::BoundedVec};

/// Most lines of a tally: one a kind and status.
pub const MAX_LINES: u32 = (BillKind::ALL.len() * BillStatus::ALL.len()) as u32;

/// What a bill's share of a mark is hashed after, so that it is no other digest of the chain.
const SHARE_TAG: u8 = 0x06;

/// Bills of one kind and status.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Line {
    /// Sort of document.
    pub kind: BillKind,
    /// Where the bills stand.
    pub status: BillStatus,
    /// How many there are; not 0.
    #[codec(compact)]
    pub bills: u64,
    /// Sum of their totals in fen, negative for red bills.
    pub fen: i128,
}

/// The derived one takes a compact number for its type, which may be a byte shorter.
impl MaxEncodedLen for Line {
    fn max_encoded_len() -> usize {
        BillKind::max_encoded_len()
            .saturating_add(BillStatus::max_encoded_len())
            .saturating_add(Compact::<u64>::max_encoded_len())
            .saturating_add(i128::max_encoded_len())
    }
}

impl Line {
    const fn place(&self) -> (BillKind, BillStatus) {
        (self.kind, self.status)
    }
}

/// What a bill counts as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Posting {
    /// Sort of document.
    pub kind: BillKind,
    /// Where the bill stands.
    pub status: BillStatus,
    /// Its total in fen.
    pub total: Fen,
    /// Its share of the mark: SM3 of `0x06`, code and number, and SM3 of the XML original.
    pub share: [u8; 32],
}

impl From<&Bill> for Posting {
    fn from(bill: &Bill) -> Self {
        let BillSummary { key, kind, total, xml_hash, .. } = &bill.summary;
        // 51 bytes, which SM3 takes as one block.
        let share = sm3(&(SHARE_TAG, key, xml_hash).encode());
        Self { kind: *kind, status: bill.state.status, total: *total, share }
    }
}

/// Why a bill cannot be counted, or no longer be counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TallyProblem {
    /// No bill of the kind and status is counted.
    #[error("no bill of this kind and status is counted")]
    NotCounted,
    /// The last bill of a kind and status has another total than is counted.
    #[error("the last bill of this kind and status leaves {fen} fen")]
    Remainder {
        /// What would be left of no bill.
        fen: i128,
    },
    /// A count or a sum leaves its bounds.
    #[error("a count or a sum leaves its bounds")]
    Overflow,
}

/// Bills by kind and status. Its lines are in the order of kind and status, and
/// none is of no bill: equal bills make equal tallies.
///
/// The state's commitment shows SM3 of a tally to who asks for its neighbour. A few
/// numbers could be found by trying, so a tally ends with a *mark*: the shares of all its
/// bills, added without carry. Nobody knows it but who knows each bill's XML original, or
/// reads the state.
#[derive(Clone, Default, PartialEq, Eq, Debug, Encode, MaxEncodedLen, TypeInfo)]
pub struct Tally {
    lines: BoundedVec<Line, ConstU32<MAX_LINES>>,
    mark: [u8; 32],
}

impl Tally {
    /// The lines, in the order of kind and status.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Whether no bill is counted.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Counts a bill. A tally that refuses stays as it was.
    pub fn add(&mut self, posting: Posting) -> Result<(), TallyProblem> {
        let Posting { kind, status, total, share } = posting;
        let total = i128::from(total.get());
        match self.find(&posting) {
            Ok(at) => {
                let line = self.lines[at];
                let bills = line.bills.checked_add(1).ok_or(TallyProblem::Overflow)?;
                let fen = line.fen.checked_add(total).ok_or(TallyProblem::Overflow)?;
                self.lines[at] = Line { bills, fen, ..line };
            }
            // There is room: a kind and status has one line.
            Err(at) => self
                .lines
                .try_insert(at, Line { kind, status, bills: 1, fen: total })
                .map_err(|_| TallyProblem::Overflow)?,
        }
        self.turn_mark(&share);
        Ok(())
    }

    /// Counts a bill no longer. A tally that refuses stays as it was.
    pub fn remove(&mut self, posting: Posting) -> Result<(), TallyProblem> {
        let at = self.find(&posting).map_err(|_| TallyProblem::NotCounted)?;
        let line = self.lines[at];
        let total = i128::from(posting.total.get());
        let bills = line.bills.checked_sub(1).ok_or(TallyProblem::NotCounted)?;
        let fen = line.fen.checked_sub(total).ok_or(TallyProblem::Overflow)?;
        match (bills, fen) {
            (0, 0) => {
                self.lines.remove(at);
            }
            (0, fen) => return Err(TallyProblem::Remainder { fen }),
            _ => self.lines[at] = Line { bills, fen, ..line },
        }
        self.turn_mark(&posting.share);
        Ok(())
    }

    /// Adds a bill's share to the mark, or takes it away: without carry both are the same.
    fn turn_mark(&mut self, share: &[u8; 32]) {
        self.mark.iter_mut().zip(share).for_each(|(byte, other)| *byte ^= other);
    }

    /// Where the line of a kind and status stands, or would stand.
    fn find(&self, posting: &Posting) -> Result<usize, usize> {
        self.lines.binary_search_by_key(&(posting.kind, posting.status), Line::place)
    }
}

impl Decode for Tally {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        let lines = BoundedVec::<Line, ConstU32<MAX_LINES>>::decode(input)?;
        let in_order = lines.windows(2).all(|pair| pair[0].place() < pair[1].place());
        if !in_order || lines.iter().any(|line| line.bills == 0) {
            let expected = "Tally: expected lines in the order of kind and status, none of 0 bills";
            return Err(expected.into());
        }
        let mark = <[u8; 32]>::decode(input)?;
        if lines.is_empty() && mark != [0; 32] {
            return Err("Tally: expected the mark of no bills, zeroes".into());
        }
        Ok(Self { lines, mark })
    }
}
impl DecodeWithMemTracking for Tally {}

ascii_newtype!(
    /// The first 4 digits of a [`BillNumber`].
    FourDigits, 4, "4 digits", |b| b.iter().all(u8::is_ascii_digit)
);
ascii_newtype!(
    /// The first 6 digits of a [`BillNumber`].
    SixDigits, 6, "6 digits", |b| b.iter().all(u8::is_ascii_digit)
);
ascii_newtype!(
    /// The first 8 digits of a [`BillNumber`].
    EightDigits, 8, "8 digits", |b| b.iter().all(u8::is_ascii_digit)
);

/// The digits that the numbers of a block have in common. Encodes as how many
/// they are, one byte, and the digits.
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
)]
pub enum NumberPrefix {
    /// Those of a million numbers.
    #[codec(index = 4)]
    Million(FourDigits),
    /// Those of ten thousand numbers.
    #[codec(index = 6)]
    TenThousand(SixDigits),
    /// Those of a hundred numbers.
    #[codec(index = 8)]
    Hundred(EightDigits),
}

impl NumberPrefix {
    /// The digits as text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Million(digits) => digits.as_str(),
            Self::TenThousand(digits) => digits.as_str(),
            Self::Hundred(digits) => digits.as_str(),
        }
    }
}

/// A hundred, ten thousand or a million numbers (票据号码) of a code that follow
/// one another and begin with the same digits. Encodes as the code and the
/// prefix, so that the last byte is a digit: ten blocks that differ in it alone
/// are neighbours in the state.
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
)]
pub struct NumberBlock {
    /// 票据代码.
    pub code: BillCode,
    /// How the numbers begin.
    pub prefix: NumberPrefix,
}

impl NumberBlock {
    /// The blocks that a number lies in, the smallest first.
    pub fn around(key: &BillKey) -> [Self; 3] {
        let BillKey { code, number } = *key;
        [
            NumberPrefix::Hundred(EightDigits(head(&number))),
            NumberPrefix::TenThousand(SixDigits(head(&number))),
            NumberPrefix::Million(FourDigits(head(&number))),
        ]
        .map(|prefix| Self { code, prefix })
    }
}

/// The first digits of a number, at most all.
fn head<const N: usize>(number: &BillNumber) -> [u8; N] {
    core::array::from_fn(|at| number.as_bytes()[at])
}

impl fmt::Display for NumberBlock {
    /// As a bill's code and number, with an `x` for each digit that differs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:x<10}", self.code, self.prefix.as_str())
    }
}

ascii_newtype!(
    /// The month of an issue date (开票日期), in UTC+8.
    Month, 6, "a month as yyyymm from 200001 to 299912", is_month
);

fn is_month(digits: &[u8]) -> bool {
    digits.iter().all(u8::is_ascii_digit)
        && digits[0] == b'2'
        && (*b"01"..=*b"12").contains(&[digits[4], digits[5]])
}

impl Month {
    /// The month that a date lies in.
    pub const fn of(date: IssueDate) -> Self {
        let (mut digits, mut left) = ([b'0'; 6], date.get() / 100);
        let mut at = digits.len();
        // A date has eight digits, so nothing is left after six.
        while at > 0 {
            at -= 1;
            digits[at] += (left % 10) as u8;
            left /= 10;
        }
        Self(digits)
    }
}
