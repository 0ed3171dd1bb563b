//! What the runtime sees of the world: a state view below, the changes of one
//! execution above.
//!
//! The runtime's storage functions cannot report a failed read, and a read
//! that failed must never pass for an absent value: one node would then
//! disagree with the others. So a failure is noted, absence is returned, and
//! whoever runs the execution asks for the failure before it uses any result
//! ([`StateExternalities::finish`]).
//!
//! Child tries are not supported: state is flat, and the runtime has none.

pub use crate::ahead::Entry;
use crate::{
    ahead::Ahead,
    overlay::{Found, Overlay},
};
use billchain_primitives::{Hash, Sm3Hasher};
use codec::Encode;
use sp_core::{
    Hasher,
    storage::{ChildInfo, StateVersion, TrackedStorageKey},
};
use sp_externalities::{
    Error as ExtensionError, Extension, ExtensionStore, Extensions, Externalities,
    MultiRemovalResults,
};
use std::{
    any::{Any, TypeId},
    cmp::Ordering,
    collections::BTreeMap,
};

/// Changes of the state: a value, or `None` for a key that is gone.
pub type StateDelta = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// Writes to the node-local index, in the order of their keys.
pub type IndexDelta = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// One fixed state that an execution reads.
pub trait StateView {
    /// Why a read failed.
    type Error;

    /// The value of `key`.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Self::Error>;

    /// The first entries above `key`, in the order of their keys: `limit` of them, or all if
    /// there are fewer.
    fn entries_above(&self, key: &[u8], limit: usize) -> Result<Vec<Entry>, Self::Error>;

    /// Root of the state that `delta` would make of this one.
    fn root(&self, delta: &StateDelta) -> Result<Hash, Self::Error>;
}

/// What one execution left behind.
#[derive(Debug)]
pub struct Changes {
    /// Changes of the state, without those that change nothing.
    pub state: StateDelta,
    /// Root of the state after them, if the execution asked for it last.
    pub root: Option<Hash>,
    /// Writes to the node-local index.
    pub index: IndexDelta,
}

/// Externalities of one execution over `V`.
pub struct StateExternalities<V: StateView> {
    view: V,
    /// What it holds where it was gone through last.
    ahead: Ahead,
    overlay: Overlay,
    /// Delta and root computed by the last `storage_root`, until a write.
    rooted: Option<(StateDelta, Hash)>,
    failure: Option<Failure<V::Error>>,
    extensions: Extensions,
}

/// Why an execution's results must not be used.
#[derive(Debug)]
pub enum Failure<E> {
    /// A read of the state failed.
    State(E),
    /// The runtime asked for something this chain does not have.
    Unsupported(&'static str),
}

impl<V: StateView> StateExternalities<V> {
    /// Externalities over `view` with no changes yet.
    pub fn new(view: V) -> Self {
        Self {
            view,
            ahead: Ahead::default(),
            overlay: Overlay::default(),
            rooted: None,
            failure: None,
            extensions: Extensions::new(),
        }
    }

    /// Runs `f` as runtime code over these externalities.
    pub fn run<R>(&mut self, f: impl FnOnce() -> R) -> R
    where
        V: 'static,
    {
        sp_externalities::set_and_run_with_externalities(self, f)
    }

    /// Items and bytes, the count left out, of the SCALE list that was set at
    /// `key`; nothing if none was.
    pub(crate) fn list_size(&self, key: &[u8]) -> (u32, usize) {
        self.overlay.list_size(key).unwrap_or_default()
    }

    /// Drops the order of the changed keys, for who has gone through them and goes on with
    /// writing.
    pub(crate) fn forget_order(&mut self) {
        self.overlay.forget_order();
    }

    /// Number of open storage transactions.
    pub fn depth(&self) -> usize {
        self.overlay.depth()
    }

    /// Closes storage transactions until `depth` are open, and drops what they
    /// changed. For use after runtime code was cut short.
    pub fn roll_back_to(&mut self, depth: usize) {
        self.rooted = None;
        while self.overlay.depth() > depth && self.overlay.roll_back() {}
    }

    /// Whether a read failed so far.
    pub fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// The failure, for whoever ends the execution because of it.
    pub fn take_failure(&mut self) -> Option<Failure<V::Error>> {
        self.failure.take()
    }

    /// The changes, or the failure that makes them worthless. Transactions
    /// still open are rolled back.
    pub fn finish(mut self) -> Result<Changes, Failure<V::Error>> {
        if self.depth() > 0 {
            self.roll_back_to(0);
        }
        let (state, root) = match self.rooted.take() {
            Some((delta, root)) => (delta, Some(root)),
            None => (self.delta(), None),
        };
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        Ok(Changes { state, root, index: self.overlay.take_index() })
    }

