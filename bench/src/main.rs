//! `billchain-bench`: drives a network with SM2-signed registrations through
//! JSON-RPC, at a given rate or as fast as it can, and accounts for every
//! transaction: each accepted one is found on the chain, or counted as lost.

#![forbid(unsafe_code)]

mod bills;
mod load;
mod observe;
mod report;

use anyhow::{Result, ensure};
use clap::Parser;
use std::{process::ExitCode, time::Duration};

/// Load generator for a development network.
#[derive(Parser, Clone)]
#[command(name = "billchain-bench", version)]
struct Options {
    /// JSON-RPC of a node; several times for several nodes.
    #[arg(long, required = true)]
    rpc: Vec<String>,
    /// Registrations a second over all nodes; 0: as fast as it can.
    #[arg(long, default_value_t = 400)]
    rate: u32,
    /// How long to send, in seconds.
    #[arg(long, default_value_t = 60)]
    duration: u64,
    /// Issuers that send, at most 51: the development chain's //hospital-1 ….
    #[arg(long, default_value_t = 8)]
    issuers: usize,
    /// Transactions sent and not yet answered, most over all nodes.
    #[arg(long, default_value_t = 2_000)]
    in_flight: usize,
    /// How long to wait for what was accepted, in seconds.
    #[arg(long, default_value_t = 60)]
    drain: u64,
    /// Print the result as one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("billchain-bench: transactions were lost or none was committed");
            ExitCode::from(3)
        }
        Err(error) => {
            eprintln!("billchain-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether nothing was lost and something was committed.
async fn run(options: Options) -> Result<bool> {
    ensure!((1..=51).contains(&options.issuers), "--issuers: expected 1 to 51");
    ensure!(options.duration > 0, "--duration: expected at least 1");
    ensure!(options.in_flight > 0, "--in-flight: expected at least 1");
    let observer = observe::Observer::start(&options.rpc[0]).await?;
    let sent = load::send(&options).await?;
    let seen = observer.finish(&sent, Duration::from_secs(options.drain)).await?;
    let result = report::Result::new(&options, &sent, &seen);
    if options.json {
        println!("{}", serde_json::to_string_pretty(&result)?);
    } else {
        print!("{result}");
    }
    Ok(result.lost == 0 && result.committed > 0)
}
