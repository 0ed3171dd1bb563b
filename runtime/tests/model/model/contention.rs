//! Contention within a block: several claimants want one bill.

use super::Model;
use crate::words::{Actor, Change, Entry, Item, Key, Op, Refusal, Resolution};
use std::cmp::Ordering;

/// How far from the block's time a lock may be signed, in milliseconds.
const TIMELY: core::ops::RangeInclusive<i64> = -10_000..=30_000;

fn is_timely(drift: i64) -> bool {
    TIMELY.contains(&drift)
}

/// A lock that a transaction asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    pub claimant: Actor,
    pub signed_at: u64,
    /// Weight of the claim's scene; one that is not active has none.
    pub weight: u16,
    /// Hash of the transaction.
    pub transaction: [u8; 32],
}

/// By what one lock precedes another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Criterion {
    Time,
    Weight,
    Hash,
}

impl Asked {
    /// Whether this lock precedes `other` or follows it, and by what.
    pub fn compared(&self, other: &Self) -> (Ordering, Criterion) {
        if self.signed_at != other.signed_at {
            return (self.signed_at.cmp(&other.signed_at), Criterion::Time);
        }
        if self.weight != other.weight {
            // The heavier scene comes first.
            return (other.weight.cmp(&self.weight), Criterion::Weight);
        }
        (self.transaction.cmp(&other.transaction), Criterion::Hash)
    }

    fn precedes(&self, other: &Self) -> bool {
        self.compared(other).0 == Ordering::Less
    }
}

/// The locks of one bill that the block has asked for.
#[derive(Clone, Default, Debug)]
pub struct Contest {
    pub asked: Vec<Asked>,
    /// Who got the bill first.
    pub winner: Option<Actor>,
}

impl Contest {
    /// By what the winner's lock precedes that of the next claimant.
    pub fn decided_by(&self) -> Option<Criterion> {
        let winner = self.winner?;
        let at = self.asked.iter().position(|asked| asked.claimant == winner)?;
        let next = self.asked[at..].iter().find(|asked| asked.claimant != winner)?;
        Some(self.asked[at].compared(next).1)
    }

    fn claimants(&self) -> Vec<Actor> {
        let mut claimants = Vec::new();
        for asked in &self.asked {
            if !claimants.contains(&asked.claimant) {
                claimants.push(asked.claimant);
            }
        }
        claimants
    }
}

impl Model {
    /// The locks that a transaction asks for and that somebody could get: their
    /// times are in bounds, and the sender may act for the claimants.
    pub fn asked(&self, who: Actor, op: &Op, transaction: [u8; 32]) -> Vec<(Key, Asked)> {
        let asked = |item: &Item| {
            let Change::Lock { scene, for_user, drift, .. } = item.change else { return None };
            let claimant = self.claimant(who, for_user).ok()?;
            let weight = self.active_scene(scene).map_or(0, |rules| rules.weight);
            let signed_at = self.now.checked_add_signed(drift)?;
            let timely = is_timely(drift);
            timely.then_some((item.key, Asked { claimant, signed_at, weight, transaction }))
        };
        let mut all: Vec<_> = op.changes().iter().filter_map(asked).collect();
        // Among its own a transaction is in order.
        all.sort_by(|(_, one), (_, other)| one.compared(other).0);
        all
    }

    /// What becomes of a transaction that is offered for the block. Only one
    /// that is in the block leaves something behind.
    pub fn enter(&mut self, who: Actor, op: &Op, transaction: [u8; 32]) -> Entry {
        if !self.may_act(who) {
            return Entry::NotAdmitted;
        }
        if self.left_out.contains(&who) {
            return Entry::Waits;
        }
        let asked = self.asked(who, op, transaction);
        let out_of_order = asked.iter().any(|(key, asked)| {
            let contest = self.contests.get(key);
            contest.is_some_and(|contest| contest.asked.iter().any(|last| asked.precedes(last)))
        });
        if out_of_order {
            self.left_out.insert(who);
            return Entry::OutOfOrder;
        }
        for (key, asked) in asked {
            self.contests.entry(key).or_default().asked.push(asked);
        }
        self.at.index += 1;
        Entry::In(self.apply(who, op))
    }

    /// Whether a lock may be asked for at all: it was signed about now, and no
    /// other claimant got the bill in this block.
    pub(super) fn admit(&self, key: Key, claimant: Actor, drift: i64) -> Result<(), Refusal> {
        if !is_timely(drift) {
            return Err(Refusal::Untimely);
        }
        match self.contests.get(&key).and_then(|contest| contest.winner) {
            Some(winner) if winner != claimant => Err(Refusal::DisputeLost),
            _ => Ok(()),
        }
    }

    /// Whoever wins a bill in a block has won it for the block.
    pub(super) fn won(&mut self, key: Key, claimant: Actor) {
        if let Some(contest) = self.contests.get_mut(&key) {
            contest.winner.get_or_insert(claimant);
        }
    }

    /// Ends the block: the bills that somebody got and several had asked for.
    pub fn end_block(&mut self) -> Vec<Resolution> {
        self.left_out.clear();
        let contests = std::mem::take(&mut self.contests);
        let resolution = |(key, contest): (Key, Contest)| {
            let (winner, contenders) = (contest.winner?, contest.claimants());
            (contenders.len() > 1).then_some(Resolution { key, winner, contenders })
        };
        contests.into_iter().filter_map(resolution).collect()
    }
}
