//! The pool's books: pure data, no lock, no clock but block numbers, no
//! validation.
//!
//! What holds between calls (the tests restate it):
//! - a sender's ready transactions have the nonces `nonce..ready_end` without
//!   a gap, all its others are future;
//! - ready transactions stand in a fair order, each sender's by nonce;
//! - no bound of the configuration is exceeded, and who makes room for another
//!   has the largest share of that room.

use crate::{
    PoolConfig, PoolError, Rejection, SenderQuota,
    order::{Order, Place},
    recent::Recent,
    rooms::{Rooms, Usage},
    status::TxStatus,
    transaction::{CommittedBlock, PoolTransaction, Source, TxInfo},
};
use billchain_primitives::{AccountId, BlockNumber, Hash, Nonce};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
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
    /// Place in the log of those to pass on, if it is local.
    outgoing: Option<u64>,
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

/// Hashes of included transactions, oldest forgotten first.
#[derive(Debug, Default)]
struct Included {
    blocks: HashMap<Hash, Hash>,
    order: VecDeque<Hash>,
}

impl Included {
    fn insert(&mut self, hash: Hash, block: Hash, limit: usize) {
        if limit == 0 || self.blocks.insert(hash, block).is_some() {
            return;
        }
        self.order.push_back(hash);
        while self.order.len() > limit {
            if let Some(oldest) = self.order.pop_front() {
                self.blocks.remove(&oldest);
            }
        }
    }
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
    outgoing: BTreeMap<u64, (Hash, Instant)>,
    included: Included,
    recent: Recent,
    next_outgoing: u64,
}

impl State {
    pub(crate) fn new(config: PoolConfig, head: BlockNumber) -> Self {
        Self {
            rooms: Rooms::new(&config),
            config,
            head,
            entries: HashMap::new(),
            senders: HashMap::new(),
            ready: Order::default(),
            future: BTreeSet::new(),
            dying: BTreeSet::new(),
            checks: BTreeSet::new(),
            outgoing: BTreeMap::new(),
            included: Included::default(),
            recent: Recent::default(),
            // 0 is the cursor of a peer that was sent nothing.
            next_outgoing: 1,
        }
    }

