//! The entries that a worker has at hand, in the order of the chain: which may be told now.
//!
//! Entries come by ascending numbers. One that names an entry before it which is still at
//! hand, or which is a dead letter or behind one, waits for it. The queue is bounded; what it
//! does not hold is on the chain.

use billchain_primitives::outbox::{Entry, EntryStatus};
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    time::Instant,
};

/// Most entries at hand.
pub const MOST: usize = 2_000;
/// Most dead letters, and entries behind them, that are remembered.
const MOST_HELD: usize = 1_000_000;

/// Where an entry at hand stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// To be told, from then on.
    Ready(Instant),
    /// Under way.
    UnderWay,
    /// Told or refused, and not yet reported.
    Decided,
}

/// An entry at hand.
#[derive(Clone, Debug)]
struct Item<N> {
    notice: N,
    previous: Option<u64>,
    place: Place,
    failures: u32,
    attempts: u32,
}

/// The entries at hand, each with what is told.
#[derive(Clone, Debug)]
pub struct Queue<N> {
    items: BTreeMap<u64, Item<N>>,
    /// Entries at hand that nothing at hand goes before: ready, by their numbers.
    ready: BTreeSet<u64>,
    /// Dead letters and what is behind them.
    held: HashSet<u64>,
    /// The last number that was taken in.
    last: Option<u64>,
}

impl<N> Default for Queue<N> {
    fn default() -> Self {
        let held = HashSet::new();
        Self { items: BTreeMap::new(), ready: BTreeSet::new(), held, last: None }
    }
}

impl<N: Clone> Queue<N> {
    /// The last number that was taken in; none: the chain is read from its first entry on.
    pub fn last(&self) -> Option<u64> {
        self.last
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether more may be taken in.
    pub fn has_room(&self) -> bool {
        self.items.len() < MOST / 2
    }

    /// How many wait to be told.
    pub fn waiting(&self) -> usize {
        self.items.values().filter(|item| matches!(item.place, Place::Ready(_))).count()
    }

    /// Takes an entry in. `is_decided`: it was told before this process began, and is to be
    /// reported.
    pub fn push(&mut self, seq: u64, entry: &Entry, notice: N, is_decided: bool, now: Instant) {
        self.last = Some(self.last.map_or(seq, |last| last.max(seq)));
        if self.items.contains_key(&seq) {
            return;
        }
        let is_behind = entry.previous.is_some_and(|previous| self.held.contains(&previous));
        if entry.status == EntryStatus::Dead || is_behind {
            if self.held.len() < MOST_HELD {
                self.held.insert(seq);
            }
            return;
        }
        let place = if is_decided { Place::Decided } else { Place::Ready(now) };
        let previous = entry.previous.filter(|previous| self.items.contains_key(previous));
        if !is_decided && previous.is_none_or(|previous| self.is_decided(previous)) {
            self.ready.insert(seq);
        }
        self.items.insert(seq, Item { notice, previous, place, failures: 0, attempts: 0 });
    }

    fn is_decided(&self, seq: u64) -> bool {
        self.items.get(&seq).is_none_or(|item| item.place == Place::Decided)
    }

    /// The next entries to be told, at most so many, each with its attempt's number. They are
    /// under way from now on. `in_order`: entries one after another from the first on, those
    /// about one subject together; nothing while one is under way.
    pub fn take(&mut self, most: usize, in_order: bool, now: Instant) -> Vec<(u64, N, u32)> {
        let chosen: Vec<u64> = if in_order {
            let is_busy = self.items.values().any(|item| item.place == Place::UnderWay);
            let undecided = self.items.iter().filter(|(_, item)| item.place != Place::Decided);
            let is_due = |item: &Item<N>| matches!(item.place, Place::Ready(from) if from <= now);
            let due = undecided.take_while(|(_, item)| !is_busy && is_due(item));
            due.map(|(seq, _)| *seq).take(most).collect()
        } else {
            let is_due = |seq: &&u64| {
                self.items
                    .get(seq)
                    .is_some_and(|item| matches!(item.place, Place::Ready(from) if from <= now))
            };
            self.ready.iter().filter(is_due).take(most).copied().collect()
        };
        let mut taken = Vec::with_capacity(chosen.len());
        for seq in chosen {
            self.ready.remove(&seq);
            let Some(item) = self.items.get_mut(&seq) else { continue };
            item.place = Place::UnderWay;
            item.attempts = item.attempts.saturating_add(1);
            taken.push((seq, item.notice.clone(), item.attempts));
        }
        taken
    }

    /// An attempt failed: it comes again from then on. Failures in a row, this one counted.
    pub fn failed(&mut self, seq: u64, again: impl FnOnce(u32) -> Instant) -> u32 {
        let Some(item) = self.items.get_mut(&seq) else { return 0 };
        item.failures = item.failures.saturating_add(1);
        item.place = Place::Ready(again(item.failures));
        let previous = item.previous;
        let failures = item.failures;
        if previous.is_none_or(|previous| self.is_decided(previous)) {
            self.ready.insert(seq);
        }
        failures
    }

    /// An attempt was given up before it came to anything: it comes again at once.
    pub fn put_back(&mut self, seq: u64, now: Instant) {
        self.failed(seq, |_| now);
        if let Some(item) = self.items.get_mut(&seq) {
            item.failures = item.failures.saturating_sub(1);
        }
    }

    /// Attempts at an entry so far.
    pub fn attempts(&self, seq: u64) -> u32 {
        self.items.get(&seq).map_or(0, |item| item.attempts)
    }

    /// It was told: the next one about its subject may go.
    pub fn told(&mut self, seq: u64) {
        if let Some(item) = self.items.get_mut(&seq) {
            item.place = Place::Decided;
        }
        self.ready.remove(&seq);
        self.free(seq);
    }

    /// The system outside refused it. Those about its subject wait until that is on the chain.
    pub fn refused(&mut self, seq: u64) {
        if let Some(item) = self.items.get_mut(&seq) {
            // Under way until the chain has it: nothing goes past it.
            item.place = Place::UnderWay;
        }
        self.ready.remove(&seq);
    }

    /// What was reported of it is on the chain, and it has left the state.
    pub fn done(&mut self, seq: u64) {
        self.items.remove(&seq);
        self.ready.remove(&seq);
        self.free(seq);
    }

    /// It is a dead letter: those behind it wait until somebody has looked.
    pub fn died(&mut self, seq: u64) {
        self.items.remove(&seq);
        self.ready.remove(&seq);
        self.held.insert(seq);
        let mut behind = Some(seq);
        while let Some(before) = behind {
            let next = self.items.range(before..).find(|(_, item)| item.previous == Some(before));
            behind = next.map(|(next, _)| *next);
            if let Some(next) = behind {
                self.items.remove(&next);
                self.ready.remove(&next);
                self.held.insert(next);
            }
        }
    }

    /// Whether none is under way.
    pub fn is_still(&self) -> bool {
        !self.items.values().any(|item| item.place == Place::UnderWay)
    }

    /// The one behind an entry that was decided.
    fn free(&mut self, seq: u64) {
        let behind = self.items.range(seq..).find(|(_, item)| item.previous == Some(seq));
        if let Some((next, item)) = behind
            && matches!(item.place, Place::Ready(_))
        {
            self.ready.insert(*next);
        }
    }

    /// Forgets all that is not under way: the chain is read again from its first entry.
    pub fn restart(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests;
