//! The log of access (访问日志): who asked what, when, from where, with what outcome.
//!
//! Lines are chained by SM3, each over the one before, so that a line that is changed, left
//! out or put in between is found by whoever has the files ([`verify`]); lines cut off at the
//! end are found by the heads that are anchored on the chain. Nothing is answered for which
//! there is no room in the log: who cannot be logged is not served
//! ([`code::LOG_UNAVAILABLE`]).
//!
//! A line is on the disk within a second; a machine that loses power loses that second, and
//! the log goes on after what was written whole. Personal data is masked before it comes here.

mod lines;
mod search;
mod verify;
mod writer;

pub use lines::{Entry, GENESIS, Outcome};
pub use search::{Found, Query, search};
pub use verify::{Broken, Verified, verify};

use crate::{code, config::LogConfig, denied::Denied, guesses::A_MOMENT};
use parking_lot::RwLock;
use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
};

/// Lines that wait to be written, at most.
const MAX_WAITING: usize = 16_384;

/// Why a log cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A file or the directory cannot be used.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The files are no whole log: keep them as evidence, and name another directory.
    #[error("it is broken, keep it as evidence and name another directory: {0}")]
    Broken(#[from] Broken),
}

/// The last line: its number, from 1, and its hash. Before the first, 0 and [`GENESIS`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogHead {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: [u8; 32],
}

/// The log of a running node. Clones share it.
#[derive(Clone, Debug)]
pub struct AccessLog {
    lines: mpsc::Sender<Entry>,
    state: Arc<State>,
    directory: PathBuf,
}

#[derive(Debug)]
struct State {
    waiting: AtomicUsize,
    fails: AtomicBool,
    head: RwLock<LogHead>,
}

/// Room for one line. It is written when the ticket is dropped.
#[derive(Debug)]
pub struct Ticket {
    entry: Option<Entry>,
    log: AccessLog,
}

impl AccessLog {
    /// Goes on with the log in a directory, or begins one. Reads the last segment.
    pub fn open(config: &LogConfig, node: &str) -> Result<Self, LogError> {
        let writer = writer::Writer::open(config, node)?;
        let (lines, waiting) = mpsc::channel();
        let state = Arc::new(State {
            waiting: AtomicUsize::new(0),
            fails: AtomicBool::new(false),
            head: RwLock::new(writer.head()),
        });
        let (shared, directory) = (state.clone(), config.directory.clone());
        std::thread::Builder::new()
            .name("access-log".into())
            .spawn(move || writer.run(&waiting, &shared))
            .map_err(|source| LogError::Io { path: directory.clone(), source })?;
        Ok(Self { lines, state, directory })
    }

    /// Takes room for a line, before what it tells is done.
    pub fn ticket(&self, entry: Entry) -> Result<Ticket, Denied> {
        let unavailable = |why: &str| {
            let words = format!("the log of access {why}: nothing is answered that is not logged");
            Denied::until(code::LOG_UNAVAILABLE, words, A_MOMENT)
        };
        if self.state.fails.load(Ordering::Relaxed) {
            return Err(unavailable("cannot be written"));
        }
        if self.state.waiting.fetch_add(1, Ordering::Relaxed) >= MAX_WAITING {
            self.state.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(unavailable("is full"));
        }
        Ok(Ticket { entry: Some(entry), log: self.clone() })
    }

    /// The last line that was written.
    pub fn head(&self) -> LogHead {
        *self.state.head.read()
    }

    /// Where it lies.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

impl Ticket {
    /// Notes how it ended.
    pub fn ended(&mut self, outcome: Outcome) {
        if let Some(entry) = &mut self.entry {
            (entry.code, entry.bytes, entry.ms) = (outcome.code, outcome.bytes, outcome.ms);
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let Some(entry) = self.entry.take() else { return };
        if self.log.lines.send(entry).is_err() {
            self.log.state.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests;
