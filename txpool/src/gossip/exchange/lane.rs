//! What one peer is offered next of one class of senders, and what it was
//! offered already. Pure; time is a parameter.
//!
//! The lane follows the pool's log with a cursor, a batch at a time. Two things
//! are behind the cursor and still to be offered:
//! - the transactions of senders for whom the peer had no room ([`Held`]). Each
//!   of them is tried again by itself, so that one sender's share at a peer holds
//!   back nobody else's transactions;
//! - what was offered before the latest connection opened ([`Again`]): the peer
//!   may have been restarted and know nothing of it.
//!
//! Both are offers of something that the peer may have had already, and share
//! a budget of bytes: who connects again and again, or refuses again and again,
//! is sent no more than that. What is new is never bounded by it.

use crate::{
    PoolTransaction, SenderClass,
    gossip::{
        GossipLimits,
        exchange::wire::Outcome,
        pace::{Backoff, Batches, Budget},
    },
    outgoing::{Outgoing, Page, PageRoom},
};
use billchain_primitives::{AccountId, Hash};
use libp2p::request_response::OutboundRequestId;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

/// Senders that are held back at once. With more of them the lane waits.
const MAX_HELD: usize = 1_024;

/// Bytes that are offered again in a second, and at most at once: enough for
/// what is pending on a busy chain when a peer was restarted.
const AGAIN_RATE: u64 = 2 << 20;
const AGAIN_BURST: u64 = 16 << 20;

/// Offers are made again when the budget has this much, not one by one.
const AGAIN_LEAST: u64 = 32 << 10;

/// A sender for whom the peer had no room.
#[derive(Debug)]
struct Held {
    /// Place up to which its transactions were dealt with.
    served: u64,
    /// Next attempt.
    due: Instant,
    backoff: Backoff,
    /// The peer refused the latest attempt: the next is with one transaction.
    is_refused: bool,
}

/// What is offered again after a connection opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Again {
    /// Place up to which it was.
    served: u64,
    /// Last place of what was offered before.
    end: u64,
}

/// Why a transaction is in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    Held,
    Again,
    New,
}

#[derive(Debug)]
struct Item {
    place: u64,
    tx: Arc<PoolTransaction>,
    reason: Reason,
}

/// A batch that is to be sent, or waits for its answer.
#[derive(Debug)]
pub(super) struct Batch {
    items: Vec<Item>,
    /// How far the log was read for it.
    again_end: u64,
    new_end: u64,
    generation: u64,
}

impl Batch {
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// Bytes of its transactions.
    fn bytes(&self) -> usize {
        self.items.iter().fold(0, |sum, item| sum.saturating_add(item.tx.bytes.len()))
    }

    /// The transactions as they are sent.
    pub(super) fn encoded(&self) -> Vec<Vec<u8>> {
        self.items.iter().map(|item| item.tx.bytes.to_vec()).collect()
    }

    /// How many of them may have been offered before.
    pub(super) fn offered_again(&self) -> usize {
        self.items.iter().filter(|item| item.reason != Reason::New).count()
    }

    /// Their hashes and outcomes.
    pub(super) fn with<'a>(
        &'a self,
        outcomes: &'a [Outcome],
    ) -> impl Iterator<Item = (Hash, Outcome)> + 'a {
        self.items.iter().zip(outcomes).map(|(item, outcome)| (item.tx.hash, *outcome))
    }

    fn add(&mut self, page: Page, reason: Reason) {
        let page = page.items.into_iter();
        self.items.extend(page.map(|(place, tx)| Item { place, tx, reason }));
    }

    /// How far its first `served` transactions bring those with this reason:
    /// to `end` if all of them are among those, nowhere if none is.
    fn reached(&self, reason: Reason, served: usize, end: u64) -> Option<u64> {
        let with_reason =
            |items: &[Item]| items.iter().rfind(|i| i.reason == reason).map(|i| i.place);
        match with_reason(&self.items[served..]) {
            None => Some(end),
            Some(_) => with_reason(&self.items[..served]),
        }
    }
}

#[derive(Debug)]
struct InFlight {
    id: OutboundRequestId,
    batch: Batch,
    sent_at: Instant,
}

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Lane {
    class: SenderClass,
    limits: GossipLimits,
    is_connected: bool,
    /// Place up to which the peer dealt with everything but what is held and
    /// what is to be offered again.
    cursor: u64,
    /// Place up to which it was ever sent anything.
    offered: u64,
    again: Option<Again>,
    held: HashMap<AccountId, Held>,
    budget: Budget,
    batches: Batches,
    /// Counts connections: an answer to a batch from before one says nothing
    /// about what the peer knows now.
    generation: u64,
    in_flight: Option<InFlight>,
    send_at: Option<Instant>,
    /// The peer can take nothing before.
    not_before: Option<Instant>,
    /// The line is left to others until then.
    rests_until: Option<Instant>,
    backoff: Backoff,
}

