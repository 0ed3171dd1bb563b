//! Records of the table `cold`, and the keys of the tables of cold groups.
//!
//! | table | key | value |
//! | --- | --- | --- |
//! | `cold` | `runs` | [`RunList`] |
//! | `cold` | `s`, segment | [`SegmentRecord`] |
//! | `cold` | `r`, run | [`RetiredRecord`]: it left the list, and what is left of it goes later |
//! | `cold` | `f`, segment | nothing: its file is whole. Each node's own |
//! | `cooled` | segment, shared bytes | position, 8 bytes, and the group |
//! | `bits` | segment, place of the chunk | 64 bytes of activity bits |
//! | `nodes` | segment, level, 1 byte, index, 8 bytes | a whole node of the tree over the groups |
//!
//! A segment is its run, 8 bytes, and its index there, 4 bytes; numbers in keys have the highest
//! byte first. Records are in SCALE.

use crate::{
    StorageError,
    tables::{Table, Tables},
};
use billchain_cold::proof::Digest;
use codec::{Decode, DecodeAll, Encode};

/// The key of the list of runs.
pub(crate) const RUNS: &[u8] = b"runs";

/// Bytes of a segment in keys.
const ID: usize = 12;

/// A segment: its run, and its place there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SegmentId {
    pub(crate) run: u64,
    pub(crate) index: u32,
}

impl SegmentId {
    /// What the keys of all that belongs to it begin with, in `cooled`, `bits` and `nodes`.
    pub(crate) fn prefix(self) -> Vec<u8> {
        [&self.run.to_be_bytes()[..], &self.index.to_be_bytes()].concat()
    }

    /// The smallest key above all that belong to it.
    pub(crate) fn end(self) -> Vec<u8> {
        match self.index.checked_add(1) {
            Some(index) => Self { index, ..self }.prefix(),
            None => Self { run: self.run.saturating_add(1), index: 0 }.prefix(),
        }
    }

    /// The key of its record.
    pub(crate) fn record_key(self) -> Vec<u8> {
        [&b"s"[..], &self.prefix()].concat()
    }

    /// The segment of which a key of [`Table::Cold`] is the record.
    pub(crate) fn of_record_key(key: &[u8]) -> Option<Self> {
        Self::of_prefix(key.strip_prefix(b"s")?).filter(|_| key.len() == 1 + ID)
    }

    /// The segment to which a key in `cooled`, `bits` or `nodes` belongs.
    pub(crate) fn of_prefix(key: &[u8]) -> Option<Self> {
        let (run, rest) = key.split_first_chunk()?;
        let (index, _) = rest.split_first_chunk()?;
        Some(Self { run: u64::from_be_bytes(*run), index: u32::from_be_bytes(*index) })
    }

    /// The key of the record that its file is whole.
    pub(crate) fn file_key(self) -> Vec<u8> {
        [&b"f"[..], &self.prefix()].concat()
    }

    /// The key of a group in `cooled`.
    pub(crate) fn group_key(self, shared: &[u8]) -> Vec<u8> {
        [&self.prefix()[..], shared].concat()
    }

    /// The key of a number of it: a chunk in `bits`, or a bit in a change set.
    pub(crate) fn number_key(self, number: u64) -> Vec<u8> {
        [&self.prefix()[..], &number.to_be_bytes()].concat()
    }

    /// The key of a node in `nodes`.
    pub(crate) fn node_key(self, level: u8, index: u64) -> Vec<u8> {
        [&self.prefix()[..], &[level], &index.to_be_bytes()].concat()
    }
}

/// Segment and number of a key that [`SegmentId::number_key`] gave.
pub(crate) fn of_number_key(key: &[u8]) -> Option<(SegmentId, u64)> {
    let number = key.get(ID..)?.try_into().ok()?;
    Some((SegmentId::of_prefix(key)?, u64::from_be_bytes(number)))
}

/// The key of the record of a run that left the list.
pub(crate) fn retired_key(run: u64) -> Vec<u8> {
    [&b"r"[..], &run.to_be_bytes()].concat()
}

/// A run: segments whose ranges of keys follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct RunRecord {
    pub(crate) id: u64,
    /// Laps whose groups are in it.
    pub(crate) laps: u32,
    /// Segments.
    pub(crate) segments: u32,
    /// Whether no group comes to it any more.
    pub(crate) is_over: bool,
    /// The block that began it.
    pub(crate) begun: u32,
}

/// Where a merge stands in one of its sources.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Cursor {
    pub(crate) run: u64,
    /// The segment, and the position in it, that is looked at next.
    pub(crate) segment: u32,
    pub(crate) position: u64,
    /// Shared bytes of a group of the segment that is not behind this position; none if that
    /// is its first.
    pub(crate) near: Vec<u8>,
}

/// Two runs that become one.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Merging {
    pub(crate) sources: [Cursor; 2],
    /// The run that they become.
    pub(crate) target: u64,
}

/// The runs, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct RunList {
    /// The next run's.
    pub(crate) next: u64,
    pub(crate) runs: Vec<RunRecord>,
    pub(crate) merging: Option<Merging>,
}

/// A segment, but for its activity bits.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct SegmentRecord {
    /// Shared bytes of the first group, where its range begins, and of the last.
    pub(crate) from: Vec<u8>,
    pub(crate) last: Vec<u8>,
    pub(crate) groups: u64,
    /// Root over the groups.
    pub(crate) root: Digest,
    /// The block that ended it.
    pub(crate) ended: Option<u32>,
}

/// A run that left the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct RetiredRecord {
    /// With this block.
    pub(crate) at: u32,
    pub(crate) run: RunRecord,
}

/// Real records, for fuzzers to begin with.
pub(crate) fn samples() -> Vec<Vec<u8>> {
    let run = RunRecord { id: 4, laps: 2, segments: 3, is_over: true, begun: 77 };
    let cursor = |run| Cursor { run, segment: 1, position: 900, near: b"group 1".to_vec() };
    let merging = Merging { sources: [cursor(4), cursor(5)], target: 6 };
    let list = RunList { next: 7, runs: vec![run; 3], merging: Some(merging) };
    let segment = SegmentRecord {
        from: b"group 1".to_vec(),
        last: b"group 2".to_vec(),
        groups: 1_000,
        root: [7; 32],
        ended: Some(99),
    };
    let retired = RetiredRecord { at: 100, run };
    vec![RunList::default().encode(), list.encode(), segment.encode(), retired.encode()]
}

/// Reads a record.
pub(crate) fn read<T: Decode>(
    tables: &Tables,
    key: &[u8],
    what: &str,
) -> Result<Option<T>, StorageError> {
    let bytes = tables.get(Table::Cold, key)?;
    bytes.map(|bytes| decode(tables, &bytes, what)).transpose()
}

/// Decodes a record.
pub(crate) fn decode<T: Decode>(
    tables: &Tables,
    bytes: &[u8],
    what: &str,
) -> Result<T, StorageError> {
    T::decode_all(&mut &bytes[..])
        .map_err(|error| tables.corrupt(format!("the record of {what} is unreadable: {error}")))
}
