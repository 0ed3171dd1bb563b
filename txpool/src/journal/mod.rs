//! The journal of accepted transactions: what a client was answered about comes back
//! after a crash.
//!
//! It promises: a transaction that was begun here and answered for is on disk, through
//! a power failure, until it is forgotten; and [`Journal::open`] finds every such one.
//! Many that wait together are written and synced together. A disk that refuses, or
//! the bound of [`JournalConfig`], is told to those who wait; nobody else notices.
//!
//! It is a directory of segments, `<number>.journal` ([`format`]). A run writes files
//! of its own, one after the other. What is forgotten is not marked: a file of which
//! nothing is wanted is removed, and of one that is sparse, when more than half of the
//! bound is used, the wanted part is written again. So a start may find what was
//! forgotten, which the chain then refuses.
//!
//! It assumes a file system that honours `fdatasync`, and one process a directory.

mod books;
mod error;
#[cfg(test)]
mod faults;
mod format;
pub mod fuzzing;
mod start;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use books::Kept;
pub use error::JournalError;
pub(crate) use format::HEAD_BYTES;

use crate::{JournalMetrics, PoolTransaction};
use billchain_primitives::{AccountId, Hash, Nonce, transaction_hash};
use books::{Books, Entry, Place};
use bytes::Bytes;
use parking_lot::{Condvar, Mutex};
use std::{
    fmt,
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
};
use tokio::sync::oneshot;

/// Where the journal lies, and its bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalConfig {
    /// Its directory, which is made if it is missing.
    pub directory: PathBuf,
    /// Most bytes of all its files. Whoever would exceed it is refused. While a
    /// sparse file is written again there may be as much more as is wanted of it.
    pub max_bytes: u64,
    /// Bytes after which a file is followed by the next.
    pub segment_bytes: u64,
}

impl JournalConfig {
    /// Smallest [`max_bytes`](Self::max_bytes) with files of the ordinary length:
    /// sparse ones find room to be written again.
    pub const LEAST_BYTES: u64 = 4 * Self::SEGMENT_BYTES;
    /// Ordinary length of a file.
    const SEGMENT_BYTES: u64 = 8 << 20;

    /// A journal of at most `max_bytes` in `directory`.
    pub fn new(directory: PathBuf, max_bytes: u64) -> Self {
        Self { directory, max_bytes, segment_bytes: Self::SEGMENT_BYTES }
    }
}

/// A transaction that a run before accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptTransaction {
    /// Account that signed it.
    pub sender: AccountId,
    /// Its nonce.
    pub nonce: Nonce,
    /// Its hash.
    pub hash: Hash,
}

/// A journal and what is in it.
#[derive(Debug)]
pub struct OpenJournal {
    pub(crate) journal: Journal,
    pub(crate) kept: Vec<KeptTransaction>,
}

/// The journal. Its files are written by a thread of its own.
pub struct Journal {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    config: JournalConfig,
    books: Mutex<Books>,
    /// There is something to do.
    work: Condvar,
    /// Bytes of files, of what is to be written, and reserved.
    used: AtomicU64,
    metrics: JournalMetrics,
}

/// Room for one transaction's record. Given back when it is dropped unused.
pub(crate) struct Reservation {
    shared: Arc<Shared>,
    bytes: u64,
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("config", &self.shared.config).finish_non_exhaustive()
    }
}

impl Journal {
    /// Opens the directory and reads what runs before have left there. Cuts off what
    /// was being written when such a run ended; what is damaged otherwise is named in
    /// the log, and costs nothing else.
    pub fn open(config: JournalConfig) -> Result<OpenJournal, JournalError> {
        start::open(config)
    }

    /// What it counts.
    pub(crate) fn metrics(&self) -> &JournalMetrics {
        &self.shared.metrics
    }

