//! Making a node's data from a snapshot.
//!
//! The database is made beside its place and renamed into it when it is whole. A node
//! that finds it beside its place refuses to start, see [`crate::database`]; the next
//! restoring begins again. Files of cold segments go to where the node keeps them, when all is
//! checked: until then they lie beside those that are there, which may be better ones.

use crate::{
    config::Config,
    database::{chain_directory, ensure_cold_path, remove, rename, restoring},
    signing::Memory,
    snapshot::{
        archive::{Reader, sync_directory, tree},
        manifest::{COLD, Entry, Manifest, Subject},
    },
};
use anyhow::{Context, Error, Result, ensure};
use billchain_executor::Chain;
use billchain_primitives::Hash;
use billchain_storage::{OpenMode, Storage, StorageOptions, Verified};
use std::{
    fmt,
    fs::{self, File},
    io,
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

/// Where files of segments lie until they were checked, in the directory of the node's own.
const APART: &str = "restoring";

/// What was checked, for people.
pub(crate) struct Checked(Verified);

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Verified { head, keys, operations, segments, lost } = &self.0;
        write!(
            f,
            "the state root was computed again from {operations} operations; all {keys} entries of \
             the state are what it stands for; blocks 0 to {} are one chain",
            head.number
        )?;
        if *segments > 0 {
            write!(f, "; {} of {segments} cold segments are whole", segments - lost)?;
        }
        if *lost > 0 {
            write!(
                f,
                "\n{lost} files of cold segments are not here: bring them back before the node \
                 starts (billchain cold restore, or fetch)"
            )?;
        }
        Ok(())
    }
}

/// Writes the files of a snapshot into a new directory, and those of cold segments into
/// another one, which may exist; each compared with the manifest.
pub(crate) fn unpack(
    reader: &mut Reader,
    manifest: &Manifest,
    (into, cold): (&Path, &Path),
) -> Result<()> {
    fs::create_dir(into).with_context(|| format!("cannot make {}", into.display()))?;
    for entry in &manifest.files {
        if let Some(name) = entry.name.strip_prefix(COLD).and_then(|name| name.strip_prefix('/')) {
            unpack_cold(reader, entry, &cold.join(name))?;
            continue;
        }
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

/// Writes the file of a cold segment, in the place of one that may be there.
fn unpack_cold(reader: &mut Reader, entry: &Entry, path: &Path) -> Result<()> {
    let writing = || format!("cannot write {}", path.display());
    let directory = path.parent().unwrap_or(path);
    fs::create_dir_all(directory).with_context(writing)?;
    let partial = path.with_extension("partial");
    remove_file(&partial).with_context(writing)?;
    let mut file = File::create_new(&partial).with_context(writing)?;
    let written = reader.read(entry, &mut file).and_then(|()| {
        let mut permissions = file.metadata()?.permissions();
        permissions.set_readonly(true);
        file.set_permissions(permissions)?;
        file.sync_all()?;
        Ok(fs::rename(&partial, path)?)
    });
    if written.is_err() {
        // The reason counts, whatever becomes of the rest.
        let _ = fs::remove_file(&partial);
    }
    written.with_context(writing)?;
    sync_directory(directory)
}

/// Moves the files of segments that were checked into the directory of the node's own, and
/// removes what else is among them, such as filters that the check has made.
fn take_in(apart: &Path, own: &Path) -> Result<()> {
    let moving = || format!("cannot move {} to {}", apart.display(), own.display());
    let entries = match fs::read_dir(apart) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.with_context(moving)?,
    };
    for entry in entries {
        let file = entry.with_context(moving)?.path();
        let is_segment = file.extension().is_some_and(|extension| extension == "segment");
        if let Some(name) = file.file_name().filter(|_| is_segment) {
            fs::rename(&file, own.join(name)).with_context(moving)?;
        }
    }
    sync_directory(own)?;
    remove(apart)
}

/// Removes a file, if it is there.
fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// How what was unpacked is opened; `cold` is where its segments' files lie, if that is not
/// beside its database.
fn options(cold: Option<&Path>) -> StorageOptions {
    let cold_path = cold.map(Path::to_owned);
    StorageOptions { mode: OpenMode::MustExist, cold_path, ..StorageOptions::default() }
}

/// Opens what was unpacked, and compares it with what the manifest says.
fn open((directory, cold): (&Path, Option<&Path>), block: &Subject) -> Result<Chain> {
    let storage = Storage::open(directory, options(cold))?;
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
pub(crate) fn check((directory, cold): (&Path, Option<&Path>), block: &Subject) -> Result<Checked> {
    open((directory, cold), block)?.verify_blocks()?;
    Ok(Checked(billchain_storage::verify(directory, options(cold))?))
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
    ensure_cold_path(config)?;
    let own = config.storage.cold.path.as_deref();
    let apart = own.map(|own| own.join(APART));
    if let Some(apart) = &apart {
        remove(apart)?;
    }
    let beside = making.join(COLD);
    unpack(reader, manifest, (&making, apart.as_deref().unwrap_or(&beside)))?;
    // Of a snapshot without them, what is there is looked at.
    let cold = apart.as_deref().filter(|apart| apart.exists()).or(own);
    let checked = if order.quick {
        drop(open((&making, cold), &manifest.block)?);
        "every file is what the manifest says; nothing was computed again".to_owned()
    } else {
        check((&making, cold), &manifest.block)?.to_string()
    };
    if let (Some(own), Some(apart)) = (own, &apart) {
        take_in(apart, own)?;
    }
    // Before the node can start: it must not sign what it may have signed.
    let memory = memory.settle(config, genesis, height)?;
    rename(&making, &place)?;
    Ok(format!("{checked}\nrestored to {}\n{memory}", place.display()))
}

#[cfg(test)]
mod tests;
