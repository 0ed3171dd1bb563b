//! Errors of the component.

use std::path::PathBuf;

use thiserror::Error;

use crate::application::AppError;
use crate::memory::SigningMemoryError;
use crate::types::{NilRound, ValidatorSetError};

/// One mistake in [`ConsensusConfig`](crate::ConsensusConfig).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("consensus.{field}: {problem}")]
pub struct ConfigProblem {
    /// Name of the setting.
    pub field: &'static str,
    /// What is wrong and what is expected.
    pub problem: String,
}

/// Why consensus did not start or stopped.
#[derive(Debug, Error)]
pub enum ConsensusError {
    /// The configuration has mistakes; all of them are listed.
    #[error("invalid consensus configuration: {}", list(.0))]
    Config(Vec<ConfigProblem>),
    /// A validator may not start or may not sign: memory, log and chain
    /// contradict each other, or a file failed.
    #[error(transparent)]
    Signing(#[from] SigningMemoryError),
    /// The write-ahead log could not be written or read.
    #[error(
        "the write-ahead log {log} failed: {reason}. Make room or replace the disk, \
         then start the node again; keep the file"
    )]
    Log {
        /// The file.
        log: PathBuf,
        /// What failed, and what the system said.
        reason: String,
    },
    /// The engine did not start: the port is taken, or the like.
    #[error("consensus engine did not start: {0}")]
    Start(String),
    /// The engine stopped by itself; its own log says why.
    #[error("consensus engine stopped unexpectedly: {0}")]
    Stopped(String),
    /// The engine asked for, or decided, something in the nil round.
    #[error("consensus engine broke its contract: {0}")]
    Round(#[from] NilRound),
    /// The application reported that it cannot go on.
    #[error("application failed to {action} at height {height}: {source}")]
    Application {
        /// "commit", "check", …
        action: &'static str,
        /// Height it happened at.
        height: u64,
        /// What the application said.
        source: AppError,
    },
    /// The application panicked while it worked on a block.
    #[error("application panicked; the log above has the reason")]
    Panicked,
    /// Two thirds decided a block that this node does not have. Its proposal
    /// store was damaged after it voted.
    #[error("block {hash} was decided at height {height}, but is missing from {store}")]
    MissingBlock {
        /// Height decided.
        height: u64,
        /// Hash decided.
        hash: String,
        /// Directory where it should be.
        store: PathBuf,
    },
    /// The state names an impossible validator set.
    #[error("validator set of height {height}: {source}")]
    ValidatorSet {
        /// Height of the set.
        height: u64,
        /// What is wrong with it.
        source: ValidatorSetError,
    },
    /// A file of the proposal store is of another version of the format.
    #[error(
        "{path} is of another version of the format, and this node may have voted for the \
         block in it. Start the release that wrote it until that height is decided; if other \
         nodes have decided it, remove the file"
    )]
    ProposalFormat {
        /// The file.
        path: PathBuf,
    },
    /// A file of the proposal store could not be written.
    #[error("{action} {path}: {source}")]
    Io {
        /// "write", "remove", …
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

fn list(problems: &[ConfigProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
