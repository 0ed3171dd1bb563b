//! Why an accepted transaction cannot be kept, or the journal not be opened.

use crate::PoolError;
use std::{io, path::PathBuf, sync::Arc};

/// Why an accepted transaction cannot be kept, or the journal not be opened.
#[derive(Clone, Debug, thiserror::Error)]
pub enum JournalError {
    /// The operating system refuses.
    #[error(
        "cannot {action} the journal of accepted transactions {}: {reason}; remove the cause \
         (room, permissions, the disk); what it holds is kept",
        path.display()
    )]
    Io {
        /// "read", "write", …
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        reason: Arc<io::Error>,
    },
    /// A file is not of this program.
    #[error(
        "the journal {} {reason}. Start the release that wrote it until \
         billchain_txpool_journal_transactions is 0, or move the file away: the accepted \
         transactions in it are then lost, unless another node has them",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Its bound is reached.
    #[error("the journal of accepted transactions has {held} bytes of {limit}")]
    Full {
        /// Bytes that it has.
        held: u64,
        /// Its bound.
        limit: u64,
    },
    /// What writes it has ended.
    #[error("the journal of accepted transactions is closed")]
    Closed,
}

impl JournalError {
    /// What the system said, in its words, without the node's paths.
    pub(crate) fn cause(&self) -> String {
        match self {
            Self::Io { action, reason, .. } => format!("cannot {action} its journal: {reason}"),
            other => other.to_string(),
        }
    }
}

impl From<JournalError> for PoolError {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::Full { held, limit } => Self::JournalFull { held, limit },
            JournalError::Closed => Self::Stopping,
            other => Self::NotKept { reason: other.cause() },
        }
    }
}
