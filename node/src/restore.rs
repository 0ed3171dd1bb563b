//! Making a node's data from a snapshot.
//!
//! The database is made beside its place and renamed into it when it is whole. A node
//! that finds it beside its place refuses to start, see [`crate::database`]; the next
//! restoring begins again.

use crate::{
    config::Config,
    database::{chain_directory, remove, rename, restoring},
    signing::Memory,
    snapshot::{
        archive::{Reader, sync_directory, tree},
        manifest::{Manifest, Subject},
    },
};
use anyhow::{Context, Error, Result, ensure};
use billchain_executor::Chain;
use billchain_primitives::Hash;
use billchain_storage::{OpenMode, Storage, StorageOptions, Verified};
use std::{
    fmt,
    fs::{self, File},
    path::Path,
    sync::Arc,
};

/// How a snapshot is restored.
pub(crate) struct Order {
    /// Hash of its block, as told by somebody who is trusted.
    pub(crate) trusted_hash: Option<Hash>,
    /// Height up to which the validator signs nothing.
    pub(crate) abstain_up_to: Option<u64>,
    /// Whether nothing is computed again.
    pub(crate) quick: bool,
}

/// What was checked, for people.
pub(crate) struct Checked(Verified);

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Verified { head, keys, operations } = &self.0;
        write!(
            f,
            "the state root was computed again from {operations} operations; all {keys} entries of \
             the state are what it stands for; blocks 0 to {} are one chain",
            head.number
        )
    }
}

/// Writes the files of a snapshot into a new directory, each compared with the manifest.
pub(crate) fn unpack(reader: &mut Reader, manifest: &Manifest, into: &Path) -> Result<()> {
    fs::create_dir(into).with_context(|| format!("cannot make {}", into.display()))?;
    for entry in &manifest.files {
        let path = into.join(&entry.name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut file =
            File::create_new(&path).with_context(|| format!("cannot make {}", path.display()))?;
        reader.read(entry, &mut file)?;
        file.sync_all().with_context(|| format!("cannot write {}", path.display()))?;
    }
    for directory in tree(into)?.1 {
        sync_directory(&directory)?;
    }
    Ok(())
}

fn options() -> StorageOptions {
    StorageOptions { mode: OpenMode::MustExist, ..StorageOptions::default() }
}

/// Opens what was unpacked, and compares it with what the manifest says.
fn open(directory: &Path, block: &Subject) -> Result<Chain> {
    let storage = Storage::open(directory, options())?;
    let none = || Err(Error::msg("the database of the snapshot holds no chain"));
    let chain = Chain::open(Arc::new(storage), block.document, none)?;
    let head = chain.head();
    let found = (chain.genesis_hash(), head.number, head.hash, head.state_root);
    let expected = (block.genesis, block.height, block.hash, block.state_root);
    ensure!(
        found == expected,
        "the database of the snapshot is of another block (chain, number, hash, state root) than \
         its manifest: {found:?}, expected {expected:?}"
    );
    Ok(chain)
}

/// Checks all that the block's hash stands for: the state, and the blocks before it.
pub(crate) fn check(directory: &Path, block: &Subject) -> Result<Checked> {
    open(directory, block)?.verify_blocks()?;
    Ok(Checked(billchain_storage::verify(directory, options())?))
}

/// Restores a snapshot whose block is one of the chain. What was done, in words.
pub(crate) fn restore(
    config: &Config,
    reader: &mut Reader,
    manifest: &Manifest,
    order: &Order,
) -> Result<String> {
    let place = chain_directory(config);
    ensure!(
        !place.exists(),
        "{} exists: a snapshot is restored where no database is; move it away first",
        place.display()
    );
    let (genesis, height) = (manifest.block.genesis, manifest.block.height);
    let memory = Memory::look(config, genesis, height, order.abstain_up_to)?;
    let making = restoring(&place);
    remove(&making)?;
    fs::create_dir_all(&config.data_dir)
        .with_context(|| format!("cannot make data_dir {}", config.data_dir.display()))?;
    unpack(reader, manifest, &making)?;
    let checked = if order.quick {
        drop(open(&making, &manifest.block)?);
        "every file is what the manifest says; nothing was computed again".to_owned()
    } else {
        check(&making, &manifest.block)?.to_string()
    };
    // Before the node can start: it must not sign what it may have signed.
    let memory = memory.settle(config, genesis, height)?;
    rename(&making, &place)?;
    Ok(format!("{checked}\nrestored to {}\n{memory}", place.display()))
}

#[cfg(test)]
mod tests;
