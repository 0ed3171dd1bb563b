//! QMDB itself: one database, the speculations on its tip, and its upkeep.
//!
//! Every constant marked *consensus* changes roots when it changes.

use super::hasher::{Digest, Sm3};
use crate::StateDelta;
use billchain_crypto::sm3::sm3_many;
use commonware_codec::Encode as _;
use commonware_parallel::Sequential;
use commonware_runtime::{
    Error as RuntimeError, Spawner,
    buffer::paged::{CacheRef, page_size},
};
use commonware_storage::{
    Context,
    journal::contiguous::fixed::Config as JournalConfig,
    merkle::{self, mmr},
    qmdb::{
        self,
        any::ordered::fixed::Update,
        current::{FixedConfig, batch::MerkleizedBatch, ordered::fixed::partitioned::Db},
        floor::Proportional,
    },
    translator::FourCap,
};
use commonware_utils::bitmap::Readable as _;
use sp_core::H256;
use std::{
    collections::VecDeque,
    fs::{self, DirEntry},
    io,
    num::{NonZeroU16, NonZeroU64, NonZeroUsize},
    ops::{Range, RangeInclusive},
    path::Path,
    sync::Arc,
};

/// Blocks after which QMDB is synced to disk at the latest.
pub(crate) const SYNC_INTERVAL: u32 = 16;

/// Where the commitment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// The newest block applied; `None` before genesis.
    pub(crate) height: Option<u32>,
    /// Root of the state after it.
    pub(crate) root: H256,
    /// Operations in the log.
    pub(crate) log_size: u64,
}

/// What the state root of the tip proves of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogProof {
    /// Root of the operations.
    pub(crate) root: H256,
    /// From the first operation that is needed to the end.
    pub(crate) range: Range<u64>,
    /// Proof that the state root commits to `root`.
    pub(crate) witness: Vec<u8>,
}

/// What a delta would make of the commitment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Speculated {
    /// Root of the state after it.
    pub(crate) root: H256,
    /// Operations in the log after it.
    pub(crate) log_size: u64,
}

/// Bytes of activity bits a Merkle leaf takes in. *Consensus.*
pub(super) const CHUNK: usize = 32;

/// Operations whose activity a Merkle leaf takes in.
pub(super) const CHUNK_BITS: u64 = 8 * CHUNK as u64;

/// Shape of the Merkle structure. *Consensus.*
pub(super) type Family = mmr::Family;

/// What a runtime gives QMDB.
pub(super) trait EngineContext: Context + Spawner {}
impl<E: Context + Spawner> EngineContext for E {}

// Keys are hashes, so their first six bytes are spread evenly, and a key that shares
// them with a given one takes 2^48 work. Each names the next one that has a value, which
// proves what lies between absent. The index in memory is one sorted array for each of
// the first two bytes, with four more bytes and a place in the log of each key.
pub(super) type Database<E> =
    Db<Family, E, Digest, Digest, Sm3, FourCap, PREFIX, CHUNK, Sequential>;
type Batch = MerkleizedBatch<Family, Digest, Update<Digest, Digest>, CHUNK, Sequential>;
pub(super) type Error = qmdb::Error<Family>;
pub(super) type Location = merkle::Location<Family>;
/// One entry of the log.
pub(super) type Operation<E> = <Database<E> as qmdb::sync::Database>::Op;
type Configuration = FixedConfig<FourCap, Sequential, NonZeroUsize>;

/// Writes of one block: SM3 of what a group's keys share, and of what is in the group; `None`
/// for a group without keys.
pub(super) type Operations = Vec<(Digest, Option<Digest>)>;

/// Bytes of a page on disk, checksum included. Fixed for the life of a directory.
const PAGE_SIZE: NonZeroU16 = page_size(4096);

/// Bytes of a key that choose its table of the index in memory.
const PREFIX: usize = 2;

/// Keys of operations that are held while a database is opened, at least and at most: a key's
/// next operation is compared with its last one, which is read from disk if it is not held. One
/// takes 41 bytes.
const OPENING_KEYS: RangeInclusive<usize> = 1 << 16..=1 << 22;

/// Bytes of an operation on disk: two keys, a value, and what kind it is.
const OPERATION_BYTES: u64 = 97;

/// Directory of the files with operations.
const OPERATIONS: &str = "operations-blobs";

/// Tasks that fill the index when a database is opened.
const INIT_TASKS: NonZeroUsize = NonZeroUsize::new(2).expect("not zero");

/// Smallest page cache.
pub(super) const MIN_CACHE_BYTES: usize = 1 << 20;

/// Operations, and Merkle nodes, of one file: 65 MB and 64 MB. Every file that
/// is kept stays open.
const OPERATIONS_PER_FILE: NonZeroU64 = NonZeroU64::new(1 << 20).expect("not zero");
const NODES_PER_FILE: NonZeroU64 = NonZeroU64::new(1 << 21).expect("not zero");

