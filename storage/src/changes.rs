//! What a block changed of a table, as it lies on disk: the keys it wrote, and the values
//! that it replaced.
//!
//! They are sorted by key, without repetition, one entry after the other: length
//! of the key (u32, little-endian), key, `0` for no value or `1`, length of the
//! value, value. Entries are read in place: a block's changes take no more memory
//! than their bytes and four more an entry.

use std::cmp::Ordering;

/// Changes of one block, sorted by key, in their stored form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Changes {
    bytes: Vec<u8>,
    /// Where each entry begins.
    offsets: Vec<u32>,
}

/// Why stored changes cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ChangesError {
    /// An entry is longer than what is left.
    #[error("entry {entry} is cut short")]
    CutShort { entry: usize },
    /// Neither `0` nor `1` before the value.
    #[error("entry {entry} has tag {tag}, expected 0 or 1")]
    BadTag { entry: usize, tag: u8 },
    /// An entry is not above the one before it.
    #[error("entry {entry} is out of order")]
    OutOfOrder { entry: usize },
    /// A change set has a part for the state, one for activity bits, and one for records of cold
    /// groups.
    #[error("it does not consist of three parts")]
    Parts,
    /// More bytes than offsets can address.
    #[error("changes of one block take {bytes} bytes, at most 4294967295 can be stored")]
    TooLarge { bytes: usize },
}

impl Changes {
    /// No changes.
    pub(crate) const fn empty() -> Self {
        Self { bytes: Vec::new(), offsets: Vec::new() }
    }

    /// From entries sorted by key without repetition.
    pub(crate) fn from_sorted<'a>(
        entries: impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> + Clone,
    ) -> Result<Self, ChangesError> {
        let stored = |(key, value): (&[u8], Option<&[u8]>)| {
            4 + key.len() + 1 + value.map_or(0, |value| 4 + value.len())
        };
        let (count, total) = entries
            .clone()
            .map(stored)
            .fold((0, 0), |(count, total), bytes| (count + 1, total + bytes));
        let mut bytes = Vec::with_capacity(total);
        let mut offsets = Vec::with_capacity(count);
        for (key, value) in entries {
            offsets.push(length(bytes.len())?);
            bytes.extend_from_slice(&length(key.len())?.to_le_bytes());
            bytes.extend_from_slice(key);
            match value {
                None => bytes.push(0),
                Some(value) => {
                    bytes.push(1);
                    bytes.extend_from_slice(&length(value.len())?.to_le_bytes());
                    bytes.extend_from_slice(value);
                }
            }
        }
        length(bytes.len())?;
        Ok(Self { bytes, offsets })
    }

    /// Reads the stored form and checks it whole.
    pub(crate) fn decode(bytes: Vec<u8>) -> Result<Self, ChangesError> {
        length(bytes.len())?;
        let mut offsets = Vec::new();
        let mut at = 0;
        let mut last: Option<&[u8]> = None;
        while at < bytes.len() {
            let entry = offsets.len();
            let (key, _, end) = read_entry(&bytes, at, entry)?;
            if last.is_some_and(|last| last >= key) {
                return Err(ChangesError::OutOfOrder { entry });
            }
            last = Some(key);
            offsets.push(length(at)?);
            at = end;
        }
        Ok(Self { bytes, offsets })
    }

    /// The stored form.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Bytes held in memory.
    pub(crate) fn memory(&self) -> usize {
        self.bytes.len() + self.offsets.len() * size_of::<u32>()
    }

    /// Number of entries.
    pub(crate) fn len(&self) -> usize {
        self.offsets.len()
    }

    /// The entry of `key`: its value, if there is one.
    pub(crate) fn get(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        let at = self.offsets.binary_search_by(|offset| self.key_at(*offset).cmp(key)).ok()?;
        self.entry(at).map(|(_, value)| value)
    }

    /// Index of the first entry that is not below `key`.
    pub(crate) fn lower_bound(&self, key: &[u8]) -> usize {
        self.offsets.partition_point(|offset| self.key_at(*offset).cmp(key) == Ordering::Less)
    }

    /// The entry with this index, in the order of the keys.
    pub(crate) fn entry(&self, index: usize) -> Option<(&[u8], Option<&[u8]>)> {
        let offset = *self.offsets.get(index)?;
        let (key, value, _) = read_entry(&self.bytes, offset as usize, index).ok()?;
        Some((key, value))
    }

    /// The entries, in the order of the keys.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        (0..self.len()).filter_map(|index| self.entry(index))
    }

    fn key_at(&self, offset: u32) -> &[u8] {
        // Offsets come from checked entries.
        read_entry(&self.bytes, offset as usize, 0).map(|(key, ..)| key).unwrap_or_default()
    }
}

