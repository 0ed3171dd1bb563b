//! Taking back what a block made of the cold groups, in the tables of a store that nobody uses.

use super::records::{self, SegmentId, SegmentRecord, of_number_key};
use crate::{
    StorageError,
    replaced::Replaced,
    tables::{Batch, Table, Tables},
};
use std::collections::BTreeMap;

/// Levels of the tree that are stored: more than a segment has.
const LEVELS: std::ops::Range<u8> = 0..8;

/// Levels from one that is stored to the next.
const STEP: u8 = 6;

/// Puts what takes a block back into `batch`.
///
/// # Errors
/// [`StorageError::Corrupt`] if a file was written of a segment that was shorter before the
/// block: it cannot be made shorter.
pub(crate) fn undo(
    tables: &Tables,
    batch: &mut Batch<'_>,
    replaced: &Replaced,
) -> Result<(), StorageError> {
    let mut shortened = BTreeMap::new();
    for (key, before) in replaced.records.iter() {
        match before {
            Some(before) => batch.put(Table::Cold, key, before),
            None => batch.delete(Table::Cold, key),
        }
        let Some(id) = SegmentId::of_record_key(key) else { continue };
        let decode = |bytes: &[u8]| -> Result<SegmentRecord, StorageError> {
            records::decode(tables, bytes, "a segment of cold groups")
        };
        let before = before.map(decode).transpose()?;
        let now = tables.get(Table::Cold, key)?.map(|bytes| decode(&bytes)).transpose()?;
        let was_open = before.as_ref().is_none_or(|before| before.ended.is_none());
        if was_open && tables.get(Table::Cold, &id.file_key())?.is_some() {
            return Err(tables.corrupt(format!(
                "segment {} of run {} of the cold groups has its file, and was not ended before \
                 a block that is to be taken back",
                id.index, id.run
            )));
        }
        let groups = before.as_ref().map_or(0, |before| before.groups);
        let now = now.map_or(groups, |now| now.groups);
        if groups < now {
            cut(tables, batch, id, before.as_ref())?;
            for level in LEVELS.map(|at| at * STEP) {
                for index in groups >> level..now >> level {
                    batch.delete(Table::Nodes, id.node_key(level, index));
                }
            }
        }
        shortened.insert(id, groups);
    }
    turn_back(tables, batch, replaced, &shortened)
}

/// Removes the groups that a segment had not before.
fn cut(
    tables: &Tables,
    batch: &mut Batch<'_>,
    id: SegmentId,
    before: Option<&SegmentRecord>,
) -> Result<(), StorageError> {
    // The smallest key behind the last group that it had.
    let from = match before {
        Some(before) => [&id.group_key(&before.last)[..], &[0]].concat(),
        None => id.prefix(),
    };
    let mut cursor = tables.cursor(Table::Cooled, &from, Some(id.end()))?;
    while let Some((key, _)) = cursor.entry() {
        batch.delete(Table::Cooled, key);
        cursor.advance()?;
    }
    Ok(())
}

/// Turns bits back. `groups` has the groups of segments before the block.
fn turn_back(
    tables: &Tables,
    batch: &mut Batch<'_>,
    replaced: &Replaced,
    groups: &BTreeMap<SegmentId, u64>,
) -> Result<(), StorageError> {
    let damaged = || tables.corrupt("the activity bits of a change set are unreadable".into());
    let mut chunks: BTreeMap<(SegmentId, u64), Vec<u8>> = BTreeMap::new();
    for (key, before) in replaced.bits.iter() {
        let (id, position) = of_number_key(key).ok_or_else(damaged)?;
        let at = (id, position / 512);
        let chunk = match chunks.entry(at) {
            std::collections::btree_map::Entry::Occupied(found) => found.into_mut(),
            std::collections::btree_map::Entry::Vacant(new) => {
                let stored = tables.get(Table::Bits, &id.number_key(at.1))?;
                new.insert(stored.ok_or_else(damaged)?)
            }
        };
        let bit = (position % 512) as usize;
        let byte = chunk.get_mut(bit / 8).ok_or_else(damaged)?;
        match before {
            Some(_) => *byte |= 1 << (bit % 8),
            None => *byte &= !(1 << (bit % 8)),
        }
    }
    for ((id, at), chunk) in chunks {
        let key = id.number_key(at);
        match groups.get(&id) {
            Some(groups) if at >= groups.div_ceil(512) => batch.delete(Table::Bits, key),
            _ => batch.put(Table::Bits, key, chunk),
        }
    }
    Ok(())
}
