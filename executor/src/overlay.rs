//! The changes of one execution, above the state it began on.
//!
//! A flat map and an undo log: an entry is found by one hash, a storage
//! transaction costs a mark, committing one moves nothing, and rolling one back
//! costs what it changed. The executor opens a transaction for every extrinsic
//! and FRAME another for every call; layers of ordered maps, with every key
//! copied into each, cost more than the calls: `docs/decisions/0019-overlay.md`.
//!
//! No order depends on the map's hashes: whatever leaves is sorted by key.

use codec::{Compact, CompactLen, Decode, Encode};
use foldhash::fast::RandomState;
use indexmap::IndexMap;
use std::{
    collections::BTreeMap,
    mem,
    ops::Bound::{Excluded, Included, Unbounded},
};

/// A value, or `None` for a key that is gone.
pub(crate) type Value = Option<Vec<u8>>;

/// Values read from below that are kept, at most. Participants, rules and
/// scenes are read by every transaction of a block; this keeps them in memory.
const KEPT_READS: usize = 16_384;

/// Where a key's value is found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    /// Here, because it was changed or read before.
    Here(Option<&'a [u8]>),
    /// In the state below, unread.
    Below,
}

/// Changes, and the storage transactions open on them.
#[derive(Default)]
pub(crate) struct Overlay {
    entries: IndexMap<Vec<u8>, Entry, RandomState>,
    kept_reads: usize,
    /// How to take back what the open transactions changed, oldest first.
    undo: Vec<Undo>,
    /// Records of `undo` that were dropped: a record's number counts them too.
    dropped: usize,
    /// Where each open transaction began, outermost first.
    marks: Vec<Mark>,
    /// Writes to the node-local index, in their order.
    index: Vec<(Vec<u8>, Value)>,
    /// The entries by key. Made when the order is first asked for: few
    /// executions do.
    ordered: Option<BTreeMap<Vec<u8>, usize>>,
}

#[derive(Default)]
struct Entry {
    /// The value below, if it was read and kept.
    below: Option<Value>,
    /// The value set here, if one was.
    changed: Option<Value>,
    /// Number of the last undo record of this entry; 0 if there was none.
    record: usize,
}

struct Mark {
    /// Number of the last undo record before the transaction.
    record: usize,
    index: usize,
}

struct Undo {
    entry: usize,
    /// The entry's last record before this one.
    record: usize,
    earlier: Earlier,
}

enum Earlier {
    /// What had been set.
    Changed(Option<Value>),
    /// The list had this many items, in this many bytes after its count.
    List { items: u32, bytes: usize },
}

