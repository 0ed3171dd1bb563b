//! Blocks in which several want the same bill.

use super::Players;
use crate::{
    model::{Asked, Model},
    words::{Actor, Change, Item, Key, Op},
    world::Signed,
};
use rand::{
    Rng,
    seq::{IndexedRandom, SliceRandom},
};
use std::{cmp::Ordering, collections::BTreeMap};

impl Players {
    /// What many ask for in one block: locks of one or two bills, and what the
    /// claimants do with them next.
    pub fn crowd(&mut self, model: &Model) -> Vec<(Actor, Op)> {
        let keys = self.wanted(model);
        let base = self.one_of(&[-4_900, 0, 0, 3_000]);
        let mut asked = Vec::new();
        for _ in 0..self.rng.random_range(2..6) {
            let items: Vec<_> = keys.iter().map(|key| self.claim(*key, base)).collect();
            let (who, item) = self.one_of_cloned(&items);
            let op = if self.rng.random_ratio(1, 6) {
                Op::ChangeBatch(items.into_iter().map(|(_, item)| item).collect(), self.mode())
            } else {
                Op::Change(item)
            };
            asked.push((self.mostly(who), op));
        }
        for _ in 0..self.rng.random_range(0..4) {
            let key = self.one_of(&keys);
            asked.push(match self.rng.random_range(0..4) {
                0 => self.op(model),
                1 => self.change(model, key),
                _ => self.next(&asked, key),
            });
        }
        // The council signs nothing.
        asked.retain(|(who, _)| *who != Actor::Council);
        asked
    }

    fn one_of_cloned<T: Clone>(&mut self, choice: &[T]) -> T {
        choice.choose(&mut self.rng).expect("there is a choice").clone()
    }

    /// One or two bills, such as somebody can lock if there are any.
    fn wanted(&mut self, model: &Model) -> Vec<Key> {
        let lockable = |key: &Key| {
            use crate::words::Status::{Normal, PartlyReimbursed};
            let status = model.bills.get(key).map(|bill| bill.status);
            matches!(status, Some(Normal | PartlyReimbursed))
        };
        let live = self.oldest()..=self.newest.max(1);
        let mut keys: Vec<_> = live.filter(lockable).collect();
        keys.shuffle(&mut self.rng);
        keys.truncate(self.rng.random_range(1..3));
        if keys.is_empty() || self.rarely() {
            keys.push(self.known_key());
        }
        keys
    }

    /// Somebody's lock, signed about `base` milliseconds after the block's
    /// time: often in the same millisecond as others.
    fn claim(&mut self, key: Key, base: i64) -> (Actor, Item) {
        let drift = match self.rng.random_range(0..16) {
            0 => self.one_of(&[-10_001, 30_001]),
            1 => self.one_of(&[-10_000, 30_000]),
            2..5 => base + self.rng.random_range(-2..=2),
            _ => base,
        };
        let user = if self.rarely() { Actor::Both } else { self.user() };
        let (who, change) = self.lock(user, drift);
        (who, Item { key, expected: None, change })
    }

    /// What one of the claimants would do with the bill if it got it.
    fn next(&mut self, asked: &[(Actor, Op)], key: Key) -> (Actor, Op) {
        let (who, _) = self.one_of_cloned(asked);
        let change = match self.rng.random_range(0..3) {
            0 => Change::Reimburse(self.rng.random_range(1..16)),
            _ => Change::Unlock,
        };
        (who, Op::Change(Item { key, expected: None, change }))
    }

    /// The order in which a builder of blocks tries transactions: mostly as the
    /// rule wants it, with what asks for no lock anywhere; each sender's in the
    /// order in which it signed them.
    pub fn line_up(&mut self, model: &Model, signed: Vec<Signed>) -> Vec<Signed> {
        let mut places = signed.clone();
        places.shuffle(&mut self.rng);
        if self.rng.random_ratio(3, 4) {
            let first = |one: &Signed| model.asked(one.who, &one.op, one.hash).into_iter().next();
            sort_locks(&mut places, |one| first(one).map(|(_, asked)| asked));
        }
        let mut senders = BTreeMap::<Actor, Vec<Signed>>::new();
        for one in signed.into_iter().rev() {
            senders.entry(one.who).or_default().push(one);
        }
        let next = |place: Signed| senders.get_mut(&place.who).and_then(Vec::pop);
        places.into_iter().filter_map(next).collect()
    }
}

/// Sorts what has a lock, by its lock; the rest stays where it is.
fn sort_locks<T: Clone>(all: &mut [T], lock: impl Fn(&T) -> Option<Asked>) {
    let places: Vec<_> = (0..all.len()).filter(|at| lock(&all[*at]).is_some()).collect();
    let mut locks: Vec<T> = places.iter().map(|at| all[*at].clone()).collect();
    locks.sort_by(|one, other| match (lock(one), lock(other)) {
        (Some(one), Some(other)) => one.compared(&other).0,
        _ => Ordering::Equal,
    });
    for (at, one) in places.into_iter().zip(locks) {
        all[at] = one;
    }
}
