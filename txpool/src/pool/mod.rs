//! The pool: the books behind a lock, the validator outside it, and those who
//! wait for news.

mod best;
mod import;
mod keep;

use crate::{
    CommittedBlock, ConfigError, PoolConfig, PoolError, PoolMetrics, PoolStats, PoolTransaction,
    Source, StatusStream, TransactionValidator, TxStatus,
    awaited::Awaited,
    door::{Door, Submission},
    journal::{Journal, OpenJournal},
    order::Place,
    outgoing::Outgoing,
    state::{Events, State},
    status::Watchers,
};
use billchain_primitives::{AccountId, BlockNumber, Hash, Nonce};
use bytes::Bytes;
use parking_lot::Mutex;
use prometheus_client::registry::Registry;
use std::{
    collections::HashSet,
    fmt,
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

pub use best::Best;

/// Transactions on their way into a block.
///
/// Checks many transactions together where many come at once, and never holds
/// its lock while it does. Knows nothing of the network: gossip reads
/// the log of local transactions and brings what peers send to [`Pool::submit`].
pub struct Pool {
    config: PoolConfig,
    validator: Arc<dyn TransactionValidator>,
    inner: Mutex<Inner>,
    metrics: PoolMetrics,
    has_ready: watch::Sender<bool>,
    outgoing: watch::Sender<u64>,
    head: watch::Sender<BlockNumber>,
    door: Arc<Door>,
    watch_permits: Arc<Semaphore>,
    journal: Option<Journal>,
    /// What the journal held at the start and is not in the pool yet.
    awaited: Mutex<Awaited>,
}

struct Inner {
    state: State,
    watchers: Watchers,
    /// Why nothing is taken, while nothing is.
    refusal: Option<PoolError>,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

impl Pool {
    /// An empty pool for a chain whose head is block `head`. It keeps nothing: what it
    /// has taken goes with the process.
    pub fn new(
        config: PoolConfig,
        head: BlockNumber,
        validator: Arc<dyn TransactionValidator>,
    ) -> Result<Arc<Self>, ConfigError> {
        Self::build(config, head, validator, None)
    }

    /// As [`Pool::new`], with a journal of what clients submit. What is in it comes
    /// into the pool by [`Pool::restore`].
    pub fn with_journal(
        config: PoolConfig,
        head: BlockNumber,
        validator: Arc<dyn TransactionValidator>,
        journal: OpenJournal,
    ) -> Result<Arc<Self>, ConfigError> {
        Self::build(config, head, validator, Some(journal))
    }

    fn build(
        config: PoolConfig,
        head: BlockNumber,
        validator: Arc<dyn TransactionValidator>,
        journal: Option<OpenJournal>,
    ) -> Result<Arc<Self>, ConfigError> {
        config.check()?;
        let (journal, kept) = journal.map(|open| (open.journal, open.kept)).unzip();
        let (awaited, over) =
            Awaited::new(kept.unwrap_or_default(), |account| validator.account_nonce(account));
        if let Some(journal) = &journal {
            journal.forget(over.iter());
            journal.metrics().awaited.set(awaited.len() as i64);
        }
        Ok(Arc::new(Self {
            inner: Mutex::new(Inner {
                state: State::new(config.clone(), head),
                watchers: Watchers::default(),
                refusal: None,
            }),
            metrics: PoolMetrics::default(),
            has_ready: watch::Sender::new(false),
            outgoing: watch::Sender::new(0),
            head: watch::Sender::new(head),
            door: Arc::new(Door::new(&config)),
            watch_permits: Arc::new(Semaphore::new(config.max_watchers)),
            journal,
            awaited: Mutex::new(awaited),
            validator,
            config,
        }))
    }

    /// The bounds in force.
    pub fn config(&self) -> &PoolConfig {
        &self.config
    }

    /// Registers what the pool and its journal count.
    pub fn register_metrics(&self, registry: &mut Registry) {
        self.metrics.register(registry);
        if let Some(journal) = &self.journal {
            journal.metrics().register(registry);
        }
    }

    /// From now on nothing is taken, for this reason; or everything is that the chain's
    /// rules and the bounds allow. What the pool holds stays, and is known when it is
    /// sent again.
    pub fn refuse(&self, reason: Option<PoolError>) {
        self.inner.lock().refusal = reason;
    }

    /// Checks a transaction (its encoding with the length prefix) on this
    /// thread and takes it. The journal does not hear of it: this is not a client's
    /// door.
    pub fn submit(&self, bytes: impl Into<Bytes>, source: Source) -> Result<Hash, PoolError> {
        self.submit_all(vec![bytes.into()], source).remove(0)
    }

    /// [`Pool::submit`] for many at once, which are checked together: what
    /// became of each, in their order.
    pub fn submit_all(&self, all: Vec<Bytes>, source: Source) -> Vec<Result<Hash, PoolError>> {
        let submission = |bytes| Submission { bytes, source, watch: None, room: None };
        let imported = self.import(all.into_iter().map(submission).collect());
        imported.into_iter().map(|imported| imported.map(|taken| taken.hash)).collect()
    }

    /// [`Pool::submit`] for asynchronous callers: waits in line with others
    /// and is checked together with them on a blocking thread. One of a client is in
    /// the journal when this returns, if the pool has one; so is one that was in the
    /// pool already, [`PoolError::AlreadyImported`].
    pub async fn submit_async(
        self: &Arc<Self>,
        bytes: impl Into<Bytes>,
        source: Source,
    ) -> Result<Hash, PoolError> {
        self.import_async(bytes.into(), source, None).await.map(|taken| taken.hash)
    }

    /// [`Pool::submit_async`], and the states of the transaction from then on.
    /// Nothing is taken when no subscription is free.
    pub async fn submit_and_watch(
        self: &Arc<Self>,
        bytes: impl Into<Bytes>,
        source: Source,
    ) -> Result<StatusStream, PoolError> {
        let permit = self.watch_permit()?;
        let taken = self.import_async(bytes.into(), source, Some(permit)).await?;
        taken.states.ok_or(PoolError::Unknown(taken.hash))
    }

    /// States of a transaction that is in the pool.
    pub fn watch(&self, hash: &Hash) -> Result<StatusStream, PoolError> {
        let permit = self.watch_permit()?;
        let inner = &mut *self.inner.lock();
        let current = inner.state.status(hash).ok_or(PoolError::Unknown(*hash))?;
        Ok(inner.watchers.subscribe(*hash, current, permit))
    }

    /// Ready transactions in the order in which to put them into a block: fair
    /// between senders, each sender's by nonce. Holds no lock; what leaves the
    /// pool meanwhile is left out, what enters it is not added.
    pub fn best(self: &Arc<Self>) -> Best {
        let arrivals = self.inner.lock().state.arrivals();
        Best::new(Arc::clone(self), arrivals)
    }

    /// Resolves when the pool has a ready transaction, at once if it has one.
    pub fn work_ready(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut has_ready = self.has_ready.subscribe();
        async move {
            if has_ready.wait_for(|ready| *ready).await.is_err() {
                // The pool is gone: there will never be work.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Tells the pool of a committed block: call it once a block, in order,
    /// after the state is readable and before the next block is proposed.
    pub fn on_block_committed(&self, block: &CommittedBlock) {
        self.change(|state, events| state.on_block(block, events));
        self.head.send_replace(block.number);
    }

    /// Removes transactions that could not be executed when a block was
    /// built. Asks the validator for the reason; those that only wait for an
    /// earlier nonce, and those that a block took meanwhile, stay.
    pub fn remove_invalid(&self, hashes: &[Hash]) {
        let held: Vec<_> = hashes.iter().filter_map(|hash| self.get(hash)).collect();
        let outcomes = self.check(held.iter().map(|tx| &tx.bytes));
        self.change(|state, events| {
            for (tx, outcome) in held.iter().zip(outcomes) {
                state.on_unusable(&tx.hash, outcome, events);
            }
        });
    }

    /// Checks again those that have waited for `revalidate_after` blocks, at
    /// most `revalidate_batch` of them; how many it checked.
    pub fn revalidate(&self) -> usize {
        let due = self.inner.lock().state.due_checks();
        let outcomes = self.check(due.iter().map(|tx| &tx.bytes));
        self.change(|state, events| {
            for (tx, outcome) in due.iter().zip(outcomes) {
                state.on_checked(&tx.hash, outcome, events);
            }
        });
        due.len()
    }

    /// Calls [`Pool::restore`] and [`Pool::revalidate`], at once and after each block,
    /// on a blocking thread. Runs until it is dropped or the runtime stops.
    pub async fn maintain(self: Arc<Self>) {
        let mut head = self.head.subscribe();
        loop {
            let this = Arc::clone(&self);
            let work = move || (this.restore(), this.revalidate());
            if let Err(error) = tokio::task::spawn_blocking(work).await {
                if error.is_cancelled() {
                    return;
                }
                tracing::error!(%error, "checking waiting transactions again failed");
            }
            if head.changed().await.is_err() {
                return;
            }
        }
    }

    /// All ready transactions, best first.
    pub fn pending(&self) -> Vec<Arc<PoolTransaction>> {
        let state = &self.inner.lock().state;
        state.ready_page(None, u64::MAX, usize::MAX).into_iter().map(|(_, tx)| tx).collect()
    }

    /// Up to `count` transactions that wait for an earlier nonce, those that
    /// have waited longest first.
    pub fn future(&self, count: usize) -> Vec<Arc<PoolTransaction>> {
        self.inner.lock().state.future(count)
    }

    /// A transaction in the pool.
    pub fn get(&self, hash: &Hash) -> Option<Arc<PoolTransaction>> {
        self.inner.lock().state.get(hash)
    }

    /// Whether a transaction in the pool is ready or future; `None` if it is
    /// not in the pool.
    pub fn status(&self, hash: &Hash) -> Option<TxStatus> {
        self.inner.lock().state.status(hash)
    }

    /// Next nonce the account should use, after its transactions in the pool and
    /// those that are about to come back into it; `state_nonce` is its next nonce in
    /// the state.
    pub fn next_nonce(&self, account: &AccountId, state_nonce: Nonce) -> Nonce {
        let awaited = self.awaited.lock();
        let is_awaited = |nonce| awaited.has(account, nonce);
        self.inner.lock().state.next_nonce(account, state_nonce, is_awaited)
    }

    /// How much the pool holds.
    pub fn stats(&self) -> PoolStats {
        self.inner.lock().state.stats()
    }

    /// Reads the log of those to pass on.
    pub(crate) fn with_outgoing<T>(&self, read: impl FnOnce(&Outgoing) -> T) -> T {
        read(self.inner.lock().state.outgoing())
    }

    /// Place of the latest local transaction in the log; changes when there is
    /// another to pass on.
    pub(crate) fn outgoing_end(&self) -> watch::Receiver<u64> {
        self.outgoing.subscribe()
    }

    /// Has local transactions that have been pending for `age` passed on
    /// again, at most `count` of each class; how many.
    pub(crate) fn announce_again(&self, age: Duration, count: usize) -> usize {
        let mut inner = self.inner.lock();
        let moved = inner.state.announce_again(age, count, Instant::now());
        self.publish(&inner.state);
        moved
    }

    /// Books, and tells subscribers, that `peer` has the transactions.
    pub fn on_broadcast(&self, hashes: &[Hash], peer: &str) {
        let status = TxStatus::Broadcast(vec![peer.to_string()]);
        let inner = &mut *self.inner.lock();
        for hash in hashes {
            inner.state.on_broadcast(hash);
            inner.watchers.notify(hash, &status);
        }
    }

    /// Those of the transactions that are in the pool or left it a short time
    /// ago, in their order: as many as `max_bytes` hold.
    pub fn held<'a>(
        &self,
        hashes: impl IntoIterator<Item = &'a Hash>,
        max_bytes: usize,
    ) -> Vec<Arc<PoolTransaction>> {
        let state = &self.inner.lock().state;
        let mut room = max_bytes;
        hashes
            .into_iter()
            .filter_map(|hash| state.held(hash).cloned())
            .take_while(|tx| {
                let rest = room.checked_sub(tx.bytes.len());
                room = rest.unwrap_or_default();
                rest.is_some()
            })
            .collect()
    }

    /// Those of the transactions that a peer has sent, or said that it has. As
    /// nodes pass on to all peers at once, the others have them too, or soon.
    pub fn at_peers<'a>(&self, hashes: impl IntoIterator<Item = &'a Hash>) -> HashSet<Hash> {
        let state = &self.inner.lock().state;
        hashes.into_iter().filter(|hash| state.is_at_peers(hash)).copied().collect()
    }

    pub(crate) fn ready_page(
        &self,
        after: Option<Place>,
        before: u64,
        count: usize,
    ) -> Vec<(Place, Arc<PoolTransaction>)> {
        self.inner.lock().state.ready_page(after, before, count)
    }

    fn watch_permit(&self) -> Result<OwnedSemaphorePermit, PoolError> {
        Arc::clone(&self.watch_permits)
            .try_acquire_owned()
            .map_err(|_| PoolError::TooManyWatchers { limit: self.config.max_watchers })
    }

    /// Changes the books and tells everyone concerned.
    fn change(&self, change: impl FnOnce(&mut State, &mut Events)) {
        let inner = &mut *self.inner.lock();
        let mut events = Events::new();
        change(&mut inner.state, &mut events);
        self.settle(inner, &events);
    }

    /// Tells watchers, consensus and gossip what changed. Under the lock, so
    /// that all see the changes in one order; nothing here waits.
    fn settle(&self, inner: &mut Inner, events: &Events) {
        for (hash, status) in events {
            inner.watchers.notify(hash, status);
            match status {
                TxStatus::Finalized(_) => drop(self.metrics.included.inc()),
                TxStatus::Dropped(reason) => {
                    self.metrics.dropped.inc();
                    if matches!(reason, PoolError::GaveWay { .. }) {
                        self.metrics.gave_way.inc();
                    }
                }
                TxStatus::Invalid(reason) => {
                    tracing::debug!(%hash, %reason, "transaction became invalid");
                    self.metrics.invalid.inc();
                }
                _ => {}
            }
        }
        let over = events.iter().filter(|(_, status)| status.is_final());
        self.forget(over.map(|(hash, _)| hash));
        self.publish(&inner.state);
    }

    fn publish(&self, state: &State) {
        let stats = state.stats();
        self.metrics.ready.set(stats.ready as i64);
        self.metrics.future.set(stats.future as i64);
        self.metrics.bytes.set(stats.bytes as i64);
        self.metrics.local.set(stats.local as i64);
        self.metrics.senders.set(stats.senders as i64);
        let has_ready = stats.ready > 0;
        // Wakes nobody unless the value changes: a busy pool must not wake
        // consensus for each transaction.
        self.has_ready.send_if_modified(|old| std::mem::replace(old, has_ready) != has_ready);
        let end = state.outgoing().end();
        self.outgoing.send_if_modified(|old| std::mem::replace(old, end) != end);
    }
}
