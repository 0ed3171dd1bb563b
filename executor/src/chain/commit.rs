//! The commit of the parent, as a block brings it.

use crate::run::Run;
use billchain_primitives::ParentCommit;
use billchain_runtime::{Participation, RuntimeCall, UncheckedExtrinsic};

/// The inherent that brings `commit`, without late pre-commits that would tell the
/// chain nothing.
pub(super) fn inherent(run: &mut Run, commit: ParentCommit) -> UncheckedExtrinsic {
    let commit = run.ask(|| Participation::without_idle(commit));
    let call = pallet_participation::Call::note_commit { commit };
    UncheckedExtrinsic::new_bare(RuntimeCall::Participation(call))
}

/// Whether a call brings the commit of the parent.
pub(super) fn is_commit(call: &RuntimeCall) -> bool {
    matches!(call, RuntimeCall::Participation(pallet_participation::Call::note_commit { .. }))
}
