//! Ranges of numbers, and the pure rules of their use.

use billchain_primitives::{BillNumber, seams::AllotmentProblem};
use codec::{Compact, Decode, DecodeWithMemTracking, Encode, Input, MaxEncodedLen};
use frame::prelude::{BoundedVec, ConstU32};
use scale_info::TypeInfo;

/// Most ranges that one issuer has of one code. Ranges that follow one another
/// are one.
pub const MAX_RANGES: u32 = 16;
/// Most ranges of one code, those of all issuers.
pub const MAX_RANGES_OF_CODE: u32 = 4_096;
/// Most voided spans of one range. Spans that follow one another are one.
pub const MAX_VOIDED: u32 = 8;
/// Most numbers that one call voids among numbers that were used.
pub const MAX_VOIDED_AMONG_USED: u64 = 100;
/// Numbers of a code: they have 10 digits.
const NUMBERS: u64 = 10_000_000_000;

/// Numbers that follow one another, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, MaxEncodedLen, TypeInfo)]
pub struct Span {
    /// The first number.
    pub first: u64,
    /// The last number; not below the first.
    pub last: u64,
}

impl Span {
    /// The numbers from `first` to `last`; none if the last is below the first,
    /// or has more than ten digits.
    pub const fn new(first: u64, last: u64) -> Option<Self> {
        if first <= last && last < NUMBERS { Some(Self { first, last }) } else { None }
    }

    /// How many numbers there are.
    pub const fn count(self) -> u64 {
        // The ends are in order and have ten digits.
        self.last - self.first + 1
    }

    /// Whether the number is one of them.
    pub const fn contains(self, number: u64) -> bool {
        self.first <= number && number <= self.last
    }

    /// Whether all numbers of `other` are among them.
    pub const fn covers(self, other: Span) -> bool {
        self.first <= other.first && other.last <= self.last
    }

    /// Whether they share a number.
    pub const fn overlaps(self, other: Span) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

impl Decode for Span {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        Self::new(u64::decode(input)?, u64::decode(input)?)
            .ok_or_else(|| "Span: expected two numbers of 10 digits, in order".into())
    }
}
impl DecodeWithMemTracking for Span {}

/// The number as a bill has it, as a number to count with.
pub fn value_of(number: &BillNumber) -> u64 {
    // Ten digits: far from overflow.
    number.as_bytes().iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'))
}

/// The number with its ten digits.
pub fn number_of(value: u64) -> BillNumber {
    let mut digits = [b'0'; 10];
    let mut rest = value;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
    }
    BillNumber::new(digits).unwrap_or_else(|_| unreachable!("ten digits"))
}

/// Adds a span to spans in order, and joins it with those it follows or leads
/// to. `false`: there is no room, and nothing changed.
pub(crate) fn insert_span<const N: u32>(
    spans: &mut BoundedVec<Span, ConstU32<N>>,
    span: Span,
) -> bool {
    let at = spans.partition_point(|earlier| earlier.first < span.first);
    let follows = at > 0 && spans[at - 1].last + 1 == span.first;
    let leads = spans.get(at).is_some_and(|later| span.last + 1 == later.first);
    match (follows, leads) {
        (true, true) => {
            spans[at - 1].last = spans[at].last;
            spans.remove(at);
        }
        (true, false) => spans[at - 1].last = span.last,
        (false, true) => spans[at].first = span.first,
        (false, false) => return spans.try_insert(at, span).is_ok(),
    }
    true
}

/// Spans are in order, share no number, and none follows another directly.
pub(crate) fn are_in_order(spans: &[Span]) -> bool {
    spans.windows(2).all(|two| two[0].last + 1 < two[1].first)
}

/// A range that an issuer has, and what became of its numbers.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Range {
    /// Its numbers.
    pub span: Span,
    /// How many of them bills on the chain have.
    #[codec(compact)]
    pub used: u64,
    /// The highest number that a bill has; none: no bill has one.
    pub highest: Option<u64>,
    /// Numbers that no bill will ever have, in order.
    pub voided: BoundedVec<Span, ConstU32<MAX_VOIDED>>,
}

/// The derived one takes a compact number for its type, which may be a byte shorter.
impl MaxEncodedLen for Range {
    fn max_encoded_len() -> usize {
        Span::max_encoded_len()
            .saturating_add(Compact::<u64>::max_encoded_len())
            .saturating_add(Option::<u64>::max_encoded_len())
            .saturating_add(BoundedVec::<Span, ConstU32<MAX_VOIDED>>::max_encoded_len())
    }
}