impl Lane {
    pub(super) fn new(class: SenderClass, limits: &GossipLimits, now: Instant) -> Self {
        Self {
            class,
            is_connected: false,
            cursor: 0,
            offered: 0,
            again: None,
            held: HashMap::new(),
            budget: Budget::new(AGAIN_RATE, AGAIN_BURST, now),
            batches: Batches::new(limits.batch_bytes),
            generation: 0,
            in_flight: None,
            send_at: None,
            not_before: None,
            rests_until: None,
            backoff: Backoff::new(limits.retry_min, limits.retry_max),
            limits: limits.clone(),
        }
    }

    /// A connection opened: the peer may have been restarted and know nothing.
    pub(super) fn on_connected(&mut self, now: Instant) {
        self.is_connected = true;
        self.generation += 1;
        self.cursor = self.cursor.max(self.offered);
        self.held.clear();
        self.again = (self.cursor > 0).then_some(Again { served: 0, end: self.cursor });
        self.backoff.reset();
        self.not_before = None;
        self.send_at = Some(now);
    }

    /// The last connection closed.
    pub(super) fn on_disconnected(&mut self) {
        self.is_connected = false;
        self.in_flight = None;
        self.send_at = None;
    }

    /// The log ends at `end`: see to it that it is sent, and what is behind.
    pub(super) fn want_send(&mut self, end: u64, now: Instant) {
        if !self.is_connected || self.in_flight.is_some() {
            return;
        }
        let new = (self.cursor < end).then(|| now + self.limits.linger);
        let held = self.held.values().map(|held| held.due.max(now)).min();
        let behind = held.into_iter().chain(self.again.map(|_| now)).min();
        let behind = behind.map(|at| at.max(now + self.budget_wait(now)));
        let wanted = self.send_at.into_iter().chain(new).chain(behind).min();
        let bounds = [self.not_before, self.rests_until];
        self.send_at = wanted.map(|at| bounds.into_iter().flatten().fold(at, Instant::max));
    }

    fn budget_wait(&mut self, now: Instant) -> Duration {
        if self.budget.available(now) >= AGAIN_LEAST {
            return Duration::ZERO;
        }
        self.budget.time_until(AGAIN_LEAST, now)
    }

