//! `billchain signing-memory`: what a stopped validator remembers of its
//! signatures, and forbidding it to sign up to a height.

use crate::{config::Config, database::open_chain, service};
use anyhow::{Context, Result, bail};
use billchain_consensus::{Address, abstain_from_signing, signing_summary};
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
    /// vote until that height is decided. For when its log or its memory is lost.
    Abstain {
        /// The configuration file.
        #[arg(long)]
        config: PathBuf,
        /// The height; without it the last one at which it has signed.
        #[arg(long)]
        up_to: Option<u64>,
    },
}

pub(crate) fn run(command: Command) -> Result<()> {
    match command {
        Command::Show { config } => show(&Config::load(&config)?),
        Command::Abstain { config, up_to } => abstain(&Config::load(&config)?, up_to),
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

fn abstain(config: &Config, up_to: Option<u64>) -> Result<()> {
    let key = service::validator_key(config)?
        .context("keys.consensus names no key: a node without one signs nothing")?;
    // The database is held by a node that runs, so this is refused meanwhile.
    let (_, chain) = open_chain(config, OpenMode::CreateIfMissing)?;
    let signer = Address::from_public_key(&key.public());
    let path = config.signing_memory();
    let head = u64::from(chain.head().number);
    let height = abstain_from_signing(&path, chain.genesis_hash(), signer, head, up_to)?;
    println!("{} signs nothing up to height {height}", signer);
    Ok(())
}
