//! The storage under the benchmarks: a node's, with blocks that hold nothing
//! but changes of the state.

use crate::WeightsError;
use billchain_executor::{
    events_key,
    externalities::{Entry, IndexDelta, StateDelta, StateView},
};
use billchain_primitives::{Hash, sm3};
use billchain_storage::{BlockCommit, Cooling, EventGroup, StateSnapshot, Storage, StorageError};
use codec::Encode;
use std::{
    cell::RefCell,
    collections::HashSet,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

/// Commits changes as blocks and hands out the state. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Store {
    storage: Arc<Storage>,
    tracker: Rc<RefCell<Tracker>>,
}

/// Reads of the state since they were counted from zero.
#[derive(Clone, Default)]
pub(crate) struct Tracker {
    counting: bool,
    keys: HashSet<Vec<u8>>,
    /// Reads of a key that was read before.
    pub(crate) repeated: u32,
    /// Time that all of them took.
    pub(crate) time: Duration,
}

impl Tracker {
    /// One that counts from zero; [`Default`] does not count.
    pub(crate) fn counting() -> Self {
        Self { counting: true, ..Self::default() }
    }

    /// Keys read.
    pub(crate) fn reads(&self) -> u32 {
        u32::try_from(self.keys.len()).unwrap_or(u32::MAX)
    }

    fn note(&mut self, key: Vec<u8>, since: Instant) {
        if !self.counting {
            return;
        }
        if !self.keys.insert(key) {
            self.repeated = self.repeated.saturating_add(1);
        }
        self.time = self.time.saturating_add(since.elapsed());
    }
}

impl Store {
    pub(crate) fn new(storage: Arc<Storage>) -> Self {
        Self { storage, tracker: Rc::default() }
    }

    /// The state of the head, whose reads are counted.
    pub(crate) fn view(&self) -> TrackedView {
        TrackedView {
            storage: self.storage.clone(),
            snapshot: self.storage.state(),
            tracker: self.tracker.clone(),
        }
    }

    /// What was read.
    pub(crate) fn tracker(&self) -> &RefCell<Tracker> {
        &self.tracker
    }

    /// The value of `key` in the head's state; the read is not counted.
    pub(crate) fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        self.storage.state().get(key)
    }

    /// Makes a block of these changes the head, durably, as a node does: the
    /// root is computed first and found again. Returns how long it took.
    pub(crate) fn commit(
        &self,
        delta: StateDelta,
        offchain: IndexDelta,
    ) -> Result<Duration, WeightsError> {
        let parent = self.storage.head();
        let number = parent.number.saturating_add(1);
        let start = Instant::now();
        // What is ordered to cool stays hot: a benchmark that is repeated would cool the same
        // groups again and again. Their price is that of the writes.
        let cooling = Cooling::default();
        let state_root = self.storage.speculate(&delta, &cooling)?;
        self.storage.commit(BlockCommit {
            number,
            hash: Hash::from(sm3(&(parent.hash, number, state_root).encode())),
            parent_hash: parent.hash,
            state_root,
            block: Vec::new(),
            certificate: Vec::new(),
            events: events(&delta),
            delta,
            offchain,
            tx_hashes: Vec::new(),
            cooling,
        })?;
        Ok(start.elapsed())
    }
}

/// The events that a block's changes leave, which are written once more for the
/// index.
fn events(delta: &StateDelta) -> Vec<EventGroup> {
    let list = delta.get(events_key()).cloned().flatten();
    list.map(|records| EventGroup { first: 0, records }).into_iter().collect()
}

/// The head's state, with an account of what is read.
pub(crate) struct TrackedView {
    storage: Arc<Storage>,
    snapshot: StateSnapshot,
    tracker: Rc<RefCell<Tracker>>,
}

impl StateView for TrackedView {
    type Error = StorageError;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        let start = Instant::now();
        let value = self.snapshot.get(key)?;
        self.tracker.borrow_mut().note(key.to_vec(), start);
        Ok(value)
    }

    fn entries_above(&self, key: &[u8], limit: usize) -> Result<Vec<Entry>, StorageError> {
        let start = Instant::now();
        let entries = self.snapshot.pairs_paged(&[], Some(key), limit)?;
        let mut tracker = self.tracker.borrow_mut();
        // Going there is a read of its own, and so is each entry.
        tracker.note([b"entries above ", key].concat(), start);
        for (key, _) in &entries {
            tracker.note(key.clone(), Instant::now());
        }
        Ok(entries)
    }

    fn root(&self, delta: &StateDelta) -> Result<Hash, StorageError> {
        self.storage.speculate(delta, &Cooling::default())
    }
}
