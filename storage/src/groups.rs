//! What the commitment to the hot state commits to: groups of keys.
//!
//! The keys that differ in their last byte alone are a *group*. The commitment has one
//! entry for each: SM3 of what they share, and SM3 of what is in the group:
//!
//! ```text
//! for each key of the group that has a value, ascending: last byte ‖ SM3(value)
//! ```
//!
//! A group without keys has no entry. The last byte of a bill's key is the last digit of
//! its number, so ten bills in a row are one entry: the index of the commitment, its log
//! and its proofs of absence cost a tenth. Whoever is shown a group sees which of its keys
//! have a value, and which have none.
//!
//! Nothing of it is stored: what is in a group follows from the state. The groups that
//! were used last are kept in memory.

use crate::{
    StateDelta, StorageError,
    snapshot::after_prefix,
    tables::{Table, Tables},
};
use billchain_crypto::sm3::sm3_many;
use lru::LruCache;
use parking_lot::Mutex;
use std::collections::BTreeMap;

/// Memory for groups; a bill's takes some 500 bytes.
const KEPT_BYTES: usize = 32 << 20;

/// SM3 of a value.
type Digest = [u8; 32];

/// What is in a group: the last byte of each key with a value, and SM3 of the value.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
pub(crate) struct Group(Vec<(u8, Digest)>);

impl Group {
    /// Takes a key's value in, or takes the key out.
    pub(crate) fn set(&mut self, last: u8, value: Option<Digest>) {
        match (self.0.binary_search_by_key(&last, |(last, _)| *last), value) {
            (Ok(at), Some(value)) => self.0[at].1 = value,
            (Ok(at), None) => drop(self.0.remove(at)),
            (Err(at), Some(value)) => self.0.insert(at, (last, value)),
            (Err(_), None) => {}
        }
    }

    /// What is in a group whose values are at hand.
    pub(crate) fn of(values: &[(u8, Vec<u8>)]) -> Self {
        let digests = sm3_many(&values.iter().map(|(_, value)| value).collect::<Vec<_>>());
        Self(values.iter().map(|(last, _)| *last).zip(digests).collect())
    }

    /// Whether no key has a value.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The last byte of each key with a value, and SM3 of the value.
    pub(crate) fn into_keys(self) -> Vec<(u8, Digest)> {
        self.0
    }

    /// The value of the group's entry; none without keys.
    pub(crate) fn encode(&self) -> Option<Vec<u8>> {
        let bytes = self.0.iter().flat_map(|(last, value)| [&[*last][..], value].concat());
        (!self.0.is_empty()).then(|| bytes.collect())
    }
}

/// A key as what it shares with its group, and its last byte.
pub(crate) fn split(key: &[u8]) -> Result<(&[u8], u8), StorageError> {
    let empty = || StorageError::Commitment {
        action: "compute a root",
        path: Default::default(),
        reason: "a key of the state is empty".into(),
    };
    key.split_last().map(|(last, shared)| (shared, *last)).ok_or_else(empty)
}

/// Groups after a change, by what their keys share.
pub(crate) type Changed = BTreeMap<Vec<u8>, Group>;

/// The entries of groups, as the commitment takes them.
pub(crate) fn entries(changed: &Changed) -> StateDelta {
    changed.iter().map(|(shared, group)| (shared.clone(), group.encode())).collect()
}

/// What a delta makes of the groups that `before` gives.
pub(crate) fn change(
    delta: &StateDelta,
    mut before: impl FnMut(&[u8]) -> Result<Group, StorageError>,
) -> Result<Changed, StorageError> {
    let values: Vec<&Vec<u8>> = delta.values().flatten().collect();
    let mut digests = sm3_many(&values).into_iter();
    let mut changed = Changed::new();
    for (key, value) in delta {
        let (shared, last) = split(key)?;
        let digest = value.as_ref().and_then(|_| digests.next());
        match changed.get_mut(shared) {
            Some(group) => group.set(last, digest),
            None => {
                let mut group = before(shared)?;
                group.set(last, digest);
                changed.insert(shared.to_vec(), group);
            }
        }
    }
    Ok(changed)
}

/// The keys of a group that have a value in the state.
pub(crate) fn members(tables: &Tables, shared: &[u8]) -> Result<Vec<Vec<u8>>, StorageError> {
    let mut found = Vec::new();
    visit(tables, shared, |key, _| found.push(key.to_vec()))?;
    Ok(found)
}

/// The values of a group in the state: last byte and value of each key, ascending.
pub(crate) fn values(tables: &Tables, shared: &[u8]) -> Result<Vec<(u8, Vec<u8>)>, StorageError> {
    let mut found = Vec::new();
    visit(tables, shared, |key, value| {
        found.extend(key.last().map(|last| (*last, value.to_vec())));
    })?;
    Ok(found)
}

/// A group as it is in the state.
fn read(tables: &Tables, shared: &[u8]) -> Result<Group, StorageError> {
    Ok(Group::of(&values(tables, shared)?))
}

