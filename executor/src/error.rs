//! What can go wrong with a block, and what with the chain itself.

use crate::{OtherRules, Panicked, TransactionError};
use billchain_primitives::{BlockNumber, Hash, Moment};
use billchain_runtime::limits::{MAX_AHEAD_MS, MAX_BEHIND_MS, MAX_CLOCK_BACK_MS};
use billchain_storage::StorageError;

/// Why the local chain cannot go on, or cannot answer. Nothing of this says
/// anything about a block or a transaction.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The data directory belongs to another chain.
    #[error(
        "the data directory holds a chain with genesis {genesis:?}, made from the chain \
         specification with SM3 {found:?}; the one at hand has {expected:?}: use the directory's \
         chain specification or another directory"
    )]
    OtherDocument {
        /// Digest of the chain specification at hand.
        expected: Hash,
        /// Digest of the one that the chain was made from.
        found: Hash,
        /// Hash of the chain's first block.
        genesis: Hash,
    },
    /// The next block is under rules that this release does not have.
    #[error(transparent)]
    OtherRules(OtherRules),
    /// What is stored under a key or as a block does not decode.
    #[error("stored {what} does not decode: {reason}")]
    Undecodable {
        /// What it is.
        what: String,
        /// The decoder's reason.
        reason: String,
    },
    /// The node-local index lacks what every block has.
    #[error(
        "the events of block {number} are missing from the node's index; stop the node and run \
         billchain reindex"
    )]
    EventsMissing {
        /// Number of the block.
        number: BlockNumber,
    },
    /// The head moved while a block was built or checked on it.
    #[error("the head moved on from {expected} to {found}")]
    HeadMoved {
        /// The head worked on.
        expected: Hash,
        /// The head now.
        found: Hash,
    },
    /// The runtime wanted something this chain does not have.
    #[error("the runtime asked for {0}, which this chain does not have")]
    Unsupported(&'static str),
    /// The runtime failed where it must not.
    #[error("{doing}: {source}")]
    Runtime {
        /// What was done.
        doing: &'static str,
        /// How it failed.
        source: Panicked,
    },
    /// The proposer's own inherent was refused.
    #[error("the block's own inherent was refused: {0}")]
    Inherent(TransactionError),
    /// A block does not stand on the head.
    #[error("block {found} does not follow the head, block {head}")]
    NotNext {
        /// Number of the head.
        head: BlockNumber,
        /// Number of the block.
        found: BlockNumber,
    },
}

/// Why a block is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BlockError {
    /// More bytes than a block may have.
    #[error("block: {found} bytes, expected at most {limit}")]
    TooLarge {
        /// Bytes found.
        found: usize,
        /// Most bytes.
        limit: usize,
    },
    /// The bytes do not decode.
    #[error("block: the bytes do not decode: {0}")]
    Malformed(String),
    /// The bytes decode, but to something that is encoded otherwise.
    #[error("block: the bytes are not the canonical encoding of what they mean")]
    NotCanonical,
    /// It stands on another block than the head.
    #[error("block: parent is {found}, expected the head {expected}")]
    WrongParent {
        /// The head's hash.
        expected: Hash,
        /// The parent found.
        found: Hash,
    },
    /// Its number is not the next one.
    #[error("block: number is {found}, expected {expected}")]
    WrongNumber {
        /// The next number.
        expected: BlockNumber,
        /// The number found.
        found: BlockNumber,
    },
    /// Its header's digest is not what executing it gives.
    #[error(
        "block: digest has {found} items, expected {expected} with the content the runtime gives"
    )]
    WrongDigest {
        /// Items expected.
        expected: usize,
        /// Items found.
        found: usize,
    },
    /// Its header commits to other extrinsics than it has.
    #[error("block: extrinsics root is {found}, its extrinsics give {expected}")]
    WrongExtrinsicsRoot {
        /// What the extrinsics give.
        expected: Hash,
        /// What the header says.
        found: Hash,
    },
    /// Its header commits to another state than executing it gives.
    #[error("block: state root is {found}, executing it gives {expected}")]
    WrongStateRoot {
        /// What executing gives.
        expected: Hash,
        /// What the header says.
        found: Hash,
    },
    /// It does not begin with its timestamp.
    #[error("block: the first extrinsic is not the timestamp")]
    NoTimestamp,
    /// It has an unsigned extrinsic that is not its timestamp.
    #[error("block: extrinsic {index} is unsigned; only the timestamp at index 0 may be")]
    Unsigned {
        /// Index of the extrinsic.
        index: usize,
    },
    /// Its time is not after its parent's.
    #[error("block: time is {found} ms, expected more than the parent's {parent} ms")]
    TimeNotAfterParent {
        /// The parent's time.
        parent: Moment,
        /// The time found.
        found: Moment,
    },
    /// Its time is ahead of the local clock.
    #[error(
        "block: time is {found} ms, over {} ms ahead of the clock's {now} ms, or over {} ms as \
         the least after its parent",
        MAX_AHEAD_MS,
        MAX_CLOCK_BACK_MS
    )]
    TimeAhead {
        /// The local clock.
        now: Moment,
        /// The time found.
        found: Moment,
    },
    /// Its time is behind the local clock.
    #[error("block: time is {found} ms, over {} ms behind the clock's {now} ms", MAX_BEHIND_MS)]
    TimeBehind {
        /// The local clock.
        now: Moment,
        /// The time found.
        found: Moment,
    },
    /// It holds a transaction that is not valid.
    #[error("block: extrinsic {index} ({hash}): {reason}")]
    Transaction {
        /// Index of the extrinsic.
        index: usize,
        /// Its hash.
        hash: Hash,
        /// What is wrong with it.
        reason: TransactionError,
    },
    /// The runtime fails on it.
    #[error("block: {0}")]
    Panicked(#[from] Panicked),
    /// It could not be judged: the fault is here, not in the block.
    #[error(transparent)]
    Local(#[from] ChainError),
}

impl BlockError {
    /// Whether the block could not be judged, for a reason of this node's own.
    pub fn is_local(&self) -> bool {
        matches!(self, Self::Local(_))
    }
}

/// Why a runtime API call gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// There is no such method.
    #[error("runtime API: unknown method \"{0}\"")]
    UnknownMethod(String),
    /// The method failed, most often because its arguments do not decode.
    #[error("runtime API: {0}")]
    Failed(#[from] Panicked),
    /// The state could not be read.
    #[error(transparent)]
    Chain(#[from] ChainError),
}
