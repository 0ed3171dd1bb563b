//! The log of local transactions, which are passed on to the peers.
//!
//! One log for each room of the pool, numbered together. A reader keeps a position
//! in each, so the reserve's transactions never wait behind others. A log can also be read for one sender alone. Nothing in
//! it is a copy, and what leaves the pool leaves it.

use crate::{PoolTransaction, SenderClass};
use billchain_primitives::{AccountId, Hash};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
    sync::Arc,
    time::{Duration, Instant},
};

/// Entries of a log that one page looks at: those that are left out cost time
/// under the pool's lock, too.
const MAX_LOOKED_AT: usize = 4_096;

/// How much a page may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PageRoom {
    count: usize,
    bytes: usize,
    /// Nothing is in it yet: one alone may be longer than `bytes`.
    is_whole: bool,
}

impl PageRoom {
    /// Room for `count` transactions that have `bytes`, or for one alone that is
    /// longer.
    pub(crate) fn new(count: usize, bytes: usize) -> Self {
        Self { count, bytes, is_whole: true }
    }

    /// What is left beside `page`.
    pub(crate) fn without(self, page: &Page) -> Self {
        Self {
            count: self.count.saturating_sub(page.items.len()),
            bytes: self.bytes.saturating_sub(page.bytes),
            is_whole: self.is_whole && page.items.is_empty(),
        }
    }

    /// At most this much of it.
    pub(crate) fn at_most(self, count: usize, bytes: u64) -> Self {
        let bytes = self.bytes.min(usize::try_from(bytes).unwrap_or(usize::MAX));
        Self { count: self.count.min(count), bytes, ..self }
    }

    /// Half of it.
    pub(crate) fn half(self) -> Self {
        Self { count: self.count.div_ceil(2), bytes: self.bytes.div_ceil(2), ..self }
    }

    /// Whether nothing fits.
    pub(crate) fn is_none(self) -> bool {
        self.count == 0 || self.bytes == 0
    }
}

/// Part of a log.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// Transactions with their places.
    pub(crate) items: Vec<(u64, Arc<PoolTransaction>)>,
    /// Bytes of them.
    pub(crate) bytes: usize,
    /// Place up to which it is complete.
    pub(crate) end: u64,
}

#[derive(Debug)]
struct Logged {
    tx: Arc<PoolTransaction>,
    /// When it was put here.
    at: Instant,
}

#[derive(Debug, Default)]
struct Log {
    by_place: BTreeMap<u64, Logged>,
    by_sender: BTreeSet<(AccountId, u64)>,
}

impl Log {
    fn insert(&mut self, place: u64, logged: Logged) {
        self.by_sender.insert((logged.tx.sender.clone(), place));
        self.by_place.insert(place, logged);
    }

    fn remove(&mut self, place: u64) -> Option<Logged> {
        let logged = self.by_place.remove(&place)?;
        self.by_sender.remove(&(logged.tx.sender.clone(), place));
        Some(logged)
    }
}

/// Both logs.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    ordinary: Log,
    reserved: Log,
    /// Latest place that was ever given. The first is 1: 0 is the cursor of a
    /// peer that was sent nothing.
    end: u64,
}

impl Outgoing {
    fn log(&self, class: SenderClass) -> &Log {
        match class {
            SenderClass::Ordinary => &self.ordinary,
            SenderClass::Reserved => &self.reserved,
        }
    }

    fn log_mut(&mut self, class: SenderClass) -> &mut Log {
        match class {
            SenderClass::Ordinary => &mut self.ordinary,
            SenderClass::Reserved => &mut self.reserved,
        }
    }

    /// Adds one at the end; its place.
    pub(crate) fn add(&mut self, class: SenderClass, tx: Arc<PoolTransaction>, at: Instant) -> u64 {
        self.end += 1;
        let place = self.end;
        self.log_mut(class).insert(place, Logged { tx, at });
        place
    }

    pub(crate) fn remove(&mut self, class: SenderClass, place: u64) {
        self.log_mut(class).remove(place);
    }

