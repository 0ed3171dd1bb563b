//! What the calls of this pallet take, and the pure rules of a new bill.

use billchain_primitives::{
    BillKind, BillSummary, Fen, IssueDate, Moment, Operation, history::Cause,
    traits::SummaryProblem,
};
use frame::prelude::{BoundedVec, ConstU32};

pub use billchain_primitives::{BatchMode, MAX_BATCH};

/// Bills registered by one transaction.
pub type Batch = BoundedVec<BillSummary, ConstU32<MAX_BATCH>>;

/// The rules of a new bill that need nothing but the bill, the reason it comes
/// onto the chain and the time of the block.
pub(crate) fn check_fields(
    summary: &BillSummary,
    cause: Cause,
    now: Moment,
) -> Result<(), SummaryProblem> {
    use SummaryProblem::*;

    let (kinds, related): (&[BillKind], bool) = match cause {
        // A notice that is paid at once (直接开具) needs no pre-issue.
        Cause::Operation(Operation::Register) => {
            (&[BillKind::Blue, BillKind::PaymentNotice], false)
        }
        Cause::Operation(Operation::PreIssue) => (&[BillKind::PaymentNotice], false),
        // The red bill, and the balance bill of its original's kind.
        Cause::Operation(Operation::RedReverse) => {
            (&[BillKind::Red, BillKind::Blue, BillKind::PaymentNotice], true)
        }
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
