//! Transactions that blocks have included, so that a late copy is refused
//! without executing anything.

use billchain_primitives::Hash;
use foldhash::HashMap;
use std::collections::VecDeque;

/// Hashes of included transactions, oldest forgotten first.
#[derive(Debug, Default)]
pub(crate) struct Included {
    blocks: HashMap<Hash, Hash>,
    order: VecDeque<Hash>,
}

impl Included {
    /// Remembers one, and at most `limit`.
    pub(crate) fn insert(&mut self, hash: Hash, block: Hash, limit: usize) {
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

    /// The block that includes it.
    pub(crate) fn block(&self, hash: &Hash) -> Option<Hash> {
        self.blocks.get(hash).copied()
    }
}
