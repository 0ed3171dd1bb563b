//! Who may have how much of the pool.
//!
//! The pool has two rooms. The reserve is for those who can stop what goes
//! wrong: council members, security administrators and validators' operators.
//! Everybody else shares the ordinary room. Nobody can use the other room, so
//! that no load of one keeps the others out.
//!
//! Within a room the sender with the largest share gives way: a sender's share
//! is the larger of its part of the room's transactions and of its bytes. A
//! newcomer that would have the largest share itself is refused. So a sender
//! that floods the pool loses its own transactions, never another's.

use crate::PoolConfig;
use billchain_primitives::AccountId;
use std::collections::BTreeSet;

/// Part of the pool that is the reserve.
const RESERVE_PART: usize = 16;

/// Parts in which a share is counted.
const WHOLE: u128 = 1 << 32;

/// Which room a sender has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SenderClass {
    /// Participants at their business.
    #[default]
    Ordinary,
    /// Council members, security administrators and validators' operators.
    Reserved,
}

/// What the chain grants a sender in each node's pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderQuota {
    /// Its room.
    pub class: SenderClass,
    /// Most transactions.
    pub max_transactions: usize,
    /// Most bytes of them.
    pub max_bytes: usize,
}

impl Default for SenderQuota {
    /// No bound but the pool's own.
    fn default() -> Self {
        Self { class: SenderClass::Ordinary, max_transactions: usize::MAX, max_bytes: usize::MAX }
    }
}

/// Transactions and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) count: usize,
    pub(crate) bytes: usize,
}

impl Usage {
    /// This and one transaction more.
    pub(crate) fn and(self, bytes: usize) -> Self {
        Self { count: self.count.saturating_add(1), bytes: self.bytes.saturating_add(bytes) }
    }

    /// This without one transaction of it.
    pub(crate) fn without(self, bytes: usize) -> Self {
        Self { count: self.count.saturating_sub(1), bytes: self.bytes.saturating_sub(bytes) }
    }

    pub(crate) fn fits(self, limit: Self) -> bool {
        self.count <= limit.count && self.bytes <= limit.bytes
    }
}

/// One room: its bound, what is in it, and its senders by their shares.
#[derive(Debug)]
pub(crate) struct Room {
    limit: Usage,
    used: Usage,
    /// How many of its transactions are future.
    future: usize,
    by_share: BTreeSet<(u64, AccountId)>,
}

impl Room {
    fn new(limit: Usage) -> Self {
        Self { limit, used: Usage::default(), future: 0, by_share: BTreeSet::new() }
    }

    /// Its bound.
    pub(crate) fn limit(&self) -> Usage {
        self.limit
    }

    /// What is in it.
    pub(crate) fn used(&self) -> Usage {
        self.used
    }

    /// How many of its transactions are future.
    pub(crate) fn future(&self) -> usize {
        self.future
    }

    /// Books that one more is future.
    pub(crate) fn add_future(&mut self) {
        self.future += 1;
    }

    /// Books that one is future no more.
    pub(crate) fn remove_future(&mut self) {
        self.future = self.future.saturating_sub(1);
    }

    /// The share of a sender that uses this much.
    pub(crate) fn share(&self, usage: Usage) -> u64 {
        let part = |of: usize, whole: usize| (of as u128 * WHOLE) / (whole.max(1) as u128);
        let larger = part(usage.count, self.limit.count).max(part(usage.bytes, self.limit.bytes));
        u64::try_from(larger).unwrap_or(u64::MAX)
    }

    /// Its senders, the largest share first.
    pub(crate) fn largest(&self) -> impl Iterator<Item = (u64, &AccountId)> {
        self.by_share.iter().rev().map(|(share, account)| (*share, account))
    }

    /// Books that a sender's usage changes.
    pub(crate) fn change(&mut self, account: &AccountId, from: Usage, to: Usage) {
        let replace = |whole: usize, from: usize, to: usize| whole.saturating_sub(from) + to;
        self.used = Usage {
            count: replace(self.used.count, from.count, to.count),
            bytes: replace(self.used.bytes, from.bytes, to.bytes),
        };
        if from.count > 0 {
            self.by_share.remove(&(self.share(from), account.clone()));
        }
        if to.count > 0 {
            self.by_share.insert((self.share(to), account.clone()));
        }
    }
}