    /// What can be refused before anything is executed.
    pub(crate) fn precheck(&self, hash: &Hash) -> Result<(), PoolError> {
        if self.entries.contains_key(hash) {
            return Err(PoolError::AlreadyImported(*hash));
        }
        if let Some(block) = self.included.blocks.get(hash) {
            return Err(PoolError::AlreadyIncluded { hash: *hash, block: *block });
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
        let outgoing = (tx.source == Source::Local).then_some(self.next_outgoing);
        if let Some(place) = outgoing {
            self.outgoing.insert(place, (tx.hash, now));
            self.next_outgoing += 1;
        }
        if let Some(block) = info.dies_at {
            self.dying.insert((block, tx.hash));
        }
        self.checks.insert((self.head, tx.hash));
        self.future.insert((self.head, tx.hash));
        let entry = Entry {
            tx: Arc::clone(&tx),
            ready: None,
            outgoing,
            future_since: Some(self.head),
            dies_at: info.dies_at,
            validated_at: self.head,
            suspect: false,
            at_peers: tx.source == Source::Peer,
        };
        self.entries.insert(tx.hash, entry);
        if !self.promote(&tx.sender, events) {
            events.push((tx.hash, TxStatus::Future));
        }
        Ok(())
    }

    /// Whether the sender's transactions leave a place for this one.
    fn check_place(&self, tx: &PoolTransaction, info: &TxInfo) -> Result<(), PoolError> {
        if let Some(dies_at) = info.dies_at
            && dies_at <= self.head.saturating_add(1)
        {
            return Err(PoolError::Expired { dies_at, head: self.head });
        }
        let sender = self.senders.get(&tx.sender);
        let next = sender.map_or(info.account_nonce, |s| s.nonce.max(info.account_nonce));
        if tx.nonce < next {
            return Err(Rejection::Stale { expected: next, got: tx.nonce }.into());
        }
        if let Some(by) = sender.and_then(|s| s.by_nonce.get(&tx.nonce)) {
            return Err(PoolError::NonceTaken { nonce: tx.nonce, by: *by });
        }
        self.check_share(tx, info)?;
        let ready_end = sender.map_or(info.account_nonce, |s| s.ready_end);
        let max_ahead = self.config.max_nonce_gap;
        if tx.nonce.saturating_sub(ready_end) > max_ahead {
            return Err(PoolError::FutureTooFar { next: ready_end, got: tx.nonce, max_ahead });
        }
        if tx.nonce > ready_end && self.future.len() >= self.config.max_future {
            return Err(PoolError::FutureFull { limit: self.config.max_future });
        }
        Ok(())
    }

    /// Whether the sender's own bounds leave room for this one.
    fn check_share(&self, tx: &PoolTransaction, info: &TxInfo) -> Result<(), PoolError> {
        let used = self.senders.get(&tx.sender).map(|sender| sender.usage).unwrap_or_default();
        let count = self.config.max_per_sender.min(info.quota.max_transactions);
        let bytes = self.config.max_sender_bytes.min(info.quota.max_bytes);
        let account = || tx.sender.clone();
        if used.count >= count {
            return Err(PoolError::SenderFull { account: account(), limit: count });
        }
        if used.and(tx.bytes.len()).bytes > bytes {
            let held = used.bytes;
            return Err(PoolError::SenderFullBytes { account: account(), held, limit: bytes });
        }
        Ok(())
    }

    /// The transactions that make room for this one: the last of whoever has
    /// the largest share of its room, again and again until it fits. Refuses it
    /// if its sender would have the largest share itself.
    fn who_gives_way(
        &self,
        tx: &PoolTransaction,
        info: &TxInfo,
    ) -> Result<Vec<Arc<PoolTransaction>>, PoolError> {
        let sender = self.senders.get(&tx.sender);
        let class = sender.map_or(info.quota.class, |sender| sender.quota.class);
        let (room, size) = (self.rooms.of(class), tx.bytes.len());
        let own = sender.map(|sender| sender.usage).unwrap_or_default().and(size);
        let own_share = room.share(own);
        let full = || PoolError::Full {
            account: tx.sender.clone(),
            transactions: room.limit().count,
            bytes: room.limit().bytes,
        };
        let mut used = room.used().and(size);
        let mut gives_way = Vec::new();
        // What those who give way have left.
        let mut left: BTreeMap<&AccountId, Usage> = BTreeMap::new();
        while !used.fits(room.limit()) {
            let untouched = room.largest().find(|(_, account)| !left.contains_key(account));
            let touched = left.iter().map(|(account, usage)| (room.share(*usage), *account));
            let largest = touched.chain(untouched).max();
            let larger = largest
                .filter(|(share, account)| *share > own_share && **account != tx.sender)
                .and_then(|(_, account)| Some((account, self.senders.get(account)?)));
            let (account, largest) = larger.ok_or_else(full)?;
            let usage = left.entry(account).or_insert(largest.usage);
            let last = largest.by_nonce.values().nth_back(largest.usage.count - usage.count);
            let last = last.and_then(|hash| self.entries.get(hash)).ok_or_else(full)?;
            *usage = usage.without(last.tx.bytes.len());
            used = used.without(last.tx.bytes.len());
            gives_way.push(Arc::clone(&last.tx));
        }
        Ok(gives_way)
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
            self.rooms.of_mut(sender.quota.class).change(&entry.tx.sender, before, less);
        }
        if let Some(place) = entry.ready {
            self.ready.remove(place);
        }
        if let Some(place) = entry.outgoing {
            self.outgoing.remove(&place);
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
        sender.by_nonce.remove(&entry.tx.nonce);
        if entry.ready.is_some() {
            sender.ready_end = entry.tx.nonce;
            let followers: Vec<Hash> =
                sender.by_nonce.range(entry.tx.nonce..).map(|(_, hash)| *hash).collect();
            for follower in followers {
                self.demote(&follower, events);
            }
        }
        if self.senders.get(&entry.tx.sender).is_some_and(|s| s.by_nonce.is_empty()) {
            self.senders.remove(&entry.tx.sender);
        }
        self.evict_excess_future(events);
    }

    fn demote(&mut self, hash: &Hash, events: &mut Events) {
        let Some(entry) = self.entries.get_mut(hash) else { return };
        let Some(place) = entry.ready.take() else { return };
        self.ready.remove(place);
        entry.future_since = Some(self.head);
        self.future.insert((self.head, *hash));
        events.push((*hash, TxStatus::Future));
    }

    /// A demotion may leave more future ones than the bound: the latest go.
    fn evict_excess_future(&mut self, events: &mut Events) {
        while self.future.len() > self.config.max_future {
            let Some((_, hash)) = self.future.last().copied() else { return };
            let Some(entry) = self.unlink(&hash) else { return };
            if let Some(sender) = self.senders.get_mut(&entry.tx.sender) {
                sender.by_nonce.remove(&entry.tx.nonce);
                if sender.by_nonce.is_empty() {
                    self.senders.remove(&entry.tx.sender);
                }
            }
            let limit = self.config.max_future;
            events.push((hash, TxStatus::Dropped(PoolError::FutureFull { limit })));
        }
    }

    /// Prunes what the block holds or outdates, and makes ready what follows.
    pub(crate) fn on_block(&mut self, block: &CommittedBlock, events: &mut Events) {
        self.head = self.head.max(block.number);
        let mut nonces: BTreeMap<AccountId, Nonce> = BTreeMap::new();
        for (account, nonce) in &block.nonces {
            let known = nonces.entry(account.clone()).or_insert(*nonce);
            *known = (*known).max(*nonce);
        }
        for hash in &block.included {
            self.included.insert(*hash, block.hash, self.config.remember_included);
            let Some(entry) = self.unlink(hash) else { continue };
            if let Some(place) = entry.ready {
                self.ready.on_taken(place);
            }
            let PoolTransaction { sender, nonce, .. } = entry.tx.as_ref();
            if let Some(known) = self.senders.get_mut(sender) {
                known.by_nonce.remove(nonce);
            }
            let next = nonces.entry(sender.clone()).or_insert(0);
            *next = (*next).max(nonce.saturating_add(1));
            events.push((*hash, TxStatus::InBlock(block.hash)));
            events.push((*hash, TxStatus::Finalized(block.hash)));
        }
        for (account, nonce) in nonces {
            self.advance(&account, nonce, events);
        }
        self.expire(events);
    }

    /// The account's next nonce is `nonce`: earlier ones are void.
    fn advance(&mut self, account: &AccountId, nonce: Nonce, events: &mut Events) {
        let Some(sender) = self.senders.get_mut(account) else { return };
        if nonce > sender.nonce {
            let rest = sender.by_nonce.split_off(&nonce);
            let void = std::mem::replace(&mut sender.by_nonce, rest);
            sender.nonce = nonce;
            sender.ready_end = sender.ready_end.max(nonce);
            for (got, hash) in void {
                self.unlink(&hash);
                let stale = Rejection::Stale { expected: nonce, got };
                events.push((hash, TxStatus::Invalid(stale.into())));
            }
        }
        self.promote(account, events);
        if self.senders.get(account).is_some_and(|s| s.by_nonce.is_empty()) {
            self.senders.remove(account);
        }
    }

    /// Removes what died or waited too long.
    fn expire(&mut self, events: &mut Events) {
        let next = self.head.saturating_add(1);
        while let Some((dies_at, hash)) = self.dying.first().copied()
            && dies_at <= next
        {
            let reason = PoolError::Expired { dies_at, head: self.head };
            self.remove(&hash, TxStatus::Invalid(reason), events);
        }
        let blocks = self.config.future_lifetime;
        while let Some((since, hash)) = self.future.first().copied()
            && self.head.saturating_sub(since) >= blocks
        {
            let reason = PoolError::FutureTimedOut { blocks };
            self.remove(&hash, TxStatus::Dropped(reason), events);
        }
    }

    /// Oldest checks that are due, and when each was.
    pub(crate) fn due_checks(&self) -> Vec<Arc<PoolTransaction>> {
        self.checks
            .iter()
            .take_while(|(at, _)| self.head.saturating_sub(*at) >= self.config.revalidate_after)
            .take(self.config.revalidate_batch)
            .filter_map(|(_, hash)| self.entries.get(hash).map(|e| Arc::clone(&e.tx)))
            .collect()
    }

    /// Books the outcome of a later check.
    pub(crate) fn on_checked(
        &mut self,
        hash: &Hash,
        outcome: Result<TxInfo, Rejection>,
        events: &mut Events,
    ) {
        let head = self.head;
        let Some(entry) = self.entries.get_mut(hash) else { return };
        let removal = match &outcome {
            Ok(_) => {
                entry.suspect = false;
                None
            }
            // This node failed, not the transaction.
            Err(Rejection::CheckFailed { .. }) => None,
            // The state may be one block ahead of what the pool was told;
            // that block then says what became of the transaction.
            Err(Rejection::Stale { .. }) if !entry.suspect => {
                entry.suspect = true;
                None
            }
            Err(rejection) => Some(rejection.clone()),
        };
        if let Some(rejection) = removal {
            self.remove(hash, TxStatus::Invalid(rejection.into()), events);
            return;
        }
        self.checks.remove(&(entry.validated_at, *hash));
        entry.validated_at = head;
        self.checks.insert((head, *hash));
        // Blocks tell of nonces; this catches one that did not.
        if let Ok(info) = outcome
            && info.at <= head
        {
            self.advance(&info.sender, info.account_nonce, events);
        }
    }

    /// Books that a builder could not use a transaction. `outcome` is what
    /// the validator says of it now.
    pub(crate) fn on_unusable(
        &mut self,
        hash: &Hash,
        outcome: Result<TxInfo, Rejection>,
        events: &mut Events,
    ) {
        // One that became future because an earlier one went is only early.
        let is_ready = self.entries.get(hash).is_some_and(|e| e.ready.is_some());
        if outcome.is_ok() && is_ready {
            self.remove(hash, TxStatus::Invalid(PoolError::NotIncludable), events);
        } else {
            self.on_checked(hash, outcome, events);
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
    pub(crate) fn recall(&self, hash: &Hash) -> Option<&Arc<PoolTransaction>> {
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

    /// First nonce from `from` on that no executable transaction has.
    pub(crate) fn next_nonce(&self, account: &AccountId, from: Nonce) -> Nonce {
        let Some(sender) = self.senders.get(account) else { return from };
        // The caller's state may be a block ahead of the pool's, or behind it.
        let mut next = sender.ready_end.max(from);
        while sender.by_nonce.contains_key(&next) && next < Nonce::MAX {
            next += 1;
        }
        next
    }

    /// Local ones after `cursor` in the order in which to pass them on: at
    /// most `count`, and at most `bytes` unless the first alone has more.
    pub(crate) fn outgoing_after(
        &self,
        cursor: u64,
        count: usize,
        bytes: usize,
    ) -> Vec<(u64, Arc<PoolTransaction>)> {
        let mut sum = 0usize;
        self.outgoing
            .range(cursor.saturating_add(1)..)
            .filter_map(|(place, (hash, _))| self.get(hash).map(|tx| (*place, tx)))
            .take(count)
            .take_while(|(_, tx)| {
                let first = sum == 0;
                sum = sum.saturating_add(tx.bytes.len());
                first || sum <= bytes
            })
            .collect()
    }

    /// Place of the latest local one that was ever added.
    pub(crate) fn outgoing_end(&self) -> u64 {
        self.next_outgoing - 1
    }

    /// Moves local ones that have been pending for `age` to the end of the
    /// log, at most `count`; how many.
    pub(crate) fn announce_again(&mut self, age: Duration, count: usize, now: Instant) -> usize {
        let due: Vec<(u64, Hash)> = self
            .outgoing
            .iter()
            .take(count)
            .take_while(|(_, (_, at))| now.saturating_duration_since(*at) >= age)
            .map(|(place, (hash, _))| (*place, *hash))
            .collect();
        for (place, hash) in &due {
            self.outgoing.remove(place);
            self.outgoing.insert(self.next_outgoing, (*hash, now));
            if let Some(entry) = self.entries.get_mut(hash) {
                entry.outgoing = Some(self.next_outgoing);
            }
            self.next_outgoing += 1;
        }
        due.len()
    }

    pub(crate) fn head(&self) -> BlockNumber {
        self.head
    }

    pub(crate) fn stats(&self) -> PoolStats {
        PoolStats {
            ready: self.ready.len(),
            future: self.future.len(),
            bytes: self.rooms.used().bytes,
            senders: self.senders.len(),
            head: self.head,
        }
    }
}