impl Overlay {
    /// The value of `key`.
    pub(crate) fn get(&self, key: &[u8]) -> Found<'_> {
        match self.entries.get(key) {
            Some(Entry { changed: Some(value), .. } | Entry { below: Some(value), .. }) => {
                Found::Here(value.as_deref())
            }
            _ => Found::Below,
        }
    }

    /// The value of `key` below, if it was kept.
    pub(crate) fn below(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        self.entries.get(key)?.below.as_ref().map(Option::as_deref)
    }

    /// Keeps what was read below, if there is room.
    pub(crate) fn keep_read(&mut self, key: &[u8], value: &Value) {
        if self.kept_reads < KEPT_READS {
            let at = self.entry_of(key.to_vec());
            if self.entries[at].below.replace(value.clone()).is_none() {
                self.kept_reads += 1;
            }
        }
    }

    /// Sets the value of `key`.
    pub(crate) fn set(&mut self, key: Vec<u8>, value: Value) {
        let at = self.entry_of(key);
        let entry = &mut self.entries[at];
        let earlier = entry.changed.replace(value);
        // What an open transaction wrote over is needed once.
        let recorded = Self::is_recorded(&self.marks, entry)
            && matches!(self.undo[entry.record - self.dropped - 1].earlier, Earlier::Changed(_));
        if !recorded {
            self.record(at, Earlier::Changed(earlier));
        }
    }

    /// Items and bytes after the count of the SCALE list set at `key`.
    pub(crate) fn list_size(&self, key: &[u8]) -> Option<(u32, usize)> {
        let list = self.entries.get(key)?.changed.as_ref()?.as_ref()?;
        count_of(list).map(|(items, start)| (items, list.len() - start))
    }

    /// Appends `item`, which is encoded, to the SCALE list at `key`. `below` is
    /// the value below of a key that is not found here. What is no list becomes
    /// a list of this item.
    pub(crate) fn append(&mut self, key: Vec<u8>, item: &[u8], below: Value) {
        let at = self.entry_of(key);
        let entry = &mut self.entries[at];
        if let Some(Some(list)) = &mut entry.changed
            && let Some((items, start)) = count_of(list)
        {
            let bytes = list.len() - start;
            set_count(list, start, items + 1);
            list.extend_from_slice(item);
            if !Self::is_recorded(&self.marks, entry) {
                self.record(at, Earlier::List { items, bytes });
            }
            return;
        }
        let below =
            if entry.changed.is_none() { entry.below.clone().unwrap_or(below) } else { None };
        let mut list = below.unwrap_or_default();
        match count_of(&list) {
            Some((items, start)) => set_count(&mut list, start, items + 1),
            None => list = Compact(1_u32).encode(),
        }
        list.extend_from_slice(item);
        let earlier = entry.changed.replace(Some(list));
        self.record(at, Earlier::Changed(earlier));
    }

    /// Deletes every key under `prefix` that has a value set here; returns how
    /// many.
    pub(crate) fn remove_prefix(&mut self, prefix: &[u8]) -> u32 {
        let is_set = |entry: &Entry| matches!(entry.changed, Some(Some(_)));
        let doomed: Vec<Vec<u8>> = match &self.ordered {
            Some(ordered) => ordered
                .range::<[u8], _>((Included(prefix), Unbounded))
                .take_while(|(key, _)| key.starts_with(prefix))
                .filter(|(_, at)| is_set(&self.entries[**at]))
                .map(|(key, _)| key.clone())
                .collect(),
            None => self
                .entries
                .iter()
                .filter(|(key, entry)| key.starts_with(prefix) && is_set(entry))
                .map(|(key, _)| key.clone())
                .collect(),
        };
        let removed = u32::try_from(doomed.len()).unwrap_or(u32::MAX);
        for key in doomed {
            self.set(key, None);
        }
        removed
    }

    /// The changed key that follows `key`, and whether it has a value.
    pub(crate) fn next_changed(&mut self, key: &[u8]) -> Option<(Vec<u8>, bool)> {
        let entries = &self.entries;
        let ordered = self.ordered.get_or_insert_with(|| {
            entries.keys().enumerate().map(|(at, key)| (key.clone(), at)).collect()
        });
        ordered.range::<[u8], _>((Excluded(key), Unbounded)).find_map(|(key, at)| {
            entries[*at].changed.as_ref().map(|value| (key.clone(), value.is_some()))
        })
    }

    /// Drops the order of the keys, which is made again when it is asked for: after that,
    /// entries that come cost less.
    pub(crate) fn forget_order(&mut self) {
        self.ordered = None;
    }

    /// Writes to the node-local index; `None` deletes.
    pub(crate) fn write_index(&mut self, key: &[u8], value: Option<&[u8]>) {
        self.index.push((key.to_vec(), value.map(<[u8]>::to_vec)));
    }

    /// Opens a storage transaction.
    pub(crate) fn begin(&mut self) {
        let record = self.dropped + self.undo.len();
        self.marks.push(Mark { record, index: self.index.len() });
    }

    /// Closes the innermost transaction and keeps what it changed. `false` if
    /// none is open.
    pub(crate) fn commit(&mut self) -> bool {
        let closed = self.marks.pop().is_some();
        if self.marks.is_empty() {
            self.dropped += self.undo.len();
            self.undo.clear();
        }
        closed
    }

    /// Closes the innermost transaction and takes back what it changed. `false`
    /// if none is open.
    pub(crate) fn roll_back(&mut self) -> bool {
        let Some(mark) = self.marks.pop() else { return false };
        for Undo { entry, record, earlier } in self.undo.drain(mark.record - self.dropped..).rev() {
            let entry = &mut self.entries[entry];
            entry.record = record;
            match earlier {
                Earlier::Changed(changed) => entry.changed = changed,
                Earlier::List { items, bytes } => {
                    if let Some(Some(list)) = &mut entry.changed
                        && let Some((_, start)) = count_of(list)
                    {
                        list.truncate(start + bytes);
                        set_count(list, start, items);
                    }
                }
            }
        }
        self.index.truncate(mark.index);
        true
    }

    /// Number of open transactions.
    pub(crate) fn depth(&self) -> usize {
        self.marks.len()
    }

    /// What was changed, in no order.
    pub(crate) fn changes(&self) -> impl Iterator<Item = (&Vec<u8>, &Value)> {
        self.entries.iter().filter_map(|(key, entry)| Some((key, entry.changed.as_ref()?)))
    }

    /// The writes to the node-local index, by key, the last one of each.
    pub(crate) fn take_index(&mut self) -> Vec<(Vec<u8>, Value)> {
        let mut index = mem::take(&mut self.index);
        // Stable, so that a key's writes stay in their order.
        index.sort_by(|(left, _), (right, _)| left.cmp(right));
        index.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                mem::swap(later, kept);
            }
            same
        });
        index
    }

    fn entry_of(&mut self, key: Vec<u8>) -> usize {
        match self.entries.entry(key) {
            indexmap::map::Entry::Occupied(entry) => entry.index(),
            indexmap::map::Entry::Vacant(entry) => {
                let at = entry.index();
                if let Some(ordered) = &mut self.ordered {
                    ordered.insert(entry.key().clone(), at);
                }
                entry.insert(Entry::default());
                at
            }
        }
    }

    /// Whether the innermost transaction has a record of the entry.
    fn is_recorded(marks: &[Mark], entry: &Entry) -> bool {
        marks.last().is_some_and(|mark| entry.record > mark.record)
    }

    fn record(&mut self, at: usize, earlier: Earlier) {
        if self.marks.is_empty() {
            return;
        }
        let entry = &mut self.entries[at];
        self.undo.push(Undo { entry: at, record: entry.record, earlier });
        entry.record = self.dropped + self.undo.len();
    }
}

/// The number of items of a SCALE list, and where the first begins. `None` for
/// what is no list, or has no room for another item.
fn count_of(mut list: &[u8]) -> Option<(u32, usize)> {
    let Compact(items) = Compact::<u32>::decode(&mut list).ok()?;
    (items < u32::MAX).then(|| (items, Compact::<u32>::compact_len(&items)))
}

/// Writes another number of items before the first item, which begins at
/// `start`.
fn set_count(list: &mut Vec<u8>, start: usize, items: u32) {
    Compact(items).using_encoded(|count| {
        if count.len() == start {
            list[..start].copy_from_slice(count);
        } else {
            list.splice(..start, count.iter().copied());
        }
    });
}
