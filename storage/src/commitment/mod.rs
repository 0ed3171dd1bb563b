//! The state commitment: QMDB on a thread of its own, behind blocking calls. Its entries
//! are groups of keys, see [`crate::groups`].
//!
//! QMDB is asynchronous and wants the runtime of its own crate. That runtime
//! lives on one thread here; callers send requests over a bounded channel and
//! wait for the answer. Waiting parks the calling thread, so a caller inside an
//! async worker should use its runtime's blocking section; it never panics.
//!
//! Promises: the root after a delta depends on the deltas applied before, in
//! their order, and on nothing else. What [`Commitment::apply`] applied is
//! durable after at most [`engine::SYNC_INTERVAL`] blocks, after [`IDLE_SYNC`] without
//! requests, or after [`Commitment::close`]; what a crash takes away in between
//! is rolled forward by the caller (see `recovery`).
//!
//! The engine (`engine`) is generic over the runtime, so that the root of a
//! genesis state can be computed without a directory.

mod active;
mod copy;
mod engine;
mod fetched;
mod hasher;
mod proofs;
mod recompute;
mod runner;
mod served;
mod worker;

pub use active::OperationProof;
pub(crate) use engine::{LogProof, Position, Speculated};
pub(crate) use fetched::fetch;
pub use fetched::{Fetch, Fetched, OperationsSource};
pub use proofs::{MAX_OPERATIONS_REQUEST_BYTES, MAX_SYNC_OPERATIONS};
pub(crate) use proofs::{commits_to, first_needed, request_last};
pub(crate) use recompute::{Recomputed, recompute};
pub(crate) use served::Served;

