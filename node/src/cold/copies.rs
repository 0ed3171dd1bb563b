//! Which files the second place is known to hold.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

/// Run and place in the run.
pub(super) type Key = (u64, u32);

/// Time after which a copy is looked at again: somebody may have removed it.
const AGAIN: Duration = Duration::from_secs(24 * 3_600);

/// What was seen at the second place.
#[derive(Debug, Default)]
pub(super) struct Copies {
    /// When it was seen last to hold a file.
    seen: BTreeMap<Key, Instant>,
    /// The file that was looked for last.
    last: Option<Key>,
}

/// A file that is to be looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It was not seen yet.
    New(Key),
    /// It was seen long ago.
    Again(Key),
}

impl Copies {
    /// Files that were not seen there. What is no file any more is forgotten.
    pub(super) fn left(&mut self, files: &BTreeSet<Key>) -> usize {
        self.seen.retain(|known, _| files.contains(known));
        files.len().saturating_sub(self.seen.len())
    }

    /// What to look for next. Begins behind what was looked for last, so that one that fails
    /// keeps no other waiting.
    pub(super) fn next(&mut self, files: &BTreeSet<Key>, now: Instant) -> Option<Next> {
        let new = behind(files.iter().filter(|key| !self.seen.contains_key(key)), self.last);
        if let Some(key) = new {
            self.last = Some(key);
            return Some(Next::New(key));
        }
        let (key, seen) = self.seen.iter().min_by_key(|(_, seen)| **seen)?;
        let is_old = now.saturating_duration_since(*seen) >= AGAIN;
        is_old.then_some(Next::Again(*key))
    }

    /// The second place holds it.
    pub(super) fn saw(&mut self, key: Key, now: Instant) {
        self.seen.insert(key, now);
    }

    /// It is not known any more whether the second place holds it.
    pub(super) fn forget(&mut self, key: Key) {
        self.seen.remove(&key);
    }
}

/// The first of some ascending keys behind `last`; the very first, if there is none.
pub(super) fn behind<'a>(
    keys: impl Iterator<Item = &'a Key> + Clone,
    last: Option<Key>,
) -> Option<Key> {
    let next = keys.clone().find(|key| last.is_none_or(|last| **key > last));
    next.or_else(|| keys.clone().next()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_fails_keeps_no_other_waiting() {
        let files: BTreeSet<Key> = [(1, 0), (1, 1), (2, 0)].into();
        let (mut copies, now) = (Copies::default(), Instant::now());
        assert_eq!(copies.left(&files), 3);
        // The first fails, and the third.
        assert_eq!(copies.next(&files, now), Some(Next::New((1, 0))));
        assert_eq!(copies.next(&files, now), Some(Next::New((1, 1))));
        copies.saw((1, 1), now);
        assert_eq!(copies.next(&files, now), Some(Next::New((2, 0))));
        assert_eq!(copies.left(&files), 2);
        for key in [(1, 0), (2, 0), (1, 0)] {
            assert_eq!(copies.next(&files, now), Some(Next::New(key)));
        }
    }

    #[test]
    fn what_was_seen_is_looked_at_again_after_a_day() {
        let files: BTreeSet<Key> = [(1, 0), (1, 1)].into();
        let (mut copies, begun) = (Copies::default(), Instant::now());
        copies.saw((1, 1), begun);
        copies.saw((1, 0), begun + Duration::from_secs(60));
        assert_eq!(copies.left(&files), 0);
        assert_eq!(copies.next(&files, begun + AGAIN - Duration::from_secs(1)), None);
        let later = begun + AGAIN;
        assert_eq!(copies.next(&files, later), Some(Next::Again((1, 1))));
        copies.saw((1, 1), later);
        assert_eq!(copies.next(&files, later), None);
        copies.forget((1, 0));
        assert_eq!(copies.left(&files), 1);
        assert_eq!(copies.next(&files, later), Some(Next::New((1, 0))));
        // A run that was merged.
        let files: BTreeSet<Key> = [(1, 1)].into();
        assert_eq!(copies.left(&files), 0);
        assert_eq!(copies.next(&files, later), None);
    }
}
