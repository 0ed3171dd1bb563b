//! What a validator has signed, remembered apart from the write-ahead log.
//!
//! Whoever signs two different votes for one round breaks the protocol, whether
//! it meant to or lost a file. The engine knows what it signed from its
//! write-ahead log; a log that is lost, cut or put back from a copy makes it sign
//! again. So the last height, round and step, and what was signed there, lie in
//! a file of their own, as in CometBFT's `priv_validator_state`. It promises:
//!
//! * a signature leaves only after the file remembers it, through a power
//!   failure;
//! * nothing is signed at or below what is remembered, except the same statement
//!   again, which gets the same signature;
//! * when it remembers a statement, everything that led to it is on disk in the
//!   log, so that the engine comes to the same statement after a crash;
//! * a node does not start when file and log contradict each other, and follows
//!   without a vote while the chain is below what the file remembers;
//! * a node ends when a commit carries a signature of its key that the file does not
//!   know of: its data were lost, or another machine has the key.
//!
//! It assumes a file system that honours `fdatasync`, and that nobody copies the
//! key to a second machine without the file. It does not remember the
//! announcements of blocks, which exclude nothing.

mod error;
mod file;
mod log;
mod record;
mod start;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Release};

use billchain_primitives::{SignedStatement, Statement, StatementContext};

pub use error::SigningMemoryError;
use file::{Medium, RecordFile};
use record::{Last, Record};

use crate::certificate::CommitCertificate;
use crate::types::Address;
pub(crate) use start::{Start, Verdict, set_copy_aside, start, start_without_key};
pub use start::{Summary, abstain, path_in, summary};

/// What makes the write-ahead log durable, before a statement is remembered.
trait SyncLog: Send {
    /// Length of the part that survives a power failure from now on.
    fn sync(&mut self) -> io::Result<u64>;
}

/// The log as a file. The engine makes it when it starts, so it is opened when
/// it is needed first.
struct LogFile {
    path: PathBuf,
    file: Option<File>,
}

impl SyncLog for LogFile {
    fn sync(&mut self) -> io::Result<u64> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(File::open(&self.path)?),
        };
        let length = file.metadata()?.len();
        file.sync_data()?;
        Ok(length)
    }
}

/// The memory of one validator.
pub(crate) struct SigningMemory {
    inner: Box<dyn Remember>,
    remembered: Remembered,
    log: PathBuf,
}

/// Up to which height a running validator remembers to have signed.
#[derive(Clone)]
pub(crate) struct Remembered {
    height: Arc<AtomicU64>,
    signer: Address,
    file: PathBuf,
}

impl Remembered {
    /// Refuses a commit that carries the validator's signature at a height of which the
    /// memory knows nothing: it is a new one, or another machine has the key.
    pub(crate) fn judge(&self, commit: &CommitCertificate) -> Result<(), SigningMemoryError> {
        let (height, known) = (commit.height.get(), self.height.load(Acquire));
        let is_signer = commit.signatures.iter().any(|entry| entry.address == self.signer);
        if !is_signer || height <= known {
            return Ok(());
        }
        Err(SigningMemoryError::OutOfDate {
            file: self.file.clone(),
            remembered: format!("nothing above height {known}"),
            evidence: format!("block {height} carries this validator's signature"),
        })
    }
}

/// Decides what may be signed, and remembers it.
trait Remember: Send {
    fn sign(
        &mut self,
        context: &StatementContext,
        statement: &Statement,
        sign: &mut dyn FnMut() -> [u8; 64],
    ) -> Result<[u8; 64], Refusal>;
}

/// Why there is no signature.
#[derive(Debug)]
enum Refusal {
    /// It would contradict what is remembered.
    Contradiction(String),
    /// It is about no round.
    NoRound,
    /// The file could not be written, now or earlier.
    File(io::Error),
    /// The log could not be synced.
    Log(io::Error),
}

struct Guard<M, L> {
    file: RecordFile<M>,
    log: L,
    /// Set by the first write that failed: what the file holds is unknown since.
    failed: bool,
}

impl<M: Medium, L: SyncLog> Guard<M, L> {
    fn remember(&mut self, context: &StatementContext, last: Last) -> Result<(), Refusal> {
        if self.failed {
            let earlier = "an earlier write failed";
            return Err(Refusal::File(io::Error::other(earlier)));
        }
        // First the log, so that whoever remembers the statement also knows why.
        let log_bytes = self.log.sync().map_err(Refusal::Log)?;
        let old = self.file.record().clone();
        let record = Record { height: context.height, last: Some(last), log_bytes, ..old };
        if let Err(error) = self.file.replace(record) {
            self.failed = true;
            return Err(Refusal::File(error));
        }
        Ok(())
    }
}

impl<M: Medium, L: SyncLog> Remember for Guard<M, L> {
    fn sign(
        &mut self,
        context: &StatementContext,
        statement: &Statement,
        sign: &mut dyn FnMut() -> [u8; 64],
    ) -> Result<[u8; 64], Refusal> {
        let round = context.round.ok_or(Refusal::NoRound)?;
        let record = self.file.record();
        match (&record.last, context.height.cmp(&record.height)) {
            (_, std::cmp::Ordering::Greater) => {}
            (Some(last), std::cmp::Ordering::Equal) => {
                let step = (round, statement.kind());
                if step == last.step() && *statement == last.signed.statement {
                    return Ok(last.signed.signature);
                }
                if step <= last.step() {
                    return Err(Refusal::Contradiction(start::describe(record)));
                }
            }
            (_, std::cmp::Ordering::Equal | std::cmp::Ordering::Less) => {
                return Err(Refusal::Contradiction(start::describe(record)));
            }
        }
        let signature = sign();
        let signed = SignedStatement { statement: *statement, signature };
        self.remember(context, Last { round, signed })?;
        Ok(signature)
    }
}

impl SigningMemory {
    fn new(path: &Path, log: &Path, file: RecordFile<File>) -> Self {
        let log_file = LogFile { path: log.to_owned(), file: None };
        let remembered = Remembered {
            height: Arc::new(AtomicU64::new(file.record().height)),
            signer: file.record().signer.into(),
            file: path.to_owned(),
        };
        let inner = Box::new(Guard { file, log: log_file, failed: false });
        Self { inner, remembered, log: log.to_owned() }
    }

    /// What it remembers, also while it signs.
    pub(crate) fn remembered(&self) -> Remembered {
        self.remembered.clone()
    }

    /// The signature under a statement: made by `sign` and remembered before it
    /// is returned, or the one that was given before. Blocking.
    pub(crate) fn sign(
        &mut self,
        context: &StatementContext,
        statement: &Statement,
        mut sign: impl FnMut() -> [u8; 64],
    ) -> Result<[u8; 64], SigningMemoryError> {
        let refused = match self.inner.sign(context, statement, &mut sign) {
            Ok(signature) => {
                self.remembered.height.fetch_max(context.height, Release);
                return Ok(signature);
            }
            Err(refused) => refused,
        };
        let path = &self.remembered.file;
        Err(match refused {
            Refusal::Contradiction(remembered) => SigningMemoryError::Contradiction {
                file: path.clone(),
                height: context.height,
                asked: format!("{:?} in round {:?}", statement, context.round),
                remembered,
            },
            Refusal::NoRound => SigningMemoryError::NoRound { height: context.height },
            Refusal::File(reason) => {
                SigningMemoryError::Io { action: "write", file: path.clone(), reason }
            }
            Refusal::Log(reason) => {
                SigningMemoryError::LogIo { action: "sync", file: self.log.clone(), reason }
            }
        })
    }
}
