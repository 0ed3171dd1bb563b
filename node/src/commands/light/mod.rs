//! `billchain light`: a light client, which trusts no node.

mod rpc;

use anyhow::{Context, Result, ensure};
use billchain_light::{Light, Settings};
use billchain_primitives::Hash;
use clap::Args;
use rpc::Served;
use std::{
    io::Write, net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc, time::Duration,
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

/// Most servers.
const MOST_SERVERS: usize = 16;
/// Exit code when no server was of use.
const NO_SERVER: u8 = 4;
/// Exit code when a fork is known.
const FORKED: u8 = 5;

/// Options of `billchain light`.
#[derive(Args)]
pub(crate) struct Options {
    /// JSON-RPC of a node; several with commas between them, best of different operators.
    #[arg(long, value_name = "URL", value_delimiter = ',', required = true)]
    rpc: Vec<String>,
    /// Hash of the chain's genesis, from somewhere that one trusts.
    #[arg(long, value_name = "HASH")]
    genesis: Hash,
    /// Hash of a later block, from somewhere that one trusts: where a new client begins.
    #[arg(long, value_name = "HASH")]
    checkpoint: Option<Hash>,
    /// File that keeps what is known; below 1 MiB.
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
    /// Answer JSON-RPC there until stopped. Without it the command follows once, prints where
    /// the client stands as JSON, and ends. Exit code 4: no server was of use; 5: a fork.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// How many blocks a certificate may be behind the newest known one.
    #[arg(long, value_name = "BLOCKS", default_value_t = 16)]
    behind: u32,
    /// Seconds from one look at a server to the next.
    #[arg(long, value_name = "SECONDS", default_value_t = 5,
          value_parser = clap::value_parser!(u64).range(1..=3_600))]
    every: u64,
}

/// Runs `billchain light`.
pub(crate) async fn run(options: Options) -> Result<ExitCode> {
    ensure!(
        options.rpc.len() <= MOST_SERVERS,
        "--rpc: expected at most {MOST_SERVERS} nodes, found {}",
        options.rpc.len()
    );
    let settings = Settings {
        servers: options.rpc,
        genesis: options.genesis.to_fixed_bytes(),
        checkpoint: options.checkpoint.map(|hash| hash.to_fixed_bytes()),
        state: options.state,
        behind: options.behind,
    };
    let light = Light::open(&settings).await?;
    match options.listen {
        None => {
            light.follow().await?;
            once(&light).await
        }
        Some(listen) => serve(light, listen, Duration::from_secs(options.every)).await,
    }
}

/// Prints where the client stands.
async fn once(light: &Light) -> Result<ExitCode> {
    let status = light.status().await;
    println!("{}", serde_json::to_string_pretty(&status)?);
    Ok(if status.fork.is_some() {
        ExitCode::from(FORKED)
    } else if status.servers.iter().all(|server| server.failure.is_some()) {
        ExitCode::from(NO_SERVER)
    } else {
        ExitCode::SUCCESS
    })
}

/// Follows and answers until it is told to stop.
async fn serve(light: Light, listen: SocketAddr, every: Duration) -> Result<ExitCode> {
    let listener = TcpListener::bind(listen).await;
    let listener = listener.with_context(|| format!("--listen: cannot listen at {listen}"))?;
    let address = listener.local_addr()?;
    let light = Arc::new(light);
    let mut terminate = signal(SignalKind::terminate())?;
    // Standard output may be a pipe that nobody reads any more.
    let _ = writeln!(std::io::stdout(), "JSON-RPC at http://{address}");
    tokio::select! {
        failed = light.follow_on(every) => failed?,
        ended = Served::new(light.clone()).serve(listener) => ended?,
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(ExitCode::SUCCESS)
}
