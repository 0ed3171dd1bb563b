//! The store: opening, committing, reading.

use crate::{
    BlockCommit, Cooling, EventGroup, Genesis, Head, StateDelta, StateSnapshot, Stats,
    StorageError, StorageOptions,
    changes::Changes,
    cold::Cold,
    commitment::{self, Commitment, Speculated},
    groups::HeadGroups,
    history::{History, Version},
    options::OpenMode,
    plan::{Outcome, Plan, Plans},
    records::events_key,
    recovery,
    replaced::Replaced,
    shared::{self, Shared},
    stats::Counters,
    tables::{Batch, META_DOCUMENT, META_HEAD, META_OLDEST_CHANGES, Table, Tables},
    types::BlockIndex,
};
use codec::Encode;
use parking_lot::{Mutex, RwLock};
use sp_core::H256;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU32},
    },
    time::Instant,
};

/// Fewest blocks whose changes are kept: QMDB may trail by a quarter of it.
const MIN_CHANGES_KEPT: u32 = 64;

/// Change sets removed with one block at most, so that a shorter history than
/// before does not make one block slow.
const MAX_CHANGES_REMOVED: u32 = 64;

/// The store of one data directory. Share it in an [`Arc`].
///
/// All methods block: on the disk, on a commit in progress (only
/// [`commit`](Self::commit) and [`speculate`](Self::speculate)), or on QMDB's
/// thread. Reads of the state never wait for a commit.
pub struct Storage {
    path: PathBuf,
    options: StorageOptions,
    // Dropped before `shared`, which holds the directory's lock.
    pub(crate) commitment: Commitment,
    pub(crate) shared: Arc<Shared>,
    /// At the head, as the tables are.
    pub(crate) groups: HeadGroups,
    pub(crate) plans: Plans,
    tip: RwLock<Tip>,
    history: Mutex<History>,
    /// One reader at a time fetches old changes from disk.
    loading: Mutex<()>,
    /// Written by a commit, read by speculations: a root is always on the head.
    pub(crate) order: RwLock<()>,
    /// Held while older blocks come or go.
    pub(crate) older: Mutex<()>,
    /// The oldest block that is kept whole.
    pub(crate) first_block: AtomicU32,
    /// Whether the index of older blocks lacks something.
    pub(crate) has_index_gap: AtomicBool,
    /// The failure of a write.
    stopped: OnceLock<String>,
    pub(crate) counters: Counters,
}

/// The head and what readers of its state hold.
#[derive(Clone)]
struct Tip {
    /// `None` before genesis.
    head: Option<Head>,
    version: Arc<Version>,
    /// Of its hot state.
    hot_root: H256,
    log_size: u64,
}

impl Storage {
    /// Opens the store in the directory `path`, and brings it to a consistent
    /// state if it was not closed properly.
    pub fn open(path: &Path, options: StorageOptions) -> Result<Self, StorageError> {
        options.validate()?;
        let db = path.join("db");
        let io_error =
            |action| move |source| StorageError::Io { action, path: path.to_owned(), source };
        if options.mode == OpenMode::MustExist && !db.try_exists().map_err(io_error("look for"))? {
            return Err(StorageError::Missing { path: path.to_owned() });
        }
        fs::create_dir_all(path).map_err(io_error("make"))?;
        let lock = shared::lock(path)?;
        if !db.try_exists().map_err(io_error("look for"))? {
            Tables::create(&db, &options)?;
        }
        let tables = Tables::open(&db, &options)?;
        let head = tables.head()?;
        let (first_block, has_index_gap) = (tables.first_block()?, tables.index_gap()?.is_some());
        let directory = options.cold_path.clone().unwrap_or_else(|| path.join("cold"));
        let cold = Cold::load(&tables, directory, options.cold_cache_bytes)?;
        let (commitment, position) =
            recovery::open_commitment(&tables, &path.join("commitment"), &options, head)?;
        if let Some(head) = head {
            let root = commitment::state_root(position.root, &cold.root());
            if root != head.state_root {
                return Err(tables.corrupt(format!(
                    "the cold groups give the state root {root}, block {} has {}",
                    head.number, head.state_root
                )));
            }
        }
        let history = History::new(
            head.map_or(0, |head| head.number),
            options.history_blocks,
            options.history_bytes,
        );
        Ok(Self {
            path: path.to_owned(),
            options,
            commitment,
            shared: Arc::new(Shared::new(tables, cold, lock)),
            groups: HeadGroups::new(),
            plans: Plans::default(),
            tip: RwLock::new(Tip {
                head,
                version: history.newest(),
                hot_root: position.root,
                log_size: position.log_size,
            }),
            history: Mutex::new(history),
            loading: Mutex::new(()),
            order: RwLock::new(()),
            older: Mutex::new(()),
            first_block: AtomicU32::new(first_block),
            has_index_gap: AtomicBool::new(has_index_gap),
            stopped: OnceLock::new(),
            counters: Counters::default(),
        })
    }

