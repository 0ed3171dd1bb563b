//! Where bills are kept, and how a new one is refused.

use super::{AllotmentProblem, TransitionProblem};
use crate::{Bill, BillKey, BillStatus, BillSummary, SummaryField, history::Entry};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::PalletError;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_runtime::ArithmeticError;

/// Why a new bill is refused, whichever way it comes onto the chain.
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
    PalletError,
)]
// Clients are told the words of an error within an error.
#[scale_info(capture_docs = "always")]
#[serde(rename_all = "snake_case")]
pub enum SummaryProblem {
    /// Another bill with this code and number is on the chain, or this one
    /// came by another operation; `transaction_status` gives the SM3 of both
    /// contents. (The same registration sent again is no error.)
    AlreadyExists,
    /// There is no such scene.
    SceneNotFound,
    /// The scene is not active.
    SceneInactive,
    /// `issuer` is not the sender.
    NotIssuer,
    /// This operation does not take a bill of this kind.
    KindNotAllowed,
    /// The total has the wrong sign for the kind of bill.
    TotalOutOfRange,
    /// The issue date is later than tomorrow, in UTC+8.
    DateInFuture,
    /// `related` is set where this operation wants none, or missing where it
    /// wants one.
    RelatedNotAllowed,
    /// `xml_hash` is zero.
    XmlHashMissing,
    /// The scene asks for an access node, and none is linked to the issuer.
    AccessNodeNotLinked,
    /// The scene asks for an access node, and every one that is linked to the
    /// issuer is paused or disabled.
    AccessNodeInactive,
    /// The scene requires `payer_ref`, which is zero.
    PayerRefMissing,
    /// The scene requires `biz_no_hash`, which is zero.
    BizNoHashMissing,
    /// The scene requires `pdf_hash`, which is zero.
    PdfHashMissing,
    /// The scene requires `location_hash`, which is zero.
    LocationHashMissing,
    /// The transition rules of the scene let no such bill come.
    IllegalTransition,
    /// The transition rules of the scene let the bill come from other roles.
    RoleForbidden,
    /// The transition rule of the scene leads to no status that a bill begins
    /// with.
    RuleUnusable,
    /// A field rule asks for an allotted number, and this one lies in no range
    /// of the issuer: it is another's or nobody's.
    NumberNotAllotted,
    /// A field rule asks for an allotted number, and this one was voided.
    NumberVoided,
}

impl From<AllotmentProblem> for SummaryProblem {
    fn from(problem: AllotmentProblem) -> Self {
        match problem {
            AllotmentProblem::NotAllotted => Self::NumberNotAllotted,
            AllotmentProblem::Voided => Self::NumberVoided,
        }
    }
}

impl From<TransitionProblem> for SummaryProblem {
    fn from(problem: TransitionProblem) -> Self {
        match problem {
            // What does not exist yet has no final status.
            TransitionProblem::FinalStatus | TransitionProblem::IllegalTransition => {
                Self::IllegalTransition
            }
            TransitionProblem::RoleForbidden => Self::RoleForbidden,
        }
    }
}

impl From<SummaryField> for SummaryProblem {
    /// The problem of a bill that lacks the field.
    fn from(missing: SummaryField) -> Self {
        match missing {
            SummaryField::PayerRef => Self::PayerRefMissing,
            SummaryField::BizNoHash => Self::BizNoHashMissing,
            SummaryField::PdfHash => Self::PdfHashMissing,
            SummaryField::LocationHash => Self::LocationHashMissing,
        }
    }
}

/// Where bills are kept. Played by the bill-register contract, which is the
/// only one that writes them: it numbers and chains the versions and keeps the
/// node-local index.
pub trait BillLedger {
    /// The bill as stored, if it is registered. Its lock may be expired.
    fn bill(key: &BillKey) -> Option<Bill>;

    /// Whether the bill is registered.
    fn contains(key: &BillKey) -> bool;

    /// Puts a new bill onto the chain as version 1 with `status`, after
    /// checking the rules that its summary and `entry.cause` imply. Writes
    /// nothing if it refuses.
    fn open(summary: BillSummary, status: BillStatus, entry: Entry) -> Result<(), SummaryProblem>;

    /// Puts the next version of a registered bill and returns the bill with
    /// its new version, hash and time. The caller has checked the change, which
    /// does nothing to the summary but fill in [`SummaryField`]s, and leaves
    /// `version`, `version_hash`, `updated` and the receipt as [`Self::bill`]
    /// gave them.
    fn advance(bill: Bill, entry: Entry) -> Result<Bill, ArithmeticError>;
}

/// Bills as the next transaction finds them. Played by the bill-update contract.
pub trait BillsInForce {
    /// The bill; a lock whose time is over counts as released, though version
    /// and hash are still the stored ones.
    fn bill_in_force(key: &BillKey) -> Option<Bill>;
}
