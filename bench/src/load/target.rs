//! Which network is driven.

use super::record::{LoadRecord, Setting};
use crate::measure::{Machine, Watched};
use billchain_client::Connection;
use clap::Args;
use std::path::PathBuf;

/// Which network, and what is said with the result.
#[derive(Args, Clone, Debug)]
pub(crate) struct Target {
    /// JSON-RPC of a node; several times for several nodes. Blocks are followed
    /// at the first.
    #[arg(long, required = true)]
    pub(crate) rpc: Vec<String>,
    /// A node's process and directory, to measure what it costs; several times
    /// for several nodes.
    #[arg(long, value_name = "NAME=PID:DIR")]
    pub(crate) node: Vec<Watched>,
    /// Name of the measurement, for the report.
    #[arg(long, default_value = "load")]
    pub(crate) case: String,
    /// What is measured, where two things are compared.
    #[arg(long, default_value = "this")]
    pub(crate) side: String,
    /// Revision of the nodes, for the report.
    #[arg(long, default_value = "unknown")]
    pub(crate) commit: String,
    /// Where chance begins; equal seeds give equal bills and plans.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Number of the first bill; from the clock without it, so that no two runs
    /// on one chain meet.
    #[arg(long)]
    pub(crate) first_number: Option<u64>,
    /// How long to wait for what was accepted, in seconds.
    #[arg(long, default_value_t = 60)]
    pub(crate) drain: u64,
    /// Print the result as one JSON object instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    /// Write the result, as JSON, to this file as well.
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
}

impl Target {
    /// Connections to every node.
    pub(crate) async fn connect(&self) -> anyhow::Result<Vec<Connection>> {
        let mut nodes = Vec::new();
        for url in &self.rpc {
            nodes.push(Connection::open(url).await?);
        }
        Ok(nodes)
    }

    /// The record of a run with `setting`, to be filled.
    pub(super) fn record(&self, setting: Setting) -> LoadRecord {
        LoadRecord {
            record: "load".to_owned(),
            case: self.case.clone(),
            side: self.side.clone(),
            commit: self.commit.clone(),
            machine: Machine::of(self.node.first().map(|node| node.directory.as_path())),
            setting,
            ..LoadRecord::default()
        }
    }
}
