//! One execution of a block on the head: begin, apply, end. Proposing and
//! checking both go through here.

use crate::{
    ChainError, OtherRules, Panicked, TransactionError,
    cooling::cooling_of,
    events::{self, Mark, events_key},
    externalities::{IndexDelta, StateDelta, StateExternalities},
    guard::guarded,
    state::HeadView,
};
use billchain_primitives::{BlockNumber, Hash, Header};
use billchain_runtime::{Executive, UncheckedExtrinsic, execution};
use billchain_storage::{Cooling, EventGroup};
use sp_externalities::Externalities;
use sp_runtime::generic::Digest;

/// What an execution came to.
pub(crate) struct Outcome {
    /// The header the runtime computed, with the root of the state after it.
    pub(crate) header: Header,
    pub(crate) delta: StateDelta,
    pub(crate) index: IndexDelta,
    pub(crate) events: Vec<EventGroup>,
    /// What becomes cold with it.
    pub(crate) cooling: Cooling,
}

/// Why an execution did not come to an end.
#[derive(Debug)]
pub(crate) enum RunError {
    /// The runtime panicked; the block is at fault, or the runtime.
    Panicked(Panicked),
    /// This node failed.
    Chain(ChainError),
}

impl RunError {
    /// The chain's error, if the run failed while `doing` this.
    pub(crate) fn during(self, doing: &'static str) -> ChainError {
        match self {
            Self::Chain(error) => error,
            Self::Panicked(source) => ChainError::Runtime { doing, source },
        }
    }
}

impl From<ChainError> for RunError {
    fn from(error: ChainError) -> Self {
        Self::Chain(error)
    }
}

/// A block under execution.
pub(crate) struct Run {
    ext: StateExternalities<HeadView>,
    /// Where the events of each transaction end.
    marks: Vec<Mark>,
}

impl Run {
    /// Begins block `number` on `parent`.
    pub(crate) fn begin(
        view: HeadView,
        number: BlockNumber,
        parent: Hash,
    ) -> Result<Self, RunError> {
        let mut ext = StateExternalities::new(view);
        let other = ext.run(|| OtherRules::of(number));
        if let Some(failure) = ext.take_failure() {
            return Err(ChainError::from(failure).into());
        }
        if let Some(other) = other {
            return Err(ChainError::OtherRules(other).into());
        }
        Self::initialise(ext, number, parent)
    }

    /// As [`begin`](Self::begin), under this release's rules whatever the chain's are.
    pub(crate) fn rehearse(
        view: HeadView,
        number: BlockNumber,
        parent: Hash,
    ) -> Result<Self, RunError> {
        Self::initialise(StateExternalities::new(view), number, parent)
    }

    fn initialise(
        mut ext: StateExternalities<HeadView>,
        number: BlockNumber,
        parent: Hash,
    ) -> Result<Self, RunError> {
        let header = Header {
            parent_hash: parent,
            number,
            state_root: Hash::zero(),
            extrinsics_root: Hash::zero(),
            digest: Digest::default(),
        };
        // The mode would forbid transactions during a migration over several
        // blocks, of which the runtime has none.
        guarded(|| ext.run(|| Executive::initialize_block(&header))).map_err(RunError::Panicked)?;
        // The walk over what may cool goes through keys; transactions write.
        ext.forget_order();
        Ok(Self { ext, marks: Vec::new() })
    }

    /// Reads what the runtime says now.
    pub(crate) fn ask<R>(&mut self, f: impl FnOnce() -> R) -> R {
        self.ext.run(f)
    }

    /// Applies one extrinsic. One that is refused leaves no trace; one whose
    /// call fails is part of the block, with its failure recorded.
    /// `encoded` is the extrinsic's canonical encoding, `hash` its hash.
    pub(crate) fn apply(
        &mut self,
        extrinsic: UncheckedExtrinsic,
        encoded: &[u8],
        hash: Hash,
    ) -> Result<(), TransactionError> {
        let depth = self.ext.depth();
        self.ext.storage_start_transaction();
        let ext = &mut self.ext;
        let result = guarded(|| ext.run(|| execution::apply(extrinsic, encoded, hash)));
        let error = match result {
            Ok(Ok(_)) => {
                if self.ext.depth() == depth + 1 && self.ext.storage_commit_transaction().is_ok() {
                    let (records, bytes) = self.ext.list_size(events_key());
                    self.marks.push(Mark { records, bytes });
                    return Ok(());
                }
                TransactionError::Panicked(Panicked(
                    "a storage transaction was left open".to_owned(),
                ))
            }
            Ok(Err(validity)) => TransactionError::Refused(validity),
            Err(panicked) => TransactionError::Panicked(panicked),
        };
        self.ext.roll_back_to(depth);
        Err(error)
    }

    /// Whether a read of the state failed, so that nothing found is worth
    /// anything.
    pub(crate) fn has_failed(&self) -> bool {
        self.ext.has_failed()
    }

    /// Ends the block.
    pub(crate) fn end(mut self) -> Result<Outcome, RunError> {
        let ext = &mut self.ext;
        let header = guarded(|| ext.run(Executive::finalize_block));
        // A failed read explains a panic, not the other way round.
        let changes = self.ext.finish().map_err(ChainError::from)?;
        let header = header.map_err(RunError::Panicked)?;
        debug_assert_eq!(changes.root, Some(header.state_root), "written after the root");
        let events = events::groups(&changes.state, &self.marks);
        let cooling = cooling_of(&changes.state)?;
        Ok(Outcome { header, delta: changes.state, index: changes.index, events, cooling })
    }

    /// The failure behind [`Self::has_failed`], to end the execution with.
    pub(crate) fn take_failure(&mut self) -> Option<ChainError> {
        self.ext.take_failure().map(ChainError::from)
    }
}