    /// The changes as seen now. Deletions of keys that the view does not have
    /// are left out: a block writes and deletes one scratch entry a
    /// transaction, and committing to those would double the work.
    fn delta(&mut self) -> StateDelta {
        let (mut changes, deleted): (Vec<_>, Vec<_>) = self
            .overlay
            .changes()
            .map(|(key, value)| (key.clone(), value.clone()))
            .partition(|(_, value)| value.is_some());
        changes.extend(deleted.into_iter().filter(|(key, _)| self.read_below(key).is_some()));
        // A map is built faster from what is sorted.
        changes.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
        changes.into_iter().collect()
    }

    /// The view's value of `key`, changed or not.
    fn read_below(&mut self, key: &[u8]) -> Option<Vec<u8>> {
        match self.overlay.below(key) {
            Some(value) => value.map(<[u8]>::to_vec),
            None => self.read(key),
        }
    }

    /// The view's value of `key`, which was not kept.
    fn read(&mut self, key: &[u8]) -> Option<Vec<u8>> {
        let value = match self.ahead.value(key) {
            Some(value) => Ok(Some(value.to_vec())),
            None => self.view.get(key),
        };
        match value {
            Ok(value) => {
                self.overlay.keep_read(key, &value);
                value
            }
            Err(error) => {
                self.fail(Failure::State(error));
                None
            }
        }
    }

    fn next_view_key(&mut self, key: &[u8]) -> Option<Vec<u8>> {
        match self.ahead.next(key, |limit| self.view.entries_above(key, limit)) {
            Ok(next) => next,
            Err(error) => {
                self.fail(Failure::State(error));
                None
            }
        }
    }

    fn fail(&mut self, failure: Failure<V::Error>) {
        // The first one is the cause; later ones follow from it.
        self.failure.get_or_insert(failure);
    }

    fn unsupported(&mut self, what: &'static str) {
        self.fail(Failure::Unsupported(what));
    }

    /// Deletes the keys of the view under `prefix`, from `cursor` on, up to
    /// `limit`; returns the cursor to go on from, the keys deleted and visited.
    fn clear_view_prefix(
        &mut self,
        prefix: &[u8],
        limit: Option<u32>,
        cursor: Option<&[u8]>,
    ) -> (Option<Vec<u8>>, u32, u32) {
        let (mut deleted, mut visited) = (0u32, 0u32);
        let mut next = {
            let start = cursor.unwrap_or(prefix);
            if self.read_below(start).is_some() {
                Some(start.to_vec())
            } else {
                self.next_view_key(start)
            }
        };
        while let Some(key) = next.filter(|key| key.starts_with(prefix)) {
            if limit == Some(visited) {
                return (Some(key), deleted, visited);
            }
            next = self.next_view_key(&key);
            if self.overlay.get(&key) != Found::Here(None) {
                self.overlay.set(key, None);
                deleted += 1;
            }
            visited += 1;
        }
        (None, deleted, visited)
    }
}

impl<V: StateView> Externalities for StateExternalities<V> {
    fn set_offchain_storage(&mut self, key: &[u8], value: Option<&[u8]>) {
        self.overlay.write_index(key, value);
    }

    fn storage(&mut self, key: &[u8]) -> Option<Vec<u8>> {
        match self.overlay.get(key) {
            Found::Here(value) => value.map(<[u8]>::to_vec),
            Found::Below => self.read(key),
        }
    }

    fn storage_hash(&mut self, key: &[u8]) -> Option<Vec<u8>> {
        self.storage(key).map(|value| Sm3Hasher::hash(&value).encode())
    }

    fn next_storage_key(&mut self, key: &[u8]) -> Option<Vec<u8>> {
        let mut in_view = self.next_view_key(key);
        let mut from = key.to_vec();
        loop {
            // The overlay's next key, whether it holds a value or a deletion.
            let in_overlay = self.overlay.next_changed(&from);
            let Some((overlay_key, present)) = in_overlay else { return in_view };
            let order = in_view.as_ref().map(|view_key| view_key.cmp(&overlay_key));
            if order == Some(Ordering::Less) {
                return in_view;
            }
            if present {
                return Some(overlay_key);
            }
            if order == Some(Ordering::Equal) {
                in_view = self.next_view_key(&overlay_key);
            }
            from = overlay_key;
        }
    }

    fn clear_prefix(
        &mut self,
        prefix: &[u8],
        limit: Option<u32>,
        cursor: Option<&[u8]>,
    ) -> MultiRemovalResults {
        self.rooted = None;
        let in_overlay = self.overlay.remove_prefix(prefix);
        let (maybe_cursor, backend, loops) = self.clear_view_prefix(prefix, limit, cursor);
        MultiRemovalResults {
            maybe_cursor,
            backend,
            unique: in_overlay.saturating_add(backend),
            loops,
        }
    }

