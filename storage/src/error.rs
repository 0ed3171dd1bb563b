//! What can go wrong in the store.

use crate::SystemCause;
use billchain_cold::ColdError;
use sp_core::H256;
use std::{io, path::PathBuf};

/// Why the store refused or failed.
///
/// After [`System`](Self::System), [`Database`](Self::Database),
/// [`Commitment`](Self::Commitment) or [`Corrupt`](Self::Corrupt) from a commit the store is
/// [`Stopped`](Self::Stopped): the node must end, and start again from what is
/// on disk.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// Another process, or another part of this one, uses the directory.
    #[error("{} is in use by another process; one node at a time may use a data directory", path.display())]
    Locked {
        /// The data directory.
        path: PathBuf,
    },
    /// The directory was to exist and does not.
    #[error("no database in {}; expected one that was made before", path.display())]
    Missing {
        /// The data directory.
        path: PathBuf,
    },
    /// Stored data are damaged, or contradict one another.
    #[error("damaged database in {}: {what}", path.display())]
    Corrupt {
        /// What is damaged, and what was expected.
        what: String,
        /// The directory it is in.
        path: PathBuf,
    },
    /// The directory was written in another format.
    #[error("{} has database format {found}, this program reads format {expected}", path.display())]
    VersionMismatch {
        /// Format found.
        found: u32,
        /// Format this program reads and writes.
        expected: u32,
        /// The data directory.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot {action} {}: {source}{}", path.display(), advice(source))]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The operating system refused what RocksDB or QMDB asked of it. The stored
    /// data are not damaged.
    #[error("cannot {action} in {}: {reason}; {cause}", path.display())]
    System {
        /// What was tried.
        action: &'static str,
        /// The directory, below which the file is that `reason` names.
        path: PathBuf,
        /// Why it was refused; shown as what to do.
        cause: SystemCause,
        /// The engine's message.
        reason: String,
    },
    /// RocksDB failed for another reason.
    #[error("database failed to {action}: {reason}")]
    Database {
        /// What was tried.
        action: &'static str,
        /// RocksDB's message.
        reason: String,
    },
    /// The state commitment failed.
    #[error("state commitment in {} failed to {action}: {reason}", path.display())]
    Commitment {
        /// What was tried.
        action: &'static str,
        /// Its directory; none for a genesis that is computed in memory.
        path: PathBuf,
        /// QMDB's message.
        reason: String,
    },
    /// An option has a value that cannot work.
    #[error("storage option {field}: found {found}, expected {expected}")]
    InvalidOption {
        /// The option's name.
        field: &'static str,
        /// Its value.
        found: u64,
        /// What it may be.
        expected: &'static str,
    },
    /// The index of older blocks is still being fetched.
    #[error(
        "this node joined at block {block} and still fetches the index of what earlier blocks left: ask another node, or later"
    )]
    IndexIncomplete {
        /// The block that the node joined at.
        block: u32,
    },
    /// Nobody serves the state that is fetched.
    #[error("the state cannot be fetched: {reason}")]
    NotFetched {
        /// Why.
        reason: String,
    },
    /// There is no genesis block yet.
    #[error("the database holds no genesis block yet")]
    NotInitialised,
    /// There is a genesis block already.
    #[error("the database holds a genesis block already: {found}")]
    AlreadyInitialised {
        /// Hash of the block found.
        found: H256,
    },
    /// A block is not the one after the head.
    #[error("block {found} cannot be committed: expected block {expected}")]
    WrongNumber {
        /// Number of the next block.
        expected: u32,
        /// Number of the refused one.
        found: u32,
    },
    /// A block stands on another parent than the head.
    #[error("block {number} cannot be committed: its parent is {found}, the head is {expected}")]
    WrongParent {
        /// Number of the refused block.
        number: u32,
        /// The head's hash.
        expected: H256,
        /// The parent's hash in the refused block.
        found: H256,
    },
    /// A block's state root is not the root of its changes.
    #[error(
        "block {number} cannot be committed: its state root is {found}, its changes give {expected}"
    )]
    WrongStateRoot {
        /// Number of the refused block.
        number: u32,
        /// The root that the changes give.
        expected: H256,
        /// The root that the block claims.
        found: H256,
    },
    /// No such block.
    #[error("unknown block {hash}")]
    UnknownBlock {
        /// The hash asked for.
        hash: H256,
    },
    /// The state after this block is no longer kept.
    #[error(
        "the state of block {number} ({hash}) is no longer kept; the oldest kept is that of block {oldest}"
    )]
    StateNotKept {
        /// The hash asked for.
        hash: H256,
        /// Its number.
        number: u32,
        /// The oldest block whose state can be read.
        oldest: u32,
    },
    /// What lies on the cold path refused or is damaged.
    #[error("cold segments: {0}{advice}", advice = cold_advice(.0))]
    Cold(#[from] ColdError),
    /// The file of a cold segment cannot be read.
    #[error(
        "the cold segment {} is lost: {reason}; put back a copy of it, or fetch it from another \
         node",
        file.display()
    )]
    SegmentLost {
        /// The file.
        file: PathBuf,
        /// Why it cannot be read.
        reason: String,
    },
    /// Cold segments that a state needs were merged and removed.
    #[error(
        "cold groups of the state of block {number} can no longer be read; those of block {oldest} \
         and later ones can"
    )]
    ColdNotKept {
        /// Number of the block.
        number: u32,
        /// The oldest block whose state can be read whole.
        oldest: u32,
    },
    /// A file is no segment that this chain has, or one that is not needed.
    #[error("{} is not put among the cold segments: {reason}", file.display())]
    NotAdopted {
        /// The file.
        file: PathBuf,
        /// Why not.
        reason: String,
    },
    /// An earlier failure stopped the store.
    #[error("storage stopped after a failure: {reason}")]
    Stopped {
        /// The first failure.
        reason: String,
    },
}

impl StorageError {
    /// Why the operating system refused, if it did and the reason is one that
    /// an operator can do something about.
    pub fn system_cause(&self) -> Option<SystemCause> {
        match self {
            Self::System { cause, .. } => Some(*cause),
            Self::Io { source, .. } | Self::Cold(ColdError::Io { source, .. }) => {
                SystemCause::of_error(source)
            }
            _ => None,
        }
    }
}

fn cold_advice(error: &ColdError) -> String {
    match error {
        ColdError::Io { source, .. } => advice(source),
        _ => String::new(),
    }
}

/// What to do about a refused call, to stand behind its error.
fn advice(error: &io::Error) -> String {
    SystemCause::of_error(error).map_or_else(String::new, |cause| format!("; {cause}"))
}