impl Range {
    /// A range of which nothing was used.
    pub fn new(span: Span) -> Self {
        Self { span, used: 0, highest: None, voided: BoundedVec::new() }
    }

    /// Whether the number was voided.
    pub fn is_voided(&self, number: u64) -> bool {
        self.voided.iter().any(|span| span.contains(number))
    }

    /// How many numbers were voided.
    pub fn voided_count(&self) -> u64 {
        self.voided.iter().map(|span| span.count()).sum()
    }

    /// How many numbers a bill may still have.
    pub fn unused(&self) -> u64 {
        self.span.count().saturating_sub(self.used).saturating_sub(self.voided_count())
    }

    /// How many numbers up to the highest used one are neither on the chain nor
    /// voided. 0: nothing is missing from the first to the highest.
    pub fn missing(&self) -> u64 {
        let Some(highest) = self.highest else { return 0 };
        let voided: u64 = self
            .voided
            .iter()
            .filter(|span| span.first <= highest)
            .map(|span| span.last.min(highest) - span.first + 1)
            .sum();
        (highest - self.span.first + 1).saturating_sub(self.used).saturating_sub(voided)
    }

    /// Notes that a bill has the number, which is in the range.
    fn note_used(&mut self, number: u64) -> Result<(), AllotmentProblem> {
        if self.is_voided(number) {
            return Err(AllotmentProblem::Voided);
        }
        // As many bills as there are numbers, at most.
        self.used = self.used.saturating_add(1);
        self.highest = self.highest.max(Some(number));
        Ok(())
    }

    /// The first rule of a range's inner consistency that does not hold.
    pub(crate) fn inconsistency(&self) -> Option<&'static str> {
        if self.voided.iter().any(|span| !self.span.covers(*span)) {
            Some("voided numbers are of their range")
        } else if !are_in_order(&self.voided) {
            Some("voided numbers are in order")
        } else if self.used.saturating_add(self.voided_count()) > self.span.count() {
            Some("no more numbers are used and voided than there are")
        } else if self.highest.is_some() != (self.used > 0) {
            Some("a used range has a highest number")
        } else if self.highest.is_some_and(|n| !self.span.contains(n) || self.is_voided(n)) {
            Some("the highest used number is of its range and not voided")
        } else {
            None
        }
    }
}

/// All that an issuer has of a code: ranges in order, which share no number.
#[derive(
    Clone,
    Default,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Holding(pub BoundedVec<Range, ConstU32<MAX_RANGES>>);

impl Holding {
    /// Place of the range that has the number.
    pub fn position(&self, number: u64) -> Option<usize> {
        let after = self.0.partition_point(|range| range.span.first <= number);
        let at = after.checked_sub(1)?;
        self.0[at].span.contains(number).then_some(at)
    }

    /// The range that has the number.
    pub fn range(&self, number: u64) -> Option<&Range> {
        self.position(number).map(|at| &self.0[at])
    }

    /// Notes that a bill has the number.
    pub(crate) fn note_used(&mut self, number: u64) -> Result<(), AllotmentProblem> {
        let at = self.position(number).ok_or(AllotmentProblem::NotAllotted)?;
        self.0[at].note_used(number)
    }

    /// Adds numbers that the issuer does not have; `false`: there is no room,
    /// and nothing changed. Numbers that follow a range extend it.
    pub(crate) fn add(&mut self, span: Span) -> bool {
        let at = self.0.partition_point(|range| range.span.first < span.first);
        match at.checked_sub(1).map(|before| &mut self.0[before].span) {
            Some(before) if before.last + 1 == span.first => {
                before.last = span.last;
                true
            }
            _ => self.0.try_insert(at, Range::new(span)).is_ok(),
        }
    }

    /// The first rule of a holding's inner consistency that does not hold.
    pub(crate) fn inconsistency(&self) -> Option<&'static str> {
        if self.0.is_empty() {
            Some("a holding has a range")
        } else if self.0.windows(2).any(|two| two[0].span.last >= two[1].span.first) {
            Some("ranges are in order and share no number")
        } else {
            self.0.iter().find_map(Range::inconsistency)
        }
    }
}
