//! The order in which ready transactions go into blocks: fair between senders.
//!
//! Start-time fair queueing (Goyal, Vin and Cheng, 1996). Each transaction has
//! a virtual start: the later of the present virtual time and the end of its
//! sender's transaction before it. Transactions go by their starts, then by
//! arrival. Virtual time is the latest start that a block has taken. So a
//! sender's own stay in nonce order, senders that come together take turns by
//! bytes, and a long queue of one delays the others by at most one transaction
//! of each sender.

use crate::PoolTransaction;
use std::{collections::BTreeMap, sync::Arc};

/// What a transaction costs beside its bytes: the check of its signature and
/// its share of a block's bookkeeping.
const BASE_COST: u64 = 512;

/// A place in the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Virtual start.
    start: u64,
    /// Number of the arrival.
    arrival: u64,
}

impl Place {
    /// Virtual start of the transaction here.
    pub(crate) fn start(self) -> u64 {
        self.start
    }
}

/// Ready transactions in their order.
#[derive(Debug, Default)]
pub(crate) struct Order {
    by_place: BTreeMap<Place, Arc<PoolTransaction>>,
    /// Virtual time.
    now: u64,
    arrivals: u64,
}

impl Order {
    /// Adds a transaction that follows its sender's others, whose virtual end
    /// is `end`; its place, and the sender's end after it.
    pub(crate) fn add(&mut self, tx: Arc<PoolTransaction>, end: u64) -> (Place, u64) {
        let place = Place { start: self.now.max(end), arrival: self.arrivals };
        self.arrivals += 1;
        let cost = BASE_COST.saturating_add(tx.bytes.len() as u64);
        self.by_place.insert(place, tx);
        (place, place.start.saturating_add(cost))
    }

    /// Removes one.
    pub(crate) fn remove(&mut self, place: Place) {
        self.by_place.remove(&place);
    }

    /// A block has taken the transaction that was here.
    pub(crate) fn on_taken(&mut self, place: Place) {
        self.now = self.now.max(place.start);
    }

    pub(crate) fn len(&self) -> usize {
        self.by_place.len()
    }

    /// Number of the next arrival.
    pub(crate) fn arrivals(&self) -> u64 {
        self.arrivals
    }

    /// Up to `count` behind `after` that arrived before `before`, with their
    /// places.
    pub(crate) fn page(
        &self,
        after: Option<Place>,
        before: u64,
        count: usize,
    ) -> Vec<(Place, Arc<PoolTransaction>)> {
        use std::ops::Bound::{Excluded, Unbounded};
        self.by_place
            .range((after.map_or(Unbounded, Excluded), Unbounded))
            .filter(|(place, _)| place.arrival < before)
            .take(count)
            .map(|(place, tx)| (*place, Arc::clone(tx)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Source;
    use billchain_primitives::{AccountId, Hash};
    use std::collections::HashMap;

    /// The order and the ends of its senders.
    #[derive(Default)]
    struct Kit {
        order: Order,
        ends: HashMap<u8, u64>,
        made: u64,
    }

    impl Kit {
        fn add(&mut self, sender: u8, bytes: usize) {
            self.made += 1;
            let tx = Arc::new(PoolTransaction {
                hash: Hash::from_low_u64_be(self.made),
                bytes: vec![0; bytes].into(),
                sender: AccountId::new([sender; 32]),
                nonce: 0,
                source: Source::Local,
            });
            let end = self.ends.get(&sender).copied().unwrap_or(0);
            let (_, end) = self.order.add(tx, end);
            self.ends.insert(sender, end);
        }

        fn senders(&self) -> Vec<u8> {
            let page = self.order.page(None, u64::MAX, usize::MAX);
            page.iter().map(|(_, tx)| AsRef::<[u8; 32]>::as_ref(&tx.sender)[0]).collect()
        }

        fn take(&mut self, count: usize) {
            for (place, _) in self.order.page(None, u64::MAX, count) {
                self.order.remove(place);
                self.order.on_taken(place);
            }
        }
    }

    #[test]
    fn alone_and_one_by_one_it_is_the_order_of_arrival() {
        let mut kit = Kit::default();
        for sender in [3, 1, 2] {
            kit.add(sender, 100);
        }
        assert_eq!(kit.senders(), [3, 1, 2]);
    }

    #[test]
    fn a_long_queue_of_one_delays_others_by_one_transaction() {
        let mut kit = Kit::default();
        (0..1_000).for_each(|_| kit.add(1, 100));
        kit.take(10);
        kit.add(2, 100);
        assert_eq!(kit.senders().iter().position(|sender| *sender == 2), Some(0));
        kit.add(3, 100);
        assert_eq!(kit.senders()[..2], [2, 3]);
    }

    #[test]
    fn senders_take_turns_by_bytes() {
        let mut kit = Kit::default();
        (0..4).for_each(|_| kit.add(1, 100_000));
        (0..400).for_each(|_| kit.add(2, 488));
        // 100 of the small ones cost about what one of the large ones does.
        let first: Vec<u8> = kit.senders().into_iter().take(210).collect();
        let large = first.iter().filter(|sender| **sender == 1).count();
        assert_eq!(large, 3, "the first at once, then one for each hundred");
    }

    #[test]
    fn those_that_arrive_later_are_no_part_of_an_earlier_page() {
        let mut kit = Kit::default();
        kit.add(1, 100);
        let before = kit.order.arrivals();
        kit.add(2, 100);
        assert_eq!(kit.order.page(None, before, 10).len(), 1);
        assert_eq!(kit.order.page(None, u64::MAX, 10).len(), 2);
    }
}
