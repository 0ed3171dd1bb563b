//! What is told of a node's cold segments: to people, to the doctor, and at the door.

use billchain_primitives::Hash;
use billchain_storage::{ColdSegment, Storage, StorageError};
use serde::{Deserialize, Serialize};
use std::{fs, path::PathBuf};

/// Segments that are told, the newest: a chain has some hundred in twenty years.
pub(crate) const MOST: usize = 2_000;

/// Blocks after a segment's end within which its file is expected: four times the depth to
/// which a chain can be wound back.
const DUE: u32 = 1_024;

/// Bytes that a group takes in a file where none is there to tell: ten bills take 2.3 KB.
const GROUP_BYTES: u64 = 4 << 10;

/// Where the groups of a segment lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Place {
    /// In the database: groups are still added.
    Growing,
    /// In the database: it has ended, and has no file yet.
    Database,
    /// In a file.
    File,
    /// Nowhere on this node: the file is gone, or damaged.
    Lost,
}

impl Place {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Growing => "growing",
            Self::Database => "database",
            Self::File => "file",
            Self::Lost => "LOST",
        }
    }
}

/// A segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SegmentView {
    /// Its run.
    pub(crate) run: u64,
    /// Its place in the run.
    pub(crate) index: u32,
    /// Its groups of keys.
    pub(crate) groups: u64,
    /// Those of them that still are what the state says.
    pub(crate) active: u64,
    /// Root over its groups.
    pub(crate) root: Hash,
    /// The block that it ended with.
    pub(crate) ended_at: Option<u32>,
    /// Where its groups lie.
    pub(crate) place: Place,
    /// Its file, there or not.
    pub(crate) file: Option<PathBuf>,
}

impl SegmentView {
    fn new(segment: ColdSegment, is_lost: bool) -> Self {
        let ColdSegment { run, index, groups, active, groups_root, ended_at, file, .. } = segment;
        let place = match (is_lost, ended_at, &file) {
            (true, _, _) => Place::Lost,
            (_, None, _) => Place::Growing,
            (_, Some(_), None) => Place::Database,
            (_, Some(_), Some(_)) => Place::File,
        };
        Self { run, index, groups, active, root: groups_root, ended_at, place, file }
    }

    /// Whether its file should have been there for long, at this head.
    pub(crate) fn is_overdue(&self, head: u32) -> bool {
        self.place == Place::Database && is_overdue(self.ended_at, head)
    }

    /// How people name it.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.run, self.index)
    }
}

/// Whether a segment that ended with this block should have its file for long, at this head.
pub(crate) fn is_overdue(ended_at: Option<u32>, head: u32) -> bool {
    ended_at.is_some_and(|ended| head.saturating_sub(ended) > DUE)
}

/// All segments of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ColdReport {
    /// Number of the head.
    pub(crate) head: u32,
    /// The segments, run by run; those of the newest runs, if they are too many.
    pub(crate) segments: Vec<SegmentView>,
    /// How many are left out.
    pub(crate) left_out: u64,
    /// What the node's thread fails at; `None` if it does not, or does not run.
    pub(crate) failing: Option<String>,
}

impl ColdReport {
    /// Of a store; what the thread fails at is not known to it.
    pub(crate) fn of(storage: &Storage) -> Result<Self, StorageError> {
        let lost: Vec<(u64, u32)> =
            storage.missing_segments()?.iter().map(|one| (one.run, one.index)).collect();
        let view = |one: ColdSegment| {
            let is_lost = lost.contains(&(one.run, one.index));
            SegmentView::new(one, is_lost)
        };
        let mut segments: Vec<SegmentView> =
            storage.cold_segments()?.into_iter().map(view).collect();
        let left_out = segments.len().saturating_sub(MOST);
        segments.drain(..left_out);
        let (head, left_out) = (storage.head().number, left_out as u64);
        Ok(Self { head, segments, left_out, failing: None })
    }

    /// Those at a place.
    pub(crate) fn at(&self, place: Place) -> impl Iterator<Item = &SegmentView> {
        self.segments.iter().filter(move |one| one.place == place)
    }

    /// Bytes that the file of a segment may take which has ended and has none; `None` if there is
    /// no such segment. As those that are there, and a quarter more.
    pub(crate) fn next_file_bytes(&self) -> Option<u64> {
        let groups = self.at(Place::Database).map(|one| one.groups).max()?;
        let of_group = |one: &SegmentView| {
            let length = fs::metadata(one.file.as_ref()?).ok()?.len();
            Some(length.div_ceil(one.groups.max(1)))
        };
        let known = self.at(Place::File).filter_map(of_group).max();
        let of_group = known.map_or(GROUP_BYTES, |known| known.saturating_add(known / 4));
        Some(groups.saturating_mul(of_group))
    }

    /// Those whose files are missing for long.
    pub(crate) fn overdue(&self) -> impl Iterator<Item = &SegmentView> {
        self.segments.iter().filter(|one| one.is_overdue(self.head))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(ended_at: Option<u32>, file: bool) -> ColdSegment {
        ColdSegment {
            run: 1,
            index: 2,
            beginning: vec![1],
            groups: 9,
            active: 7,
            groups_root: Hash::repeat_byte(3),
            ended_at,
            file: file.then(|| "file".into()),
        }
    }

    #[test]
    fn where_a_segment_lies_follows_from_its_end_and_its_file() {
        for (ended_at, file, is_lost, place) in [
            (None, false, false, Place::Growing),
            (Some(7), false, false, Place::Database),
            (Some(7), true, false, Place::File),
            (Some(7), true, true, Place::Lost),
        ] {
            assert_eq!(SegmentView::new(segment(ended_at, file), is_lost).place, place);
        }
    }

    #[test]
    fn how_long_the_next_file_is_those_that_are_there_tell() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        fs::write(&file, [0_u8; 800]).unwrap();
        let view = |groups, place, file: Option<PathBuf>| SegmentView {
            groups,
            place,
            file,
            ..SegmentView::new(segment(Some(1), false), false)
        };
        let bytes = |segments: Vec<SegmentView>| {
            ColdReport { head: 9, segments, left_out: 0, failing: None }.next_file_bytes()
        };
        let (growing, waits) = (Place::Growing, Place::Database);
        assert_eq!(bytes(vec![view(7, growing, None)]), None);
        assert_eq!(bytes(vec![view(7, waits, None), view(9, waits, None)]), Some(9 * 4_096));
        let there = view(2, Place::File, Some(file));
        let gone = view(1, Place::File, Some(place.path().join("none")));
        assert_eq!(bytes(vec![there, gone, view(10, waits, None)]), Some(5_000));
    }

    #[test]
    fn a_file_is_overdue_when_it_was_due_for_long() {
        let view = |file| SegmentView::new(segment(Some(100), file), false);
        assert!(!view(false).is_overdue(100 + DUE));
        assert!(view(false).is_overdue(101 + DUE));
        assert!(!view(true).is_overdue(u32::MAX));
    }
}
