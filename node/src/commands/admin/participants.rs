//! `billchain admin participants`.

use super::{
    Act,
    options::{Code, Roles, Why},
};
use crate::commands::shell::word;
use anyhow::Result;
use billchain_primitives::{Did, Name, PublicKey, seams::ParticipantStatus};
use billchain_runtime::Runtime;
use clap::Subcommand;
use pallet_participant::{ParticipantKind, Registration};
use serde_json::{Value, json};

type Call = pallet_participant::Call<Runtime>;

/// Actions on participants.
#[derive(Subcommand)]
pub(super) enum Action {
    /// Register a participant (a motion of the council).
    Register {
        /// Its DID.
        participant: Did,
        /// Name to show; of a person a pseudonym.
        #[arg(long)]
        name: Name,
        /// organisation or person.
        #[arg(long, default_value = "organisation", value_parser = word::<ParticipantKind>)]
        kind: ParticipantKind,
        /// Its key, such as sm2:02…
        #[arg(long)]
        public_key: PublicKey,
        #[command(flatten)]
        roles: Roles,
        #[command(flatten)]
        code: Code,
    },
    /// Freeze a participant at once (a security administrator).
    Freeze {
        /// Its DID.
        participant: Did,
        #[command(flatten)]
        why: Why,
    },
    /// Make a frozen participant active again (a security administrator).
    Activate {
        /// Its DID.
        participant: Did,
        #[command(flatten)]
        why: Why,
    },
    /// Cancel a participant for good (a motion of the council).
    Cancel {
        /// Its DID.
        participant: Did,
        #[command(flatten)]
        why: Why,
    },
    /// Replace the key of a participant; the participant itself does, with its
    /// present key.
    RotateKey {
        /// Its DID.
        participant: Did,
        /// The new key, such as sm2:02…
        #[arg(long)]
        public_key: PublicKey,
    },
    /// Replace name and 统一社会信用代码 (a motion of the council).
    UpdateInfo {
        /// Its DID.
        participant: Did,
        /// Name to show.
        #[arg(long)]
        name: Name,
        #[command(flatten)]
        code: Code,
    },
    /// Replace the roles of a participant (a motion of the council).
    SetRoles {
        /// Its DID.
        participant: Did,
        #[command(flatten)]
        roles: Roles,
    },
    /// Show a participant.
    Show {
        /// Its DID.
        participant: Did,
    },
    /// Show what became of a participant.
    History {
        /// Its DID.
        participant: Did,
        /// Where to go on: `next` of the page before.
        #[arg(long)]
        cursor: Option<String>,
    },
    /// List all participants.
    List {
        /// Where to go on: `next` of the page before.
        #[arg(long)]
        cursor: Option<String>,
    },
}

impl Action {
    pub(super) fn act(&self) -> Result<Act> {
        let set = |did: &Did, status, why: &Why| Call::set_status {
            did: did.clone(),
            status,
            reason: why.reason.clone(),
        };
        match self {
            Self::Register { participant, name, kind, public_key, roles, code } => {
                let registration = Registration {
                    did: participant.clone(),
                    name: name.clone(),
                    kind: *kind,
                    public_key: public_key.clone(),
                    roles: roles.set(),
                    uscc_hash: code.hash(),
                };
                Act::motion(Call::register { registration })
            }
            Self::Freeze { participant, why } => {
                Act::own_or_motion(set(participant, ParticipantStatus::Frozen, why))
            }
            Self::Activate { participant, why } => {
                Act::own_or_motion(set(participant, ParticipantStatus::Active, why))
            }
            Self::Cancel { participant, why } => {
                Act::motion(set(participant, ParticipantStatus::Cancelled, why))
            }
            Self::RotateKey { participant, public_key } => Act::own_or_motion(Call::rotate_key {
                did: participant.clone(),
                new_public_key: public_key.clone(),
            }),
            Self::UpdateInfo { participant, name, code } => Act::motion(Call::update_info {
                did: participant.clone(),
                name: name.clone(),
                uscc_hash: code.hash(),
            }),
            Self::SetRoles { participant, roles } => {
                Act::motion(Call::set_roles { did: participant.clone(), roles: roles.set() })
            }
            Self::Show { participant } => Act::read("participant_resolve", [json!(participant)]),
            Self::History { participant, cursor } => {
                Act::read("participant_history", [json!(participant), json!(cursor), Value::Null])
            }
            Self::List { cursor } => Act::read("participant_list", [json!(cursor), Value::Null]),
        }
    }
}
