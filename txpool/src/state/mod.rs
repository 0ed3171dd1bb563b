//! The pool's books: pure data, no lock, no clock but block numbers, no
//! validation.
//!
//! What holds between calls (the tests restate it):
//! - a sender's ready transactions have the nonces `nonce..ready_end` without
//!   a gap, all its others are future;
//! - ready transactions stand in a fair order, each sender's by nonce;
//! - no bound of the configuration is exceeded, and who makes room for another
//!   has the largest share of that room.

mod blocks;
mod checks;
mod place;

use crate::{
    PoolConfig, PoolError, SenderClass, SenderQuota,
    included::Included,
    order::{Order, Place},
    outgoing::Outgoing,
    recent::Recent,
    rooms::{Rooms, Usage},
    status::TxStatus,
    transaction::{PoolTransaction, Source, TxInfo},
};
use billchain_primitives::{AccountId, BlockNumber, Hash, Nonce};
use foldhash::HashMap;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

/// Changes of state, in the order in which they happened.
pub(crate) type Events = Vec<(Hash, TxStatus)>;

/// What the pool knows of one transaction beyond the transaction.
#[derive(Debug)]
struct Entry {
    tx: Arc<PoolTransaction>,
    /// Place in the order of ready ones, if it is ready.
    ready: Option<Place>,
    /// Log and place of it among those to pass on, if it is local.
    outgoing: Option<(SenderClass, u64)>,
    /// Block since which it has been future, if it is.
    future_since: Option<BlockNumber>,
    /// First block that may no longer hold it.
    dies_at: Option<BlockNumber>,
    /// Head at its last check.
    validated_at: BlockNumber,
    /// Its last check found its nonce used, which a block that the pool has
    /// not been told of explains.
    suspect: bool,
    /// A peer has sent it or said that it has it.
    at_peers: bool,
}

/// Transactions of one sender.
#[derive(Debug)]
struct Sender {
    /// Next nonce of the account, as far as the pool knows.
    nonce: Nonce,
    /// First nonce that is not ready.
    ready_end: Nonce,
    by_nonce: BTreeMap<Nonce, Hash>,
    usage: Usage,
    /// What the chain granted it when its latest transaction was checked. Its
    /// class stays while it has any, so that the books know their room.
    quota: SenderQuota,
    /// Virtual end of its latest ready transaction.
    end: u64,
}

/// How many transactions and bytes the pool holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolStats {
    /// Transactions that a block may take now.
    pub ready: usize,
    /// Transactions that wait for an earlier nonce.
    pub future: usize,
    /// Bytes of both.
    pub bytes: usize,
    /// Those of both that were submitted here and are passed on to the peers.
    pub local: usize,
    /// Accounts that have any.
    pub senders: usize,
    /// Number of the last block the pool was told of.
    pub head: BlockNumber,
}

/// The books.
#[derive(Debug)]
pub(crate) struct State {
    config: PoolConfig,
    head: BlockNumber,
    entries: HashMap<Hash, Entry>,
    senders: HashMap<AccountId, Sender>,
    ready: Order,
    rooms: Rooms,
    future: BTreeSet<(BlockNumber, Hash)>,
    dying: BTreeSet<(BlockNumber, Hash)>,
    checks: BTreeSet<(BlockNumber, Hash)>,
    outgoing: Outgoing,
    included: Included,
    recent: Recent,
}

impl State {
    pub(crate) fn new(config: PoolConfig, head: BlockNumber) -> Self {
        Self {
            rooms: Rooms::new(&config),
            config,
            head,
            entries: HashMap::default(),
            senders: HashMap::default(),
            ready: Order::default(),
            future: BTreeSet::new(),
            dying: BTreeSet::new(),
            checks: BTreeSet::new(),
            outgoing: Outgoing::default(),
            included: Included::default(),
            recent: Recent::default(),
        }
    }

    /// What can be refused before anything is executed.
    pub(crate) fn precheck(&self, hash: &Hash) -> Result<(), PoolError> {
        if self.entries.contains_key(hash) {
            return Err(PoolError::AlreadyImported(*hash));
        }
        if let Some(block) = self.included.block(hash) {
            return Err(PoolError::AlreadyIncluded { hash: *hash, block });
        }
        Ok(())
    }

