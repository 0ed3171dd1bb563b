//! `billchain worker`: the process that a node starts for a connector, and what an operator
//! asks of its file.

use anyhow::{Context, Error, Result, bail};
use billchain_workers::{
    WorkerFile,
    process::{self, Options},
};
use clap::Subcommand;
use serde_json::json;
use std::{io::Write, path::PathBuf, process::ExitCode};

/// `billchain worker …`.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Work for one connector, as a node lets it be done. Writes a pulse each second.
    Run {
        /// The operator's worker file.
        #[arg(long)]
        file: PathBuf,
        /// Name of the connector's endpoint.
        #[arg(long)]
        endpoint: String,
        /// JSON-RPC of the operator's own node.
        #[arg(long, default_value = "http://127.0.0.1:9944")]
        node: String,
        /// End when standard input ends: with whoever started it.
        #[arg(long)]
        follow_input: bool,
    },
    /// Check a worker file: every problem is told.
    Check {
        /// The operator's worker file.
        #[arg(long)]
        file: PathBuf,
    },
    /// Write what the system outside answered to an entry, whose SM3 is on the chain, to
    /// standard output. The worker must not run.
    Answer {
        /// The operator's worker file.
        #[arg(long)]
        file: PathBuf,
        /// Name of the connector's endpoint.
        #[arg(long)]
        endpoint: String,
        /// Number of the entry.
        seq: u64,
    },
    /// The formats that this program's connectors speak.
    Formats,
}

pub(crate) fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Run { file, endpoint, node, follow_input } => {
            let options = Options { file, endpoint, node, follows_input: follow_input };
            let (code, words) = process::run(options, &billchain_connectors::registry());
            eprintln!("billchain: worker: {words}");
            Ok(ExitCode::from(code))
        }
        Command::Check { file } => {
            let read = WorkerFile::load(&file)?;
            for worker in &read.connectors {
                let Some(worker) = read.connector(&worker.endpoint) else { continue };
                // The key opens, or the worker would not start.
                let key = worker.secret()?;
                let public = format!("sm2:{}", hex::encode(key.public().to_compressed()));
                println!("{}", json!({ "endpoint": worker.endpoint, "key": public }));
            }
            if read.connectors.is_empty() {
                bail!("{}: no connector is in it", file.display());
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Answer { file, endpoint, seq } => {
            let read = WorkerFile::load(&file)?;
            let answer = process::answer(&read, &endpoint, seq).map_err(Error::msg)?;
            let answer =
                answer.with_context(|| format!("the store has no answer to entry {seq}"))?;
            std::io::stdout().write_all(&answer)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Formats => {
            billchain_connectors::registry().formats().for_each(|format| println!("{format}"));
            Ok(ExitCode::SUCCESS)
        }
    }
}