use crate::{
    StateDelta, StorageError, SystemCause, cold,
    groups::{self, Group, Whole},
};
use active::Active;
use billchain_cold::proof;
use commonware_runtime::{Runner as _, deterministic};
use crossbeam_channel::{Receiver, RecvTimeoutError};
use engine::{Engine, Failure, Operations};
use hasher::Digest;
use sp_core::H256;
use std::{
    any::Any,
    collections::BTreeMap,
    fs::{self, File},
    hash::{BuildHasher, Hash, RandomState},
    io::{self, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    time::Duration,
};
use worker::{Answer, Worker};

/// Name of the thread of a commitment. What panics there is QMDB's runtime, when the system
/// refuses something; the thread ends, and whoever asks it gets the reason as an error.
pub const COMMITMENT_THREAD: &str = "commitment";

/// Idle time after which QMDB is synced to disk.
const IDLE_SYNC: Duration = Duration::from_secs(1);

/// Files that QMDB has open, about: two for each of its journals' newest and
/// metadata.
const FILES: usize = 32;

/// Requests that may wait; each belongs to a caller that waits for its answer.
const QUEUE: usize = 16;

enum Request {
    /// A speculation made before on the present tip, by its delta's fingerprint.
    Lookup { fingerprint: u64, answer: Answer<Option<Speculated>> },
    /// The root that `operations` as block `height` would give.
    Speculate { height: u32, fingerprint: u64, operations: Operations, answer: Answer<Speculated> },
    /// Makes the speculation with this root the tip.
    Apply { root: H256, answer: Answer<Position> },
    /// Where the commitment stands.
    Position { answer: Answer<Position> },
    /// Makes everything applied durable.
    Sync { answer: Answer<()> },
    /// Copies the synced files into a directory.
    Copy { into: PathBuf, answer: Answer<()> },
    /// The operations of the tip, and what proves them.
    Proof { answer: Answer<LogProof> },
    /// Groups that have keys at the tip.
    Keys { answer: Answer<u64> },
    /// The operation about a group at the tip, or about the one before it.
    Active { key: Digest, answer: Answer<Active> },
    /// Values at the tip.
    Values { keys: Vec<Digest>, answer: Answer<Vec<Option<Digest>>> },
}

/// Handle of the commitment's thread.
pub(crate) struct Commitment {
    /// Tells changes apart; its keys are this process's own.
    fingerprints: RandomState,
    worker: Worker<Request>,
}

impl Commitment {
    /// Opens the commitment in `path`, empty if there is none. With `limit`, the
    /// newest kept block whose log has at most so many operations becomes the
    /// tip, and everything later is removed.
    pub(crate) fn open(
        path: &Path,
        cache_bytes: usize,
        limit: Option<u64>,
    ) -> Result<Self, StorageError> {
        let kept = engine::kept_operations(path);
        let open = async move |context| Engine::open(context, cache_bytes, kept, limit).await;
        let directory = path.to_owned();
        let serve = async move |engine, requests: Receiver<Request>| {
            serve(engine, &directory, &requests).await;
        };
        Ok(Self {
            fingerprints: RandomState::new(),
            worker: Worker::start((path, COMMITMENT_THREAD), QUEUE, open, serve)?,
        })
    }

    /// Where the commitment stands.
    pub(crate) fn position(&self) -> Result<Position, StorageError> {
        self.ask("report its position", |answer| Request::Position { answer })
    }

    /// What changes with this [fingerprint](Self::fingerprint) as block `height` would make of
    /// the present tip; `entries` are those of the groups that they change. The result is kept,
    /// so that the same changes cost nothing when they are asked for again or applied.
    pub(crate) fn speculate(
        &self,
        height: u32,
        fingerprint: u64,
        entries: impl FnOnce() -> Result<StateDelta, StorageError>,
    ) -> Result<Speculated, StorageError> {
        const ACTION: &str = "compute a root";
        let known = self.ask(ACTION, |answer| Request::Lookup { fingerprint, answer })?;
        if let Some(known) = known {
            return Ok(known);
        }
        // Hashed here: several callers may hash at once, the engine is one.
        let operations = engine::operations(&entries()?);
        self.ask(ACTION, |answer| Request::Speculate { height, fingerprint, operations, answer })
    }

    /// Makes the speculation with this root, the newest of its kind, the tip.
    /// All other speculations are dropped.
    pub(crate) fn apply(&self, root: H256) -> Result<Position, StorageError> {
        self.ask("apply a block", |answer| Request::Apply { root, answer })
    }

    /// Makes everything applied durable.
    pub(crate) fn sync(&self) -> Result<(), StorageError> {
        self.ask("sync", |answer| Request::Sync { answer })
    }

    /// Copies what was applied into the directory `into`, which is made; files that
    /// do not change any more are linked where the file system can. The copy is on
    /// disk when the caller has synced it.
    pub(crate) fn copy(&self, into: &Path) -> Result<(), StorageError> {
        let into = into.to_owned();
        self.ask("copy", |answer| Request::Copy { into, answer })
    }

    /// The operations of the tip, and what proves them.
    pub(crate) fn proof(&self) -> Result<LogProof, StorageError> {
        self.ask("prove its operations", |answer| Request::Proof { answer })
    }

    /// The operation at the tip about the group whose keys share these bytes, or about the
    /// group before it.
    pub(crate) fn active(&self, shared: &[u8]) -> Result<Active, StorageError> {
        let key = engine::digests(&[shared])[0];
        self.ask("prove a key", |answer| Request::Active { key, answer })
    }

    /// Groups that have keys at the tip.
    pub(crate) fn keys(&self) -> Result<u64, StorageError> {
        self.ask("count its keys", |answer| Request::Keys { answer })
    }

    /// Which of these groups the tip has otherwise or not at all: the index of the first.
    pub(crate) fn differs(&self, groups: &[Whole]) -> Result<Option<usize>, StorageError> {
        let keys: Vec<&[u8]> = groups.iter().map(|(shared, ..)| shared.as_slice()).collect();
        let values = groups.iter().map(|(_, group, _)| group.encode().unwrap_or_default());
        let values: Vec<Vec<u8>> = values.collect();
        let keys = engine::digests(&keys);
        let found = self.ask("read values", |answer| Request::Values { keys, answer })?;
        let expected = engine::digests(&values).into_iter().map(Some);
        Ok(found.into_iter().zip(expected).position(|(found, expected)| found != expected))
    }

    /// Syncs, ends the thread and waits for its end. Later calls fail.
    pub(crate) fn close(&self) {
        self.worker.close();
    }

    /// Tells changes apart, in this process.
    pub(crate) fn fingerprint(&self, changes: &impl Hash) -> u64 {
        self.fingerprints.hash_one(changes)
    }

    fn ask<T>(
        &self,
        action: &'static str,
        request: impl FnOnce(Answer<T>) -> Request,
    ) -> Result<T, StorageError> {
        self.worker.ask(action, request)
    }
}

/// A refusal of the operating system, by its cause where that is known.
fn io_error(path: &Path, action: &'static str, mut reason: String) -> StorageError {
    let path = path.to_owned();
    let mut cause = SystemCause::of_text(&reason);
    if cause.is_none()
        && let Err(error) = try_files(&path)
    {
        reason = format!("{reason} ({error})");
        cause = SystemCause::of_error(&error);
    }
    match cause {
        Some(cause) => StorageError::System { action, path, cause, reason },
        None => StorageError::Commitment { action, path, reason },
    }
}

/// A failure of the commitment in `path`.
fn failure(path: &Path, action: &'static str, found: Failure) -> StorageError {
    match found {
        Failure::Damaged(what) => StorageError::Corrupt {
            what: format!("state commitment: {what}"),
            path: path.to_owned(),
        },
        Failure::Io(reason) => io_error(path, action, reason),
        Failure::Refused(reason) | Failure::Stopped(reason) => {
            StorageError::Commitment { action, path: path.to_owned(), reason }
        }
    }
}

/// Tries to write a small file and to open as many as QMDB has open, and removes
/// it. QMDB says which call failed, but not always why.
fn try_files(directory: &Path) -> io::Result<()> {
    let path = directory.join("trial");
    let tried = File::create(&path).and_then(|mut file| {
        file.write_all(&[0; 4096])?;
        file.sync_all()?;
        // All at once: those of QMDB were closed when it failed.
        let open: io::Result<Vec<File>> = (0..FILES).map(|_| File::open(&path)).collect();
        open.map(drop)
    });
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => tried.and(Err(error)),
        _ => tried,
    }
}