    /// The data directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is a genesis block.
    pub fn is_initialised(&self) -> bool {
        self.tip.read().head.is_some()
    }

    /// Digest of the document that the chain was made from; `None` before genesis.
    pub fn document(&self) -> Result<Option<H256>, StorageError> {
        if !self.is_initialised() {
            return Ok(None);
        }
        self.shared.tables.document().map(Some)
    }

    /// Stores the genesis block and its state.
    pub fn init_genesis(&self, genesis: Genesis) -> Result<(), StorageError> {
        let _order = self.order.write();
        self.check_running()?;
        if let Some(head) = self.tip.read().head {
            let found = self.hash_of(0)?.unwrap_or(head.hash);
            return Err(StorageError::AlreadyInitialised { found });
        }
        let Genesis { state, state_root, hash, block, document } = genesis;
        let delta: StateDelta = state.into_iter().map(|(k, v)| (k, Some(v))).collect();
        let head = Head { number: 0, hash, state_root };
        let outcome = self.checked_outcome(head, &delta, &Cooling::default())?;
        // It replaces nothing.
        let replaced = self.changes(delta.keys().map(|key| (key.as_slice(), None)))?;
        let replaced = Replaced::of_state(replaced);
        let mut batch = self.block_batch(head, &outcome, &block, &delta, &replaced);
        batch.put(Table::Meta, META_DOCUMENT, document);
        self.stop_on_error(self.land(batch, head, self.version(), &outcome))
    }

    /// Makes a block the head, durably.
    ///
    /// The block must be the head's child and `state_root` the root of its
    /// changes; otherwise nothing is done. The work of [`Self::speculate`] with
    /// the same changes is used.
    pub fn commit(&self, block: BlockCommit) -> Result<(), StorageError> {
        let start = Instant::now();
        let _order = self.order.write();
        self.check_running()?;
        let parent = self.tip.read().head.ok_or(StorageError::NotInitialised)?;
        check_child(&parent, &block)?;
        let head = Head { number: block.number, hash: block.hash, state_root: block.state_root };
        let outcome = self.checked_outcome(head, &block.delta, &block.cooling)?;

        let replaced = self.replaced(&block.delta, &outcome.plan)?;
        let mut batch = self.block_batch(head, &outcome, &block.block, &block.delta, &replaced);
        batch.put(Table::Certificate, block.number.to_be_bytes(), &block.certificate);
        for (at, hash) in (0_u32..).zip(&block.tx_hashes) {
            batch.put(Table::Tx, hash, (block.number, at).encode());
        }
        for EventGroup { first, records } in &block.events {
            batch.put(Table::Events, events_key(block.number, *first), records);
        }
        for (key, value) in &block.offchain {
            match value {
                Some(value) => batch.put(Table::Offchain, key, value),
                None => self.delete_offchain(&mut batch, key),
            }
        }
        self.remove_old_changes(&mut batch, block.number)?;

        let version = {
            let mut history = self.history.lock();
            history.push(Arc::new(replaced));
            history.newest()
        };
        self.stop_on_error(self.land(batch, head, version, &outcome))?;
        self.counters.commits.record(start);
        Ok(())
    }

    /// The newest block. Before genesis: number 0 and zero hashes; see
    /// [`Self::is_initialised`].
    pub fn head(&self) -> Head {
        self.tip.read().head.unwrap_or(Head {
            number: 0,
            hash: H256::zero(),
            state_root: H256::zero(),
        })
    }