    /// Room for a transaction of `length` bytes.
    pub(crate) fn reserve(&self, length: usize) -> Result<Reservation, JournalError> {
        let (limit, bytes) = (self.shared.config.max_bytes, format::size(length));
        let more = |used: u64| used.checked_add(bytes).filter(|used| *used <= limit);
        match self.shared.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more) {
            Ok(_) => Ok(Reservation { shared: self.shared.clone(), bytes }),
            Err(held) => {
                self.shared.metrics.full.inc();
                Err(JournalError::Full { held, limit })
            }
        }
    }

    /// Has a transaction written. The answer comes when it is on disk, at once if it
    /// is there; once it is forgotten nobody waits for it. Never waits itself.
    pub(crate) fn begin(&self, tx: &Arc<PoolTransaction>, mut room: Reservation) -> Kept {
        let (answer, kept) = oneshot::channel();
        let mut books = self.shared.books.lock();
        if books.is_closed {
            drop(books);
            let _ = answer.send(Err(JournalError::Closed));
            return kept;
        }
        match books.records.get_mut(&tx.hash) {
            Some(Entry::Waiting(answers)) => answers.push(answer),
            Some(Entry::Stored(_)) => drop(answer.send(Ok(()))),
            None => {
                // The record's from now on.
                room.bytes = 0;
                books.records.insert(tx.hash, Entry::Waiting(vec![answer]));
                books.queue.push_back(tx.clone());
                self.shared.metrics.transactions.set(count(books.records.len()));
                self.shared.work.notify_one();
            }
        }
        kept
    }

    /// Whether a transaction is on disk.
    pub(crate) fn holds(&self, hash: &Hash) -> bool {
        matches!(self.shared.books.lock().records.get(hash), Some(Entry::Stored(_)))
    }

    /// These are final or given up. Never waits.
    pub(crate) fn forget<'a>(&self, hashes: impl Iterator<Item = &'a Hash>) {
        let mut books = self.shared.books.lock();
        let mut answers = Vec::new();
        hashes.for_each(|hash| answers.extend(books.forget(hash)));
        self.shared.metrics.transactions.set(count(books.records.len()));
        if books.removable().is_some() || self.shared.is_half_full() {
            self.shared.work.notify_one();
        }
        drop(books);
        // What became of it is told otherwise.
        answers.into_iter().for_each(|answer| drop(answer.send(Ok(()))));
    }

    /// The bytes of a transaction that is on disk; `None` if it was forgotten.
    pub(crate) fn read(&self, hash: &Hash) -> Result<Option<Bytes>, JournalError> {
        let mut tried = None;
        loop {
            let place = match self.shared.books.lock().records.get(hash) {
                Some(Entry::Stored(place)) => *place,
                _ => return Ok(None),
            };
            let path = segment_path(&self.shared.config.directory, place.segment);
            match read_transaction(&path, place, hash) {
                Ok(bytes) => return Ok(Some(bytes)),
                // It was written again elsewhere, if it lies elsewhere now.
                Err(_) if tried != Some(place) => tried = Some(place),
                Err(reason) => return Err(io_error("read", &path)(reason)),
            }
        }
    }
}

impl Shared {
    /// Whether sparse files are written again.
    fn is_half_full(&self) -> bool {
        self.used.load(Ordering::Relaxed) > self.config.max_bytes / 2
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.shared.books.lock().is_closed = true;
        self.shared.work.notify_one();
        if let Some(thread) = self.thread.take() {
            // It writes what waits. Its panic was its own last word.
            let _ = thread.join();
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.shared.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

fn read_transaction(path: &Path, place: Place, hash: &Hash) -> io::Result<Bytes> {
    let length = place.size.saturating_sub(HEAD_BYTES as u64);
    let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    File::open(path)?.read_exact_at(&mut bytes, place.offset + HEAD_BYTES as u64)?;
    if transaction_hash(&bytes) != *hash {
        let damaged = format!("the record at byte {} is damaged", place.offset);
        return Err(io::Error::new(io::ErrorKind::InvalidData, damaged));
    }
    Ok(bytes.into())
}

fn segment_path(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("{number:010}.journal"))
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> JournalError {
    let path = path.to_owned();
    move |reason| JournalError::Io { action, path, reason: Arc::new(reason) }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
