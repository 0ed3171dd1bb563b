//! `billchain signing-memory`: what a stopped validator remembers of its
//! signatures, and forbidding it to sign up to a height.

use crate::{
    config::Config,
    database::{chain_directory, ensure_no_swap, genesis_hash, load_spec, open_chain},
    service,
};
use anyhow::{Context, Result, bail, ensure};
use billchain_consensus::{Address, abstain_from_signing, signing_summary};
use billchain_executor::Chain;
use billchain_primitives::Hash;
use billchain_storage::OpenMode;
use clap::Subcommand;
use std::path::PathBuf;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Print what the validator has signed last.
    Show {
        /// The configuration file.
        #[arg(long)]
        config: PathBuf,
    },
    /// Make the validator sign nothing up to a height: it then follows without a
    /// vote until that height is decided. For when its log or its memory is lost. Where no
    /// database is, none is made: a join, a restored snapshot or a first start keeps to
    /// what is written.
    Abstain {
        /// The configuration file.
        #[arg(long)]
        config: PathBuf,
        /// The height; without it the last one at which it has signed.
        #[arg(long)]
        up_to: Option<u64>,
        /// Hash of the first block, where no database is and the release cannot make the
        /// block from the chain specification any more: as a member whom you trust has
        /// told it.
        #[arg(long, value_name = "HASH")]
        genesis_hash: Option<Hash>,
    },
}

pub(crate) fn run(command: Command) -> Result<()> {
    match command {
        Command::Show { config } => show(&Config::load(&config)?),
        Command::Abstain { config, up_to, genesis_hash } => {
            abstain(&Config::load(&config)?, up_to, genesis_hash)
        }
    }
}

fn show(config: &Config) -> Result<()> {
    let path = config.signing_memory();
    let Some(summary) = signing_summary(&path)? else {
        bail!("there is no signing memory {}: nothing was signed here", path.display());
    };
    println!("chain       {:?}", summary.genesis);
    println!("validator   {}", summary.signer);
    println!("height      {}", summary.height);
    println!("last        {}", summary.last.as_deref().unwrap_or("nothing more up to this height"));
    Ok(())
}

fn abstain(config: &Config, up_to: Option<u64>, told: Option<Hash>) -> Result<()> {
    let key = service::validator_key(config)?
        .context("keys.consensus names no key: a node without one signs nothing")?;
    let place = chain_directory(config);
    // The database is held by a node that runs, so this is refused meanwhile.
    let chain = match place.exists() {
        true => Some(open_chain(config, OpenMode::MustExist)?.1),
        false => None,
    };
    let (genesis, head) = match &chain {
        Some(chain) => (genesis_of(chain, told)?, u64::from(chain.head().number)),
        None => {
            // A database that is only aside knows more than a height that is given.
            ensure_no_swap(&place)?;
            (genesis_hash(&load_spec(&config.chain_spec)?.spec, told)?, 0)
        }
    };
    let signer = Address::from_public_key(&key.public());
    let height = abstain_from_signing(&config.signing_memory(), genesis, signer, head, up_to)?;
    println!("{signer} signs nothing up to height {height}");
    if chain.is_none() {
        println!("there is no database in {}, and none was made", place.display());
    }
    Ok(())
}

/// The hash of a chain's first block, which must be the one that the operator says.
fn genesis_of(chain: &Chain, told: Option<Hash>) -> Result<Hash> {
    let genesis = chain.genesis_hash();
    if let Some(told) = told {
        ensure!(
            told == genesis,
            "--genesis-hash is {told:?}, the chain in data_dir begins with {genesis:?}"
        );
    }
    Ok(genesis)
}
