//! Comparison of originals with the chain.

use billchain_primitives::{BillCode, BillNumber, CheckCode, Did, Fen, IssueDate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sp_core::H256;

use crate::{StampView, schema};

/// What comparing with the chain gave.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VerificationResult {
    /// It agrees.
    Match,
    /// The hash is not the one on the chain.
    HashMismatch,
    /// One of the elements is not the bill's.
    ElementMismatch,
    /// The chain does not hold this hash yet.
    NotRecorded,
    /// No bill has these codes.
    NotFound,
}

/// Answer to the comparison of a hash.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct HashVerificationView {
    /// What it gave: never `element_mismatch`.
    pub result: VerificationResult,
    /// The hash on the chain, if it is another one.
    #[schemars(with = "Option<schema::Hash>")]
    pub recorded: Option<H256>,
}

/// Answer to the comparison of a hash with one of the bills that a transaction
/// touched.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BillHashVerificationView {
    /// 票据代码.
    #[schemars(with = "schema::BillCode")]
    pub code: BillCode,
    /// 票据号码.
    #[schemars(with = "schema::BillNumber")]
    pub number: BillNumber,
    /// The answer.
    #[serde(flatten)]
    pub verification: HashVerificationView,
}

/// Answer to the check of the three codes (三码).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CodesVerificationView {
    /// Whether a bill has all three.
    pub genuine: bool,
}

/// Answer to the check of the five elements (五要素).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ElementsVerificationView {
    /// What it gave: `match`, `element_mismatch` or `not_found`.
    pub result: VerificationResult,
    /// Each element; none if no bill has this code and number.
    pub elements: Option<ElementsView>,
}

/// Which elements are the bill's, once code and number have named it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ElementsView {
    /// 校验码.
    pub check_code: bool,
    /// 开票日期.
    pub issue_date: bool,
    /// 总金额.
    pub total: bool,
}

/// One thing an original says, or the chain says of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ObservationView {
    /// SM3 of the XML.
    XmlHash(#[schemars(with = "schema::Hash")] H256),
    /// SM3 of the PDF.
    PdfHash(#[schemars(with = "schema::Hash")] H256),
    /// 校验码.
    CheckCode(#[schemars(with = "schema::CheckCode")] CheckCode),
    /// 开票日期, `yyyymmdd`.
    IssueDate(#[schemars(with = "schema::IssueDate")] IssueDate),
    /// 总金额 in fen.
    TotalFen(#[schemars(with = "schema::Fen")] Fen),
}

/// A reported mismatch (审计事件).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MismatchView {
    /// Number among the reports of the bill, from 1.
    pub report: u32,
    /// DID of who reported.
    #[schemars(with = "schema::Did")]
    pub reporter: Did,
    /// When.
    pub at: StampView,
    /// What the chain said then: `{"xml_hash": "0x…"}` and the like.
    pub expected: ObservationView,
    /// What the reporter found.
    pub found: ObservationView,
}

/// A certificate (链上凭证) of a bill, of one of its versions, of a range of numbers or of an
/// issuer's month.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BillCertificateView {
    /// The certificate, `0x` hex: it is checked without a node.
    pub certificate: String,
}
