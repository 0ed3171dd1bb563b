//! `billchain config`: samples and checks of the configuration file.

use crate::config::Config;
use anyhow::Result;
use clap::Subcommand;
use std::path::PathBuf;

/// A configuration with every key, its default and its meaning.
pub(crate) const SAMPLE: &str = include_str!("sample.toml");

/// Actions on configuration files.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Print a configuration with every key explained.
    Sample,
    /// Check a file, and whether the files and directories that it names are there and may
    /// be used; every problem is reported at once. Run it as the node's user.
    Check {
        /// The configuration file.
        file: PathBuf,
    },
}

/// Runs `billchain config …`.
pub(crate) fn run(command: Command) -> Result<()> {
    match command {
        Command::Sample => print!("{SAMPLE}"),
        Command::Check { file } => {
            Config::check(&file)?;
            println!("{}: no problems", file.display());
        }
    }
    Ok(())
}