const WRITE_BUFFER: NonZeroUsize = NonZeroUsize::new(1 << 20).expect("not zero");
const REPLAY_BUFFER: NonZeroUsize = NonZeroUsize::new(1 << 20).expect("not zero");

/// Blocks between two removals of operations that nothing needs any more.
const PRUNE_INTERVAL: u32 = 64;

/// Blocks by which the commitment can always be wound back.
const REWIND_BLOCKS: usize = 256;

/// Speculations kept on one tip. A height has one proposal a round; more than
/// a few rounds are rare, and what was dropped is computed again.
const MAX_SPECULATIONS: usize = 4;

/// Why the engine could not do as asked.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// Files are damaged.
    Damaged(String),
    /// A file cannot be read or written; the engine cannot go on.
    Io(String),
    /// The request cannot be met; the engine goes on.
    Refused(String),
    /// The engine cannot go on.
    Stopped(String),
}

impl Failure {
    pub(super) fn into_reason(self) -> String {
        match self {
            Self::Damaged(reason)
            | Self::Io(reason)
            | Self::Refused(reason)
            | Self::Stopped(reason) => reason,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::StaleBatch | Error::StaleRead => Self::Refused(error.to_string()),
            _ => match runtime_error(&error) {
                Some(cause) if is_refusal(cause) => Self::Io(error.to_string()),
                Some(RuntimeError::Closed | RuntimeError::Exited | RuntimeError::Aborted) => {
                    Self::Stopped(error.to_string())
                }
                _ => Self::Damaged(error.to_string()),
            },
        }
    }
}

/// The runtime's error at the bottom of `error`, however deep.
fn runtime_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a RuntimeError> {
    std::iter::successors(Some(error), |error| error.source())
        .find_map(|error| error.downcast_ref::<RuntimeError>())
}

/// Whether the operating system refused, as opposed to giving other bytes than
/// were written.
fn is_refusal(error: &RuntimeError) -> bool {
    matches!(
        error,
        RuntimeError::WriteFailed
            | RuntimeError::ReadFailed
            | RuntimeError::PartitionCreationFailed(_)
            | RuntimeError::BlobOpenFailed(..)
            | RuntimeError::BlobResizeFailed(..)
            | RuntimeError::BlobSyncFailed(..)
    ) || matches!(error, RuntimeError::Io(error) if error.raw_os_error().is_some())
}

struct Speculation {
    fingerprint: u64,
    height: u32,
    batch: Arc<Batch>,
}

impl Speculation {
    fn outcome(&self) -> Speculated {
        Speculated { root: H256(self.batch.root().0), log_size: *self.batch.bounds().tip.size }
    }
}

/// QMDB and what is speculated on its tip.
pub(super) struct Engine<E: EngineContext> {
    /// `Err` after a failure that took the database away.
    db: Result<Database<E>, Failure>,
    height: Option<u32>,
    /// Newest last.
    speculations: Vec<Speculation>,
    /// Blocks applied since the last sync.
    unsynced: u32,
    /// Blocks applied since the last pruning.
    unpruned: u32,
    /// Up to where the log was prunable after each of the last blocks.
    boundaries: VecDeque<Location>,
}

/// Which Merkle nodes a database is opened with. Its operations are the same.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Nodes {
    /// Those that the store keeps.
    OfStore,
    /// Those that a check computes again, in partitions with [`RECOMPUTED`] in front.
    Recomputed,
}

/// What the names of the partitions, and of their parts, begin with in which a check
/// has its nodes for the while.
pub(super) const RECOMPUTED: &str = "recomputed-";

/// Operations that the commitment in `directory` keeps, about.
pub(super) fn kept_operations(directory: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(directory.join(OPERATIONS)) else { return 0 };
    let length = |entry: io::Result<DirEntry>| entry.and_then(|e| e.metadata()).map(|m| m.len());
    entries.filter_map(|entry| length(entry).ok()).sum::<u64>() / OPERATION_BYTES
}

