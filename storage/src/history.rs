//! Versions of the state: how a reader keeps seeing one block's state while
//! later blocks are committed.
//!
//! A [`Version`] stands for the state after one block. It links to the version
//! after the next block and to what that block replaced. A reader that holds
//! version *n* reads the newest value from RocksDB and looks through the links
//! for the first block above *n* that replaced it. The link is set *before* the
//! block is written to RocksDB, so whatever a reader sees there, it finds what
//! was replaced: no lock, no RocksDB snapshot, and no difference between a
//! reader that has waited for a while and one that asks for an old block.
//!
//! Links point from old to new. Whoever holds an old version keeps the later
//! ones, and what is held by nobody is freed. [`History`] holds the recent ones,
//! bounded in number and bytes.

use crate::replaced::Replaced;
use std::{
    collections::VecDeque,
    sync::{Arc, OnceLock},
};

/// The state after one block.
pub(crate) struct Version {
    number: u32,
    next: OnceLock<Link>,
}

/// The step from one version to the next.
pub(crate) struct Link {
    /// What the step replaced.
    pub(crate) replaced: Arc<Replaced>,
    /// Where it leads.
    pub(crate) version: Arc<Version>,
}

impl Version {
    /// A version without a later one.
    pub(crate) fn newest(number: u32) -> Arc<Self> {
        Arc::new(Self { number, next: OnceLock::new() })
    }

    /// A version with a later one.
    fn before(number: u32, replaced: Arc<Replaced>, version: Arc<Self>) -> Arc<Self> {
        Arc::new(Self { number, next: OnceLock::from(Link { replaced, version }) })
    }

    /// Number of its block.
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// The step to the next version, once there is one.
    pub(crate) fn next(&self) -> Option<&Link> {
        self.next.get()
    }

    /// Steps from here on, oldest first; ends at the newest version there is now.
    pub(crate) fn steps(&self) -> impl Iterator<Item = &Link> {
        std::iter::successors(self.next(), |link| link.version.next())
    }
}

impl Drop for Version {
    /// Frees a long chain in a loop: the natural way would recurse once a block.
    fn drop(&mut self) {
        let mut link = self.next.take();
        while let Some(Link { version, .. }) = link {
            link = Arc::into_inner(version).and_then(|mut version| version.next.take());
        }
    }
}

/// The recent versions, without a gap, newest last.
pub(crate) struct History {
    versions: VecDeque<Arc<Version>>,
    /// Bytes of the steps between them.
    bytes: usize,
    max_versions: usize,
    max_bytes: usize,
}

impl History {
    /// Starts at the head.
    pub(crate) fn new(head: u32, max_blocks: u32, max_bytes: usize) -> Self {
        Self {
            versions: VecDeque::from([Version::newest(head)]),
            bytes: 0,
            // The head's version is not history.
            max_versions: (max_blocks as usize).saturating_add(1),
            max_bytes,
        }
    }

    /// The newest version.
    pub(crate) fn newest(&self) -> Arc<Version> {
        Arc::clone(self.versions.back().expect("made with one, and trimming keeps the newest"))
    }

    /// The oldest version held.
    pub(crate) fn oldest(&self) -> Arc<Version> {
        Arc::clone(self.versions.front().expect("made with one, and trimming keeps the newest"))
    }

    /// The version after block `number`, if it is held.
    pub(crate) fn get(&self, number: u32) -> Option<Arc<Version>> {
        let at = number.checked_sub(self.oldest().number())?;
        self.versions.get(at as usize).cloned()
    }

    /// The step to the next block. Call it before the block is written.
    pub(crate) fn push(&mut self, replaced: Arc<Replaced>) {
        let last = self.newest();
        let version = Version::newest(last.number().saturating_add(1));
        self.bytes = self.bytes.saturating_add(replaced.memory());
        // The newest version has no step yet: this is the only place that sets one.
        let _ = last.next.set(Link { replaced, version: Arc::clone(&version) });
        self.versions.push_back(version);
        while self.versions.len() > 1
            && (self.versions.len() > self.max_versions || self.bytes > self.max_bytes)
        {
            if let Some(link) = self.versions.pop_front().as_ref().and_then(|v| v.next()) {
                self.bytes = self.bytes.saturating_sub(link.replaced.memory());
            }
        }
    }

    /// The step that leads to the oldest version held, read from disk. False,
    /// and nothing is done, if the oldest is not that block's, or the
    /// history is full.
    pub(crate) fn extend_back(&mut self, block: u32, replaced: &Arc<Replaced>) -> bool {
        let oldest = self.oldest();
        let bytes = self.bytes.saturating_add(replaced.memory());
        if oldest.number() != block
            || block == 0
            || bytes > self.max_bytes
            || self.versions.len() >= self.max_versions
        {
            return false;
        }
        self.bytes = bytes;
        self.versions.push_front(Version::before(block - 1, Arc::clone(replaced), oldest));
        true
    }

    /// Bytes of replaced values held.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Blocks, the head not counted, whose state is at hand.
    pub(crate) fn blocks(&self) -> usize {
        self.versions.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::changes::Changes;

    fn changes(key: &[u8]) -> Arc<Replaced> {
        let state = Changes::from_sorted(std::iter::once((key, None))).unwrap();
        Arc::new(Replaced::of_state(state))
    }

    #[test]
    fn history_is_bounded_in_blocks_and_bytes() {
        let mut by_blocks = History::new(7, 3, usize::MAX);
        let mut by_bytes = History::new(7, u32::MAX, 2 * changes(b"k").memory());
        for _ in 0..10 {
            by_blocks.push(changes(b"k"));
            by_bytes.push(changes(b"k"));
        }
        assert_eq!((by_blocks.oldest().number(), by_blocks.newest().number()), (14, 17));
        assert_eq!((by_bytes.oldest().number(), by_bytes.newest().number()), (15, 17));
        assert_eq!(by_bytes.bytes(), 2 * changes(b"k").memory());
        assert!(by_blocks.get(13).is_none() && by_blocks.get(18).is_none());
        assert_eq!(by_blocks.get(14).unwrap().steps().count(), 3);
    }

    #[test]
    fn history_grows_back_without_gaps_until_it_is_full() {
        let mut history = History::new(10, 2, usize::MAX);
        assert!(!history.extend_back(9, &changes(b"k")), "a gap");
        assert!(history.extend_back(10, &changes(b"k")));
        assert!(history.extend_back(9, &changes(b"k")));
        assert!(!history.extend_back(8, &changes(b"k")), "full");
        assert_eq!(history.oldest().number(), 8);
    }

    #[test]
    fn a_reader_keeps_what_the_history_dropped_and_a_long_chain_is_freed() {
        let mut history = History::new(0, 1, usize::MAX);
        let reader = history.newest();
        for _ in 0..200_000 {
            history.push(changes(b"k"));
        }
        assert_eq!(reader.steps().count(), 200_000);
        drop(history);
        drop(reader);
    }
}
