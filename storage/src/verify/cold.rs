//! Checking the cold part of a store.

use crate::{
    Storage, StorageError,
    cold::{Place, Segment},
    groups,
    tables::Tables,
};
use billchain_cold::{
    Group, Growing,
    proof::{Digest, cold_root},
};

/// What was checked.
pub(super) struct Checked {
    /// Root over the runs.
    pub(super) root: Digest,
    /// Segments.
    pub(super) segments: u64,
    /// Those whose file is not there.
    pub(super) lost: u64,
}

/// Reads every group of every segment, and compares it with the segment's root; computes the
/// root over runs and bits again.
pub(super) fn check(storage: &Storage) -> Result<Checked, StorageError> {
    let tables = &storage.shared.tables;
    let view = storage.shared.cold.view();
    let root = cold_root(&view.run_roots(), &view.records);
    let root = root.ok_or_else(|| tables.corrupt("there are too many runs".into()))?;
    let mut checked = Checked { root, segments: 0, lost: 0 };
    for segment in view.segments() {
        checked.segments = checked.segments.saturating_add(1);
        match segment.place() {
            Place::Lost(..) => checked.lost = checked.lost.saturating_add(1),
            Place::Table => of_table(tables, segment)?,
            Place::File(file) => {
                file.segment.verify()?;
                let last = file.segment.range().map(|(_, last)| last);
                if last != Some(segment.record().last.as_slice()) {
                    return Err(segment.damaged(tables, "its file ends with another group"));
                }
                for found in file.segment.iter() {
                    let (position, group) = found?;
                    is_one_place(tables, segment, position, &group)?;
                }
            }
        }
    }
    Ok(checked)
}

/// A segment whose groups are in the database.
fn of_table(tables: &Tables, segment: &Segment) -> Result<(), StorageError> {
    let (record, mut tree, mut last) = (segment.record(), Growing::default(), Vec::new());
    for found in segment.groups_from(tables, &[])? {
        let (position, group) = found?;
        if position != tree.count() {
            return Err(segment.damaged(tables, "a group is missing, or is not at its position"));
        }
        is_one_place(tables, segment, position, &group)?;
        tree.push(&group.shared, &group.digest());
        last = group.shared;
    }
    let found = (tree.count(), tree.root(), last);
    if found == (record.groups, record.root, record.last) {
        return Ok(());
    }
    Err(segment.damaged(tables, "its groups do not lead to its root"))
}

/// That a group which is active is not hot as well.
fn is_one_place(
    tables: &Tables,
    segment: &Segment,
    position: u64,
    group: &Group,
) -> Result<(), StorageError> {
    if !segment.is_active(position) || groups::members(tables, &group.shared)?.is_empty() {
        return Ok(());
    }
    Err(segment.damaged(tables, "an active group of it is hot as well"))
}
