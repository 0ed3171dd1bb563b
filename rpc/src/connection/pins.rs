//! Blocks that a subscription pins.

use billchain_primitives::Hash;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Blocks that a subscription pins. The chain has no forks: one block a number.
#[derive(Debug, Default)]
pub(crate) struct Pins {
    numbers: HashMap<Hash, u32>,
    /// The oldest first.
    hashes: BTreeMap<u32, Hash>,
}

/// Why no block was unpinned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unpinned {
    /// This one is not pinned.
    Unknown(Hash),
    /// This one is named twice.
    Twice(Hash),
}

impl Pins {
    /// Pins a block.
    pub(crate) fn pin(&mut self, number: u32, hash: Hash) {
        if let Some(replaced) = self.hashes.insert(number, hash) {
            self.numbers.remove(&replaced);
        }
        self.numbers.insert(hash, number);
    }

    /// Number of a pinned block.
    pub(crate) fn number(&self, hash: &Hash) -> Option<u32> {
        self.numbers.get(hash).copied()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Number of the oldest.
    pub(crate) fn oldest(&self) -> Option<u32> {
        self.hashes.keys().next().copied()
    }

    /// Unpins all of these blocks, or none.
    pub(crate) fn unpin(&mut self, hashes: &[Hash]) -> Result<(), Unpinned> {
        let mut named = HashSet::new();
        for hash in hashes {
            if !named.insert(hash) {
                return Err(Unpinned::Twice(*hash));
            }
        }
        if let Some(unknown) = hashes.iter().find(|hash| !self.numbers.contains_key(hash)) {
            return Err(Unpinned::Unknown(*unknown));
        }
        for hash in hashes {
            if let Some(number) = self.numbers.remove(hash) {
                self.hashes.remove(&number);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_unpinned_all_or_none() {
        let hash = |number: u32| Hash::from_low_u64_be(u64::from(number));
        let mut pins = Pins::default();
        (1..=4).for_each(|number| pins.pin(number, hash(number)));
        assert_eq!((pins.len(), pins.oldest()), (4, Some(1)));
        for (named, refused) in [
            (vec![hash(1), hash(9)], Unpinned::Unknown(hash(9))),
            (vec![hash(1), hash(2), hash(1)], Unpinned::Twice(hash(1))),
            // Twice is told first, as the specification has an error of its own for it.
            (vec![hash(9), hash(9)], Unpinned::Twice(hash(9))),
        ] {
            assert_eq!(pins.unpin(&named), Err(refused));
            assert_eq!(pins.len(), 4);
        }
        assert_eq!(pins.unpin(&[hash(1), hash(3)]), Ok(()));
        assert_eq!((pins.number(&hash(1)), pins.number(&hash(2))), (None, Some(2)));
        assert_eq!(pins.oldest(), Some(2));
        assert_eq!(pins.unpin(&[hash(1)]), Err(Unpinned::Unknown(hash(1))));
        assert_eq!(pins.unpin(&[]), Ok(()));
    }
}