/// Visits the keys of a group. Longer ones that begin in the same way are passed over, so
/// it takes one step a key, and one a last byte of the longer ones, at most.
fn visit(
    tables: &Tables,
    shared: &[u8],
    mut found: impl FnMut(&[u8], &[u8]),
) -> Result<(), StorageError> {
    let mut cursor = tables.cursor(Table::State, shared, after_prefix(shared))?;
    while let Some((key, value)) = cursor.entry() {
        let Some(next) = key.get(shared.len()).copied() else {
            // The key that is shared itself: it is of another group.
            cursor.advance()?;
            continue;
        };
        if key.len() == shared.len() + 1 {
            found(key, value);
            cursor.advance()?;
        } else {
            let Some(next) = next.checked_add(1) else { break };
            cursor.seek(&[shared, &[next]].concat())?;
        }
    }
    Ok(())
}

/// The groups that were used last, as they are at the head.
struct Recent {
    groups: LruCache<Vec<u8>, Group>,
    bytes: usize,
}

impl Recent {
    fn new() -> Self {
        Self { groups: LruCache::unbounded(), bytes: 0 }
    }

    /// A group, if it is kept.
    fn get(&mut self, shared: &[u8]) -> Option<Group> {
        self.groups.get(shared).cloned()
    }

    /// Keeps a group; those that were used longest ago make room.
    fn put(&mut self, shared: &[u8], group: &Group) {
        self.bytes += room(shared, group);
        if let Some(before) = self.groups.put(shared.to_vec(), group.clone()) {
            self.bytes -= room(shared, &before);
        }
        while self.bytes > KEPT_BYTES
            && let Some((shared, group)) = self.groups.pop_lru()
        {
            self.bytes -= room(&shared, &group);
        }
    }

    fn apply(&mut self, changed: &Changed) {
        changed.iter().for_each(|(shared, group)| self.put(shared, group));
    }
}

/// Bytes that a group takes in memory, about.
fn room(shared: &[u8], group: &Group) -> usize {
    // Pointers, lengths and links of the list. What is kept is a copy, which has no room to
    // spare, unlike what it is copied from.
    128 + shared.len() + group.0.len() * size_of::<(u8, Digest)>()
}

/// The groups at the head, as far as they are hot. The head must not move while one of them is
/// asked for.
pub(crate) struct HeadGroups {
    recent: Mutex<Recent>,
}

impl HeadGroups {
    pub(crate) fn new() -> Self {
        Self { recent: Mutex::new(Recent::new()) }
    }

    /// A group.
    pub(crate) fn get(&self, tables: &Tables, shared: &[u8]) -> Result<Group, StorageError> {
        if let Some(group) = self.recent.lock().get(shared) {
            return Ok(group);
        }
        // Disk is read without the lock.
        let group = read(tables, shared)?;
        self.recent.lock().put(shared, &group);
        Ok(group)
    }

    /// A group, for somebody who asks. It is not kept: whatever is asked for, the groups that
    /// blocks change stay in memory.
    pub(crate) fn look(&self, tables: &Tables, shared: &[u8]) -> Result<Group, StorageError> {
        let kept = self.recent.lock().get(shared);
        kept.map_or_else(|| read(tables, shared), Ok)
    }

    /// The head has moved.
    pub(crate) fn apply(&self, changed: &Changed) {
        self.recent.lock().apply(changed);
    }
}

/// Puts entries of the state, in the order of keys, together to groups.
#[derive(Default)]
pub(crate) struct Gathered {
    /// Groups whose keys are not all here, each within the one before.
    open: Vec<(Vec<u8>, Group, usize)>,
}

/// A whole group: what its keys share, what is in it, and the number of its first entry.
pub(crate) type Whole = (Vec<u8>, Group, usize);

impl Gathered {
    /// Takes the entry with number `at`; the groups that cannot grow any more.
    pub(crate) fn add(
        &mut self,
        (key, value): (&[u8], Digest),
        at: usize,
    ) -> Result<Vec<Whole>, StorageError> {
        let (shared, last) = split(key)?;
        let whole = self.close(|open| !key.starts_with(open));
        match self.open.last_mut() {
            Some((open, group, _)) if open == shared => group.set(last, Some(value)),
            _ => self.open.push((shared.to_vec(), Group(vec![(last, value)]), at)),
        }
        Ok(whole)
    }

    /// Whether the group of an entry that follows cannot be one of those at hand.
    pub(crate) fn is_whole_before(&self, key: &[u8]) -> bool {
        self.open.iter().all(|(open, ..)| !key.starts_with(open))
    }

    /// There are no more entries.
    pub(crate) fn finish(&mut self) -> Vec<Whole> {
        self.close(|_| true)
    }

    fn close(&mut self, is_over: impl Fn(&[u8]) -> bool) -> Vec<Whole> {
        let kept = self.open.iter().take_while(|(open, ..)| !is_over(open)).count();
        self.open.split_off(kept)
    }
}

#[cfg(test)]
mod tests;
