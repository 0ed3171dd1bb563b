//! `billchain admin access`.

use super::Act;
use anyhow::{Context, Result, ensure};
use billchain_client::Connection;
use billchain_primitives::AccountId;
use billchain_rpc_types::AccessLogHeadView;
use billchain_runtime::Runtime;
use clap::Subcommand;
use serde_json::json;

type Call = pallet_access_log::Call<Runtime>;

/// Actions on a node's configuration of access.
#[derive(Subcommand)]
pub(super) enum Action {
    /// Have the node read its access.file again, whole or not at all. On the node's machine.
    Reload,
    /// Anchor the last line of the node's log of access on the chain, as the node's operator;
    /// once a day.
    AnchorLog,
    /// Show where the log of an operator's node stood, by day.
    Anchors {
        /// Account of the operator.
        #[arg(long)]
        operator: AccountId,
    },
    /// Show the last line of the node's log of access: its number and hash.
    LogHead,
}

impl Action {
    pub(super) async fn act(&self, node: &Connection) -> Result<Act> {
        match self {
            Self::AnchorLog => {
                let head: Option<AccessLogHeadView> =
                    serde_json::from_value(node.read("access_logHead", Vec::new()).await?)?;
                let head = head.context("the node keeps no log of access")?;
                ensure!(head.number > 0, "the log of access has no line yet");
                Act::own(Call::anchor { number: head.number, hash: head.hash })
            }
            Self::Anchors { operator } => {
                Act::read("access_anchors", [json!(operator.to_string())])
            }
            Self::Reload => Act::read("access_reload", []),
            Self::LogHead => Act::read("access_logHead", []),
        }
    }
}
