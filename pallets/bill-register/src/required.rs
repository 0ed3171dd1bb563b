//! Fields that a bill's scene requires.

use billchain_primitives::{
    BillSummary, Operation,
    history::Cause,
    seams::{SceneTerms, SummaryProblem},
};

/// Whether a new bill has what its scene requires.
///
/// Red and balance bills take back what is there already, and are not asked: a
/// scene that requires more than it did must not keep an issuer from reversing
/// an older bill.
pub(crate) fn check_required(
    summary: &BillSummary,
    cause: Cause,
    scene: &SceneTerms,
) -> Result<(), SummaryProblem> {
    match cause {
        Cause::Operation(Operation::Register | Operation::PreIssue) => {
            scene.required.missing(summary).map_or(Ok(()), |field| Err(field.into()))
        }
        _ => Ok(()),
    }
}