    /// How far back [`Self::state_at`] reads, in blocks.
    pub fn history_blocks(&self) -> u32 {
        self.options.history_blocks
    }

    /// The head's state, as it is now.
    pub fn state(&self) -> StateSnapshot {
        StateSnapshot::new(Arc::clone(&self.shared), self.tip.read().version.clone())
    }

    /// The version of the head.
    pub(crate) fn version(&self) -> Arc<Version> {
        Arc::clone(&self.tip.read().version)
    }

    /// Root of the head's hot state.
    pub(crate) fn hot_root(&self) -> H256 {
        self.tip.read().hot_root
    }

    /// The head and its state, of the same block.
    pub fn head_state(&self) -> Result<(Head, StateSnapshot), StorageError> {
        let Tip { head, version, .. } = self.tip.read().clone();
        let head = head.ok_or(StorageError::NotInitialised)?;
        Ok((head, StateSnapshot::new(Arc::clone(&self.shared), version)))
    }

    /// The state after the block `hash`: one of the last
    /// [`StorageOptions::history_blocks`], as far as what was replaced since
    /// then fits in [`StorageOptions::history_bytes`].
    pub fn state_at(&self, hash: &H256) -> Result<StateSnapshot, StorageError> {
        let hash = *hash;
        let (head, newest) = self.head_state()?;
        if hash == head.hash {
            return Ok(newest);
        }
        let number = self.number_of(&hash)?.ok_or(StorageError::UnknownBlock { hash })?;
        if number >= head.number {
            // Committed a moment ago: not the head of `newest`, but near it.
            let version = self.history.lock().get(number);
            return version
                .map(|version| StateSnapshot::new(Arc::clone(&self.shared), version))
                .ok_or(StorageError::UnknownBlock { hash });
        }
        let not_kept = |oldest| StorageError::StateNotKept { hash, number, oldest };
        let kept = head.number.saturating_sub(self.options.history_blocks);
        if number < kept {
            return Err(not_kept(kept));
        }
        if let Some(version) = self.history.lock().get(number) {
            return Ok(StateSnapshot::new(Arc::clone(&self.shared), version));
        }
        let _loading = self.loading.lock();
        loop {
            let oldest = {
                let history = self.history.lock();
                if let Some(version) = history.get(number) {
                    return Ok(StateSnapshot::new(Arc::clone(&self.shared), version));
                }
                history.oldest().number()
            };
            // Disk is read without the history's lock, which commits need.
            let replaced = self.shared.tables.replaced(oldest)?.ok_or_else(|| not_kept(oldest))?;
            let mut history = self.history.lock();
            if !history.extend_back(oldest, &Arc::new(replaced))
                && history.oldest().number() == oldest
            {
                return Err(not_kept(oldest));
            }
        }
    }

    /// Merges RocksDB's files, so that they hold nothing that was replaced or
    /// deleted. Takes time and, for the while, disk in proportion to the store;
    /// reads go on, a commit may have to wait. RocksDB does the same by and by.
    pub fn compact(&self) -> Result<(), StorageError> {
        self.check_running()?;
        self.shared.tables.compact()
    }

    /// Sizes and times.
    pub fn stats(&self) -> Stats {
        let Tip { head, log_size, .. } = self.tip.read().clone();
        let history = {
            let history = self.history.lock();
            (history.blocks(), history.bytes())
        };
        let head = head.map_or(0, |head| head.number);
        self.counters.stats(&self.shared, head, log_size, history)
    }

