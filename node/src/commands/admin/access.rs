//! `billchain admin access`.

use super::Act;
use anyhow::Result;
use clap::Subcommand;

/// Actions on a node's configuration of access.
#[derive(Subcommand)]
pub(super) enum Action {
    /// Have the node read its access.file again, whole or not at all. On the node's machine.
    Reload,
    /// Show the last line of the node's log of access: its number and hash.
    LogHead,
}

impl Action {
    pub(super) fn act(&self) -> Result<Act> {
        match self {
            Self::Reload => Act::read("access_reload", []),
            Self::LogHead => Act::read("access_logHead", []),
        }
    }
}
