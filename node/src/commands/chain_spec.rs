//! `billchain chain-spec`: the document a chain begins with.

use crate::{database::load_spec, text_files};
use anyhow::{Context, Result};
use billchain_chain_spec::{ChainSpec, ProductionInput};
use billchain_executor::genesis_block;
use clap::Subcommand;
use std::path::PathBuf;

/// Actions on chain specifications.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Print the development chain's specification: well-known keys.
    Development,
    /// Print a production chain's specification, made from what its operators
    /// agreed on.
    Production {
        /// JSON with name, id, timestampMs, operators, participants, admins,
        /// and what else there is to say: whitelist, scenes, observers. Keys are public
        /// keys, sm2:…, those in fields that are named account, too.
        #[arg(long)]
        input: PathBuf,
    },
    /// Print the genesis hash of a specification, for comparison.
    Hash {
        /// The specification.
        file: PathBuf,
    },
}

/// Runs `billchain chain-spec …`.
pub(crate) fn run(command: Command) -> Result<()> {
    match command {
        Command::Development => println!("{}", ChainSpec::development().to_json()?),
        Command::Production { input } => {
            let text = text_files::read_text(&input, "the input file")?;
            let input: ProductionInput = serde_json::from_str(&text)
                .with_context(|| format!("{} is no production input", input.display()))?;
            println!("{}", ChainSpec::production(input)?.to_json()?);
        }
        Command::Hash { file } => {
            let (header, _) = genesis_block(&load_spec(&file)?.spec.genesis_state()?)?;
            println!("{:?}", header.hash());
        }
    }
    Ok(())
}
