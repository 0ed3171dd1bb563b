//! What is asked for, and whether a certificate answers it.

use crate::workload::{Chance, bill_number, issue_month, issuer_did, outpatient};
use billchain_client::{ClientError, Connection};
use billchain_primitives::{BillCode, BillKey, BillNumber, Did};
use billchain_verifier::Statement;

/// Numbers of a range that is asked for.
const RANGE: u64 = 100_000;
/// Numbers there are.
const NUMBERS: u64 = 10_000_000_000;
/// As far behind a run's first number no bill of it is.
const FAR: u64 = NUMBERS / 2;

/// Sorts of questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sort {
    Bill,
    Absent,
    Numbers,
    Month,
}

impl Sort {
    /// In words.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Bill => "a bill",
            Self::Absent => "no such bill",
            Self::Numbers => "100,000 numbers",
            Self::Month => "an issuer's month",
        }
    }

    /// Whether it is about one bill.
    pub(super) fn is_single(self) -> bool {
        matches!(self, Self::Bill | Self::Absent)
    }
}

/// A question.
#[derive(Clone, Debug)]
pub(super) enum Asked {
    /// A bill that is final.
    Bill(BillKey),
    /// A number that no bill has.
    Absent(BillKey),
    /// The bills of a range of numbers.
    Numbers { code: BillCode, first: BillNumber, last: BillNumber },
    /// The bills that an issuer issued in a month, yyyymm.
    Month { issuer: Did, month: String },
}

impl Asked {
    /// A number that no bill of a run has whose first number is `first`.
    pub(super) fn absent(first: u64, chance: &mut Chance) -> Self {
        let number = bill_number(first % NUMBERS + FAR + chance.below(1 << 30) as u64);
        Self::Absent(BillKey { code: outpatient(), number })
    }

    /// The numbers from a run's first one on.
    pub(super) fn numbers(first: u64) -> Self {
        let first = (first % NUMBERS).min(NUMBERS - RANGE);
        let (from, to) = (bill_number(first), bill_number(first + RANGE - 1));
        Self::Numbers { code: outpatient(), first: from, last: to }
    }

    /// The month of all bills of the issuer that has most.
    pub(super) fn month() -> Self {
        Self::Month { issuer: issuer_did(0), month: issue_month() }
    }

    pub(super) fn sort(&self) -> Sort {
        match self {
            Self::Bill(_) => Sort::Bill,
            Self::Absent(_) => Sort::Absent,
            Self::Numbers { .. } => Sort::Numbers,
            Self::Month { .. } => Sort::Month,
        }
    }

    /// The certificate that a node gives.
    pub(super) async fn ask(&self, node: &Connection) -> Result<Vec<u8>, ClientError> {
        match self {
            Self::Bill(key) | Self::Absent(key) => {
                node.certificate(&key.code.to_string(), &key.number.to_string(), None).await
            }
            Self::Numbers { code, first, last } => {
                let [first, last] = [first, last].map(BillNumber::to_string);
                node.numbers_certificate(&code.to_string(), &first, &last, None).await
            }
            Self::Month { issuer, month } => {
                node.month_certificate(&issuer.to_string(), month, None).await
            }
        }
    }

    /// Whether a statement is of what was asked for.
    pub(super) fn is_answered_by(&self, statement: &Statement<'_>) -> bool {
        let is = |key: &BillKey, code: &str, number: &str| {
            key.code.as_bytes() == code.as_bytes() && key.number.as_bytes() == number.as_bytes()
        };
        match (self, statement) {
            (Self::Bill(key), Statement::Present { bill, .. }) => is(key, bill.code, bill.number),
            (Self::Absent(key), Statement::Absent { code, number }) => is(key, code, number),
            (
                Self::Numbers { code, first, last },
                Statement::Numbers { code: of, first: from, last: to, .. },
            ) => {
                code.as_bytes() == of.as_bytes()
                    && first.as_bytes() == from.as_bytes()
                    && last.as_bytes() == to.as_bytes()
            }
            (Self::Month { issuer, month }, Statement::Month { issuer: of, month: found, .. }) => {
                issuer.as_bytes() == of.as_bytes() && month == found
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_ends_with_the_last_number_and_absent_numbers_are_far_from_a_runs_own() {
        for first in [0, 7, NUMBERS - 5, NUMBERS + 3] {
            let Asked::Numbers { first: from, last, .. } = Asked::numbers(first) else { panic!() };
            let [from, last]: [u64; 2] =
                [from, last].map(|number| number.to_string().parse().unwrap());
            assert_eq!(from + RANGE - 1, last, "{first}");
            let mut chance = Chance::new(1, "absent");
            for _ in 0..100 {
                let Asked::Absent(key) = Asked::absent(first, &mut chance) else { panic!() };
                let number: u64 = key.number.to_string().parse().unwrap();
                let behind = (number + 2 * NUMBERS - first) % NUMBERS;
                assert!((FAR..FAR + (1 << 30)).contains(&behind), "{first}: {number}");
            }
        }
    }
}
