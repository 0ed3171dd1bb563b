//! `billchain reindex`: makes the node-local index of a stopped node again.
//!
//! The index (histories, lists of bills, what a transaction touched) is no part
//! of the state root, so nothing in a block vouches for it. Here every stored
//! block is executed again, from the genesis on, into a database beside the old
//! one; each must come to the hash that was decided. When all are done the new
//! database takes the old one's place. Until then the old one is only read.

use crate::{
    config::Config,
    service::{chain_directory, load_spec, open_chain, storage_options},
};
use anyhow::{Context, Result, ensure};
use billchain_executor::{Chain, ClockCheck};
use billchain_storage::{OpenMode, Storage};
use clap::Args;
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Blocks between two lines of progress.
const PROGRESS: u32 = 1_000;

/// Options of `billchain reindex`.
#[derive(Args)]
pub(crate) struct Options {
    /// The node's configuration.
    #[arg(long)]
    config: PathBuf,
}

/// Runs `billchain reindex`.
pub(crate) fn run(options: &Options) -> Result<()> {
    let config = Config::load(&options.config)?;
    let directory = chain_directory(&config);
    put_back(&directory)?;
    let making = directory.with_extension("reindexing");
    remove(&making)?;
    let blocks = {
        let (_, old) = open_chain(&config, OpenMode::MustExist)?;
        fs::create_dir_all(&making).with_context(|| format!("cannot make {}", making.display()))?;
        let storage = Storage::open(&making, storage_options(&config, OpenMode::CreateIfMissing))?;
        let genesis = load_spec(&config.chain_spec)?.genesis_state()?;
        let new = Chain::open(Arc::new(storage), &genesis)?;
        replay(&old, &new)?;
        new.head().number
    };
    swap(&making, &directory)?;
    println!("the index was made again from {blocks} blocks");
    Ok(())
}

/// Executes the blocks of `old` into `new`, which has none.
pub(crate) fn replay(old: &Chain, new: &Chain) -> Result<()> {
    let head = old.head();
    for number in 1..=head.number {
        let bytes =
            old.storage().block(number)?.with_context(|| format!("block {number} is missing"))?;
        let certificate = old.storage().certificate(number)?.unwrap_or_default();
        let block = new
            .execute(bytes.into(), ClockCheck::Decided)
            .with_context(|| format!("block {number} cannot be executed again"))?;
        let committed = new.commit(block, certificate)?;
        let decided = old.storage().hash_of(number)?;
        ensure!(
            decided == Some(committed.hash),
            "block {number} comes to {:?}, decided was {decided:?}",
            committed.hash
        );
        if number % PROGRESS == 0 {
            println!("block {number} of {}", head.number);
        }
    }
    Ok(())
}

/// Where the old database lies while the new one takes its place.
fn aside(directory: &Path) -> PathBuf {
    directory.with_extension("before-reindex")
}

/// Puts the new database in the old one's place and removes the old one.
fn swap(making: &Path, directory: &Path) -> Result<()> {
    let aside = aside(directory);
    let rename = |from: &Path, to: &Path| {
        fs::rename(from, to)
            .with_context(|| format!("cannot rename {} to {}", from.display(), to.display()))
    };
    rename(directory, &aside)?;
    rename(making, directory)?;
    remove(&aside)
}

/// Undoes a swap that was cut short.
fn put_back(directory: &Path) -> Result<()> {
    let aside = aside(directory);
    if !aside.exists() {
        return Ok(());
    }
    if directory.exists() {
        // The new one had come to its place.
        return remove(&aside);
    }
    fs::rename(&aside, directory).with_context(|| format!("cannot rename {} back", aside.display()))
}

/// Refuses to take the place of a database for empty in the middle of a swap.
pub(crate) fn ensure_no_swap(directory: &Path) -> Result<()> {
    let aside = aside(directory);
    ensure!(
        directory.exists() || !aside.exists(),
        "a billchain reindex was cut short: the database is in {}; run billchain reindex again",
        aside.display()
    );
    Ok(())
}

fn remove(directory: &Path) -> Result<()> {
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
    use billchain_chain_spec::ChainSpec;
    use billchain_executor::BuildParams;
    use billchain_storage::StorageOptions;
    use std::time::{Duration, Instant};

    fn chain(directory: &tempfile::TempDir, spec: &ChainSpec) -> Chain {
        let storage = Storage::open(directory.path(), StorageOptions::default()).unwrap();
        Chain::open(Arc::new(storage), &spec.genesis_state().unwrap()).unwrap()
    }

    #[test]
    fn replayed_blocks_come_to_the_same_head_with_their_certificates() {
        let [a, b] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let spec = ChainSpec::development();
        let (old, new) = (chain(&a, &spec), chain(&b, &spec));
        for number in 1..=3_u8 {
            let params = BuildParams {
                timestamp_ms: 1_800_000_000_000 + u64::from(number),
                max_block_bytes: 1 << 20,
                deadline: Instant::now() + Duration::from_secs(60),
            };
            let built = old.build(params, &mut std::iter::empty()).unwrap();
            old.commit(built.block, vec![number]).unwrap();
        }
        replay(&old, &new).unwrap();
        assert_eq!(new.head(), old.head());
        for number in 1..=3 {
            let certificate = old.storage().certificate(number).unwrap();
            assert_eq!(new.storage().certificate(number).unwrap(), certificate);
        }
        // A chain that is not at its beginning is no place to replay into.
        assert!(replay(&old, &new).is_err());
    }

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
        swap(&new, &old).unwrap();
        assert_eq!(content(&old), "new");
        assert!(!new.exists() && !aside(&old).exists());
        put_back(&old).unwrap();
        assert_eq!(content(&old), "new");
    }

    #[test]
    fn a_swap_cut_short_is_noticed_and_undone() {
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
    fn a_swap_cut_short_at_its_end_keeps_the_new_database() {
        let (_parent, old, new) = directories();
        fs::rename(&old, aside(&old)).unwrap();
        fs::rename(&new, &old).unwrap();
        put_back(&old).unwrap();
        assert_eq!(content(&old), "new");
        assert!(!aside(&old).exists());
    }
}
