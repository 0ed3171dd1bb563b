//! Checking a whole store, as one does with a copy from elsewhere.

mod cold;

use crate::{
    Head, Storage, StorageError, StorageOptions,
    commitment::{Recomputed, recompute},
    groups::Gathered,
    shared,
    tables::Table,
};
use billchain_cold::proof::state_root;
use billchain_crypto::sm3::sm3_many;
use sp_core::H256;
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
    /// Cold segments, each of which was read whole.
    pub segments: u64,
    /// Those whose file is not there, which were not.
    pub lost: u64,
}

/// Checks that the state in `path`, which nobody uses, is what the head's state root
/// stands for: computes the hot root again from the commitment's operations, without a
/// look at the Merkle nodes that are stored, and compares every entry of the state
/// with them; computes the cold root again from the activity bits and the groups of each
/// segment, in the database or in its file. Takes time in proportion to the state, and disk
/// for a second set of Merkle nodes while it runs.
///
/// The head's root is believed; blocks, certificates and the index are not looked at. A
/// segment whose file is not there is counted: its file is verified when it is adopted.
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
    let Compared { keys, groups } = compare(&storage)?;
    let cold::Checked { root: cold, segments, lost } = cold::check(&storage)?;
    drop(storage);
    let _lock = shared::lock(path)?;
    let Recomputed { root, keys: committed, operations } =
        recompute(&path.join("commitment"), cache_bytes)?;
    let corrupt = |what| StorageError::Corrupt { what, path: path.to_owned() };
    let both = state_root(&root.0, &cold);
    if both != head.state_root.0 {
        return Err(corrupt(format!(
            "the operations of the state commitment and the cold segments give the root {:?}, \
             block {} has {}",
            H256(both),
            head.number,
            head.state_root
        )));
    }
    if groups != committed {
        return Err(corrupt(format!(
            "the state has {groups} groups of keys, the state commitment {committed}"
        )));
    }
    Ok(Verified { head, keys, operations, segments, lost })
}

/// Entries of the state, and their groups.
#[derive(Default)]
struct Compared {
    keys: u64,
    groups: u64,
}

/// Compares each entry of the state with the commitment, and counts them.
fn compare(storage: &Storage) -> Result<Compared, StorageError> {
    let tables = &storage.shared.tables;
    let mut cursor = tables.cursor(Table::State, &[], None)?;
    let (mut gathered, mut compared) = (Gathered::default(), Compared::default());
    loop {
        let (mut keys, mut values) = (Vec::with_capacity(PAGE), Vec::with_capacity(PAGE));
        while keys.len() < PAGE
            && let Some((key, value)) = cursor.entry()
        {
            keys.push(key.to_vec());
            values.push(value.to_vec());
            cursor.advance()?;
        }
        let mut whole = Vec::new();
        for (key, digest) in keys.iter().zip(sm3_many(&values)) {
            whole.extend(gathered.add((key.as_slice(), digest), 0)?);
        }
        if keys.is_empty() {
            whole.extend(gathered.finish());
        }
        if let Some(at) = storage.commitment.differs(&whole)? {
            let shared: String = whole[at].0.iter().map(|byte| format!("{byte:02x}")).collect();
            return Err(tables.corrupt(format!(
                "the entries of the state whose keys are 0x{shared} and one byte more are not what \
                 the state commitment has"
            )));
        }
        compared.keys = compared.keys.saturating_add(keys.len() as u64);
        compared.groups = compared.groups.saturating_add(whole.len() as u64);
        if keys.is_empty() {
            return Ok(compared);
        }
    }
}
