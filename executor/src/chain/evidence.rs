//! Selects the equivocations that the next block may record.

use crate::{Chain, ChainError, run::Run};
use billchain_primitives::Equivocation;
use billchain_runtime::{RuntimeCall, UncheckedExtrinsic, Validators};

impl Chain {
    /// Those of `seen` that a block on the head could record: proven, of keys that
    /// decided their heights, and on no record yet. With nothing seen it costs
    /// nothing.
    pub fn recordable(&self, seen: Vec<Equivocation>) -> Result<Vec<Equivocation>, ChainError> {
        self.retain_equivocations(seen, |one| Validators::judge(one).is_ok())
    }

    /// Those of `held`, which were [recordable](Self::recordable) once, that still
    /// are. Their signatures are not checked again.
    pub fn still_recordable(
        &self,
        held: Vec<Equivocation>,
    ) -> Result<Vec<Equivocation>, ChainError> {
        self.retain_equivocations(held, Validators::is_open)
    }

    fn retain_equivocations(
        &self,
        all: Vec<Equivocation>,
        holds: impl Fn(&Equivocation) -> bool,
    ) -> Result<Vec<Equivocation>, ChainError> {
        if all.is_empty() {
            return Ok(all);
        }
        let (head, view) = self.head_view();
        let number = head.number.saturating_add(1);
        let mut run = Run::begin(view, number, head.hash)
            .map_err(|error| error.during("beginning a block"))?;
        let recordable = run.ask(|| all.into_iter().filter(holds).collect());
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
