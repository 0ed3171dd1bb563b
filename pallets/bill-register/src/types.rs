//! What the calls of this pallet take, and the pure rules of a new bill.

use billchain_primitives::{
    BillKind, BillSummary, Fen, IssueDate, Moment, Operation, seams::SummaryProblem,
};
use codec::{Decode, DecodeWithMemTracking, Encode, Input};
use core::ops::Deref;
use frame::prelude::{BoundedVec, ConstU32};
use scale_info::TypeInfo;

pub use billchain_primitives::{BatchMode, MAX_BATCH};

/// Bills registered by one transaction. Encodes as a SCALE vector; more than
/// [`MAX_BATCH`] do not decode.
#[derive(Clone, PartialEq, Eq, Debug, Encode, DecodeWithMemTracking, TypeInfo)]
pub struct Batch(BoundedVec<BillSummary, ConstU32<MAX_BATCH>>);

impl Decode for Batch {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        // Whoever sent too many learns here how many there may be.
        BoundedVec::decode(input)
            .map(Self)
            .map_err(|error| error.chain("a batch: expected 1 to 500 bills"))
    }
}

impl TryFrom<Vec<BillSummary>> for Batch {
    type Error = Vec<BillSummary>;

    fn try_from(bills: Vec<BillSummary>) -> Result<Self, Self::Error> {
        BoundedVec::try_from(bills).map(Self)
    }
}

impl Deref for Batch {
    type Target = [BillSummary];

    fn deref(&self) -> &[BillSummary] {
        &self.0
    }
}

impl IntoIterator for Batch {
    type Item = BillSummary;
    type IntoIter = <Vec<BillSummary> as IntoIterator>::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// The rules of a new bill that need nothing but the bill, how it comes onto
/// the chain and the time of the block.
pub(crate) fn check_fields(
    summary: &BillSummary,
    operation: Operation,
    now: Moment,
) -> Result<(), SummaryProblem> {
    use SummaryProblem::*;

    let (kinds, related): (&[BillKind], bool) = match operation {
        // A notice that is paid at once (直接开具) needs no pre-issue.
        Operation::Register => (&[BillKind::Blue, BillKind::PaymentNotice], false),
        Operation::PreIssue => (&[BillKind::PaymentNotice], false),
        // The red bill, and the balance bill of its original's kind.
        Operation::RedReverse => (&[BillKind::Red, BillKind::Blue, BillKind::PaymentNotice], true),
        _ => return Err(KindNotAllowed),
    };
    ensure(kinds.contains(&summary.kind), KindNotAllowed)?;
    ensure(summary.related.is_some() == related, RelatedNotAllowed)?;
    ensure(
        match summary.kind {
            BillKind::Red => summary.total <= Fen::ZERO,
            BillKind::Blue | BillKind::PaymentNotice => summary.total >= Fen::ZERO,
        },
        TotalOutOfRange,
    )?;
    ensure(summary.issue_date.days() <= IssueDate::days_of_moment(now) + 1, DateInFuture)?;
    ensure(summary.xml_hash != [0; 32], XmlHashMissing)
}

fn ensure(holds: bool, problem: SummaryProblem) -> Result<(), SummaryProblem> {
    if holds { Ok(()) } else { Err(problem) }
}
