//! What was read of segments last, in memory with a bound.

use crate::{block::Block, index::Page, proof::Digest};
use lru::LruCache;
use parking_lot::Mutex;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

/// Bytes that an entry takes beside what is in it, about: keys, links, counts.
const AROUND: usize = 160;

/// Whose it is, and its SM3, or its number.
pub(crate) type Key = (u64, Digest);

/// Something that was read and compared.
#[derive(Clone)]
pub(crate) enum Kept {
    /// A page of an index.
    Page(Arc<Page>),
    /// A block of groups.
    Block(Arc<Block>),
    /// A page of a filter.
    Bits(Arc<Vec<u8>>),
}

impl Kept {
    /// Bytes that it takes, about.
    fn room(&self) -> usize {
        AROUND
            + match self {
                Self::Page(page) => page.room(),
                Self::Block(block) => block.raw.len(),
                Self::Bits(bits) => bits.len(),
            }
    }
}

/// Pages and blocks that were used last, of all segments that were opened with it. What is in it
/// was compared with its SM3 when it was read.
pub struct Cache {
    most: usize,
    state: Mutex<State>,
    owners: AtomicU64,
    found: AtomicU64,
    missed: AtomicU64,
}

struct State {
    entries: LruCache<Key, Kept>,
    bytes: usize,
}

impl Cache {
    /// A cache of so many bytes.
    pub fn new(bytes: usize) -> Arc<Self> {
        Arc::new(Self {
            most: bytes,
            state: Mutex::new(State { entries: LruCache::unbounded(), bytes: 0 }),
            owners: AtomicU64::new(0),
            found: AtomicU64::new(0),
            missed: AtomicU64::new(0),
        })
    }

    /// Bytes in it.
    pub fn bytes(&self) -> usize {
        self.state.lock().bytes
    }

    /// How often something was found in it, and how often not.
    pub fn asked(&self) -> (u64, u64) {
        (self.found.load(Relaxed), self.missed.load(Relaxed))
    }

    /// A number for somebody who keeps something here.
    pub(crate) fn owner(&self) -> u64 {
        self.owners.fetch_add(1, Relaxed)
    }

    pub(crate) fn get(&self, key: &Key) -> Option<Kept> {
        let found = self.state.lock().entries.get(key).cloned();
        let count = if found.is_some() { &self.found } else { &self.missed };
        count.fetch_add(1, Relaxed);
        found
    }

    /// Keeps something; what was used longest ago makes room.
    pub(crate) fn put(&self, key: Key, kept: Kept) {
        let mut state = self.state.lock();
        state.bytes += kept.room();
        if let Some(before) = state.entries.put(key, kept) {
            state.bytes -= before.room();
        }
        while state.bytes > self.most
            && let Some((_, kept)) = state.entries.pop_lru()
        {
            state.bytes -= kept.room();
        }
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("most", &self.most).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_longest_ago_makes_room() {
        let bits = |byte: u8| Kept::Bits(Arc::new(vec![byte; 1_000]));
        let key = |number: u8| (0, [number; 32]);
        let cache = Cache::new(3 * (1_000 + AROUND));
        for number in 0..3 {
            cache.put(key(number), bits(number));
        }
        assert!(cache.get(&key(0)).is_some(), "the oldest is the newest now");
        cache.put(key(3), bits(3));
        assert_eq!(cache.bytes(), 3 * (1_000 + AROUND));
        let found: Vec<bool> = (0..4).map(|number| cache.get(&key(number)).is_some()).collect();
        assert_eq!(found, [true, false, true, true]);
        // The same again takes no more room; what is larger than all is not kept.
        cache.put(key(3), bits(3));
        assert_eq!(cache.bytes(), 3 * (1_000 + AROUND));
        cache.put(key(9), Kept::Bits(Arc::new(vec![0; 10_000])));
        assert_eq!(cache.bytes(), 0);
        assert_eq!(cache.asked(), (4, 1));
    }
}