    /// Latest place that was ever given.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// Transactions in both.
    pub(crate) fn len(&self) -> usize {
        self.ordinary.by_place.len() + self.reserved.by_place.len()
    }

    /// Those of a log at `places` but those of senders that are to be left out:
    /// as many as there is room for, or one alone that is longer.
    pub(crate) fn page(
        &self,
        class: SenderClass,
        places: RangeInclusive<u64>,
        room: PageRoom,
        leaves_out: impl Fn(&AccountId) -> bool,
    ) -> Page {
        let end = (*places.end()).min(self.end);
        let mut page = Page { end, ..Page::default() };
        if places.is_empty() {
            return page;
        }
        let mut last = places.start().saturating_sub(1);
        for (looked_at, (place, logged)) in self.log(class).by_place.range(places).enumerate() {
            let is_left_out = leaves_out(&logged.tx.sender);
            if looked_at == MAX_LOOKED_AT || !is_left_out && !page.has_room(room, &logged.tx) {
                page.end = last;
                break;
            }
            if !is_left_out {
                page.push(*place, &logged.tx);
            }
            last = *place;
        }
        page
    }

    /// Those of one sender at `places`, as [`page`](Self::page).
    pub(crate) fn page_of(
        &self,
        class: SenderClass,
        sender: &AccountId,
        places: RangeInclusive<u64>,
        room: PageRoom,
    ) -> Page {
        let mut page = Page { end: (*places.end()).min(self.end), ..Page::default() };
        if places.is_empty() {
            return page;
        }
        let log = self.log(class);
        let key = |place: u64| (sender.clone(), place);
        let mut last = places.start().saturating_sub(1);
        for (_, place) in log.by_sender.range(key(*places.start())..=key(*places.end())) {
            let Some(logged) = log.by_place.get(place) else { continue };
            if !page.has_room(room, &logged.tx) {
                page.end = last;
                break;
            }
            page.push(*place, &logged.tx);
            last = *place;
        }
        page
    }

    /// Moves those that have been here for `age` to the end, at most `count` of
    /// each log; their hashes and new places.
    pub(crate) fn repeat(&mut self, age: Duration, count: usize, now: Instant) -> Vec<(Hash, u64)> {
        let mut moved = Vec::new();
        for class in [SenderClass::Reserved, SenderClass::Ordinary] {
            let is_due = |logged: &Logged| now.saturating_duration_since(logged.at) >= age;
            let log = self.log(class).by_place.iter().take(count);
            let due: Vec<u64> =
                log.take_while(|(_, logged)| is_due(logged)).map(|(place, _)| *place).collect();
            for place in due {
                if let Some(logged) = self.log_mut(class).remove(place) {
                    let hash = logged.tx.hash;
                    moved.push((hash, self.add(class, logged.tx, now)));
                }
            }
        }
        moved
    }
}

impl Page {
    fn has_room(&self, room: PageRoom, tx: &PoolTransaction) -> bool {
        let bytes = self.bytes.saturating_add(tx.bytes.len());
        let is_alone = room.is_whole && self.items.is_empty();
        self.items.len() < room.count && (is_alone || bytes <= room.bytes)
    }

