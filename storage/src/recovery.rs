//! Bringing the commitment to RocksDB's head when a store is opened.
//!
//! A block is durable in RocksDB before QMDB hears of it, so after a crash QMDB
//! is usually behind: it gets the changes of the blocks since then again. It is
//! ahead only if RocksDB lost blocks that had been synced, through a damaged log or
//! a restored copy: QMDB is then wound back to the head's place in its log, and the
//! node fetches the lost blocks from its peers. Every block's root is compared with
//! the recorded one on the way.
//!
//! What cold groups are is in RocksDB alone; the root that QMDB gives is that of the hot state.
//!
//! QMDB's root depends on the whole sequence of blocks, so it cannot be rebuilt
//! from the state alone. When the missing change sets are no longer kept, the
//! store is [`StorageError::Corrupt`], and says so.

use crate::{
    Head, StorageError, StorageOptions,
    commitment::{Commitment, Position},
    deltas::group_entries,
    tables::Tables,
};
use std::path::Path;

/// Blocks whose changes are held at once. QMDB trails RocksDB by so many at most
/// unless it was restored from a copy.
const WINDOW: u32 = 16;

/// Opens the commitment in `path` and brings it to `head`.
pub(crate) fn open_commitment(
    tables: &Tables,
    path: &Path,
    options: &StorageOptions,
    head: Option<Head>,
) -> Result<(Commitment, Position), StorageError> {
    let corrupt = |what| StorageError::Corrupt { what, path: path.to_owned() };
    let mut commitment = Commitment::open(path, options.commitment_cache_bytes, None)?;
    let mut position = commitment.position()?;

    let Some(head) = head else {
        return match position.height {
            None => Ok((commitment, position)),
            Some(height) => Err(corrupt(format!(
                "it holds the state commitment of block {height}, but the database holds no block"
            ))),
        };
    };

    if let Some(height) = position.height.filter(|height| *height > head.number) {
        tracing::warn!(
            commitment = height,
            head = head.number,
            "the database lost blocks that were durable; winding the state commitment back"
        );
        let limit = tables.index(head.number)?.map(|index| index.log_size);
        commitment.close();
        commitment = Commitment::open(path, options.commitment_cache_bytes, limit)?;
        position = commitment.position()?;
        if position.height != Some(head.number) {
            return Err(corrupt(format!(
                "the state commitment is at block {height}, the head is {}, and it cannot be \
                 wound back that far",
                head.number
            )));
        }
    }

    if let Some(height) = position.height {
        let recorded = tables.index(height)?.map(|index| index.hot_root);
        if recorded != Some(position.root) {
            return Err(corrupt(format!(
                "the state commitment of block {height} is {}, the database records {}",
                position.root,
                recorded.map_or_else(|| "none".to_owned(), |root| root.to_string()),
            )));
        }
    }
    position = roll_forward(tables, path, &commitment, position, head)?;
    Ok((commitment, position))
}

/// Applies the change sets of the blocks up to `head` that QMDB does not have.
fn roll_forward(
    tables: &Tables,
    path: &Path,
    commitment: &Commitment,
    mut position: Position,
    head: Head,
) -> Result<Position, StorageError> {
    let corrupt = |what| StorageError::Corrupt { what, path: path.to_owned() };
    let from = position.height.map_or(0, |height| height.saturating_add(1));
    if from > head.number {
        return Ok(position);
    }
    tracing::info!(from, to = head.number, "rolling the state commitment forward");
    let mut next = from;
    while next <= head.number {
        let last = next.saturating_add(WINDOW - 1).min(head.number);
        let entries = group_entries(tables, next..=last, head.number)?.ok_or_else(|| {
            let at =
                position.height.map_or_else(|| "is empty".into(), |h| format!("is at block {h}"));
            corrupt(format!(
                "the state commitment {at}, and the changes of block {next} are no longer kept; \
                 start from an empty data directory and fetch the chain from other nodes"
            ))
        })?;
        for (number, entries) in (next..).zip(entries) {
            let index = tables
                .index(number)?
                .ok_or_else(|| tables.corrupt(format!("block {number} has no index record")))?;
            let fingerprint = commitment.fingerprint(&entries);
            let speculated = commitment.speculate(number, fingerprint, || Ok(entries.clone()))?;
            if (speculated.root, speculated.log_size) != (index.hot_root, index.log_size) {
                return Err(corrupt(format!(
                    "the changes of block {number} give the hot root {}, the database records {}",
                    speculated.root, index.hot_root
                )));
            }
            position = commitment.apply(speculated.root)?;
        }
        next = last.saturating_add(1);
    }
    commitment.sync()?;
    Ok(position)
}
