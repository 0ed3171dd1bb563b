//! `billchain admin validators` and `billchain admin observers`.

use super::Act;
use anyhow::{Context, Result};
use billchain_primitives::{AccountId, Hash, Name, Offence, PublicKey, StatementKind};
use billchain_runtime::Runtime;
use clap::{Args, Subcommand, ValueEnum};
use libp2p::PeerId;
use pallet_validators::{NodeAddress, Observer, PeerIdBytes, Validator};

type Call = pallet_validators::Call<Runtime>;

/// Actions on validators. What changes is the council's to decide, and takes effect
/// with the block after the motion is carried.
#[derive(Subcommand)]
pub(super) enum Action {
    /// List the validators (共识节点), and the observers.
    List,
    /// Add a validator (a motion of the council).
    Add {
        /// Key of the operator's account, sm2:02…
        #[arg(long)]
        operator: PublicKey,
        /// Name to show.
        #[arg(long)]
        name: Name,
        /// SM2 key that the node votes with, sm2:02…
        #[arg(long)]
        consensus_key: PublicKey,
        /// libp2p identity of the node, 12D3…
        #[arg(long)]
        peer_id: PeerId,
        /// Voting power.
        #[arg(long, default_value_t = 1)]
        power: u64,
    },
    /// Remove a validator (a motion of the council).
    Remove {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        cites: Cites,
    },
    /// Give a validator another key to vote with (a motion of the council).
    RotateKey {
        #[command(flatten)]
        of: Of,
        /// The new SM2 key, sm2:02…
        #[arg(long)]
        consensus_key: PublicKey,
    },
    /// Give a validator's node another network identity (a motion of the council).
    SetPeerId {
        #[command(flatten)]
        of: Of,
        /// The new libp2p identity, 12D3…
        #[arg(long)]
        peer_id: PeerId,
    },
    /// Say where a validator's node is reached; its operator does, or with --motion the
    /// council.
    SetAddress {
        #[command(flatten)]
        at: At,
    },
    /// Give a validator another operator's account (a motion of the council).
    SetOperator {
        #[command(flatten)]
        of: Of,
        /// Key of the new account, sm2:02…
        #[arg(long)]
        to: PublicKey,
    },
    /// Give a validator's votes another weight (a motion of the council).
    SetPower {
        #[command(flatten)]
        of: Of,
        /// The new voting power.
        #[arg(long)]
        power: u64,
    },
}

/// Actions on observers.
#[derive(Subcommand)]
pub(super) enum ObserverAction {
    /// List the observers (观察节点).
    List,
    /// Add a node that follows without a vote (观察节点; a motion of the council).
    Add {
        /// Name to show.
        #[arg(long)]
        name: Name,
        /// libp2p identity of the node, 12D3…
        #[arg(long)]
        peer_id: PeerId,
    },
    /// Say where an observer is reached (a motion of the council).
    SetAddress {
        #[command(flatten)]
        at: At,
    },
    /// Remove an observer (a motion of the council).
    Remove {
        /// libp2p identity of the node.
        #[arg(long)]
        peer_id: PeerId,
    },
}

/// Whose validator.
#[derive(Args)]
pub(super) struct Of {
    /// Account of its operator, as list shows it.
    #[arg(long)]
    operator: Hash,
}

impl Of {
    fn account(&self) -> AccountId {
        AccountId::new(self.operator.0)
    }
}

/// Which node, and where it is reached.
#[derive(Args)]
pub(super) struct At {
    /// libp2p identity of the node, 12D3…
    #[arg(long)]
    peer_id: PeerId,
    /// Where its peers reach it, HOST:PORT: TCP for consensus, UDP for transactions.
    #[arg(long, required_unless_present = "none", conflicts_with = "none")]
    address: Option<NodeAddress>,
    /// The chain says nothing about it any more.
    #[arg(long)]
    none: bool,
}

impl At {
    fn call(&self) -> Result<Call> {
        Ok(Call::set_address { peer_id: identity(&self.peer_id)?, address: self.address.clone() })
    }
}

/// An equivocation on record that a motion cites, as validator_equivocations shows it.
#[derive(Args)]
pub(super) struct Cites {
    /// Account of the consensus key that signed twice.
    #[arg(long, requires_all = ["height", "kind"])]
    offender: Option<Hash>,
    /// Height of both statements.
    #[arg(long, requires = "offender")]
    height: Option<u64>,
    /// Kind of both statements.
    #[arg(long, value_enum, requires = "offender")]
    kind: Option<Kind>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Proposal,
    Prevote,
    Precommit,
}

impl Cites {
    fn offence(&self) -> Option<Offence> {
        let Self { offender: Some(offender), height: Some(height), kind: Some(kind) } = self else {
            return None;
        };
        let kind = match kind {
            Kind::Proposal => StatementKind::Proposal,
            Kind::Prevote => StatementKind::Prevote,
            Kind::Precommit => StatementKind::Precommit,
        };
        Some(Offence { offender: AccountId::new(offender.0), height: *height, kind })
    }
}

/// The bytes of a key that votes.
fn consensus_key(key: &PublicKey) -> Result<[u8; 33]> {
    match key {
        PublicKey::Sm2(key) => Ok(*key),
        _ => anyhow::bail!("--consensus-key: expected an SM2 key, sm2:…, found {key}"),
    }
}

fn identity(peer_id: &PeerId) -> Result<PeerIdBytes> {
    let bytes = peer_id.to_bytes().try_into();
    bytes.ok().with_context(|| format!("--peer-id {peer_id}: longer than an identity may be"))
}

impl Action {
    pub(super) fn act(&self) -> Result<Act> {
        match self {
            Self::List => Act::read("validator_list", []),
            Self::Add { operator, name, consensus_key: key, peer_id, power } => {
                let validator = Validator {
                    operator: operator.account_id(),
                    name: name.clone(),
                    consensus_key: consensus_key(key)?,
                    peer_id: identity(peer_id)?,
                    power: *power,
                };
                Act::motion(Call::add_validator { validator })
            }
            Self::Remove { of, cites } => Act::motion(Call::remove_validator {
                operator: of.account(),
                evidence: cites.offence(),
            }),
            Self::RotateKey { of, consensus_key: key } => Act::motion(Call::rotate_validator_key {
                operator: of.account(),
                key: consensus_key(key)?,
            }),
            Self::SetPeerId { of, peer_id } => Act::motion(Call::set_peer_id {
                operator: of.account(),
                peer_id: identity(peer_id)?,
            }),
            Self::SetAddress { at } => Act::own_or_motion(at.call()?),
            Self::SetOperator { of, to } => {
                Act::motion(Call::set_operator { operator: of.account(), to: to.account_id() })
            }
            Self::SetPower { of, power } => {
                Act::motion(Call::set_power { operator: of.account(), power: *power })
            }
        }
    }
}

impl ObserverAction {
    pub(super) fn act(&self) -> Result<Act> {
        match self {
            Self::List => Ok(Act::ReadField("validator_list", "observers")),
            Self::Add { name, peer_id } => {
                let observer = Observer { name: name.clone(), peer_id: identity(peer_id)? };
                Act::motion(Call::add_observer { observer })
            }
            Self::SetAddress { at } => Act::motion(at.call()?),
            Self::Remove { peer_id } => {
                Act::motion(Call::remove_observer { peer_id: identity(peer_id)? })
            }
        }
    }
}