type Entry<'a> = (&'a [u8], Option<&'a [u8]>, usize);

/// Key, value and end of the entry at `at`.
fn read_entry(bytes: &[u8], at: usize, entry: usize) -> Result<Entry<'_>, ChangesError> {
    let cut_short = ChangesError::CutShort { entry };
    let rest = bytes.get(at..).ok_or(cut_short.clone())?;
    let (key, rest) = read_slice(rest).ok_or(cut_short.clone())?;
    let (value, rest) = match rest.split_first().ok_or(cut_short.clone())? {
        (0, rest) => (None, rest),
        (1, rest) => {
            let (value, rest) = read_slice(rest).ok_or(cut_short)?;
            (Some(value), rest)
        }
        (tag, _) => return Err(ChangesError::BadTag { entry, tag: *tag }),
    };
    Ok((key, value, bytes.len() - rest.len()))
}

fn read_slice(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_le_bytes(*length) as usize)
}

fn length(bytes: usize) -> Result<u32, ChangesError> {
    u32::try_from(bytes).map_err(|_| ChangesError::TooLarge { bytes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StateDelta;
    use proptest::prelude::*;

    fn changes(delta: &StateDelta) -> Changes {
        Changes::from_sorted(delta.iter().map(|(k, v)| (k.as_slice(), v.as_deref()))).unwrap()
    }

    fn delta(entries: &[(&[u8], Option<&[u8]>)]) -> StateDelta {
        entries.iter().map(|(k, v)| (k.to_vec(), v.map(<[u8]>::to_vec))).collect()
    }

    #[test]
    fn absent_deleted_and_empty_values_are_told_apart() {
        let changes = changes(&delta(&[(b"a", None), (b"b", Some(b"")), (b"c", Some(b"v"))]));
        assert_eq!(changes.get(b"a"), Some(None));
        assert_eq!(changes.get(b"b"), Some(Some(&b""[..])));
        assert_eq!(changes.get(b"c"), Some(Some(&b"v"[..])));
        assert_eq!(changes.get(b"bb"), None);
        assert_eq!(changes.lower_bound(b"bb"), 2);
        assert_eq!(changes.lower_bound(b"d"), 3);
    }

    #[test]
    fn damaged_changes_are_refused() {
        let good = changes(&delta(&[(b"a", Some(b"1")), (b"b", None)])).as_bytes().to_vec();
        for cut in 1..good.len() {
            // A cut between two entries leaves a shorter, valid list; RocksDB's
            // checksums tell those.
            if let Ok(read) = Changes::decode(good[..cut].to_vec()) {
                assert_eq!(read.len(), 1, "cut at {cut}");
            }
        }
        let mut tag = good.clone();
        *tag.last_mut().unwrap() = 7;
        assert_eq!(Changes::decode(tag), Err(ChangesError::BadTag { entry: 1, tag: 7 }));
        let mut order = good.clone();
        order.extend_from_slice(&good);
        assert_eq!(Changes::decode(order), Err(ChangesError::OutOfOrder { entry: 2 }));
    }

    proptest! {
        #[test]
        fn stored_changes_read_back(delta in proptest::collection::btree_map(
            proptest::collection::vec(any::<u8>(), 0..6),
            proptest::option::of(proptest::collection::vec(any::<u8>(), 0..6)),
            0..40,
        )) {
            let made = changes(&delta);
            let read = Changes::decode(made.as_bytes().to_vec()).unwrap();
            prop_assert_eq!(&made, &read);
            let entries: Vec<_> = read.iter().collect();
            let expected: Vec<_> =
                delta.iter().map(|(key, value)| (key.as_slice(), value.as_deref())).collect();
            prop_assert_eq!(entries, expected);
            for (key, value) in &delta {
                prop_assert_eq!(read.get(key), Some(value.as_deref()));
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Changes::decode(bytes);
        }
    }
}