    fn place_storage(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        self.rooted = None;
        self.overlay.set(key, value);
    }

    fn storage_append(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.rooted = None;
        let is_below = self.overlay.get(&key) == Found::Below;
        let below = if is_below { self.read(&key) } else { None };
        self.overlay.append(key, &value, below);
    }

    fn storage_root(&mut self, _version: StateVersion) -> Vec<u8> {
        let delta = match self.rooted.take() {
            Some((delta, root)) => {
                let encoded = root.encode();
                self.rooted = Some((delta, root));
                return encoded;
            }
            None => self.delta(),
        };
        let root = match self.view.root(&delta) {
            Ok(root) => root,
            Err(error) => {
                self.fail(Failure::State(error));
                Hash::zero()
            }
        };
        self.rooted = Some((delta, root));
        root.encode()
    }

    fn storage_start_transaction(&mut self) {
        self.overlay.begin();
    }

    fn storage_rollback_transaction(&mut self) -> Result<(), ()> {
        self.rooted = None;
        if self.overlay.roll_back() { Ok(()) } else { Err(()) }
    }

    fn storage_commit_transaction(&mut self) -> Result<(), ()> {
        if self.overlay.commit() { Ok(()) } else { Err(()) }
    }

    fn child_storage_hash(&mut self, _: &ChildInfo, _: &[u8]) -> Option<Vec<u8>> {
        self.unsupported("child storage");
        None
    }

    fn child_storage(&mut self, _: &ChildInfo, _: &[u8]) -> Option<Vec<u8>> {
        self.unsupported("child storage");
        None
    }

    fn next_child_storage_key(&mut self, _: &ChildInfo, _: &[u8]) -> Option<Vec<u8>> {
        self.unsupported("child storage");
        None
    }

    fn kill_child_storage(
        &mut self,
        _: &ChildInfo,
        _: Option<u32>,
        _: Option<&[u8]>,
    ) -> MultiRemovalResults {
        self.unsupported("child storage");
        MultiRemovalResults { maybe_cursor: None, backend: 0, unique: 0, loops: 0 }
    }

    fn clear_child_prefix(
        &mut self,
        _: &ChildInfo,
        _: &[u8],
        _: Option<u32>,
        _: Option<&[u8]>,
    ) -> MultiRemovalResults {
        self.unsupported("child storage");
        MultiRemovalResults { maybe_cursor: None, backend: 0, unique: 0, loops: 0 }
    }

    fn place_child_storage(&mut self, _: &ChildInfo, _: Vec<u8>, _: Option<Vec<u8>>) {
        self.unsupported("child storage");
    }

    fn child_storage_root(&mut self, _: &ChildInfo, _: StateVersion) -> Vec<u8> {
        self.unsupported("child storage");
        Hash::zero().encode()
    }

    fn storage_index_transaction(&mut self, _: u32, _: &[u8], _: u32) {
        self.unsupported("transaction storage");
    }

    fn storage_renew_transaction_index(&mut self, _: u32, _: &[u8]) {
        self.unsupported("transaction storage");
    }

    // The rest serves Substrate's benchmarking of a whole database, which is
    // never asked for here.
    fn wipe(&mut self) {
        self.unsupported("database benchmarking");
    }

    fn commit(&mut self) {
        self.unsupported("database benchmarking");
    }

    fn read_write_count(&self) -> (u32, u32, u32, u32) {
        (0, 0, 0, 0)
    }

    fn reset_read_write_count(&mut self) {}

    fn get_whitelist(&self) -> Vec<TrackedStorageKey> {
        Vec::new()
    }

    fn set_whitelist(&mut self, _: Vec<TrackedStorageKey>) {}

    fn get_read_and_written_keys(&self) -> Vec<(Vec<u8>, u32, u32, bool)> {
        Vec::new()
    }
}

impl<V: StateView> ExtensionStore for StateExternalities<V> {
    fn extension_by_type_id(&mut self, type_id: TypeId) -> Option<&mut dyn Any> {
        self.extensions.get_mut(type_id)
    }

    fn register_extension_with_type_id(
        &mut self,
        type_id: TypeId,
        extension: Box<dyn Extension>,
    ) -> Result<(), ExtensionError> {
        self.extensions.register_with_type_id(type_id, extension)
    }

    fn deregister_extension_by_type_id(&mut self, type_id: TypeId) -> Result<(), ExtensionError> {
        if self.extensions.deregister(type_id) {
            Ok(())
        } else {
            Err(ExtensionError::ExtensionIsNotRegistered(type_id))
        }
    }
}
