//! What was read of blocks lately. A block is final, so whatever was read of it stays right.

use billchain_primitives::BlockNumber;
use lru::LruCache;

/// What an entry takes beside its value, in bytes: its number and its place among the others.
const ENTRY: usize = 128;

/// Values by the number of their block, bounded in bytes. The least lately used are forgotten
/// first.
pub(crate) struct Lately<T> {
    entries: LruCache<BlockNumber, (T, usize)>,
    bytes: usize,
    most: usize,
}

impl<T: Clone> Lately<T> {
    /// Nothing yet, and `most` bytes later.
    pub(crate) fn new(most: usize) -> Self {
        Self { entries: LruCache::unbounded(), bytes: 0, most }
    }

    /// What is kept of a block.
    pub(crate) fn get(&mut self, number: BlockNumber) -> Option<T> {
        self.entries.get(&number).map(|(value, _)| value.clone())
    }

    /// Keeps a value that takes so many bytes, if that is not more than all may take.
    pub(crate) fn keep(&mut self, number: BlockNumber, value: T, bytes: usize) {
        let bytes = bytes.saturating_add(ENTRY);
        if bytes > self.most {
            return;
        }
        self.bytes += bytes;
        if let Some((_, replaced)) = self.entries.put(number, (value, bytes)) {
            self.bytes -= replaced;
        }
        while self.bytes > self.most {
            let Some((_, (_, oldest))) = self.entries.pop_lru() else { break };
            self.bytes -= oldest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_no_more_than_it_may_and_forgets_what_was_not_used() {
        let mut lately = Lately::new(10 * (1_000 + ENTRY));
        for number in 1..=10 {
            lately.keep(number, number, 1_000);
        }
        assert_eq!((lately.bytes, lately.entries.len()), (lately.most, 10));
        assert_eq!(lately.get(1), Some(1));
        lately.keep(11, 11, 1_000);
        assert_eq!((lately.get(1), lately.get(2), lately.get(11)), (Some(1), None, Some(11)));
        for number in 0..10_000 {
            lately.keep(number, number, number as usize * 7 % 3_000);
            assert!(lately.bytes <= lately.most, "{number}");
        }
        let counted: usize = lately.entries.iter().map(|(_, (_, bytes))| *bytes).sum();
        assert_eq!(counted, lately.bytes);
    }

    #[test]
    fn what_is_kept_again_counts_once_and_what_is_too_large_is_not_kept() {
        let mut lately = Lately::new(5_000);
        lately.keep(7, "one", 1_000);
        lately.keep(7, "two", 2_000);
        assert_eq!((lately.get(7), lately.bytes), (Some("two"), 2_000 + ENTRY));
        lately.keep(8, "large", 5_000);
        assert_eq!((lately.get(8), lately.get(7)), (None, Some("two")));
        // Nothing at all takes room, too.
        (0..1_000).for_each(|number| lately.keep(number, "", 0));
        assert_eq!(lately.entries.len(), 5_000 / ENTRY);
    }
}
