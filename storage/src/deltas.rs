//! What recent blocks changed of the hot state, from what later ones replaced.
//!
//! A block's change set names the keys that it wrote and the values that stood
//! there before. What it wrote is what the next block that wrote the same key
//! replaced; if none did, it is the state's value. So new values are stored once,
//! in the state. The other keys of a group that a block changed are found in the same way.

use crate::{
    StateDelta, StorageError,
    changes::Changes,
    groups::{self, Group},
    tables::{Table, Tables},
};
use billchain_crypto::sm3::sm3;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
};

/// The entries of groups that the blocks in `window` changed, in order; `None` if a change
/// set from its first up to `head` is not kept. Memory is that of the window's blocks, of
/// what else is in their groups, and of one more block.
pub(crate) fn group_entries(
    tables: &Tables,
    window: RangeInclusive<u32>,
    head: u32,
) -> Result<Option<Vec<StateDelta>>, StorageError> {
    let mut sets = Vec::new();
    for number in window.clone() {
        match tables.replaced(number)? {
            Some(set) => sets.push(set.state),
            None => return Ok(None),
        }
    }
    let Some(mut values) = values_after(tables, &sets, *window.end(), head)? else {
        return Ok(None);
    };
    let mut written: Vec<StateDelta> =
        sets.iter().rev().map(|set| wind_back(set, &mut values)).collect();
    written.reverse();
    let of_block = |delta: StateDelta| {
        values.extend(delta.clone());
        let changed = groups::change(&delta, |shared| Ok(group_in(&values, shared)))?;
        Ok(groups::entries(&changed))
    };
    written.into_iter().map(of_block).collect::<Result<_, _>>().map(Some)
}

/// The values that the keys of `sets`, and the others of their groups, have after block
/// `end`.
fn values_after(
    tables: &Tables,
    sets: &[Changes],
    end: u32,
    head: u32,
) -> Result<Option<StateDelta>, StorageError> {
    let keys = || sets.iter().flat_map(|set| set.iter().map(|(key, _)| key));
    let mut open: BTreeSet<Vec<u8>> = keys().map(<[u8]>::to_vec).collect();
    let shared: Result<BTreeSet<&[u8]>, StorageError> =
        keys().map(|key| groups::split(key).map(|(shared, _)| shared)).collect();
    let shared = shared?;
    for shared in &shared {
        open.extend(groups::members(tables, shared)?);
    }
    let mut after = BTreeMap::new();
    for number in end.saturating_add(1)..=head {
        let Some(later) = tables.replaced(number)? else { return Ok(None) };
        for (key, replaced) in later.state.iter() {
            let is_asked = open.remove(key) || shared.contains(groups::split(key)?.0);
            if is_asked && !after.contains_key(key) {
                after.insert(key.to_vec(), replaced.map(<[u8]>::to_vec));
            }
        }
    }
    let values = tables.get_sorted(Table::State, open.iter().map(Vec::as_slice))?;
    after.extend(open.into_iter().zip(values));
    Ok(Some(after))
}

/// A group whose keys are among these.
fn group_in(values: &StateDelta, shared: &[u8]) -> Group {
    let mut group = Group::default();
    let from = values.range(shared.to_vec()..);
    for (key, value) in from.take_while(|(key, _)| key.starts_with(shared)) {
        if let (Some((last, rest)), Some(value)) = (key.split_last(), value)
            && rest == shared
        {
            group.set(*last, Some(sm3(value)));
        }
    }
    group
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
