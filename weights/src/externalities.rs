//! What a benchmark sees of the world: the externalities of a node, and behind
//! Substrate's benchmarking functions the storage of a node.
//!
//! A benchmark ends its set-up with `commit_db`, and so does the call: either
//! becomes a block. `wipe_db` takes back what was committed, with another
//! block, so that every benchmark begins on the same ledger.

use crate::{
    WeightsError,
    clock::waited,
    store::{Store, TrackedView, Tracker},
};
use billchain_executor::externalities::{Failure, StateDelta, StateExternalities};
use sp_core::storage::{ChildInfo, StateVersion, TrackedStorageKey};
use sp_externalities::{
    Error as ExtensionError, Extension, ExtensionStore, Externalities, MultiRemovalResults,
};
use std::{
    any::{Any, TypeId},
    time::Duration,
};

/// Externalities of one benchmark.
pub(crate) struct BenchmarkExternalities {
    store: Store,
    inner: StateExternalities<TrackedView>,
    whitelist: Vec<TrackedStorageKey>,
    /// What to write to have the ledger back.
    undo: StateDelta,
    observed: Observed,
    /// How long this thread had waited for a processor when counting began.
    waited: Duration,
    failure: Option<WeightsError>,
}

/// What the call did to the storage.
#[derive(Clone, Default)]
pub(crate) struct Observed {
    /// Its reads.
    pub(crate) reads: Tracker,
    /// Keys it wrote.
    pub(crate) writes: u32,
    /// How long it waited for a processor: other programs' time, not its own.
    pub(crate) waited: Duration,
    /// How long the block of its changes took to commit.
    pub(crate) commit_time: Duration,
}

impl BenchmarkExternalities {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            inner: StateExternalities::new(store.view()),
            store,
            whitelist: Vec::new(),
            undo: StateDelta::new(),
            observed: Observed::default(),
            waited: Duration::ZERO,
            failure: None,
        }
    }

    /// Runs `f` as runtime code, and returns what it did to the storage since
    /// it last counted from zero.
    pub(crate) fn run<R>(mut self, f: impl FnOnce() -> R) -> Result<(R, Observed), WeightsError> {
        let result = sp_externalities::set_and_run_with_externalities(&mut self, f);
        // The overlay's own failures show when it is finished.
        let unfinished = StateExternalities::new(self.store.view());
        let last = std::mem::replace(&mut self.inner, unfinished).finish();
        match (self.failure, last) {
            (Some(failure), _) => Err(failure),
            (None, Err(failure)) => Err(failure.into()),
            (None, Ok(_)) => Ok((result, self.observed)),
        }
    }

    fn is_whitelisted(&self, key: &[u8]) -> bool {
        self.whitelist.iter().any(|tracked| tracked.key == key)
    }

    /// Makes a block of what was written since the last one.
    fn try_commit(&mut self) -> Result<(), WeightsError> {
        self.observed.waited = waited().saturating_sub(self.waited);
        // Finishing reads keys that were deleted: not the call's doing.
        self.observed.reads = std::mem::take(&mut *self.store.tracker().borrow_mut());
        let written =
            std::mem::replace(&mut self.inner, StateExternalities::new(self.store.view()));
        let changes = written.finish()?;
        for key in changes.state.keys() {
            if !self.undo.contains_key(key) {
                self.undo.insert(key.clone(), self.store.value(key)?);
            }
        }
        let counted = changes.state.keys().filter(|key| !self.is_whitelisted(key)).count();
        self.observed.writes = u32::try_from(counted).unwrap_or(u32::MAX);
        self.observed.commit_time = self.store.commit(changes.state, changes.index)?;
        self.inner = StateExternalities::new(self.store.view());
        Ok(())
    }

    /// Takes back every block since the benchmark began.
    fn try_wipe(&mut self) -> Result<(), WeightsError> {
        let undo = std::mem::take(&mut self.undo);
        if !undo.is_empty() {
            self.store.commit(undo, Vec::new())?;
        }
        self.inner = StateExternalities::new(self.store.view());
        Ok(())
    }

    fn note(&mut self, result: Result<(), WeightsError>) {
        if let Err(error) = result {
            // The first one is the cause.
            self.failure.get_or_insert(error);
        }
    }
}

