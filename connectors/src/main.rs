//! `billchain-gateway FILE`: the gateway beside a node; see `billchain_connectors::gateway`.

use clap::Parser;
use std::path::PathBuf;

/// Answers queries of older bills and pulls of credentials, beside a node.
#[derive(Parser)]
#[command(name = "billchain-gateway", version)]
struct Cli {
    /// File of settings; `docs/connectors.md` has a sample.
    config: PathBuf,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    billchain_connectors::gateway::run(&Cli::parse().config).await
}
