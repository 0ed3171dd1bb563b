//! Why a validator does not sign, or does not start.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// What to do when the log of the current height is lost.
const WAIT: &str = "Put back the log as it was, or run `billchain signing-memory abstain --config …`: \
     the node then follows without a vote until the others have decided that height";
/// What to do when nobody knows what was signed.
const RESET: &str = "Bring the file from the machine where the key signed last. If it is lost, \
     stop every other node that has this key and run \
     `billchain signing-memory abstain --config … --up-to HEIGHT` with a height that the \
     others have not reached yet: the node signs nothing up to there";

/// Why a validator does not sign, or does not start.
#[derive(Debug, Error)]
pub enum SigningMemoryError {
    /// A file could not be read or written.
    #[error("cannot {action} the signing memory {file}: {reason}")]
    Io {
        /// "read", "write", …
        action: &'static str,
        /// The file.
        file: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// The log could not be read or set right.
    #[error("cannot {action} the write-ahead log {file}: {reason}")]
    LogIo {
        /// "read", "sync", …
        action: &'static str,
        /// The file.
        file: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// The engine asked for a second, different statement.
    #[error(
        "refused to sign at height {height}: {asked}; {file} remembers {remembered}. \
         The log or the undecided blocks of that height were lost; the node can be started again \
         when the others have decided it"
    )]
    Contradiction {
        /// The memory.
        file: PathBuf,
        /// Height of the statement.
        height: u64,
        /// What was to be signed.
        asked: String,
        /// What was signed.
        remembered: String,
    },
    /// Not a statement of the protocol.
    #[error("refused to sign a statement about no round, at height {height}")]
    NoRound {
        /// Height of the statement.
        height: u64,
    },
    /// The file does not read.
    #[error("the signing memory {file} is damaged: {reason}. {RESET}")]
    Damaged {
        /// The memory.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file is another's.
    #[error(
        "the signing memory {file} belongs to {found}, this node is {expected}. \
         Bring the file that belongs to the key, see keys.consensus and chain_spec"
    )]
    Foreign {
        /// The memory.
        file: PathBuf,
        /// Whose it is.
        found: String,
        /// Who starts.
        expected: String,
    },
    /// The key has signed before, and the memory is gone.
    #[error("the signing memory {file} is missing, but {evidence}. {RESET}")]
    Missing {
        /// Where it should be.
        file: PathBuf,
        /// How it is known that the key has signed.
        evidence: String,
    },
    /// The key has signed more than the file knows.
    #[error(
        "the signing memory {file} is out of date: it remembers {remembered}, but {evidence}. \
         {RESET}"
    )]
    OutOfDate {
        /// The memory.
        file: PathBuf,
        /// The newest it knows.
        remembered: String,
        /// What it does not know.
        evidence: String,
    },
    /// The log of the height at which the key has signed is gone.
    #[error(
        "the write-ahead log {log} {problem}, but the signing memory {file} remembers \
         {remembered}, which no block has decided yet. {WAIT}"
    )]
    LogLost {
        /// The log.
        log: PathBuf,
        /// "is missing", "is damaged: …", …
        problem: String,
        /// The memory.
        file: PathBuf,
        /// The newest it knows.
        remembered: String,
    },
    /// A command was given a height that promises nothing.
    #[error("height {asked} is below {least}, {reason}")]
    HeightTooLow {
        /// Height given.
        asked: u64,
        /// Lowest that makes sense.
        least: u64,
        /// Why.
        reason: &'static str,
    },
    /// A command needs a height.
    #[error("nothing readable is remembered in {file}: give the height with --up-to")]
    HeightNeeded {
        /// The memory.
        file: PathBuf,
    },
}