    fn push(&mut self, place: u64, tx: &Arc<PoolTransaction>) {
        self.bytes = self.bytes.saturating_add(tx.bytes.len());
        self.items.push((place, Arc::clone(tx)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Source;
    use SenderClass::{Ordinary, Reserved};

    fn transaction(sender: u8, nonce: u32, bytes: usize) -> Arc<PoolTransaction> {
        Arc::new(PoolTransaction {
            hash: Hash::from_low_u64_be(u64::from(sender) << 32 | u64::from(nonce)),
            bytes: vec![0; bytes].into(),
            sender: AccountId::new([sender; 32]),
            nonce,
            source: Source::Local,
        })
    }

    /// Senders 1 and 2 take turns, 100 bytes each; 9 has the reserve.
    fn log(now: Instant) -> Outgoing {
        let mut log = Outgoing::default();
        for nonce in 0..3 {
            log.add(Ordinary, transaction(1, nonce, 100), now);
            log.add(Ordinary, transaction(2, nonce, 100), now);
        }
        log.add(Reserved, transaction(9, 0, 100), now);
        log
    }

    fn places(page: &Page) -> Vec<u64> {
        page.items.iter().map(|(place, _)| *place).collect()
    }

    #[test]
    fn a_log_is_cut_into_pages() {
        let log = log(Instant::now());
        let one = AccountId::new([1; 32]);
        for (what, from, count, bytes, leaves_out, expected, end) in [
            (
                "all of it, and none of the other log",
                1,
                10,
                1_000,
                false,
                vec![1, 2, 3, 4, 5, 6],
                7,
            ),
            ("as many as may be", 1, 2, 1_000, false, vec![1, 2], 2),
            ("as many bytes as may be", 1, 10, 250, false, vec![1, 2], 2),
            ("one alone may be longer", 1, 10, 1, false, vec![1], 1),
            ("from the middle", 4, 10, 1_000, false, vec![4, 5, 6], 7),
            ("nothing is behind the end", 8, 10, 1_000, false, vec![], 7),
            ("but those of one sender", 1, 10, 1_000, true, vec![2, 4, 6], 7),
            ("what is left out takes no room", 1, 2, 1_000, true, vec![2, 4], 5),
            ("no room", 1, 0, 1_000, false, vec![], 0),
        ] {
            let room = PageRoom::new(count, bytes);
            let page =
                log.page(Ordinary, from..=u64::MAX, room, |sender| leaves_out && *sender == one);
            assert_eq!((places(&page), page.end), (expected, end), "{what}");
        }
        assert_eq!(places(&log.page(Reserved, 1..=9, PageRoom::new(9, 999), |_| false)), [7]);
        let (after_cursor, cursor) = (3, 2);
        let nowhere = after_cursor..=cursor;
        let none = log.page(Ordinary, nowhere, PageRoom::new(9, 999), |_| false);
        assert_eq!((places(&none), none.end), (vec![], 2));
    }

    #[test]
    fn a_page_looks_at_a_bounded_number_of_entries() {
        let mut log = Outgoing::default();
        for nonce in 0..2 * MAX_LOOKED_AT as u32 {
            log.add(Ordinary, transaction(1, nonce, 1), Instant::now());
        }
        let page = log.page(Ordinary, 1..=u64::MAX, PageRoom::new(9, 999), |_| true);
        assert_eq!((places(&page), page.end), (vec![], MAX_LOOKED_AT as u64));
    }

    #[test]
    fn one_senders_can_be_read_alone() {
        let log = log(Instant::now());
        let two = AccountId::new([2; 32]);
        let page = |from, to, count| {
            let page = log.page_of(Ordinary, &two, from..=to, PageRoom::new(count, 1_000));
            (places(&page), page.end)
        };
        assert_eq!(page(1, 6, 10), (vec![2, 4, 6], 6));
        assert_eq!(page(3, 5, 10), (vec![4], 5));
        assert_eq!(page(1, 6, 2), (vec![2, 4], 4));
        assert_eq!(page(7, 6, 2), (vec![], 6));
    }

    #[test]
    fn what_leaves_is_in_no_page_and_what_is_old_is_repeated_at_the_end() {
        let now = Instant::now();
        let mut log = log(now);
        log.remove(Ordinary, 1);
        log.remove(Ordinary, 1);
        assert_eq!(log.len(), 6);
        let age = Duration::from_secs(60);
        assert_eq!(log.repeat(age, 2, now + age / 2), []);
        let moved = log.repeat(age, 2, now + age);
        let expected = [(9, 0), (2, 0), (1, 1)].map(|(s, n)| transaction(s, n, 0).hash);
        assert_eq!(moved, [(expected[0], 8), (expected[1], 9), (expected[2], 10)]);
        let all = PageRoom::new(9, 999);
        assert_eq!(places(&log.page(Ordinary, 1..=99, all, |_| false)), [4, 5, 6, 9, 10]);
        let one = AccountId::new([1; 32]);
        assert_eq!(places(&log.page_of(Ordinary, &one, 1..=99, all)), [5, 10]);
    }
}
