//! Which records the journal holds, where they lie, and who waits for them.

use super::JournalError;
use crate::PoolTransaction;
use billchain_primitives::Hash;
use foldhash::HashMap;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};
use tokio::sync::oneshot;

/// Told when a transaction is on disk, or why it is not.
pub(super) type Answer = oneshot::Sender<Result<(), JournalError>>;
/// The other end of an [`Answer`].
pub(crate) type Kept = oneshot::Receiver<Result<(), JournalError>>;

/// Where a record lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Number of the segment.
    pub(super) segment: u64,
    /// Where the record begins.
    pub(super) offset: u64,
    /// Its bytes.
    pub(super) size: u64,
}

/// A transaction that is wanted.
#[derive(Debug)]
pub(super) enum Entry {
    /// It is not on disk yet; who wants to know when it is.
    Waiting(Vec<Answer>),
    /// It is.
    Stored(Place),
}

/// A segment's file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Segment {
    /// Its bytes.
    pub(super) bytes: u64,
    /// Records in it that are wanted.
    pub(super) wanted: usize,
    /// Bytes of them.
    pub(super) wanted_bytes: u64,
}

/// The books of the journal: pure data.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) records: HashMap<Hash, Entry>,
    /// What is to be written, in its order.
    pub(super) queue: VecDeque<Arc<PoolTransaction>>,
    pub(super) segments: BTreeMap<u64, Segment>,
    /// The segment that is being written.
    pub(super) current: Option<u64>,
    /// A segment could not be made smaller; not again before a write succeeds.
    pub(super) is_disk_refusing: bool,
    /// Nothing more is to be written.
    pub(super) is_closed: bool,
}

impl Books {
    /// Books that a record lies on disk.
    pub(super) fn store(&mut self, hash: Hash, place: Place) -> Vec<Answer> {
        let segment = self.segments.entry(place.segment).or_default();
        segment.wanted += 1;
        segment.wanted_bytes += place.size;
        match self.records.insert(hash, Entry::Stored(place)) {
            Some(Entry::Waiting(answers)) => answers,
            Some(Entry::Stored(before)) => {
                self.release(before);
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    /// Books that a record is not wanted any more; who waits for it.
    pub(super) fn forget(&mut self, hash: &Hash) -> Vec<Answer> {
        match self.records.remove(hash) {
            Some(Entry::Waiting(answers)) => answers,
            Some(Entry::Stored(place)) => {
                self.release(place);
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    fn release(&mut self, place: Place) {
        if let Some(segment) = self.segments.get_mut(&place.segment) {
            segment.wanted -= 1;
            segment.wanted_bytes -= place.size;
        }
    }

    /// Whether a transaction waits to be written.
    pub(super) fn is_waiting(&self, hash: &Hash) -> bool {
        matches!(self.records.get(hash), Some(Entry::Waiting(_)))
    }

    /// Whether a record is wanted and lies there.
    pub(super) fn lies_at(&self, hash: &Hash, place: Place) -> bool {
        matches!(self.records.get(hash), Some(Entry::Stored(at)) if *at == place)
    }

    /// Books that files have grown by these records.
    pub(super) fn grow(&mut self, places: &[Place]) {
        for place in places {
            self.segments.entry(place.segment).or_default().bytes += place.size;
        }
    }

    /// A segment that nothing is wanted of.
    pub(super) fn removable(&self) -> Option<u64> {
        let dead = |(number, segment): &(&u64, &Segment)| {
            segment.wanted == 0 && Some(**number) != self.current
        };
        self.segments.iter().find(dead).map(|(number, _)| *number)
    }

    /// The segment of which the most is not wanted, if that is a quarter of it.
    pub(super) fn sparse(&self) -> Option<u64> {
        let unwanted = |segment: &Segment| segment.bytes.saturating_sub(segment.wanted_bytes);
        self.segments
            .iter()
            .filter(|(number, segment)| {
                Some(**number) != self.current && unwanted(segment) >= segment.bytes / 4
            })
            .max_by_key(|(_, segment)| unwanted(segment))
            .map(|(number, _)| *number)
    }

    /// Wanted records of a segment.
    pub(super) fn wanted_of(&self, segment: u64) -> Vec<Hash> {
        let is_there = |entry: &Entry| matches!(entry, Entry::Stored(at) if at.segment == segment);
        self.records.iter().filter(|(_, entry)| is_there(entry)).map(|(hash, _)| *hash).collect()
    }
}
