//! What consensus needs from the node.

use std::time::Instant;

use billchain_primitives::{Equivocation, Hash, LatePrecommit};
use bytes::Bytes;
use futures::future::BoxFuture;
use malachitebft_app_channel::app::net::{Multiaddr, PeerId};
use thiserror::Error;

use crate::certificate::CommitCertificate;
use crate::types::{Address, Height, ValidatorSet};

/// The block that consensus wants to propose.
#[derive(Clone, Debug)]
pub struct BlockRequest {
    /// Most bytes of it.
    pub max_bytes: usize,
    /// When to stop adding transactions.
    pub deadline: Instant,
    /// Pre-commits to the head and to blocks before it that are not in the
    /// certificates of these blocks: the latest of each validator, verified, ascending
    /// by validator.
    pub late: Vec<LatePrecommit>,
}

/// A block built to be proposed.
#[derive(Clone, Debug)]
pub struct ProposedBlock {
    /// Hash of the block.
    pub hash: Hash,
    /// The encoded block.
    pub bytes: Bytes,
    /// Its compact block, which the peers can [expand](Application::expand);
    /// without one the block is sent whole.
    pub compact: Option<Bytes>,
}

/// A block that was decided, as it is served to a peer that catches up.
#[derive(Clone, Debug)]
pub struct DecidedBlock {
    /// The encoded block.
    pub bytes: Bytes,
    /// What was given to [`Application::commit`] with it.
    pub certificate: CommitCertificate,
}

/// Why a block is being checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckMode {
    /// It is proposed now: its time must also agree with the local clock.
    Proposal,
    /// Two thirds have voted for it already, in an earlier round or at a height
    /// this node catches up with: its time was judged when it was proposed and
    /// may lie in the past.
    Voted,
}

/// What the application says about a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckOutcome {
    /// It follows from the head and may be voted for.
    Valid {
        /// Its hash, computed from the bytes.
        hash: Hash,
    },
    /// It must not be voted for.
    Invalid {
        /// Why, for the log.
        reason: String,
    },
    /// Its time does not agree with the local clock: it must not be voted for
    /// unless two thirds have voted for it before. Only in
    /// [`CheckMode::Proposal`].
    Untimely {
        /// Why, for the log.
        reason: String,
    },
}

/// The peers that may connect: addresses, each ending in `/p2p/<peer id>`;
/// without an address in front the peer may connect but is not dialled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedPeers {
    /// Nodes of validators. Only these send blocks, each within bounds of its own.
    pub validators: Vec<Multiaddr>,
    /// Nodes that follow.
    pub observers: Vec<Multiaddr>,
}

/// Why the application could not do as asked.
#[derive(Debug, Error)]
pub enum AppError {
    /// Nothing is damaged; this round goes on without it.
    #[error("not now: {0}")]
    Skip(String),
    /// The node cannot go on. Consensus stops with this error.
    #[error("{0}")]
    Fatal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl AppError {
    /// A fatal error.
    pub fn new(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Fatal(error.into())
    }
}

/// The node's chain, as consensus drives it.
///
/// `propose`, `check`, `commit`, `report` and the reads that follow a commit
/// (`next_height`, `validator_set`, `allowed_peers`) are called from one thread
/// of their own, one at a time, so they may take as long as a block takes and
/// never overlap. `expand`, `decided` and `earliest` may be called beside
/// them, from other threads.
pub trait Application: Send + Sync + 'static {
    /// Height of the next block to decide: the head's number plus one.
    fn next_height(&self) -> Height;

    /// Validators of [`next_height`](Self::next_height), from the head's state.
    fn validator_set(&self) -> Result<ValidatorSet, AppError>;

    /// Whether the chain has put the key of `now` in the place of the key of `before`,
    /// which votes no more, from the head's state: both are one validator's.
    fn succeeds(&self, before: &Address, now: &Address) -> Result<bool, AppError>;

    /// The peers that may connect, from the head's validators and observers.
    /// This node's own address is ignored.
    fn allowed_peers(&self) -> Result<AllowedPeers, AppError>;

    /// Builds a block on the head. An empty block is a good answer.
    fn propose(&self, height: Height, wanted: BlockRequest) -> Result<ProposedBlock, AppError>;

    /// The block whose [compact block](ProposedBlock::compact) `peer` sent, encoded,
    /// in at most `max_bytes`; what is missing may be asked from peers. An error
    /// says why not, for the log: consensus then goes on without the block.
    ///
    /// Consensus bounds the time and the number of such calls, may drop the
    /// future at any point, and compares the result with what the proposer
    /// signed, so this need not.
    fn expand(
        &self,
        peer: PeerId,
        compact: Bytes,
        max_bytes: usize,
    ) -> BoxFuture<'static, Result<Bytes, String>>;

    /// Executes and checks a block that claims to follow the head. `bytes` come
    /// from a peer. The verdict must be the same on every node, except for what
    /// [`CheckMode::Proposal`] says about clocks.
    fn check(
        &self,
        height: Height,
        bytes: &Bytes,
        mode: CheckMode,
    ) -> Result<CheckOutcome, AppError>;

    /// Makes a block final: durable when it returns. The block was checked or
    /// built before, possibly by an earlier run of the process, so what `check`
    /// prepared may be missing and the block need executing again. Any error
    /// stops consensus.
    ///
    /// When it returns, [`work_ready`](Self::work_ready) no longer counts the
    /// transactions of this block.
    fn commit(
        &self,
        height: Height,
        hash: Hash,
        bytes: &Bytes,
        certificate: &CommitCertificate,
    ) -> Result<(), AppError>;

    /// Takes up what was seen of validators that signed two statements where they
    /// may sign one, at a height that is decided, so that a block of this node
    /// tells the chain. One for each validator, height and kind of statement.
    ///
    /// It is called once for what was seen, after the height's commit, and not at
    /// all for what was seen just before the process ended: the other validators
    /// have seen it too. Any error stops consensus.
    fn report(&self, equivocations: Vec<Equivocation>) -> Result<(), AppError>;

    /// The decided block of a height, if it is kept.
    fn decided(&self, height: Height) -> Result<Option<DecidedBlock>, AppError>;

    /// Lowest height that [`decided`](Self::decided) can answer; 1 on a node
    /// that keeps everything.
    fn earliest(&self) -> Height;

    /// Resolves when there is a transaction to put into the next block: at once
    /// if there is one already. May be dropped before it resolves.
    fn work_ready(&self) -> BoxFuture<'static, ()>;
}