    /// When there is something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.send_at.filter(|_| self.is_connected && self.in_flight.is_none())
    }

    /// Whether it is time to send.
    pub(super) fn take_send(&mut self, now: Instant) -> bool {
        self.is_connected
            && self.in_flight.is_none()
            && self.send_at.take_if(|at| *at <= now).is_some()
    }

    /// The next batch; `None` if there is nothing to send now.
    pub(super) fn next_batch(&mut self, log: &Outgoing, now: Instant) -> Option<Batch> {
        let generation = self.generation;
        let mut batch = Batch { items: Vec::new(), again_end: 0, new_end: 0, generation };
        let room = PageRoom::new(self.limits.batch_count, self.batches.bytes());
        let room = self.add_held(&mut batch, log, room, now);
        let room = self.add_again(&mut batch, log, room, now);
        let places = self.cursor.saturating_add(1)..=u64::MAX;
        let page = log.page(self.class, places, room, |sender| self.held.contains_key(sender));
        batch.new_end = page.end;
        batch.add(page, Reason::New);
        if batch.items.is_empty() {
            self.advance(&batch, 0);
            return None;
        }
        Some(batch)
    }

    /// Adds transactions of senders that are due for another attempt, in half of
    /// the room at most; what room is left. Who has none behind the cursor any
    /// more is no longer held back.
    fn add_held(
        &mut self,
        batch: &mut Batch,
        log: &Outgoing,
        room: PageRoom,
        now: Instant,
    ) -> PageRoom {
        let held = self.held.iter().filter(|(_, held)| held.due <= now);
        let mut due: Vec<(Instant, AccountId)> =
            held.map(|(sender, held)| (held.due, sender.clone())).collect();
        due.sort_unstable();
        let (mut room, mut half) = (room, room.half());
        for (_, sender) in due {
            let Some(held) = self.held.get(&sender) else { continue };
            let count = if held.is_refused { 1 } else { usize::MAX };
            let may = half.at_most(count, self.budget.available(now));
            if may.is_none() {
                break;
            }
            let places = held.served.saturating_add(1)..=self.cursor;
            let page = log.page_of(self.class, &sender, places, may);
            if page.items.is_empty() && page.end >= self.cursor {
                self.held.remove(&sender);
                continue;
            }
            half = half.without(&page);
            room = room.without(&page);
            self.budget.take(page.bytes);
            batch.add(page, Reason::Held);
        }
        room
    }

    /// Adds what was offered before the connection opened; what room is left.
    fn add_again(
        &mut self,
        batch: &mut Batch,
        log: &Outgoing,
        room: PageRoom,
        now: Instant,
    ) -> PageRoom {
        let Some(again) = self.again else { return room };
        batch.again_end = again.served;
        let may = room.at_most(usize::MAX, self.budget.available(now));
        if may.is_none() {
            return room;
        }
        let places = again.served.saturating_add(1)..=again.end;
        let page = log.page(self.class, places, may, |sender| self.held.contains_key(sender));
        batch.again_end = page.end;
        let room = room.without(&page);
        self.budget.take(page.bytes);
        batch.add(page, Reason::Again);
        room
    }

    pub(super) fn on_sent(&mut self, id: OutboundRequestId, batch: Batch, now: Instant) {
        self.offered = self.offered.max(batch.new_end);
        self.in_flight = Some(InFlight { id, batch, sent_at: now });
    }

    /// The batch that `id` names and when it was sent, if it is still awaited.
    pub(super) fn take_in_flight(&mut self, id: OutboundRequestId) -> Option<(Batch, Instant)> {
        let in_flight = self.in_flight.take_if(|in_flight| in_flight.id == id)?;
        Some((in_flight.batch, in_flight.sent_at))
    }

    /// A batch was answered so long after it was sent.
    pub(super) fn measured(&mut self, batch: &Batch, took: Duration, now: Instant) {
        let rest = self.batches.answered(batch.bytes(), took);
        self.rests_until = (!rest.is_zero()).then(|| now + rest);
    }

    /// The peer dealt with a batch, an outcome for each transaction.
    pub(super) fn on_outcomes(&mut self, batch: &Batch, outcomes: &[Outcome], now: Instant) {
        if batch.generation != self.generation {
            return;
        }
        let mut refused = HashSet::new();
        let mut served = 0;
        for (item, outcome) in batch.items.iter().zip(outcomes) {
            match outcome {
                Outcome::Full => break,
                _ if refused.contains(&item.tx.sender) => {}
                Outcome::Later => {
                    if !self.hold(item, now) {
                        break;
                    }
                    refused.insert(&item.tx.sender);
                }
                Outcome::Taken | Outcome::Known | Outcome::Refused(_) => self.go_on(item, now),
            }
            served += 1;
        }
        self.advance(batch, served);
        if served == batch.items.len() {
            self.backoff.reset();
            self.not_before = None;
        } else {
            self.hold_back(now);
        }
    }

    /// The peer has no room for the sender of `item`: it is tried again later.
    /// `false` if as many are held back as may be.
    fn hold(&mut self, item: &Item, now: Instant) -> bool {
        if !self.held.contains_key(&item.tx.sender) && self.held.len() >= MAX_HELD {
            return false;
        }
        // What is offered again passes over this sender from now on.
        let again = self.again.map_or(u64::MAX, |again| again.served);
        let (min, max) = (self.limits.retry_min, self.limits.retry_max);
        let held = self.held.entry(item.tx.sender.clone()).or_insert_with(|| Held {
            served: again.min(item.place.saturating_sub(1)),
            due: now,
            backoff: Backoff::new(min, max),
            is_refused: true,
        });
        held.due = now + held.backoff.advance();
        held.is_refused = true;
        true
    }

    /// The peer took a transaction of a sender that is held back.
    fn go_on(&mut self, item: &Item, now: Instant) {
        if item.reason == Reason::Held
            && let Some(held) = self.held.get_mut(&item.tx.sender)
        {
            held.served = item.place;
            held.backoff.reset();
            held.is_refused = false;
            held.due = now;
        }
    }

    /// Moves the cursors over the first `served` transactions of a batch.
    fn advance(&mut self, batch: &Batch, served: usize) {
        if let Some(again) = self.again
            && let Some(at) = batch.reached(Reason::Again, served, batch.again_end)
        {
            let served = again.served.max(at);
            self.again = (served < again.end).then_some(Again { served, ..again });
        }
        if let Some(at) = batch.reached(Reason::New, served, batch.new_end) {
            self.cursor = self.cursor.max(at);
        }
    }

    /// The peer could not deal with a batch: it is sent again.
    pub(super) fn hold_back(&mut self, now: Instant) {
        let until = now + self.backoff.advance();
        self.not_before = Some(until);
        self.send_at = Some(self.send_at.map_or(until, |at| at.max(until)));
    }

    /// The peer could not read a batch, or answered something else. Sending the
    /// same again would end in a ban; what is still pending later is announced
    /// again in another batch.
    pub(super) fn give_up(&mut self, batch: &Batch, now: Instant) {
        if batch.generation == self.generation {
            batch.items.iter().for_each(|item| self.go_on(item, now));
            self.advance(batch, batch.items.len());
        }
    }

    /// Whether it was offered everything up to `end`.
    pub(super) fn is_served(&self, end: u64) -> bool {
        let is_idle = self.in_flight.is_none() && self.again.is_none();
        !self.is_connected || (is_idle && self.cursor >= end)
    }
}

#[cfg(test)]
mod tests;
