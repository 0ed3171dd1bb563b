//! The program of the stand-ins; see the crate's first page.

use anyhow::Result;
use billchain_mocks::{
    certificates,
    server::{self, Options},
    systems::{self, Kind, Knowledge},
};
use clap::{Args, Parser, Subcommand};
use std::{net::SocketAddr, path::PathBuf};

/// Stand-ins of the city's systems, for tests, drills and demonstrations.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs one stand-in until it is stopped.
    Run(Box<Run>),
    /// Writes an authority, a certificate of 127.0.0.1 and one that has expired.
    Certificates {
        /// Directory for them.
        #[arg(long)]
        out: PathBuf,
    },
}

#[derive(Args)]
struct Run {
    /// Which system.
    #[arg(value_enum)]
    system: Kind,
    /// Where the contract is answered.
    #[arg(long)]
    listen: SocketAddr,
    /// Where tests set faults and look at effects.
    #[arg(long)]
    admin: SocketAddr,
    /// File of the effects, so that they survive the process.
    #[arg(long)]
    journal: Option<PathBuf>,
    /// Directory that `certificates` wrote; without it: plain HTTP.
    #[arg(long)]
    tls: Option<PathBuf>,
    /// Seed of the faults.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// `app_id` of the caller, where the contract has one.
    #[arg(long, default_value = "")]
    app_id: String,
    /// Key of that `app_id`.
    #[arg(long, default_value = "")]
    app_key: String,
    /// Public key of a caller, 66 digits of hex; more than one may be given.
    #[arg(long)]
    caller: Vec<String>,
    /// DID that an insurer answers for; more than one may be given.
    #[arg(long)]
    did: Vec<String>,
    /// Seed of the system's own SM2 key.
    #[arg(long, default_value = "stand-in")]
    key_seed: String,
}

#[tokio::main]
async fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Certificates { out } => certificates::write(&out),
        Command::Run(run) => {
            let Run { system, listen, admin, journal, tls, seed, .. } = *run;
            let knowledge = Knowledge {
                app_id: run.app_id,
                app_key: run.app_key,
                callers: run.caller,
                dids: run.did,
                key_seed: run.key_seed,
            };
            let options = Options { listen, admin, journal, tls, seed };
            let running = server::start(systems::make(system, knowledge)?, &options).await?;
            println!("contract {} tests {}", running.listen, running.admin);
            running.wait().await
        }
    }
}
