//! `billchain reindex`: makes the node-local index of a stopped node again.
//!
//! The index (histories, lists of bills, what a transaction touched) is no part
//! of the state root, so nothing in a block vouches for it. Here every stored
//! block is executed again, from the genesis on, into a database beside the old
//! one; each must come to the hash that was decided. When all are done the new
//! database takes the old one's place. Until then the old one is only read.

use crate::{
    config::Config,
    database::{self, chain_directory, load_spec, open_chain, storage_options_beside},
};
use anyhow::{Context, Error, Result, ensure};
use billchain_chain_spec::Document;
use billchain_executor::{Chain, ClockCheck};
use billchain_storage::{OpenMode, Storage};
use clap::Args;
use std::{fs, path::PathBuf, sync::Arc};

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
    database::put_back(&directory)?;
    let making = directory.with_extension("reindexing");
    database::remove(&making)?;
    let blocks = {
        let (_, old) = open_chain(&config, OpenMode::MustExist)?;
        fs::create_dir_all(&making).with_context(|| format!("cannot make {}", making.display()))?;
        let storage =
            Storage::open(&making, storage_options_beside(&config, OpenMode::CreateIfMissing))?;
        let Document { spec, digest } = load_spec(&config.chain_spec)?;
        let genesis = || Ok::<_, Error>(spec.genesis_state()?);
        let new = Chain::open(Arc::new(storage), digest, genesis)?;
        replay(&old, &new)?;
        new.head().number
    };
    database::replace(&directory, &making)?;
    println!("the index was made again from {blocks} blocks");
    Ok(())
}

/// Executes the blocks of `old` into `new`, which has none.
pub(crate) fn replay(old: &Chain, new: &Chain) -> Result<()> {
    let head = old.head();
    let first = old.storage().first_block();
    ensure!(
        first == 1,
        "blocks before {first} are not kept here, and the index comes of all: fetch the data of \
         another node (billchain join, or a snapshot)"
    );
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

#[cfg(test)]
mod tests {
    use super::*;
    use billchain_chain_spec::ChainSpec;
    use billchain_executor::BuildParams;
    use billchain_storage::StorageOptions;
    use std::time::{Duration, Instant};

    fn chain(directory: &tempfile::TempDir, spec: &ChainSpec) -> Chain {
        let storage = Storage::open(directory.path(), StorageOptions::default()).unwrap();
        Chain::with_genesis(Arc::new(storage), &spec.genesis_state().unwrap()).unwrap()
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
            let events = old.storage().event_groups(number).unwrap();
            assert!(!events.is_empty());
            assert_eq!(new.storage().event_groups(number).unwrap(), events);
        }
        // A chain that is not at its beginning is no place to replay into.
        assert!(replay(&old, &new).is_err());
    }
}
