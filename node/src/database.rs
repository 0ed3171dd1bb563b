//! Where a node's database lies, how it is opened, and how another one takes its
//! place.
//!
//! A replacement is two renames: the old directory aside, the new one into its
//! place. A node that finds the place empty and the old one aside refuses to
//! start; [`put_back`] undoes or finishes what was cut short.

use crate::{config::Config, text_files};
use anyhow::{Context, Error, Result, bail, ensure};
use billchain_chain_spec::{ChainSpec, Document, SpecError};
use billchain_executor::{Chain, genesis_block};
use billchain_primitives::Hash;
use billchain_storage::{OpenMode, Storage, StorageOptions};
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Reads a chain specification.
pub(crate) fn load_spec(file: &Path) -> Result<Document> {
    let text = text_files::read_text(file, "the chain specification")?;
    Document::from_json(&text).with_context(|| format!("chain specification {}", file.display()))
}

/// Hash of the first block, of a node that has no database. `told` is what the operator
/// says that it is; a release that cannot make the block depends on it.
pub(crate) fn genesis_hash(spec: &ChainSpec, told: Option<Hash>) -> Result<Hash> {
    let made = match spec.genesis_state() {
        Ok(state) => genesis_block(&state)?.0.hash(),
        Err(error @ SpecError::OtherRules { .. }) => {
            return told.with_context(|| {
                format!(
                    "{error}. This release cannot tell the chain's first block: ask a member for \
                     its hash (chain_getBlockHash of 0) and give it as --genesis-hash"
                )
            });
        }
        Err(error) => return Err(error.into()),
    };
    if let Some(told) = told.filter(|told| *told != made) {
        bail!("--genesis-hash is {told:?}, the chain specification makes {made:?}");
    }
    Ok(made)
}

/// Where the database of the chain lies.
pub(crate) fn chain_directory(config: &Config) -> PathBuf {
    config.chain_directory()
}

/// How the database is opened.
pub(crate) fn storage_options(config: &Config, mode: OpenMode) -> StorageOptions {
    StorageOptions {
        mode,
        block_cache_bytes: config.storage.cache_mib << 20,
        history_blocks: config.storage.state_window,
        cold_path: config.storage.cold.path.clone(),
        cold_cache_bytes: config.storage.cold.cache_bytes,
        ..StorageOptions::default()
    }
}

/// How a database is opened that is made or tried beside the node's own: it has no file of the
/// node's cold segments for its own.
pub(crate) fn storage_options_beside(config: &Config, mode: OpenMode) -> StorageOptions {
    StorageOptions { cold_path: None, ..storage_options(config, mode) }
}

/// Opens the database and the chain in it.
pub(crate) fn open_chain(config: &Config, mode: OpenMode) -> Result<(ChainSpec, Chain)> {
    open_chain_with(config, storage_options(config, mode))
}

/// As [`open_chain`], with options that differ from the configuration's.
pub(crate) fn open_chain_with(
    config: &Config,
    options: StorageOptions,
) -> Result<(ChainSpec, Chain)> {
    let Document { spec, digest } = load_spec(&config.chain_spec)?;
    let directory = chain_directory(config);
    ensure_no_swap(&directory)?;
    ensure_cold_path(config)?;
    if options.mode == OpenMode::CreateIfMissing {
        fs::create_dir_all(&directory)
            .with_context(|| format!("cannot make data_dir {}", config.data_dir.display()))?;
    }
    let storage = Storage::open(&directory, options)
        .with_context(|| format!("cannot open the database in {}", directory.display()))?;
    let genesis = || Ok::<_, Error>(spec.genesis_state()?);
    let chain = Chain::open(Arc::new(storage), digest, genesis)?;
    Ok((spec, chain))
}

/// Refuses to take a disk that is not mounted for an empty one.
pub(crate) fn ensure_cold_path(config: &Config) -> Result<()> {
    let Some(path) = &config.storage.cold.path else { return Ok(()) };
    ensure!(
        path.is_dir(),
        "storage.cold_path {} is no directory: mount its disk, or make it if the node is new",
        path.display()
    );
    Ok(())
}

