//! Validators: equivocations on record.

use crate::{StampView, schema};
use billchain_primitives::{SignedStatement, Statement, StatementKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sp_core::{H256, H512};

/// An equivocation on record: two signed statements of one validator that exclude
/// each other. The chain has verified both.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct EquivocationView {
    /// Account of the validator's consensus key. With `height` and `kind` it is
    /// what a motion cites.
    #[schemars(with = "schema::Hash")]
    pub offender: H256,
    /// Account of its operator.
    #[schemars(with = "schema::Hash")]
    pub operator: H256,
    /// Height of both statements.
    pub height: u64,
    /// Round of both statements.
    pub round: u32,
    /// Kind of both statements.
    pub kind: StatementKindView,
    /// The smaller of the two.
    pub first: SignedStatementView,
    /// The greater of the two.
    pub second: SignedStatementView,
    /// When, and in which extrinsic, it was recorded.
    pub at: StampView,
}

/// A kind of statements.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatementKindView {
    /// A proposal.
    Proposal,
    /// A first vote.
    Prevote,
    /// A second vote.
    Precommit,
}

impl From<StatementKind> for StatementKindView {
    fn from(kind: StatementKind) -> Self {
        match kind {
            StatementKind::Proposal => Self::Proposal,
            StatementKind::Prevote => Self::Prevote,
            StatementKind::Precommit => Self::Precommit,
        }
    }
}

/// A statement with the signature under it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SignedStatementView {
    /// The block that it is about; none: nil, a vote for no block.
    #[schemars(with = "Option<schema::Hash>")]
    pub block: Option<H256>,
    /// Of a proposal: the earlier round in which the block had two thirds of the
    /// pre-votes.
    pub valid_round: Option<u32>,
    /// The SM2 signature, r ‖ s.
    #[schemars(with = "schema::Bytes")]
    pub signature: H512,
}

impl From<SignedStatement> for SignedStatementView {
    fn from(signed: SignedStatement) -> Self {
        let valid_round = match signed.statement {
            Statement::Proposal { valid_round, .. } => valid_round,
            Statement::Prevote { .. } | Statement::Precommit { .. } => None,
        };
        Self { block: signed.statement.block(), valid_round, signature: H512(signed.signature) }
    }
}

/// The nodes of the chain: those that vote on the next block, and those that follow.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ValidatorListView {
    /// The validators, in the order they were added.
    pub validators: Vec<ValidatorView>,
    /// The observers, in the order they were added.
    pub observers: Vec<ObserverView>,
}

/// A validator (共识节点).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ValidatorView {
    /// Account of its operator.
    #[schemars(with = "schema::Hash")]
    pub operator: H256,
    /// Name to show.
    pub name: String,
    /// Key that it votes with, `sm2:…`.
    pub consensus_key: String,
    /// First height that this key decides.
    pub key_since: u32,
    /// libp2p identity of its node.
    pub peer_id: String,
    /// Where the chain says that its node is reached, `host:port`; null if it does not.
    pub address: Option<String>,
    /// Its voting power.
    pub power: u64,
}

/// How a validator takes part in consensus (共识参与情况), by the commits that blocks bring
/// of their parents.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ParticipationView {
    /// Account of its consensus key, by which events name it.
    #[schemars(with = "schema::Hash")]
    pub validator: H256,
    /// Account of its operator.
    #[schemars(with = "schema::Hash")]
    pub operator: H256,
    /// Name to show.
    pub name: String,
    /// Last blocks in a row whose commits lack its pre-commit.
    pub missed: u32,
    /// Blocks in all whose commits lack it, since its key votes.
    pub missed_in_all: u64,
    /// Last block whose commit holds its pre-commit, 0 if there is none. The commit of
    /// the head is in the next block.
    pub last_seen: u32,
    /// Its last turns in a row in which no block was decided.
    pub failed_turns: u32,
    /// Whether it takes turns to propose in the next block.
    pub takes_turns: bool,
}

/// A node that follows without a vote (观察节点).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ObserverView {
    /// Name to show.
    pub name: String,
    /// Its libp2p identity.
    pub peer_id: String,
    /// Where the chain says that it is reached, `host:port`; null if it does not.
    pub address: Option<String>,
}