/// How QMDB lies in the directory of its context, which has about so many operations.
pub(super) fn configuration(cache_bytes: usize, nodes: Nodes, operations: u64) -> Configuration {
    let keys = usize::try_from(operations).unwrap_or(usize::MAX);
    let keys = keys.clamp(*OPENING_KEYS.start(), *OPENING_KEYS.end());
    let pages = cache_bytes.max(MIN_CACHE_BYTES) / usize::from(PAGE_SIZE.get());
    let cache = CacheRef::new(PAGE_SIZE, NonZeroUsize::new(pages).unwrap_or(NonZeroUsize::MIN));
    // A journal also uses its partition's name with `-blobs` and `-metadata`.
    let [node_journal, pinned, grafted] = match nodes {
        Nodes::OfStore => ["nodes", "pinned", "grafted"],
        Nodes::Recomputed => ["recomputed-nodes", "recomputed-pinned", "recomputed-grafted"],
    };
    FixedConfig {
        merkle_config: merkle::full::Config {
            journal_partition: node_journal.into(),
            metadata_partition: pinned.into(),
            items_per_blob: NODES_PER_FILE,
            write_buffer: WRITE_BUFFER,
            replay_buffer: REPLAY_BUFFER,
            strategy: Sequential,
            page_cache: cache.clone(),
        },
        journal_config: JournalConfig {
            partition: "operations".into(),
            items_per_blob: OPERATIONS_PER_FILE,
            page_cache: cache,
            write_buffer: WRITE_BUFFER,
            replay_buffer: REPLAY_BUFFER,
        },
        grafted_metadata_partition: grafted.into(),
        translator: FourCap,
        init_cache: NonZeroUsize::new(keys),
        init_buffer: REPLAY_BUFFER,
        init_concurrency: INIT_TASKS,
    }
}

impl<E: EngineContext> Engine<E> {
    /// Opens the database of `context`. For `limit` see
    /// [`super::Commitment::open`].
    pub(super) async fn open(
        context: E,
        cache_bytes: usize,
        operations: u64,
        limit: Option<u64>,
    ) -> Result<Self, Failure> {
        let config = configuration(cache_bytes, Nodes::OfStore, operations);
        let db = Database::init(context, config, limit.map(Location::new)).await?;
        let height = db.get_metadata().await?.map(|digest| height_of(&digest)).transpose()?;
        Ok(Self {
            db: Ok(db),
            height,
            speculations: Vec::new(),
            unsynced: 0,
            unpruned: 0,
            boundaries: VecDeque::new(),
        })
    }

    /// Where the commitment stands.
    pub(super) fn position(&self) -> Result<Position, Failure> {
        let db = self.database()?;
        Ok(Position { height: self.height, root: H256(db.root().0), log_size: *db.bounds().end })
    }

    /// The values of groups at the tip, all as their SM3.
    pub(super) async fn values(&self, keys: &[Digest]) -> Result<Vec<Option<Digest>>, Failure> {
        let db = self.database()?;
        let keys: Vec<&Digest> = keys.iter().collect();
        Ok(db.get_many(&keys).await?)
    }

    /// The operations of the tip, from the first that is needed on, and what proves them.
    pub(super) async fn proof(&self) -> Result<LogProof, Failure> {
        let db = self.database()?;
        Ok(LogProof {
            root: H256(db.ops_root().0),
            range: *db.sync_boundary()..*db.bounds().end,
            witness: db.ops_root_witness().await?.encode().to_vec(),
        })
    }

    /// The database, if no failure took it away.
    pub(super) fn database(&self) -> Result<&Database<E>, Failure> {
        self.db.as_ref().map_err(Clone::clone)
    }

    /// Groups that have keys at the tip.
    pub(super) fn keys(&self) -> Result<u64, Failure> {
        let db = self.database()?;
        Ok(keys(db))
    }

    /// A speculation on the present tip, by its delta's fingerprint.
    pub(super) fn lookup(&mut self, fingerprint: u64) -> Option<Speculated> {
        let at = self.speculations.iter().position(|s| s.fingerprint == fingerprint)?;
        // The one just asked for is the one that will be applied: keep it longest.
        let speculation = self.speculations.remove(at);
        let outcome = speculation.outcome();
        self.speculations.push(speculation);
        Some(outcome)
    }

    /// The root that `operations` as block `height` would give, kept for
    /// [`Self::apply`].
    pub(super) async fn speculate(
        &mut self,
        height: u32,
        fingerprint: u64,
        operations: Operations,
    ) -> Result<Speculated, Failure> {
        let db = self.database()?;
        let expected = self.height.map_or(0, |tip| tip.saturating_add(1));
        if height != expected {
            return Err(Failure::Refused(format!("got block {height}, expected {expected}")));
        }
        // The batch keeps writes sorted by key, so their order here is free.
        let mut batch = db.new_batch();
        for (key, value) in operations {
            batch = batch.write(key, value);
        }
        let batch = batch.merkleize(db, Some(metadata_of(height)), &mut Proportional).await?;
        if self.speculations.len() == MAX_SPECULATIONS {
            self.speculations.remove(0);
        }
        let speculation = Speculation { fingerprint, height, batch };
        let outcome = speculation.outcome();
        self.speculations.push(speculation);
        Ok(outcome)
    }

