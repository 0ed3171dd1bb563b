//! Equivocations that this node holds: what of it the next block may record.

use crate::{
    Chain, ChainError,
    run::{Run, RunError},
};
use billchain_primitives::Equivocation;
use billchain_runtime::{RuntimeCall, UncheckedExtrinsic, Validators};

impl Chain {
    /// Those of `held` that a block on the head could record: proven, of keys that
    /// decided their heights, and on no record yet. With nothing held it costs
    /// nothing.
    pub fn recordable(&self, held: Vec<Equivocation>) -> Result<Vec<Equivocation>, ChainError> {
        if held.is_empty() {
            return Ok(held);
        }
        let (head, view) = self.head_view();
        let begun = Run::begin(view, head.number.saturating_add(1), head.hash);
        let mut run = begun.map_err(|error| match error {
            RunError::Chain(error) => error,
            RunError::Panicked(source) => {
                ChainError::Runtime { doing: "beginning a block", source }
            }
        })?;
        let judge = |one: &Equivocation| Validators::judge(one).is_ok();
        let recordable = run.ask(|| held.into_iter().filter(judge).collect());
        match run.take_failure() {
            Some(error) => Err(error),
            None => Ok(recordable),
        }
    }
}

/// The inherent that reports what the block at hand may record of `held`.
pub(super) fn report(run: &mut Run, held: &[Equivocation]) -> Option<UncheckedExtrinsic> {
    if held.is_empty() {
        return None;
    }
    let call = run.ask(|| Validators::report_of(held))?;
    Some(UncheckedExtrinsic::new_bare(RuntimeCall::Validators(call)))
}

/// Whether a call reports equivocations.
pub(super) fn is_report(call: &RuntimeCall) -> bool {
    matches!(call, RuntimeCall::Validators(pallet_validators::Call::report_equivocations { .. }))
}
