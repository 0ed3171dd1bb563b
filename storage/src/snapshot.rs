//! Reading the state as it was after one block.

use crate::{
    StorageError,
    changes::Changes,
    history::Version,
    shared::Shared,
    tables::{Cursor, Table},
};
use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc};

/// The state after one block. It stays the same while later blocks are
/// committed, is cheap to take and to clone, and may be read from many threads.
///
/// It keeps in memory what blocks committed since then replaced; hold it for
/// the length of a request, not for good. Reads in the state of an older block
/// take longer, by one look-up in memory a block.
///
/// Single keys are read wherever they lie; walks and pages go through the hot state alone.
#[derive(Clone)]
pub struct StateSnapshot {
    shared: Arc<Shared>,
    version: Arc<Version>,
}

impl StateSnapshot {
    pub(crate) fn new(shared: Arc<Shared>, version: Arc<Version>) -> Self {
        Self { shared, version }
    }

    /// Number of the block.
    pub fn number(&self) -> u32 {
        self.version.number()
    }

    /// The value of `key`, whether it is hot or cold.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        if let Some(value) = self.hot(key)? {
            return Ok(Some(value));
        }
        let Some((last, shared)) = key.split_last() else { return Ok(None) };
        let Shared { tables, cold, .. } = &*self.shared;
        let found = cold.find(tables, &self.version, shared)?;
        Ok(found.and_then(|found| found.group.value(*last).map(<[u8]>::to_vec)))
    }

    /// The value of `key` in the hot state.
    fn hot(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        let mut last = &self.version;
        let known = |last: &mut &Arc<Version>| {
            while let Some(link) = last.next() {
                if let Some(value) = link.replaced.state.get(key) {
                    return Some(value.map(<[u8]>::to_vec));
                }
                *last = &link.version;
            }
            None
        };
        // The first block after ours that replaced the key knows its value.
        // None did: read, and look at the blocks committed meanwhile.
        let mut at = last;
        if let Some(value) = known(&mut at) {
            return Ok(value);
        }
        last = at;
        let value = self.shared.tables.get(Table::State, key)?;
        let mut at = last;
        Ok(known(&mut at).unwrap_or(value))
    }

    /// At most `limit` keys with `prefix`, in order, that are above `start`
    /// (exclusive) if it is given.
    pub fn keys_paged(
        &self,
        prefix: &[u8],
        start: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, StorageError> {
        let mut keys = Vec::new();
        if limit == 0 {
            return Ok(keys);
        }
        self.walk(prefix, start, |key, value| {
            keys.extend(value.map(|_| key.to_vec()));
            keys.len() < limit
        })?;
        Ok(keys)
    }

    /// At most `limit` entries with `prefix`, as [`Self::keys_paged`].
    pub fn pairs_paged(
        &self,
        prefix: &[u8],
        start: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StorageError> {
        let mut pairs = Vec::new();
        if limit == 0 {
            return Ok(pairs);
        }
        self.walk(prefix, start, |key, value| {
            pairs.extend(value.map(|value| (key.to_vec(), value.to_vec())));
            pairs.len() < limit
        })?;
        Ok(pairs)
    }

    /// At most `limit` keys with `prefix`, in order, above `start` (exclusive) if it is
    /// given, that the blocks after this one wrote, up to that of `until`. Some may have
    /// the value that they had. None if `until` is not a later state of the same store.
    ///
    /// Time is in proportion to the blocks between, times the keys.
    pub fn written_paged(
        &self,
        until: &Self,
        prefix: &[u8],
        start: Option<&[u8]>,
        limit: usize,
    ) -> Vec<Vec<u8>> {
        let from = first_key(prefix, start);
        let steps = self.version.steps();
        let mut layers: Vec<_> = steps
            .take_while(|link| link.version.number() <= until.number())
            .map(|link| Layer::new(&link.replaced.state, &from))
            .collect();
        let mut keys = Vec::new();
        while keys.len() < limit {
            let next = layers.iter().filter_map(|layer| layer.key(prefix)).min();
            let Some(key) = next else { break };
            keys.push(key.to_vec());
            for layer in &mut layers {
                if layer.key(prefix) == Some(key) {
                    layer.at += 1;
                }
            }
        }
        keys
    }

    /// Visits the entries with `prefix`, above `start` (exclusive) if it is given, in
    /// order, until `visit` gives false: it bounds how many are read. A key without a value
    /// is one that a later block brought: there may be as many as of the state's own.
    pub fn walk(
        &self,
        prefix: &[u8],
        start: Option<&[u8]>,
        mut visit: impl FnMut(&[u8], Option<&[u8]>) -> bool,
    ) -> Result<(), StorageError> {
        let from = first_key(prefix, start);
        // First the cursor, then the steps: what the cursor sees, the steps
        // know to undo.
        let newest = self.shared.tables.cursor(Table::State, &from, after_prefix(prefix))?;
        let replaced = self
            .version
            .steps()
            .map(|link| Layer::new(&link.replaced.state, &from))
            .filter(|layer| layer.key(prefix).is_some())
            .collect();
        Merge::new(prefix, newest, replaced).run(&mut visit)
    }
}

/// Where the keys with `prefix` above `start` begin.
fn first_key(prefix: &[u8], start: Option<&[u8]>) -> Vec<u8> {
    match start {
        // The smallest key above `start` is `start` with a zero byte.
        Some(start) if start >= prefix => [start, &[0]].concat(),
        _ => prefix.to_vec(),
    }
}

/// The smallest key above every key with `prefix`; `None` if there is none.
pub(crate) fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let keep = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut end = prefix[..=keep].to_vec();
    end[keep] += 1;
    Some(end)
}