    /// Takes a transaction that `info` says is valid.
    pub(crate) fn insert(
        &mut self,
        tx: Arc<PoolTransaction>,
        info: &TxInfo,
        now: Instant,
        events: &mut Events,
    ) -> Result<(), PoolError> {
        self.precheck(&tx.hash)?;
        self.check_place(&tx, info)?;
        for other in self.who_gives_way(&tx, info)? {
            let gave_way = PoolError::GaveWay { account: other.sender.clone() };
            self.remove(&other.hash, TxStatus::Dropped(gave_way), events);
        }

        let sender = self.senders.entry(tx.sender.clone()).or_insert_with(|| Sender {
            nonce: info.account_nonce,
            ready_end: info.account_nonce,
            by_nonce: BTreeMap::new(),
            usage: Usage::default(),
            quota: info.quota,
            end: 0,
        });
        sender.by_nonce.insert(tx.nonce, tx.hash);
        sender.quota = SenderQuota { class: sender.quota.class, ..info.quota };
        let before = sender.usage;
        sender.usage = before.and(tx.bytes.len());
        self.rooms.of_mut(sender.quota.class).change(&tx.sender, before, sender.usage);
        let class = sender.quota.class;
        let future_since = (tx.nonce != sender.ready_end).then_some(self.head);
        let outgoing = (tx.source == Source::Local)
            .then(|| (class, self.outgoing.add(class, Arc::clone(&tx), now)));
        if let Some(block) = info.dies_at {
            self.dying.insert((block, tx.hash));
        }
        self.checks.insert((self.head, tx.hash));
        if let Some(since) = future_since {
            self.future.insert((since, tx.hash));
            self.rooms.of_mut(class).add_future();
        }
        let entry = Entry {
            tx: Arc::clone(&tx),
            ready: None,
            outgoing,
            future_since,
            dies_at: info.dies_at,
            validated_at: self.head,
            suspect: false,
            at_peers: tx.source == Source::Peer,
        };
        self.entries.insert(tx.hash, entry);
        if !self.promote(&tx.sender, events) {
            events.push((tx.hash, TxStatus::Future));
            self.evict_excess_future(class, events);
        }
        Ok(())
    }

    /// Makes ready what follows the sender's ready ones without a gap;
    /// whether that was any.
    fn promote(&mut self, account: &AccountId, events: &mut Events) -> bool {
        let Some(sender) = self.senders.get_mut(account) else { return false };
        let mut any = false;
        while let Some(hash) = sender.by_nonce.get(&sender.ready_end) {
            let Some(entry) = self.entries.get_mut(hash) else { break };
            if entry.ready.is_some() {
                break;
            }
            if let Some(since) = entry.future_since.take() {
                self.future.remove(&(since, *hash));
                self.rooms.of_mut(sender.quota.class).remove_future();
            }
            let (place, end) = self.ready.add(Arc::clone(&entry.tx), sender.end);
            entry.ready = Some(place);
            sender.end = end;
            events.push((*hash, TxStatus::Ready));
            any = true;
            // The last nonce of all can never be followed.
            let Some(next) = sender.ready_end.checked_add(1) else { break };
            sender.ready_end = next;
        }
        any
    }

    /// Removes a transaction from every book but its sender's order.
    fn unlink(&mut self, hash: &Hash) -> Option<Entry> {
        let entry = self.entries.remove(hash)?;
        if let Some(sender) = self.senders.get_mut(&entry.tx.sender) {
            let less = sender.usage.without(entry.tx.bytes.len());
            let before = std::mem::replace(&mut sender.usage, less);
            let room = self.rooms.of_mut(sender.quota.class);
            room.change(&entry.tx.sender, before, less);
            if entry.future_since.is_some() {
                room.remove_future();
            }
        }
        if let Some(place) = entry.ready {
            self.ready.remove(place);
        }
        if let Some((class, place)) = entry.outgoing {
            self.outgoing.remove(class, place);
        }
        if let Some(since) = entry.future_since {
            self.future.remove(&(since, *hash));
        }
        if let Some(block) = entry.dies_at {
            self.dying.remove(&(block, *hash));
        }
        self.checks.remove(&(entry.validated_at, *hash));
        self.recent.insert(Arc::clone(&entry.tx));
        Some(entry)
    }

    /// Removes one that no block holds; those of its sender that follow it
    /// wait for another with its nonce.
    fn remove(&mut self, hash: &Hash, status: TxStatus, events: &mut Events) {
        let Some(entry) = self.unlink(hash) else { return };
        events.push((*hash, status));
        let Some(sender) = self.senders.get_mut(&entry.tx.sender) else { return };
        let class = sender.quota.class;
        sender.by_nonce.remove(&entry.tx.nonce);
        if let Some(place) = entry.ready {
            sender.ready_end = entry.tx.nonce;
            // No block took it and its followers: they cost their sender nothing.
            sender.end = place.start();
            let followers: Vec<Hash> =
                sender.by_nonce.range(entry.tx.nonce..).map(|(_, hash)| *hash).collect();
            for follower in followers {
                self.demote(&follower, events);
            }
        }
        if self.senders.get(&entry.tx.sender).is_some_and(|s| s.by_nonce.is_empty()) {
            self.senders.remove(&entry.tx.sender);
        }
        self.evict_excess_future(class, events);
    }