/// Where the old database lies while the new one takes its place.
fn aside(directory: &Path) -> PathBuf {
    directory.with_extension("before-reindex")
}

/// Puts the new database in the place of the one in `directory`, and removes
/// that.
pub(crate) fn replace(directory: &Path, new: &Path) -> Result<()> {
    let aside = aside(directory);
    rename(directory, &aside)?;
    rename(new, directory)?;
    remove(&aside).context("the new database is in place; the old one is not needed any more")
}

/// Where a database lies while it is made from a snapshot, or of what members serve.
pub(crate) fn restoring(directory: &Path) -> PathBuf {
    directory.with_extension("restoring")
}

/// Renames durably.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<()> {
    let parent = to.parent().unwrap_or(to);
    fs::rename(from, to)
        .and_then(|()| File::open(parent)?.sync_all())
        .with_context(|| format!("cannot rename {} to {}", from.display(), to.display()))
}

/// Undoes a replacement that was cut short, or finishes it if it was done.
pub(crate) fn put_back(directory: &Path) -> Result<()> {
    let aside = aside(directory);
    if !aside.exists() {
        return Ok(());
    }
    if directory.exists() {
        // The new one had come to its place.
        return remove(&aside);
    }
    rename(&aside, directory)
}

/// Refuses to take the place of a database for empty in the middle of a
/// replacement, or of a restoring.
pub(crate) fn ensure_no_swap(directory: &Path) -> Result<()> {
    let (aside, restoring) = (aside(directory), restoring(directory));
    ensure!(
        directory.exists() || !restoring.exists(),
        "a billchain snapshot restore or join was cut short: run it again, or remove {} to begin \
         without",
        restoring.display()
    );
    ensure!(
        directory.exists() || !aside.exists(),
        "a billchain reindex was cut short: the database is in {}; run billchain reindex again",
        aside.display()
    );
    Ok(())
}

/// Removes a directory, if it is there.
pub(crate) fn remove(directory: &Path) -> Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", directory.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directories() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let parent = tempfile::tempdir().unwrap();
        let [old, new] = ["chain", "chain.reindexing"].map(|name| parent.path().join(name));
        for (directory, content) in [(&old, "old"), (&new, "new")] {
            fs::create_dir(directory).unwrap();
            fs::write(directory.join("data"), content).unwrap();
        }
        (parent, old, new)
    }

    fn content(directory: &Path) -> String {
        fs::read_to_string(directory.join("data")).unwrap()
    }

    #[test]
    fn the_new_database_takes_the_old_ones_place() {
        let (_parent, old, new) = directories();
        replace(&old, &new).unwrap();
        assert_eq!(content(&old), "new");
        assert!(!new.exists() && !aside(&old).exists());
        put_back(&old).unwrap();
        assert_eq!(content(&old), "new");
    }

    #[test]
    fn a_replacement_cut_short_is_noticed_and_undone() {
        let (_parent, old, _new) = directories();
        ensure_no_swap(&old).unwrap();
        fs::rename(&old, aside(&old)).unwrap();
        let error = ensure_no_swap(&old).unwrap_err().to_string();
        assert!(error.contains("run billchain reindex again"), "{error}");
        put_back(&old).unwrap();
        assert_eq!(content(&old), "old");
        ensure_no_swap(&old).unwrap();
    }

    #[test]
    fn a_restoring_cut_short_is_noticed() {
        let (_parent, old, new) = directories();
        fs::rename(&new, restoring(&old)).unwrap();
        ensure_no_swap(&old).unwrap();
        fs::remove_dir_all(&old).unwrap();
        let error = ensure_no_swap(&old).unwrap_err().to_string();
        assert!(error.starts_with("a billchain snapshot restore or join was cut short"), "{error}");
        rename(&restoring(&old), &old).unwrap();
        ensure_no_swap(&old).unwrap();
    }

    #[test]
    fn a_replacement_cut_short_at_its_end_keeps_the_new_database() {
        let (_parent, old, new) = directories();
        fs::rename(&old, aside(&old)).unwrap();
        fs::rename(&new, &old).unwrap();
        put_back(&old).unwrap();
        assert_eq!(content(&old), "new");
        assert!(!aside(&old).exists());
    }
}