/// Both rooms.
#[derive(Debug)]
pub(crate) struct Rooms {
    ordinary: Room,
    reserved: Room,
}

impl Rooms {
    /// The rooms of a pool with these bounds.
    pub(crate) fn new(config: &PoolConfig) -> Self {
        let reserve = reserve(config);
        let ordinary = Usage {
            count: config.max_count.saturating_sub(reserve.count),
            bytes: config.max_bytes.saturating_sub(reserve.bytes),
        };
        Self { ordinary: Room::new(ordinary), reserved: Room::new(reserve) }
    }

    /// The room of a class.
    pub(crate) fn of(&self, class: SenderClass) -> &Room {
        match class {
            SenderClass::Ordinary => &self.ordinary,
            SenderClass::Reserved => &self.reserved,
        }
    }

    /// The room of a class, to be changed.
    pub(crate) fn of_mut(&mut self, class: SenderClass) -> &mut Room {
        match class {
            SenderClass::Ordinary => &mut self.ordinary,
            SenderClass::Reserved => &mut self.reserved,
        }
    }

    /// What is in both.
    pub(crate) fn used(&self) -> Usage {
        let (ordinary, reserved) = (self.ordinary.used, self.reserved.used);
        Usage { count: ordinary.count + reserved.count, bytes: ordinary.bytes + reserved.bytes }
    }
}

/// The reserve: a sixteenth of the pool, and bytes for one transaction of any
/// length at least. A pool for fewer than sixteen transactions has none.
fn reserve(config: &PoolConfig) -> Usage {
    Usage {
        count: config.max_count / RESERVE_PART,
        bytes: (config.max_bytes / RESERVE_PART).max(config.max_transaction_bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> PoolConfig {
        PoolConfig {
            max_count: 160,
            max_bytes: 16_000,
            max_transaction_bytes: 500,
            ..PoolConfig::default()
        }
    }

    fn account(byte: u8) -> AccountId {
        AccountId::new([byte; 32])
    }

    fn usage(count: usize, bytes: usize) -> Usage {
        Usage { count, bytes }
    }

    #[test]
    fn the_rooms_together_are_the_pool() {
        let rooms = Rooms::new(&config());
        assert_eq!(rooms.of(SenderClass::Ordinary).limit(), usage(150, 15_000));
        assert_eq!(rooms.of(SenderClass::Reserved).limit(), usage(10, 1_000));
    }

    #[test]
    fn the_reserve_holds_one_transaction_of_any_length() {
        let long = PoolConfig { max_transaction_bytes: 4_000, ..config() };
        assert_eq!(Rooms::new(&long).of(SenderClass::Reserved).limit(), usage(10, 4_000));
    }

    #[test]
    fn a_share_is_the_larger_of_count_and_bytes() {
        let rooms = Rooms::new(&config());
        let room = rooms.of(SenderClass::Ordinary);
        for (what, few, many) in [
            ("more transactions", usage(1, 100), usage(2, 100)),
            ("more bytes", usage(1, 1_000), usage(1, 1_100)),
            ("half of the bytes is more than a third of the count", usage(50, 10), usage(1, 7_500)),
        ] {
            assert!(room.share(few) < room.share(many), "{what}");
        }
    }

    #[test]
    fn the_largest_share_comes_first_and_sums_are_kept() {
        let mut rooms = Rooms::new(&config());
        let room = rooms.of_mut(SenderClass::Ordinary);
        room.change(&account(1), usage(0, 0), usage(3, 300));
        room.change(&account(2), usage(0, 0), usage(1, 5_000));
        room.change(&account(3), usage(0, 0), usage(9, 100));
        let order = |room: &Room| -> Vec<AccountId> {
            room.largest().map(|(_, account)| account.clone()).collect()
        };
        assert_eq!(order(room), [account(2), account(3), account(1)]);
        room.change(&account(2), usage(1, 5_000), usage(0, 0));
        assert_eq!(order(room), [account(3), account(1)]);
        assert_eq!(room.used(), usage(12, 400));
        assert_eq!(rooms.used(), usage(12, 400));
        assert_eq!(rooms.of(SenderClass::Reserved).used(), usage(0, 0));
    }
}
