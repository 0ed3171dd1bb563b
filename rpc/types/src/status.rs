//! Where a node stands: its consensus, its peers and its machine.

use crate::schema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sp_core::H256;

/// What a node says of itself. Times are of its own clock.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ConsensusStatusView {
    /// The node.
    pub node: NodeStatusView,
    /// The chain that it follows, and its head.
    pub chain: ChainStatusView,
    /// Height at hand: being decided, or the next one while it waits.
    pub height: u64,
    /// Round of the height; above 0 a proposer was missing or late.
    pub round: u32,
    /// What is being done about the height.
    pub phase: PhaseView,
    /// When height, round or phase changed last.
    pub since: u64,
    /// The votes that the node has verified in the round at hand, or in the last round
    /// while it waits for the next height; null if its engine did not answer in time.
    pub votes: Option<VotesView>,
    /// The validators of the next block.
    pub validators: Vec<ValidatorSeenView>,
    /// The other nodes of the chain.
    pub peers: Vec<PeerSeenView>,
    /// The machine.
    pub machine: MachineView,
}

/// A node.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct NodeStatusView {
    /// Its name.
    pub name: String,
    /// Version of its program.
    pub version: String,
    /// Its libp2p identity.
    pub peer_id: String,
    /// Its clock.
    pub time: u64,
    /// When it started.
    pub started: u64,
    /// Account of its consensus key; null if it has none.
    #[schemars(with = "Option<schema::Hash>")]
    pub key: Option<H256>,
    /// Whether its identity is a validator's or an observer's at its head.
    pub is_member: bool,
    /// Whether its key votes at the height at hand.
    pub votes: bool,
    /// It follows without its vote up to this height, where it may have signed.
    pub abstains_until: Option<u64>,
    /// Height up to which its memory of signatures lets it sign nothing anew; null if it
    /// has none.
    pub signed: Option<u64>,
    /// Least time after which an empty block comes, by its configuration, in ms.
    pub empty_interval: u64,
}

/// The chain as a node has it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ChainStatusView {
    /// Hash of the genesis.
    #[schemars(with = "schema::Hash")]
    pub genesis: H256,
    /// Name of the runtime's specification.
    pub spec_name: String,
    /// Rules of the node's program.
    pub release: u32,
    /// Rules that its newest block was made under.
    pub rules: u32,
    /// Number of the newest block.
    pub number: u32,
    /// Its hash.
    #[schemars(with = "schema::Hash")]
    pub hash: H256,
    /// Root of the state after it.
    #[schemars(with = "schema::Hash")]
    pub state_root: H256,
    /// Its time; 0 in the genesis.
    pub time: u64,
    /// The oldest block whose body is here: older ones are fetched, or were let go. 0 of
    /// nodes that do not say it yet.
    #[serde(default)]
    pub first_block: u32,
    /// The index lacks entries of blocks up to this one, which are fetched; null if it
    /// is whole.
    pub index_lacks_to: Option<u32>,
}

/// What is being done about a height.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PhaseView {
    /// Consensus has not begun.
    Starting,
    /// Validators decide.
    Deciding,
    /// It is decided, and the block is asked from peers.
    Fetching,
    /// The block is being written.
    Committing,
    /// The block before is final; this height begins with work, or when an empty block
    /// is due.
    Waiting,
}

/// The votes of a round.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct VotesView {
    /// Height of the round.
    pub height: u64,
    /// The round.
    pub round: u32,
    /// Step of the round.
    pub step: RoundStepView,
    /// Account of the key whose turn it is to propose.
    #[schemars(with = "Option<schema::Hash>")]
    pub proposer: Option<H256>,
}

/// A step of a round.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoundStepView {
    /// It has not begun.
    New,
    /// A proposal is waited for.
    Propose,
    /// First votes are waited for.
    Prevote,
    /// Second votes are waited for.
    Precommit,
    /// It is decided.
    Decided,
}

/// What was seen of a validator.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ValidatorSeenView {
    /// Account of its consensus key.
    #[schemars(with = "schema::Hash")]
    pub key: H256,
    /// Its name.
    pub name: String,
    /// Its voting power.
    pub power: u64,
    /// Its first vote in the round of `votes`.
    pub prevote: VoteSeenView,
    /// Its second vote in the round of `votes`.
    pub precommit: VoteSeenView,
    /// The last of its votes that was seen since the node started; at most one a second
    /// is noted.
    pub last: Option<LastVoteView>,
}

/// A vote, if it was seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VoteSeenView {
    /// It is missing.
    Missing,
    /// For no block.
    Nil,
    /// For a block.
    Block,
}

/// When a validator's vote was seen last.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct LastVoteView {
    /// Height of the vote.
    pub height: u64,
    /// Round of the vote.
    pub round: u32,
    /// When it came.
    pub at: u64,
}

/// What was seen of another node of the chain.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PeerSeenView {
    /// Its libp2p identity.
    pub peer_id: String,
    /// Its name.
    pub name: String,
    /// Whether it is a validator's node.
    pub validator: bool,
    /// Since when it is connected for consensus (TCP); null if it is not.
    pub connected: Option<u64>,
    /// When something was heard from it last since this node started.
    pub heard: Option<u64>,
    /// Whether it is connected for transactions (UDP).
    pub gossip: bool,
}

/// The machine of a node. What the system does not tell is null.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MachineView {
    /// The disk of its data.
    pub disk: Option<DiskView>,
    /// Memory of the process, in bytes.
    pub memory: Option<u64>,
    /// Memory that the machine can give, in bytes.
    pub memory_available: Option<u64>,
    /// Files that the process has open.
    pub files: Option<u64>,
    /// Files that it may have open.
    pub files_limit: Option<u64>,
}

/// The fullest disk that a node's data lies on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DiskView {
    /// Bytes that the node can still write.
    pub free: u64,
    /// Bytes of the disk.
    pub total: u64,
    /// Bytes below which the node takes no work (`storage.min_free_mib`).
    pub least: u64,
    /// Whether it takes none now.
    pub is_low: bool,
}
