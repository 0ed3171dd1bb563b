//! Checking a whole store, as one does with a copy from elsewhere.

use crate::{
    Head, Storage, StorageError, StorageOptions,
    commitment::{Recomputed, recompute},
    shared,
    tables::Table,
};
use std::path::Path;

/// Entries of the state that are compared at once.
const PAGE: usize = 1024;

/// What was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The head, whose state root was computed again.
    pub head: Head,
    /// Entries of the state.
    pub keys: u64,
    /// Operations of the commitment that were hashed again.
    pub operations: u64,
}

/// Checks that the state in `path`, which nobody uses, is what the head's state root
/// stands for: computes the root again from the commitment's operations, without a
/// look at the Merkle nodes that are stored, and compares every entry of the state
/// with them. Takes time in proportion to the state, and disk for a second set of
/// Merkle nodes while it runs.
///
/// The head's root is believed; blocks, certificates and the index are not looked at.
///
/// # Errors
/// [`StorageError::Corrupt`] with what differs.
pub fn verify(path: &Path, options: StorageOptions) -> Result<Verified, StorageError> {
    let cache_bytes = options.commitment_cache_bytes;
    let storage = Storage::open(path, options)?;
    if !storage.is_initialised() {
        return Err(StorageError::NotInitialised);
    }
    let head = storage.head();
    let keys = compare(&storage)?;
    drop(storage);
    let _lock = shared::lock(path)?;
    let Recomputed { root, keys: committed, operations } =
        recompute(&path.join("commitment"), cache_bytes)?;
    let corrupt = |what| StorageError::Corrupt { what, path: path.to_owned() };
    if root != head.state_root {
        return Err(corrupt(format!(
            "the operations of the state commitment give the root {root}, block {} has {}",
            head.number, head.state_root
        )));
    }
    if keys != committed {
        return Err(corrupt(format!(
            "the state has {keys} entries, the state commitment {committed}"
        )));
    }
    Ok(Verified { head, keys, operations })
}

/// Compares each entry of the state with the commitment, and counts them.
fn compare(storage: &Storage) -> Result<u64, StorageError> {
    let tables = &storage.shared.tables;
    let mut cursor = tables.cursor(Table::State, &[], None)?;
    let mut keys = 0_u64;
    loop {
        let mut page = Vec::with_capacity(PAGE);
        while page.len() < PAGE
            && let Some((key, value)) = cursor.entry()
        {
            page.push((key.to_vec(), value.to_vec()));
            cursor.advance()?;
        }
        if page.is_empty() {
            return Ok(keys);
        }
        if let Some(at) = storage.commitment.differs(&page)? {
            let key: String = page[at].0.iter().map(|byte| format!("{byte:02x}")).collect();
            return Err(tables.corrupt(format!(
                "the entry 0x{key} of the state is not what the state commitment has"
            )));
        }
        keys = keys.saturating_add(page.len() as u64);
    }
}
