//! The program's commands.

mod index;
mod serve;
mod sign;
mod user;

use crate::config::{Flags, SAMPLE, Settings};
use anyhow::Result;
use clap::{Parser, Subcommand};
use std::{path::PathBuf, process::ExitCode};

/// The auditors' explorer of BillChain (财票链浏览器).
#[derive(Parser)]
#[command(name = "billchain-explorer", version, about)]
pub struct Program {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Follow the chain and serve the page and the interface.
    Serve,
    /// Count the index again against what the chain proves; the exit code is 0 only if it fits.
    Verify,
    /// Drop the index and build it again from the chain. Users and access log stay.
    Rebuild {
        /// Do it without asking.
        #[arg(long)]
        yes: bool,
    },
    /// Users that sign in by password and one-time code.
    User {
        #[command(subcommand)]
        command: user::Command,
    },
    /// Sign a login challenge with a participant's key file, for programs that sign in without the page.
    SignChallenge {
        /// The key file, encrypted PKCS#8 PEM.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// File with its password.
        #[arg(long, value_name = "FILE")]
        password_file: PathBuf,
        /// `message` of the challenge.
        #[arg(long, value_name = "HEX")]
        message: String,
    },
    /// Print a settings file with every key explained.
    Config,
}

impl Program {
    /// Does what is asked.
    ///
    /// # Errors
    /// If it cannot be done; the words say which setting or flag to change.
    pub async fn run(self) -> Result<ExitCode> {
        let Self { flags, command } = self;
        match command {
            Command::Config => {
                print!("{SAMPLE}");
                Ok(ExitCode::SUCCESS)
            }
            Command::SignChallenge { key, password_file, message } => {
                sign::run(&key, &password_file, &message)
            }
            Command::Serve => serve::run(Settings::read(flags)?).await,
            Command::Verify => index::verify(&Settings::read(flags)?).await,
            Command::Rebuild { yes } => index::rebuild(&Settings::read(flags)?, yes).await,
            Command::User { command } => user::run(&Settings::read(flags)?, command).await,
        }
    }
}
