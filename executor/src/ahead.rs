//! Entries of a state, read ahead of who goes through them in order.
//!
//! The runtime asks for one key after another, and a question by itself costs as much as many
//! entries in a row. A state does not change while it is read, so what was read ahead stays true.

use std::collections::VecDeque;

/// Most entries that are read at once.
const MOST: usize = 64;

/// A key and its value.
pub type Entry = (Vec<u8>, Vec<u8>);

/// Where somebody is in a state, and what comes then.
#[derive(Default)]
pub(crate) struct Ahead {
    /// Something was read: no key is between `from` and `next`, nor above `from` without `next`.
    is_known: bool,
    from: Vec<u8>,
    next: Option<Entry>,
    /// Those above `next`.
    behind: VecDeque<Entry>,
    /// Whether these end where the state ends.
    has_end: bool,
    /// As many were read at once. Whoever goes on gets twice as many the next time.
    page: usize,
}

impl Ahead {
    /// The smallest key above `key`; `read` gives so many entries above it, fewer only at the end.
    pub(crate) fn next<E>(
        &mut self,
        key: &[u8],
        read: impl FnOnce(usize) -> Result<Vec<Entry>, E>,
    ) -> Result<Option<Vec<u8>>, E> {
        let next = self.next.as_ref().map(|(next, _)| next.as_slice());
        let is_between = key >= self.from.as_slice() && next.is_none_or(|next| key < next);
        if !(self.is_known && is_between) {
            let goes_on = next == Some(key);
            if !goes_on || self.behind.is_empty() && !self.has_end {
                let page = if goes_on { MOST.min(2 * self.page) } else { 1 };
                let entries = read(page)?;
                self.has_end = entries.len() < page;
                (self.behind, self.page) = (entries.into(), page);
            }
            self.from = key.to_vec();
            self.next = self.behind.pop_front();
            self.is_known = true;
        }
        Ok(self.next.as_ref().map(|(next, _)| next.clone()))
    }

    /// The value of a key, if it is the one that was given last.
    pub(crate) fn value(&self, key: &[u8]) -> Option<&[u8]> {
        let next = self.next.as_ref().filter(|(next, _)| next == key);
        next.map(|(_, value)| value.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        collections::BTreeMap,
        ops::Bound::{Excluded, Unbounded},
    };

    struct State {
        entries: BTreeMap<Vec<u8>, Vec<u8>>,
        reads: usize,
        given: usize,
    }

    impl State {
        fn new(keys: impl IntoIterator<Item = u16>) -> Self {
            let entry = |at: u16| (at.to_be_bytes().to_vec(), vec![at as u8; 3]);
            Self { entries: keys.into_iter().map(entry).collect(), reads: 0, given: 0 }
        }

        fn above(&self, key: &[u8]) -> Option<&Vec<u8>> {
            self.entries.range::<[u8], _>((Excluded(key), Unbounded)).next().map(|(key, _)| key)
        }

        /// Asks, and compares the answer.
        fn ask(&mut self, ahead: &mut Ahead, key: &[u8]) -> Option<Vec<u8>> {
            let Self { entries, reads, given } = self;
            let found = ahead.next(key, |limit| {
                let above = entries.range::<[u8], _>((Excluded(key), Unbounded)).take(limit);
                let page: Vec<Entry> =
                    above.map(|(key, value)| (key.clone(), value.clone())).collect();
                *reads += 1;
                *given += page.len();
                Ok::<_, ()>(page)
            });
            let found = found.unwrap();
            assert_eq!(found.as_ref(), self.above(key), "{key:?}");
            if let Some(key) = &found {
                assert_eq!(ahead.value(key), self.entries.get(key).map(Vec::as_slice));
            }
            assert_eq!(ahead.value(&[key, b"?"].concat()), None);
            found
        }
    }

    #[test]
    fn who_goes_on_reads_pages_and_who_does_not_one_entry() {
        let mut state = State::new((0..1_000).map(|at| at * 3));
        let (mut ahead, mut key, mut seen) = (Ahead::default(), Vec::new(), 0);
        while let Some(next) = state.ask(&mut ahead, &key) {
            // What lies between two keys needs no reading, and loses nothing.
            let between = [&key[..], &[0]].concat();
            assert_eq!(state.ask(&mut ahead, &between), Some(next.clone()));
            (key, seen) = (next, seen + 1);
        }
        assert_eq!(state.ask(&mut ahead, &[0xFF; 3]), None);
        assert_eq!((seen, state.given), (1_000, 1_000));
        assert!(state.reads < 1_000 / MOST + 8, "{}", state.reads);
        let before = (state.reads, state.given);
        for at in [2_000_u16, 1_000, 1_500, 5] {
            state.ask(&mut ahead, &at.to_be_bytes());
        }
        assert_eq!((state.reads, state.given), (before.0 + 4, before.1 + 4));
    }

    #[test]
    fn any_way_through_a_state_gives_what_is_there() {
        for keys in [vec![], vec![7], (0..300).step_by(2).collect::<Vec<u16>>()] {
            let mut state = State::new(keys);
            let (mut ahead, mut word) = (Ahead::default(), 9_u64);
            let mut key = Vec::new();
            for _ in 0..5_000 {
                word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
                // Mostly it goes on, now and then it goes elsewhere.
                let elsewhere = ((word >> 40) as u16 % 310).to_be_bytes().to_vec();
                let asked = if (word >> 60) < 13 { key.clone() } else { elsewhere };
                key = state.ask(&mut ahead, &asked).unwrap_or(asked);
            }
        }
    }

    #[test]
    fn a_reading_that_failed_changes_nothing() {
        let mut state = State::new([1, 2, 3]);
        let mut ahead = Ahead::default();
        assert_eq!(ahead.next(b"", |_| Err("a disk")), Err("a disk"));
        let first = state.ask(&mut ahead, b"").unwrap();
        assert_eq!(ahead.next(&first, |_| Err("a disk")), Err("a disk"));
        assert_eq!(ahead.value(&first), Some(&[1; 3][..]));
        assert_eq!(state.ask(&mut ahead, &first), Some(vec![0, 2]));
    }
}