    fn demote(&mut self, hash: &Hash, events: &mut Events) {
        let Some(entry) = self.entries.get_mut(hash) else { return };
        let Some(place) = entry.ready.take() else { return };
        self.ready.remove(place);
        entry.future_since = Some(self.head);
        self.future.insert((self.head, *hash));
        if let Some(sender) = self.senders.get(&entry.tx.sender) {
            self.rooms.of_mut(sender.quota.class).add_future();
        }
        events.push((*hash, TxStatus::Future));
    }

    /// While a room has more future ones than the bound, the last of whoever has
    /// the largest share of the room, and future ones, goes.
    fn evict_excess_future(&mut self, class: SenderClass, events: &mut Events) {
        while self.rooms.of(class).future() > self.config.max_future {
            let Some(last) = self.last_future(class) else { return };
            let (hash, sender) = (last.hash, last.sender.clone());
            self.unlink(&hash);
            if let Some(known) = self.senders.get_mut(&sender) {
                known.by_nonce.pop_last();
                if known.by_nonce.is_empty() {
                    self.senders.remove(&sender);
                }
            }
            let limit = self.config.max_future;
            events.push((hash, TxStatus::Dropped(PoolError::FutureFull { limit })));
        }
    }

    /// Current state of one transaction.
    pub(crate) fn status(&self, hash: &Hash) -> Option<TxStatus> {
        let entry = self.entries.get(hash)?;
        Some(if entry.ready.is_some() { TxStatus::Ready } else { TxStatus::Future })
    }

    pub(crate) fn get(&self, hash: &Hash) -> Option<Arc<PoolTransaction>> {
        self.entries.get(hash).map(|e| Arc::clone(&e.tx))
    }

    /// One that is in the pool or left it a short time ago.
    pub(crate) fn held(&self, hash: &Hash) -> Option<&Arc<PoolTransaction>> {
        self.entries.get(hash).map(|entry| &entry.tx).or_else(|| self.recent.get(hash))
    }

    /// Books that a peer has it.
    pub(crate) fn on_broadcast(&mut self, hash: &Hash) {
        if let Some(entry) = self.entries.get_mut(hash) {
            entry.at_peers = true;
        }
    }

    /// Whether a peer is known to have it.
    pub(crate) fn is_at_peers(&self, hash: &Hash) -> bool {
        self.entries.get(hash).is_some_and(|entry| entry.at_peers)
    }

    /// Up to `count` ready ones behind `after` that arrived before number
    /// `before`, with their places.
    pub(crate) fn ready_page(
        &self,
        after: Option<Place>,
        before: u64,
        count: usize,
    ) -> Vec<(Place, Arc<PoolTransaction>)> {
        self.ready.page(after, before, count)
    }

    /// Number of the next one that becomes ready.
    pub(crate) fn arrivals(&self) -> u64 {
        self.ready.arrivals()
    }

    /// Up to `count` future ones, those that have waited longest first.
    pub(crate) fn future(&self, count: usize) -> Vec<Arc<PoolTransaction>> {
        self.future.iter().take(count).filter_map(|(_, hash)| self.get(hash)).collect()
    }

    /// First nonce from `from` on that no executable transaction has, nor one that
    /// `is_awaited`.
    pub(crate) fn next_nonce(
        &self,
        account: &AccountId,
        from: Nonce,
        is_awaited: impl Fn(Nonce) -> bool,
    ) -> Nonce {
        let sender = self.senders.get(account);
        let is_held = |nonce| sender.is_some_and(|sender| sender.by_nonce.contains_key(&nonce));
        // The caller's state may be a block ahead of the pool's, or behind it.
        let mut next = sender.map_or(from, |sender| sender.ready_end.max(from));
        while (is_held(next) || is_awaited(next)) && next < Nonce::MAX {
            next += 1;
        }
        next
    }

    /// The log of those to pass on.
    pub(crate) fn outgoing(&self) -> &Outgoing {
        &self.outgoing
    }

    /// Moves local ones that have been in the log for `age` to its end, at most
    /// `count` of each class; how many.
    pub(crate) fn announce_again(&mut self, age: Duration, count: usize, now: Instant) -> usize {
        let moved = self.outgoing.repeat(age, count, now);
        for (hash, place) in &moved {
            if let Some((_, at)) = self.entries.get_mut(hash).and_then(|e| e.outgoing.as_mut()) {
                *at = *place;
            }
        }
        moved.len()
    }

    pub(crate) fn head(&self) -> BlockNumber {
        self.head
    }

    pub(crate) fn stats(&self) -> PoolStats {
        PoolStats {
            ready: self.ready.len(),
            future: self.future.len(),
            bytes: self.rooms.used().bytes,
            local: self.outgoing.len(),
            senders: self.senders.len(),
            head: self.head,
        }
    }
}
