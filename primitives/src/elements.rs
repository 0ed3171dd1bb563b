//! 五要素, by which somebody who holds an original names its bill.

use crate::{BillSummary, Fen, IssueDate, ThreeCodes};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// 五要素: the three codes, the issue date and the total.
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
)]
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
        let Self { codes: ThreeCodes { key: _, check_code }, issue_date, total } = *self;
        [
            (check_code != summary.check_code, Element::CheckCode),
            (issue_date != summary.issue_date, Element::IssueDate),
            (total != summary.total, Element::Total),
        ]
        .into_iter()
        .filter_map(|(differs, element)| differs.then_some(element))
        .collect()
    }
}

/// One of the elements that can differ once code and number have named a bill.
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
    frame_support::PalletError,
)]
pub enum Element {
    /// 校验码.
    CheckCode,
    /// 开票日期.
    IssueDate,
    /// 总金额.
    Total,
}

impl core::fmt::Display for Element {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::CheckCode => "check code",
            Self::IssueDate => "issue date",
            Self::Total => "total",
        })
    }
}
