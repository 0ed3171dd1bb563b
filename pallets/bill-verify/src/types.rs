//! Questions and answers of this pallet, and the records of its reports.

use billchain_primitives::{BillKey, BillSummary, CheckCode, Did, Fen, IssueDate, Stamp};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

pub use billchain_primitives::{Element, Elements};

/// Which original a hash is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HashKind {
    /// The XML original.
    Xml,
    /// The PDF.
    Pdf,
}

/// Why a bill does not verify.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum VerifyProblem {
    /// No bill has these codes.
    NotFound,
    /// The chain does not hold this hash yet.
    NotRecorded,
    /// The hash is not the one on the chain.
    HashMismatch {
        /// The one on the chain.
        recorded: [u8; 32],
    },
    /// These elements are not the bill's; at least one.
    ElementMismatch(Vec<Element>),
}

impl core::fmt::Display for VerifyProblem {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NotFound => f.write_str("no bill has these codes"),
            Self::NotRecorded => f.write_str("the chain does not hold this hash yet"),
            Self::HashMismatch { .. } => f.write_str("the hash is not the one on the chain"),
            Self::ElementMismatch(elements) => {
                f.write_str("not the bill's:")?;
                elements.iter().enumerate().try_for_each(|(index, element)| {
                    write!(f, "{} {element}", if index == 0 { "" } else { "," })
                })
            }
        }
    }
}

impl std::error::Error for VerifyProblem {}

/// One thing an original says, or the chain says of it.
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
pub enum Observation {
    /// SM3 of the XML as delivered.
    #[codec(index = 0)]
    XmlHash([u8; 32]),
    /// SM3 of the PDF as delivered.
    #[codec(index = 1)]
    PdfHash([u8; 32]),
    /// 校验码.
    #[codec(index = 2)]
    CheckCode(CheckCode),
    /// 开票日期.
    #[codec(index = 3)]
    IssueDate(IssueDate),
    /// 总金额, in fen.
    #[codec(index = 4)]
    Total(Fen),
}

impl Observation {
    /// What `summary` says in the same respect.
    pub fn recorded(&self, summary: &BillSummary) -> Observation {
        match self {
            Self::XmlHash(_) => Self::XmlHash(summary.xml_hash),
            Self::PdfHash(_) => Self::PdfHash(summary.pdf_hash),
            Self::CheckCode(_) => Self::CheckCode(summary.check_code),
            Self::IssueDate(_) => Self::IssueDate(summary.issue_date),
            Self::Total(_) => Self::Total(summary.total),
        }
    }

    /// Whether it is a hash of 32 zero bytes, which stands for "not known".
    pub fn is_zero_hash(&self) -> bool {
        matches!(self, Self::XmlHash(hash) | Self::PdfHash(hash) if *hash == [0; 32])
    }
}

/// One reported mismatch, kept in each node's index under [`report_key`].
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Report {
    /// Number among the reports of its bill, from 1.
    pub number: u32,
    /// The participant that reported.
    pub reporter: Did,
    /// When, and in which transaction.
    pub at: Stamp,
    /// What the chain said then.
    pub expected: Observation,
    /// What the reporter found.
    pub found: Observation,
}

/// Prefix of the reports in the node-local index.
pub const REPORTS: &[u8] = b"vr/";

/// Where a report lies: those of a bill sort together, ascending.
pub fn report_key(bill: &BillKey, number: u32) -> Vec<u8> {
    let mut key = reports_prefix(bill);
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// What the keys of all reports of `bill` begin with.
pub fn reports_prefix(bill: &BillKey) -> Vec<u8> {
    let mut key = REPORTS.to_vec();
    bill.encode_to(&mut key);
    key
}
