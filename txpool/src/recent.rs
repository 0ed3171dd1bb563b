//! Transactions that left the pool a short time ago.
//!
//! A peer may still refer to one in a proposal, or ask for it, when this node
//! has committed the block that holds it or has dropped it.

use crate::PoolTransaction;
use billchain_primitives::Hash;
use foldhash::HashMap;
use std::{collections::VecDeque, sync::Arc};

/// Transactions remembered: as many as a block may hold.
pub(crate) const MAX_COUNT: usize = 16_384;

/// Bytes of them: two of the largest blocks.
pub(crate) const MAX_BYTES: usize = 10 << 20;

/// The transactions, oldest forgotten first.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    by_hash: HashMap<Hash, Arc<PoolTransaction>>,
    order: VecDeque<Hash>,
    bytes: usize,
}

impl Recent {
    /// Remembers one that leaves the pool.
    pub(crate) fn insert(&mut self, tx: Arc<PoolTransaction>) {
        let (hash, bytes) = (tx.hash, tx.bytes.len());
        if self.by_hash.insert(hash, tx).is_some() {
            return;
        }
        self.order.push_back(hash);
        self.bytes += bytes;
        while self.order.len() > MAX_COUNT || self.bytes > MAX_BYTES {
            let oldest = self.order.pop_front().and_then(|hash| self.by_hash.remove(&hash));
            self.bytes -= oldest.map_or(self.bytes, |tx| tx.bytes.len());
        }
    }

    /// The one with this hash.
    pub(crate) fn get(&self, hash: &Hash) -> Option<&Arc<PoolTransaction>> {
        self.by_hash.get(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Source;
    use billchain_primitives::AccountId;

    fn transaction(number: u32, bytes: usize) -> Arc<PoolTransaction> {
        Arc::new(PoolTransaction {
            hash: Hash::from_low_u64_be(number.into()),
            bytes: vec![0; bytes].into(),
            sender: AccountId::new([1; 32]),
            nonce: number,
            source: Source::Peer,
        })
    }

    fn remembers(recent: &Recent, number: u32) -> bool {
        recent.get(&Hash::from_low_u64_be(number.into())).is_some()
    }

    #[test]
    fn the_count_is_bounded() {
        let mut recent = Recent::default();
        for number in 0..=MAX_COUNT as u32 {
            recent.insert(transaction(number, 10));
        }
        assert_eq!((recent.by_hash.len(), recent.order.len()), (MAX_COUNT, MAX_COUNT));
        assert_eq!(recent.bytes, 10 * MAX_COUNT);
        assert!(!remembers(&recent, 0), "the oldest is forgotten");
        assert!(remembers(&recent, 1) && remembers(&recent, MAX_COUNT as u32));
    }

    #[test]
    fn the_bytes_are_bounded() {
        let mut recent = Recent::default();
        for number in 0..5 {
            recent.insert(transaction(number, MAX_BYTES / 2));
        }
        assert_eq!(recent.bytes, MAX_BYTES);
        assert!(!remembers(&recent, 2) && remembers(&recent, 3) && remembers(&recent, 4));
        recent.insert(transaction(9, MAX_BYTES + 1));
        assert_eq!((recent.bytes, recent.by_hash.len()), (0, 0), "one that is too long for it");
    }

    #[test]
    fn one_that_leaves_twice_is_remembered_once() {
        let mut recent = Recent::default();
        for _ in 0..3 {
            recent.insert(transaction(1, 10));
        }
        assert_eq!((recent.bytes, recent.order.len()), (10, 1));
    }
}