impl<E: Into<WeightsError>> From<Failure<E>> for WeightsError {
    fn from(failure: Failure<E>) -> Self {
        match failure {
            Failure::State(error) => error.into(),
            Failure::Unsupported(what) => Self::Unsupported(what),
        }
    }
}

/// Methods that the externalities of a node answer.
macro_rules! delegated {
    ($(fn $name:ident($($argument:ident: $type:ty),*) $(-> $answer:ty)?;)*) => {$(
        fn $name(&mut self, $($argument: $type),*) $(-> $answer)? {
            self.inner.$name($($argument),*)
        }
    )*};
}

impl Externalities for BenchmarkExternalities {
    fn wipe(&mut self) {
        let result = self.try_wipe();
        self.note(result);
    }

    fn commit(&mut self) {
        let result = self.try_commit();
        self.note(result);
    }

    fn reset_read_write_count(&mut self) {
        self.observed = Observed::default();
        *self.store.tracker().borrow_mut() = Tracker::counting();
        self.waited = waited();
    }

    fn read_write_count(&self) -> (u32, u32, u32, u32) {
        let Observed { reads, writes, .. } = &self.observed;
        (reads.reads(), reads.repeated, *writes, 0)
    }

    fn get_whitelist(&self) -> Vec<TrackedStorageKey> {
        self.whitelist.clone()
    }

    fn set_whitelist(&mut self, new: Vec<TrackedStorageKey>) {
        self.whitelist = new;
    }

    // Proofs are not read from here, so nobody needs to know which keys it were.
    fn get_read_and_written_keys(&self) -> Vec<(Vec<u8>, u32, u32, bool)> {
        Vec::new()
    }

    // What a node does.
    delegated! {
        fn set_offchain_storage(key: &[u8], value: Option<&[u8]>);
        fn storage(key: &[u8]) -> Option<Vec<u8>>;
        fn storage_hash(key: &[u8]) -> Option<Vec<u8>>;
        fn next_storage_key(key: &[u8]) -> Option<Vec<u8>>;
        fn clear_prefix(prefix: &[u8], limit: Option<u32>, cursor: Option<&[u8]>) -> MultiRemovalResults;
        fn place_storage(key: Vec<u8>, value: Option<Vec<u8>>);
        fn storage_append(key: Vec<u8>, value: Vec<u8>);
        fn storage_root(version: StateVersion) -> Vec<u8>;
        fn storage_start_transaction();
        fn storage_rollback_transaction() -> Result<(), ()>;
        fn storage_commit_transaction() -> Result<(), ()>;
        fn child_storage_hash(child: &ChildInfo, key: &[u8]) -> Option<Vec<u8>>;
        fn child_storage(child: &ChildInfo, key: &[u8]) -> Option<Vec<u8>>;
        fn next_child_storage_key(child: &ChildInfo, key: &[u8]) -> Option<Vec<u8>>;
        fn kill_child_storage(child: &ChildInfo, limit: Option<u32>, cursor: Option<&[u8]>) -> MultiRemovalResults;
        fn clear_child_prefix(child: &ChildInfo, prefix: &[u8], limit: Option<u32>, cursor: Option<&[u8]>) -> MultiRemovalResults;
        fn place_child_storage(child: &ChildInfo, key: Vec<u8>, value: Option<Vec<u8>>);
        fn child_storage_root(child: &ChildInfo, version: StateVersion) -> Vec<u8>;
        fn storage_index_transaction(index: u32, hash: &[u8], size: u32);
        fn storage_renew_transaction_index(index: u32, hash: &[u8]);
    }
}

impl ExtensionStore for BenchmarkExternalities {
    delegated! {
        fn extension_by_type_id(type_id: TypeId) -> Option<&mut dyn Any>;
        fn register_extension_with_type_id(type_id: TypeId, extension: Box<dyn Extension>) -> Result<(), ExtensionError>;
        fn deregister_extension_by_type_id(type_id: TypeId) -> Result<(), ExtensionError>;
    }
}