    /// What every block writes.
    fn block_batch(
        &self,
        head: Head,
        outcome: &Outcome,
        block: &[u8],
        delta: &StateDelta,
        replaced: &Replaced,
    ) -> Batch<'_> {
        let number = head.number.to_be_bytes();
        let index = BlockIndex {
            hash: head.hash,
            state_root: head.state_root,
            hot_root: outcome.hot.root,
            log_size: outcome.hot.log_size,
        };
        let mut batch = self.shared.tables.batch();
        for (key, value) in delta.iter().chain(&outcome.plan.beside) {
            match value {
                Some(value) => batch.put(Table::State, key, value),
                None => batch.delete(Table::State, key),
            }
        }
        batch.put(Table::Block, number, block);
        if let Some(step) = &outcome.plan.step {
            step.put(&mut batch);
        }
        batch.put(Table::Changes, number, replaced.encode());
        batch.put(Table::Index, number, index.encode());
        batch.put(Table::NumberByHash, head.hash, number);
        batch.put(Table::Meta, META_HEAD, head.encode());
        batch
    }

    /// What a block replaces.
    fn replaced(&self, delta: &StateDelta, plan: &Plan) -> Result<Replaced, StorageError> {
        let mut keys: Vec<&[u8]> =
            delta.keys().chain(plan.beside.keys()).map(Vec::as_slice).collect();
        if !plan.beside.is_empty() {
            keys.sort_unstable();
        }
        let values = self.shared.tables.get_sorted(Table::State, keys.iter().copied())?;
        let state = self.changes(keys.into_iter().zip(values.iter().map(Option::as_deref)))?;
        Ok(match &plan.step {
            None => Replaced::of_state(state),
            Some(step) => Replaced {
                state,
                bits: step.replaced_bits.clone(),
                records: step.replaced_records.clone(),
            },
        })
    }

    fn changes<'a>(
        &self,
        entries: impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> + Clone,
    ) -> Result<Changes, StorageError> {
        Changes::from_sorted(entries).map_err(|error| StorageError::Database {
            action: "write a block",
            reason: error.to_string(),
        })
    }

    /// Drops the change sets that leave the window with block `number`.
    fn remove_old_changes(&self, batch: &mut Batch<'_>, number: u32) -> Result<(), StorageError> {
        let kept = self.options.history_blocks.max(MIN_CHANGES_KEPT);
        let oldest = self.shared.tables.oldest_changes()?;
        let target = number.saturating_sub(kept.saturating_sub(1));
        let end = target.min(oldest.saturating_add(MAX_CHANGES_REMOVED));
        if end <= oldest {
            return Ok(());
        }
        for number in oldest..end {
            batch.delete(Table::Changes, number.to_be_bytes());
        }
        batch.put(Table::Meta, META_OLDEST_CHANGES, end.to_be_bytes());
        Ok(())
    }

    /// Writes a block to RocksDB, then moves QMDB and the readers to it.
    fn land(
        &self,
        batch: Batch<'_>,
        head: Head,
        version: Arc<Version>,
        outcome: &Outcome,
    ) -> Result<(), StorageError> {
        let start = Instant::now();
        batch.write()?;
        // Genesis is no commit, and its write none of a commit's.
        if head.number > 0 {
            self.counters.writes.record(start);
        }
        self.plans.clear();
        self.groups.apply(&outcome.plan.changed);
        if let Some(step) = &outcome.plan.step {
            self.shared.cold.apply(step);
        }
        let Speculated { root: hot_root, log_size } = outcome.hot;
        self.commitment.apply(hot_root)?;
        *self.tip.write() = Tip { head: Some(head), version, hot_root, log_size };
        Ok(())
    }

    /// After a failed write, memory and disk may differ: nothing goes on.
    pub(crate) fn stop_on_error(
        &self,
        result: Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        if let Err(error) = &result {
            tracing::error!(%error, path = %self.path.display(), "storage stops");
            let _ = self.stopped.set(error.to_string());
        }
        result
    }

    /// That no write failed. Whoever uses the commitment asks when it holds the order: what it
    /// waited for may be the write that fails, and leaves memory and disk apart.
    pub(crate) fn check_running(&self) -> Result<(), StorageError> {
        match self.stopped.get() {
            None => Ok(()),
            Some(reason) => Err(StorageError::Stopped { reason: reason.clone() }),
        }
    }
}

fn check_child(parent: &Head, block: &BlockCommit) -> Result<(), StorageError> {
    let expected = parent.number.checked_add(1);
    if Some(block.number) != expected {
        return Err(StorageError::WrongNumber {
            expected: expected.unwrap_or(u32::MAX),
            found: block.number,
        });
    }
    if block.parent_hash != parent.hash {
        return Err(StorageError::WrongParent {
            number: block.number,
            expected: parent.hash,
            found: block.parent_hash,
        });
    }
    Ok(())
}