/// The root of a genesis state: that of an empty commitment after `state`, and of no cold
/// groups. Computed in memory.
pub fn genesis_root(state: &BTreeMap<Vec<u8>, Vec<u8>>) -> Result<H256, StorageError> {
    const ACTION: &str = "compute a genesis root";
    let delta: StateDelta = state.iter().map(|(k, v)| (k.clone(), Some(v.clone()))).collect();
    let changed = groups::change(&delta, |_| Ok(Group::default()))?;
    let entries = groups::entries(&changed);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        deterministic::Runner::default().start(|context| async move {
            let mut engine = Engine::open(context, engine::MIN_CACHE_BYTES, 0, None).await?;
            engine.speculate(0, 0, engine::operations(&entries)).await
        })
    }));
    let failed = |reason| StorageError::Commitment { action: ACTION, path: PathBuf::new(), reason };
    match outcome {
        Ok(Ok(speculated)) => Ok(state_root(speculated.root, &cold::first_root())),
        Ok(Err(failure)) => Err(failed(failure.into_reason())),
        Err(panic) => Err(failed(panic_message(panic.as_ref()))),
    }
}

/// The state root over the root of the hot state and that of the cold one.
pub(crate) fn state_root(hot: H256, cold: &[u8; 32]) -> H256 {
    H256(proof::state_root(&hot.0, cold))
}

/// Answers requests until the last handle is gone. Receiving blocks this thread,
/// which is the engine's alone; QMDB's background work runs on the runtime's.
async fn serve<E: engine::EngineContext>(
    mut engine: Engine<E>,
    directory: &Path,
    requests: &Receiver<Request>,
) {
    loop {
        let request = match requests.recv_timeout(IDLE_SYNC) {
            Ok(request) => request,
            Err(RecvTimeoutError::Timeout) => {
                // A failure is kept by the engine and answers the next request.
                let _ = engine.sync().await;
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => break,
        };
        // A caller that stopped waiting takes no answer.
        match request {
            Request::Lookup { fingerprint, answer } => {
                let _ = answer.send(Ok(engine.lookup(fingerprint)));
            }
            Request::Speculate { height, fingerprint, operations, answer } => {
                let _ = answer.send(engine.speculate(height, fingerprint, operations).await);
            }
            Request::Apply { root, answer } => {
                let _ = answer.send(engine.apply(root).await);
                // After the answer: the block is durable in RocksDB already.
                let _ = engine.sync_if_due().await;
            }
            Request::Position { answer } => {
                let _ = answer.send(engine.position());
            }
            Request::Sync { answer } => {
                let _ = answer.send(engine.sync().await);
            }
            Request::Copy { into, answer } => {
                let copied = match engine.sync().await {
                    // Nothing writes while this thread copies.
                    Ok(()) => copy::partitions(directory, &into).map_err(Failure::Io),
                    Err(failure) => Err(failure),
                };
                let _ = answer.send(copied);
            }
            Request::Proof { answer } => {
                let _ = answer.send(engine.proof().await);
            }
            Request::Keys { answer } => {
                let _ = answer.send(engine.keys());
            }
            Request::Active { key, answer } => {
                let _ = answer.send(engine.active(key).await);
            }
            Request::Values { keys, answer } => {
                let _ = answer.send(engine.values(&keys).await);
            }
        }
    }
    if let Err(failure) = engine.sync().await {
        tracing::warn!(reason = failure.into_reason(), "state commitment not synced at close");
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|message| (*message).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panicked without a message".to_owned())
}
