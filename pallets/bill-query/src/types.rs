//! Questions and answers of this pallet.

use billchain_primitives::{BillKey, BillSummary, CheckCode, Fen, IssueDate};
use codec::{Decode, Encode};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Most bills asked for at once.
pub const MAX_QUERIES: usize = 500;

/// 票据三码: code, number and check code.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
pub struct ThreeCodes {
    /// Code and number.
    pub key: BillKey,
    /// Check code.
    pub check_code: CheckCode,
}

/// 五要素: the three codes, the issue date and the total.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
pub struct Elements {
    /// Code, number and check code.
    pub codes: ThreeCodes,
    /// Printed issue date.
    pub issue_date: IssueDate,
    /// Printed total, in fen.
    pub total: Fen,
}

impl Elements {
    /// The elements in which these and `summary` differ. Code and number are
    /// those the summary was found by.
    pub fn differences(&self, summary: &BillSummary) -> Vec<Element> {
        [
            (self.codes.check_code != summary.check_code, Element::CheckCode),
            (self.issue_date != summary.issue_date, Element::IssueDate),
            (self.total != summary.total, Element::Total),
        ]
        .into_iter()
        .filter_map(|(differs, element)| differs.then_some(element))
        .collect()
    }
}

/// One of the elements that can differ once code and number have named a bill.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Element {
    /// 校验码.
    CheckCode,
    /// 开票日期.
    IssueDate,
    /// 总金额.
    Total,
}

/// Which original a hash is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HashKind {
    /// The XML original.
    Xml,
    /// The PDF.
    Pdf,
}

/// What comparing a hash gave.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub enum Comparison {
    /// It is the one on the chain.
    Match,
    /// It is not.
    Mismatch {
        /// The one on the chain.
        recorded: [u8; 32],
    },
    /// The chain does not hold this hash yet.
    NotRecorded,
}

/// Why there is no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QueryProblem {
    /// No bill has these codes.
    NotFound,
    /// More bills were asked for than [`MAX_QUERIES`].
    TooMany {
        /// How many were.
        asked: usize,
    },
}

impl core::fmt::Display for QueryProblem {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NotFound => f.write_str("no bill has these codes"),
            Self::TooMany { asked } => {
                write!(f, "{asked} bills asked for at once, expected at most {MAX_QUERIES}")
            }
        }
    }
}

impl std::error::Error for QueryProblem {}
