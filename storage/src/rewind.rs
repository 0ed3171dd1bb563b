//! Winding a store back to an earlier block, to execute the blocks after it again.

use crate::{
    Head, OpenMode, StorageError, StorageOptions, cold,
    records::events_key,
    recovery, shared,
    tables::{META_HEAD, Table, Tables},
};
use codec::Encode;
use std::path::Path;

/// Winds the store in `path`, which nobody uses, back to the state after block
/// `number`, and returns that block.
///
/// The blocks above it and their certificates stay readable by number, for whoever
/// executes them again. Their records in the index of transactions and in the
/// node-local index stay too: the store is for a trial, not for a node.
///
/// # Errors
/// [`StorageError::StateNotKept`] if changes of a block above `number` are no longer
/// kept, and [`StorageError::Corrupt`] if the commitment cannot be wound back as far.
pub fn rewind(path: &Path, options: &StorageOptions, number: u32) -> Result<Head, StorageError> {
    options.validate()?;
    let db = path.join("db");
    if options.mode == OpenMode::MustExist && !db.exists() {
        return Err(StorageError::Missing { path: path.to_owned() });
    }
    let _lock = shared::lock(path)?;
    let tables = Tables::open(&db, options)?;
    let mut head = tables.head()?.ok_or(StorageError::NotInitialised)?;
    let oldest = tables.oldest_changes()?.saturating_sub(1);
    if number < oldest {
        return Err(StorageError::StateNotKept { hash: head.hash, number, oldest });
    }
    while head.number > number {
        head = undo(&tables, head)?;
    }
    let (commitment, _) =
        recovery::open_commitment(&tables, &path.join("commitment"), options, Some(head))?;
    commitment.close();
    Ok(head)
}

/// Takes the head's changes back, in one write; the block before it.
fn undo(tables: &Tables, head: Head) -> Result<Head, StorageError> {
    let missing = |what: &str, number: u32| {
        tables.corrupt(format!("block {number} has no {what}, which winding back needs"))
    };
    let before = head.number - 1;
    let index = tables.index(before)?.ok_or_else(|| missing("index record", before))?;
    let replaced = tables.replaced(head.number)?;
    let replaced = replaced.ok_or_else(|| missing("change set", head.number))?;
    let groups = tables.event_groups(head.number)?;
    let parent = Head { number: before, hash: index.hash, state_root: index.state_root };

    let number = head.number.to_be_bytes();
    let mut batch = tables.batch();
    for (key, value) in replaced.state.iter() {
        match value {
            Some(value) => batch.put(Table::State, key, value),
            None => batch.delete(Table::State, key),
        }
    }
    cold::undo(tables, &mut batch, &replaced)?;
    for group in groups {
        batch.delete(Table::Events, events_key(head.number, group.first));
    }
    batch.delete(Table::Changes, number);
    batch.delete(Table::Index, number);
    batch.delete(Table::NumberByHash, head.hash);
    batch.put(Table::Meta, META_HEAD, parent.encode());
    batch.write()?;
    Ok(parent)
}
