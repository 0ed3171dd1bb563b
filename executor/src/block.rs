//! Blocks on their way into the chain.

use crate::{
    OpaqueTx, TransactionError,
    externalities::{IndexDelta, StateDelta},
};
use billchain_primitives::{
    AccountId, BlockNumber, Equivocation, Hash, Header, Moment, ParentCommit,
};
use billchain_storage::{Cooling, EventGroup};
use std::{collections::BTreeSet, time::Instant};

/// What a proposer wants of its block.
#[derive(Clone, Copy, Debug)]
pub struct BuildParams {
    /// The block's time in milliseconds. If it is not after the parent's, the
    /// block takes the first moment after it.
    pub timestamp_ms: Moment,
    /// Most bytes of the encoded block; the chain's own limit holds as well.
    pub max_block_bytes: usize,
    /// When to stop adding transactions.
    pub deadline: Instant,
}

/// What a proposer brings into its block beside transactions.
#[derive(Clone, Debug, Default)]
pub struct Brought<'a> {
    /// The commit of the head; none on a chain that nobody decides.
    pub commit: Option<ParentCommit>,
    /// Equivocations, of which the block reports those that the chain records in it:
    /// as many as one block may, in their order.
    pub equivocations: &'a [Equivocation],
}

/// The inherents of a block, which come before its transactions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inherents {
    /// How many there are: the block's time, and what follows.
    pub count: usize,
    /// Whether it brings the commit of its parent.
    pub commit: bool,
    /// Whether it reports equivocations.
    pub equivocations: bool,
}

/// How a block's time is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockCheck {
    /// A proposal: its time may differ from the local clock within the chain's
    /// bounds, [`MAX_AHEAD_MS`](billchain_runtime::limits::MAX_AHEAD_MS) and
    /// [`MAX_BEHIND_MS`](billchain_runtime::limits::MAX_BEHIND_MS).
    Proposal {
        /// The local clock, in milliseconds.
        now_ms: Moment,
    },
    /// A block others decided: only the order of times is checked.
    Decided,
}

/// A block that was executed on the head and can be committed.
#[derive(Clone, Debug)]
pub struct ExecutedBlock {
    pub(crate) header: Header,
    pub(crate) hash: Hash,
    pub(crate) bytes: OpaqueTx,
    pub(crate) timestamp_ms: Moment,
    pub(crate) delta: StateDelta,
    pub(crate) index: IndexDelta,
    pub(crate) events: Vec<EventGroup>,
    pub(crate) cooling: Cooling,
    pub(crate) tx_hashes: Vec<Hash>,
    pub(crate) inherents: Inherents,
    pub(crate) senders: BTreeSet<AccountId>,
}

impl ExecutedBlock {
    /// What stands before its transactions.
    pub fn inherents(&self) -> Inherents {
        self.inherents
    }

    /// Hash of the header: the block's name.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Number in the chain.
    pub fn number(&self) -> BlockNumber {
        self.header.number
    }

    /// The encoded block.
    pub fn bytes(&self) -> &bytes::Bytes {
        &self.bytes
    }

    /// The block's time in milliseconds.
    pub fn timestamp_ms(&self) -> Moment {
        self.timestamp_ms
    }

    /// Hashes of all extrinsics, the inherents, which come first, included.
    pub fn tx_hashes(&self) -> &[Hash] {
        &self.tx_hashes
    }

    /// Accounts that signed its transactions.
    pub fn senders(&self) -> &BTreeSet<AccountId> {
        &self.senders
    }

    /// Number of transactions, inherents not counted.
    pub fn transaction_count(&self) -> usize {
        self.tx_hashes.len().saturating_sub(self.inherents.count)
    }

    /// Keys of the state that the block changes.
    pub fn changed_keys(&self) -> usize {
        self.delta.len()
    }
}

impl CommittedBlock {
    /// Number of transactions, inherents not counted.
    pub fn transaction_count(&self) -> usize {
        self.tx_hashes.len().saturating_sub(self.inherents.count)
    }
}

/// A block one has built, and what was found wrong on the way.
#[derive(Clone, Debug)]
pub struct Built {
    /// The block; it may hold no transactions.
    pub block: ExecutedBlock,
    /// Transactions that can not be in this or a later block as things stand:
    /// the pool should drop them.
    pub refused: Vec<Refused>,
    /// Why no more transactions were added.
    pub stopped: Stopped,
}

/// Why a proposer stopped adding transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// There were no more.
    Exhausted,
    /// The time was over.
    Deadline,
    /// The block is full, in bytes or in weight.
    Full,
}

/// A transaction that was offered for a block and is not valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its hash.
    pub hash: Hash,
    /// Why.
    pub reason: TransactionError,
}

/// News of a block that was committed.
#[derive(Clone, Debug)]
pub struct CommittedBlock {
    /// Hash of the block.
    pub hash: Hash,
    /// Its header.
    pub header: Header,
    /// Its time in milliseconds.
    pub timestamp_ms: Moment,
    /// Hashes of all extrinsics, in order, the inherents included.
    pub tx_hashes: Vec<Hash>,
    /// Which of them are inherents.
    pub inherents: Inherents,
    /// Accounts that signed its transactions: those whose nonces it changed.
    pub senders: BTreeSet<AccountId>,
    /// The encoded block.
    pub bytes: bytes::Bytes,
}