/// One block's replaced values, from some entry on.
struct Layer<'a> {
    changes: &'a Changes,
    at: usize,
}

impl<'a> Layer<'a> {
    fn new(changes: &'a Changes, from: &[u8]) -> Self {
        Self { changes, at: changes.lower_bound(from) }
    }

    /// The key it stands at, if it has the prefix.
    fn key(&self, prefix: &[u8]) -> Option<&'a [u8]> {
        self.changes.entry(self.at).map(|(key, _)| key).filter(|key| key.starts_with(prefix))
    }
}

/// The newest state and the layers of replaced values above it, oldest first,
/// read as one: of a key's entries the oldest counts.
struct Merge<'a> {
    prefix: &'a [u8],
    newest: Cursor<'a>,
    replaced: Vec<Layer<'a>>,
    /// The key at which each layer stands, and its place among them: the first is that of
    /// the oldest layer with the smallest key.
    next: BinaryHeap<Reverse<(&'a [u8], usize)>>,
}

impl<'a> Merge<'a> {
    fn new(prefix: &'a [u8], newest: Cursor<'a>, replaced: Vec<Layer<'a>>) -> Self {
        let place = |(at, layer): (usize, &Layer<'a>)| Some(Reverse((layer.key(prefix)?, at)));
        let next = replaced.iter().enumerate().filter_map(place).collect();
        Self { prefix, newest, replaced, next }
    }

    fn run(
        mut self,
        visit: &mut impl FnMut(&[u8], Option<&[u8]>) -> bool,
    ) -> Result<(), StorageError> {
        loop {
            let newest = self.newest.entry().filter(|(key, _)| key.starts_with(self.prefix));
            let layered = self.next.peek().map(|Reverse(first)| *first);
            let (key, in_newest) = match (newest, layered) {
                (None, None) => return Ok(()),
                (Some((key, _)), None) => (key, true),
                (None, Some((key, _))) => (key, false),
                (Some((a, _)), Some((b, _))) => (a.min(b), a <= b),
            };
            let value = match layered.filter(|(found, _)| *found == key) {
                Some((_, at)) => {
                    let oldest = &self.replaced[at];
                    oldest.changes.entry(oldest.at).and_then(|(_, value)| value)
                }
                None => newest.map(|(_, value)| value),
            };
            if !visit(key, value) {
                return Ok(());
            }
            // `key` may borrow from the cursor, which has not moved yet.
            while let Some(Reverse((found, at))) = self.next.peek().copied()
                && found == key
            {
                self.next.pop();
                let layer = &mut self.replaced[at];
                layer.at += 1;
                self.next.extend(layer.key(self.prefix).map(|key| Reverse((key, at))));
            }
            if in_newest {
                self.newest.advance()?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_prefix_is_the_next_prefix() {
        let cases: [(&[u8], Option<&[u8]>, &str); 5] = [
            (b"", None, "no prefix"),
            (b"ab", Some(b"ac"), "last byte grows"),
            (b"a\xff", Some(b"b"), "a full byte carries"),
            (b"\xff\xff", None, "nothing above"),
            (b"\x00", Some(b"\x01"), "zero byte"),
        ];
        for (prefix, expected, what) in cases {
            assert_eq!(after_prefix(prefix).as_deref(), expected, "{what}");
        }
    }
}