    /// Makes the newest speculation with this root the tip and drops the rest.
    pub(super) async fn apply(&mut self, root: H256) -> Result<Position, Failure> {
        let at = self
            .speculations
            .iter()
            .rposition(|s| s.batch.root().0 == root.0)
            .ok_or_else(|| Failure::Refused(format!("no speculation has the root {root}")))?;
        let Speculation { height, batch, .. } = self.speculations.swap_remove(at);
        self.speculations.clear();
        self.change(async |db| Ok(db.apply_batch(batch).await?)).await?;
        self.height = Some(height);
        self.unsynced += 1;
        self.unpruned += 1;
        if let Ok(db) = &self.db {
            if self.boundaries.len() == REWIND_BLOCKS {
                self.boundaries.pop_front();
            }
            self.boundaries.push_back(db.sync_boundary());
        }
        self.position()
    }

    /// Makes everything applied durable.
    pub(super) async fn sync(&mut self) -> Result<(), Failure> {
        if self.unsynced == 0 {
            return self.db.as_ref().map(drop).map_err(Clone::clone);
        }
        self.change(async |db| Ok(db.sync().await?)).await?;
        self.unsynced = 0;
        Ok(())
    }

    /// Syncs and prunes when enough blocks were applied since the last time.
    pub(super) async fn sync_if_due(&mut self) -> Result<(), Failure> {
        if self.unsynced >= SYNC_INTERVAL {
            self.change(async |db| Ok(db.commit().await?)).await?;
            self.unsynced = 0;
        }
        if self.unpruned >= PRUNE_INTERVAL && self.boundaries.len() == REWIND_BLOCKS {
            let boundary = self.boundaries[0];
            self.change(async |db| Ok(db.prune(boundary).await?)).await?;
            self.unpruned = 0;
        }
        Ok(())
    }

    /// Runs a step that takes the database and gives it back. If it fails the
    /// database is gone, and every later request gets the same failure.
    async fn change(
        &mut self,
        step: impl AsyncFnOnce(Database<E>) -> Result<Database<E>, Failure>,
    ) -> Result<(), Failure> {
        let taken = Err(Failure::Stopped("interrupted while changing the database".into()));
        let db = std::mem::replace(&mut self.db, taken)?;
        match step(db).await {
            Ok(db) => {
                self.db = Ok(db);
                Ok(())
            }
            Err(failure) => {
                self.db = Err(failure.clone());
                Err(failure)
            }
        }
    }
}

/// Groups that have keys. The last commit's record counts as active as well, and is no
/// key.
pub(super) fn keys<E: EngineContext>(db: &Database<E>) -> u64 {
    (db.bitmap().ones_iter_from(0).count() as u64).saturating_sub(1)
}

/// The writes that make these entries of groups.
pub(super) fn operations(delta: &StateDelta) -> Operations {
    let keys: Vec<_> = delta.keys().collect();
    let values: Vec<_> = delta.values().filter_map(Option::as_ref).collect();
    // Apart, so that messages hashed side by side have about one length.
    let mut values = digests(&values).into_iter();
    let written = delta.values().map(|value| value.as_ref().and_then(|_| values.next()));
    digests(&keys).into_iter().zip(written).collect()
}

/// SM3 of each message.
pub(super) fn digests<T: AsRef<[u8]>>(messages: &[T]) -> Vec<Digest> {
    sm3_many(messages).into_iter().map(commonware_cryptography::sha256::Digest).collect()
}

/// What a block's commit operation carries: its height, in the last four bytes.
/// *Consensus.*
fn metadata_of(height: u32) -> Digest {
    let mut bytes = [0; 32];
    bytes[28..].copy_from_slice(&height.to_be_bytes());
    commonware_cryptography::sha256::Digest(bytes)
}

pub(super) fn height_of(metadata: &Digest) -> Result<u32, Failure> {
    let (zeros, height) = metadata.0.split_at(28);
    match height.try_into() {
        Ok(height) if zeros.iter().all(|byte| *byte == 0) => Ok(u32::from_be_bytes(height)),
        _ => Err(Failure::Damaged(format!("commit record {metadata} holds no block number"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commitment::Commitment;

    /// More would be memory for nothing, fewer would be read from disk one by one.
    #[test]
    fn operations_are_counted_by_the_length_of_their_files() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        assert_eq!(kept_operations(path), 0);
        let commitment = Commitment::open(path, MIN_CACHE_BYTES, None).unwrap();
        let entries = (0_u32..5_000).map(|n| (n.to_be_bytes().to_vec(), Some(vec![1])));
        let made = commitment.speculate(0, 1, || Ok(entries.collect())).unwrap();
        commitment.apply(made.root).unwrap();
        commitment.sync().unwrap();
        drop(commitment);
        let (kept, held) = (kept_operations(path), made.log_size);
        assert!(held >= 5_000 && (held..held + held / 10).contains(&kept), "{kept} of {held}");
    }
}
