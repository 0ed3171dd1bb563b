//! `billchain admin nodes`.

use super::{Act, options::Why};
use anyhow::Result;
use billchain_primitives::{Did, Hash, Name, PublicKey};
use billchain_runtime::Runtime;
use clap::Subcommand;
use pallet_access_node::{NodeStatus, Registration};
use serde_json::{Value, json};

type Call = pallet_access_node::Call<Runtime>;

/// Actions on access nodes.
#[derive(Subcommand)]
pub(super) enum Action {
    /// Register an access node (a motion of the council).
    Register {
        /// Its DID.
        node: Did,
        /// Name of who runs it.
        #[arg(long)]
        operator_name: Name,
        /// SM3 of its identity credential.
        #[arg(long)]
        credential_hash: Hash,
        /// Its SM2 key, sm2:02…
        #[arg(long)]
        public_key: PublicKey,
    },
    /// Link a node to a participant (a motion of the council).
    Link {
        /// DID of the node.
        node: Did,
        /// DID of the participant.
        participant: Did,
    },
    /// Take a link away (a motion of the council).
    Unlink {
        /// DID of the node.
        node: Did,
        /// DID of the participant.
        participant: Did,
        #[command(flatten)]
        why: Why,
    },
    /// Pause a node at once (a security administrator).
    Pause {
        /// Its DID.
        node: Did,
        #[command(flatten)]
        why: Why,
    },
    /// Put a paused node back into normal operation (a security
    /// administrator).
    Resume {
        /// Its DID.
        node: Did,
        #[command(flatten)]
        why: Why,
    },
    /// Disable a node for good (a motion of the council).
    Disable {
        /// Its DID.
        node: Did,
        #[command(flatten)]
        why: Why,
    },
    /// Show a node.
    Show {
        /// Its DID.
        node: Did,
    },
    /// Show what became of a node.
    History {
        /// Its DID.
        node: Did,
        /// Where to go on: `next` of the page before.
        #[arg(long)]
        cursor: Option<String>,
    },
    /// List the nodes of a participant.
    Of {
        /// DID of the participant.
        participant: Did,
    },
    /// List all nodes.
    List {
        /// Where to go on: `next` of the page before.
        #[arg(long)]
        cursor: Option<String>,
    },
}

impl Action {
    pub(super) fn act(&self) -> Result<Act> {
        let set = |node: &Did, status, why: &Why| Call::set_status {
            node: node.clone(),
            status,
            reason: why.reason.clone(),
        };
        match self {
            Self::Register { node, operator_name, credential_hash, public_key } => {
                let registration = Registration {
                    node: node.clone(),
                    operator_name: operator_name.clone(),
                    credential_hash: *credential_hash,
                    public_key: public_key.clone(),
                };
                Act::motion(Call::register { registration })
            }
            Self::Link { node, participant } => {
                Act::motion(Call::link { node: node.clone(), participant: participant.clone() })
            }
            Self::Unlink { node, participant, why } => Act::motion(Call::unlink {
                node: node.clone(),
                participant: participant.clone(),
                reason: why.reason.clone(),
            }),
            Self::Pause { node, why } => Act::own_or_motion(set(node, NodeStatus::Paused, why)),
            Self::Resume { node, why } => Act::own_or_motion(set(node, NodeStatus::Normal, why)),
            Self::Disable { node, why } => Act::motion(set(node, NodeStatus::Disabled, why)),
            Self::Show { node } => Act::read("node_get", [json!(node)]),
            Self::History { node, cursor } => {
                Act::read("node_history", [json!(node), json!(cursor), Value::Null])
            }
            Self::Of { participant } => Act::read("node_byParticipant", [json!(participant)]),
            Self::List { cursor } => Act::read("node_list", [json!(cursor), Value::Null]),
        }
    }
}
