//! Transactions that were found valid lately, decoded: what the pool's check
//! has read need not be read again when a block is built or checked.

use billchain_primitives::Hash;
use billchain_runtime::UncheckedExtrinsic;
use lru::LruCache;
use parking_lot::Mutex;
use std::sync::Arc;

/// Transactions kept, at most: some blocks' worth.
const MAX_COUNT: usize = 16_384;

/// Bytes that they take in memory, at most.
const MAX_BYTES: usize = 64 << 20;

/// The transactions by their hash, which binds the bytes, so that what is kept
/// is what decoding would give. The least lately used are forgotten first.
pub(crate) struct Decoded(Mutex<Kept>);

struct Kept {
    entries: LruCache<Hash, Entry>,
    bytes: usize,
    max_count: usize,
    max_bytes: usize,
}

struct Entry {
    extrinsic: Arc<UncheckedExtrinsic>,
    bytes: usize,
}

impl Default for Decoded {
    fn default() -> Self {
        Self::with_bounds(MAX_COUNT, MAX_BYTES)
    }
}

impl Decoded {
    fn with_bounds(max_count: usize, max_bytes: usize) -> Self {
        Self(Mutex::new(Kept { entries: LruCache::unbounded(), bytes: 0, max_count, max_bytes }))
    }

    /// Keeps a valid transaction, which takes `bytes` bytes in memory.
    pub(crate) fn keep(&self, hash: Hash, extrinsic: UncheckedExtrinsic, bytes: usize) {
        let kept = &mut *self.0.lock();
        let entry = Entry { extrinsic: Arc::new(extrinsic), bytes };
        kept.bytes = kept.bytes.saturating_add(bytes);
        if let Some(replaced) = kept.entries.put(hash, entry) {
            kept.bytes = kept.bytes.saturating_sub(replaced.bytes);
        }
        while kept.entries.len() > kept.max_count || kept.bytes > kept.max_bytes {
            let Some((_, oldest)) = kept.entries.pop_lru() else { break };
            kept.bytes = kept.bytes.saturating_sub(oldest.bytes);
        }
    }

    /// Takes those of `hashes` that are kept, each in its place: for a block that
    /// is executed, most likely for good.
    pub(crate) fn take(&self, hashes: &[Hash]) -> Vec<Option<Arc<UncheckedExtrinsic>>> {
        let kept = &mut *self.0.lock();
        let mut take = |hash: &Hash| {
            let entry = kept.entries.pop(hash)?;
            kept.bytes = kept.bytes.saturating_sub(entry.bytes);
            Some(entry.extrinsic)
        };
        hashes.iter().map(&mut take).collect()
    }

    /// Those of `hashes` that are kept, each in its place: for a block that is
    /// built, which may leave some of them for the next one.
    pub(crate) fn find(&self, hashes: &[Hash]) -> Vec<Option<Arc<UncheckedExtrinsic>>> {
        let kept = &mut *self.0.lock();
        hashes
            .iter()
            .map(|hash| kept.entries.get(hash).map(|entry| Arc::clone(&entry.extrinsic)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::timestamp_inherent;

    fn hash(number: u64) -> Hash {
        Hash::from_low_u64_be(number)
    }

    fn found(decoded: &Decoded, numbers: core::ops::Range<u64>) -> Vec<bool> {
        let hashes: Vec<Hash> = numbers.map(hash).collect();
        decoded.find(&hashes).iter().map(Option::is_some).collect()
    }

    #[test]
    fn what_is_kept_is_found_and_the_least_used_goes_first() {
        let decoded = Decoded::with_bounds(2, 1_000);
        decoded.keep(hash(0), timestamp_inherent(10), 10);
        decoded.keep(hash(1), timestamp_inherent(11), 10);
        assert_eq!(decoded.find(&[hash(0)])[0].as_deref(), Some(&timestamp_inherent(10)));
        decoded.keep(hash(2), timestamp_inherent(12), 10);
        assert_eq!(found(&decoded, 0..3), [true, false, true]);
    }

    #[test]
    fn bytes_are_bounded_and_counted_once() {
        let decoded = Decoded::with_bounds(10, 100);
        for _ in 0..5 {
            decoded.keep(hash(0), timestamp_inherent(1), 60);
        }
        decoded.keep(hash(1), timestamp_inherent(1), 40);
        assert_eq!(found(&decoded, 0..2), [true, true]);
        decoded.keep(hash(2), timestamp_inherent(1), 1);
        assert_eq!(found(&decoded, 0..3), [false, true, true], "both were used, 0 before 1");
    }

    #[test]
    fn what_is_taken_is_given_away_with_its_room() {
        let decoded = Decoded::with_bounds(10, 100);
        decoded.keep(hash(0), timestamp_inherent(10), 60);
        decoded.keep(hash(1), timestamp_inherent(11), 40);
        let taken = decoded.take(&[hash(0), hash(2)]);
        assert_eq!(taken.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false]);
        assert_eq!(taken[0].as_ref().map(Arc::strong_count), Some(1), "nobody else has it");
        assert_eq!(found(&decoded, 0..2), [false, true]);
        assert_eq!(decoded.0.lock().bytes, 40);
    }

    #[test]
    fn one_above_the_bound_is_not_kept() {
        let decoded = Decoded::with_bounds(10, 100);
        decoded.keep(hash(0), timestamp_inherent(1), 101);
        assert_eq!(found(&decoded, 0..1), [false]);
        assert_eq!(decoded.0.lock().bytes, 0);
    }
}
