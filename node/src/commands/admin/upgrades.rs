//! `billchain admin upgrades`.

use super::Act;
use anyhow::Result;
use billchain_primitives::Hash;
use billchain_runtime::Runtime;
use clap::{Args, Subcommand};
use pallet_upgrade::Release;

type Call = pallet_upgrade::Call<Runtime>;

/// Actions on releases.
#[derive(Subcommand)]
pub(super) enum Action {
    /// Show the rules in force, the scheduled release, and who is ready.
    Show,
    /// Schedule a release (a motion of the council).
    Schedule {
        #[command(flatten)]
        release: Named,
        /// The first block under its rules.
        #[arg(long)]
        height: u32,
    },
    /// Withdraw the scheduled release (a motion of the council).
    Cancel,
    /// Say that this operator's node is ready for the scheduled release.
    Confirm {
        #[command(flatten)]
        release: Named,
    },
    /// Take the confirmation back.
    Withdraw,
}

/// A release as motions and confirmations name it.
#[derive(Args)]
pub(super) struct Named {
    /// Its rules, as billchain release rules prints them.
    #[arg(long)]
    rules: u32,
    /// SM3 of its manifest, as billchain release manifest prints it.
    #[arg(long)]
    manifest: Hash,
}

impl Action {
    pub(super) fn act(&self) -> Result<Act> {
        match self {
            Self::Show => Act::read("upgrade_status", []),
            Self::Schedule { release: Named { rules, manifest }, height } => {
                let release = Release { rules: *rules, height: *height, manifest: *manifest };
                Act::motion(Call::schedule { release })
            }
            Self::Cancel => Act::motion(Call::cancel {}),
            Self::Confirm { release: Named { rules, manifest } } => {
                Act::own(Call::confirm { rules: *rules, manifest: *manifest })
            }
            Self::Withdraw => Act::own(Call::withdraw {}),
        }
    }
}
