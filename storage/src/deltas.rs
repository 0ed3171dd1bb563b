//! What recent blocks changed, from what later ones replaced.
//!
//! A block's change set names the keys that it wrote and the values that stood
//! there before. What it wrote is what the next block that wrote the same key
//! replaced; if none did, it is the state's value. So new values are stored once,
//! in the state.

use crate::{StateDelta, StorageError, changes::Changes, tables::Table, tables::Tables};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
};

/// The changes of the blocks in `window`, in order; `None` if a change set from its
/// first up to `head` is not kept. Memory is that of the window's blocks and of one
/// more.
pub(crate) fn deltas(
    tables: &Tables,
    window: RangeInclusive<u32>,
    head: u32,
) -> Result<Option<Vec<StateDelta>>, StorageError> {
    let mut sets = Vec::new();
    for number in window.clone() {
        match tables.replaced(number)? {
            Some(set) => sets.push(set),
            None => return Ok(None),
        }
    }
    let Some(mut after) = values_after(tables, &sets, *window.end(), head)? else {
        return Ok(None);
    };
    let mut deltas: Vec<StateDelta> =
        sets.iter().rev().map(|set| wind_back(set, &mut after)).collect();
    deltas.reverse();
    Ok(Some(deltas))
}

/// The values that the keys of `sets` have after block `end`.
fn values_after(
    tables: &Tables,
    sets: &[Changes],
    end: u32,
    head: u32,
) -> Result<Option<StateDelta>, StorageError> {
    let mut open: BTreeSet<&[u8]> =
        sets.iter().flat_map(|set| set.iter().map(|(key, _)| key)).collect();
    let mut after = BTreeMap::new();
    for number in end.saturating_add(1)..=head {
        let Some(later) = tables.replaced(number)? else { return Ok(None) };
        open.retain(|key| match later.get(key) {
            Some(replaced) => {
                after.insert(key.to_vec(), replaced.map(<[u8]>::to_vec));
                false
            }
            None => true,
        });
    }
    let values = tables.get_sorted(Table::State, open.iter().copied())?;
    after.extend(open.into_iter().map(<[u8]>::to_vec).zip(values));
    Ok(Some(after))
}

/// Takes `values` from after the block of `set` to before it, and gives what the
/// block wrote.
fn wind_back(set: &Changes, values: &mut StateDelta) -> StateDelta {
    set.iter()
        .map(|(key, replaced)| {
            let written = values.insert(key.to_vec(), replaced.map(<[u8]>::to_vec));
            (key.to_vec(), written.flatten())
        })
        .collect()
}
