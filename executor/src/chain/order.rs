//! In which order a proposer puts transactions into its block.
//!
//! The order is the one in which they came, except where the chain has a rule:
//! those that ask for one bill's lock stand in the order of their precedence
//! (see the dispute contract). A sender's transactions keep their order in any
//! case. Where both cannot be had, because two senders' transactions each wait
//! for the other's, the one that came first goes first; the chain then refuses
//! its place to one it should have followed, which waits for another block.

use billchain_primitives::{AccountId, BillKey};
use billchain_runtime::Precedence;
use std::collections::{BTreeMap, BTreeSet};

/// What the place of a transaction depends on.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Who signed it.
    pub(crate) sender: AccountId,
    /// The locks it asks for.
    pub(crate) locks: Vec<(BillKey, Precedence)>,
}

/// The indices of `entries`, whose order is the one in which they came, in the
/// order for the block.
pub(crate) fn arrange(entries: &[Entry]) -> Vec<usize> {
    let contests = contests(entries);
    if contests.is_empty() {
        return (0..entries.len()).collect();
    }
    let mut queue = Queue::new(entries, &contests);
    let mut order = Vec::with_capacity(entries.len());
    while let Some(next) = queue.pop() {
        order.push(next);
    }
    order
}

/// The transactions that contend for a bill, in order of precedence. One that
/// asks several times counts with its best.
fn contests(entries: &[Entry]) -> Vec<Vec<usize>> {
    let mut by_bill: BTreeMap<BillKey, BTreeMap<usize, Precedence>> = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        for (key, precedence) in &entry.locks {
            let best = by_bill.entry(*key).or_default().entry(index).or_insert(*precedence);
            *best = (*best).min(*precedence);
        }
    }
    by_bill
        .into_values()
        .filter(|contest| contest.len() > 1)
        .map(|contest| {
            let mut contest: Vec<_> = contest.into_iter().collect();
            contest.sort_by_key(|(_, precedence)| *precedence);
            contest.into_iter().map(|(index, _)| index).collect()
        })
        .collect()
}

/// Transactions that still have to be placed. Each waits for its sender's
/// earlier ones and for those that precede it in a contest.
struct Queue {
    /// The sender's next transaction.
    next_of_sender: Vec<Option<usize>>,
    /// Those that follow it in a contest.
    followers: Vec<Vec<usize>>,
    /// How many that precede it in a contest are not placed.
    waits_for: Vec<usize>,
    /// Those that wait for nothing.
    ready: BTreeSet<usize>,
    /// Those that wait for others' alone.
    waiting: BTreeSet<usize>,
}

impl Queue {
    fn new(entries: &[Entry], contests: &[Vec<usize>]) -> Self {
        let count = entries.len();
        let mut queue = Self {
            next_of_sender: vec![None; count],
            followers: vec![Vec::new(); count],
            waits_for: vec![0; count],
            ready: BTreeSet::new(),
            waiting: BTreeSet::new(),
        };
        for contest in contests {
            for two in contest.windows(2) {
                queue.followers[two[0]].push(two[1]);
                queue.waits_for[two[1]] += 1;
            }
        }
        let mut last: BTreeMap<&AccountId, usize> = BTreeMap::new();
        for (index, entry) in entries.iter().enumerate() {
            match last.insert(&entry.sender, index) {
                Some(earlier) => queue.next_of_sender[earlier] = Some(index),
                None => queue.make_next(index),
            }
        }
        queue
    }

    fn pop(&mut self) -> Option<usize> {
        // With none ready, some wait for each other: the first comes first.
        let index = self.ready.pop_first().or_else(|| self.waiting.pop_first())?;
        for follower in core::mem::take(&mut self.followers[index]) {
            self.waits_for[follower] -= 1;
            if self.waits_for[follower] == 0 && self.waiting.remove(&follower) {
                self.ready.insert(follower);
            }
        }
        if let Some(next) = self.next_of_sender[index] {
            self.make_next(next);
        }
        Some(index)
    }

    fn make_next(&mut self, index: usize) {
        let set = if self.waits_for[index] == 0 { &mut self.ready } else { &mut self.waiting };
        set.insert(index);
    }
}

#[cfg(test)]
mod tests;
