//! Blocks: groups one behind the other, compressed together.
//!
//! ```text
//! block = u32 length of the groups ‖ one zstd frame of the groups
//! group = u16 length ‖ shared bytes ‖ u8 number of keys − 1
//!         ‖ for each key, ascending: u8 last byte ‖ u32 length ‖ value
//! ```

use crate::{
    ColdError,
    group::{Group, MAX_GROUP, MAX_SHARED},
};
use std::{cmp::Ordering, io};

/// Most bytes of the groups of a block.
pub(crate) const MAX_RAW: usize = 2 * MAX_GROUP;

/// Most bytes of a block as it is stored: more than zstd makes of what it cannot compress.
pub(crate) const MAX_STORED: usize = MAX_RAW + (MAX_RAW >> 6) + 1024;

/// Appends a group that was checked.
pub(crate) fn append(to: &mut Vec<u8>, group: &Group) {
    // Lengths were checked: none is cut here.
    to.extend((group.shared.len() as u16).to_be_bytes());
    to.extend(&group.shared);
    to.push((group.values.len() - 1) as u8);
    for (last, value) in &group.values {
        to.push(*last);
        to.extend((value.len() as u32).to_be_bytes());
        to.extend(value);
    }
}

impl Group {
    /// Its bytes, as in a block.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn encode(&self) -> Result<Vec<u8>, ColdError> {
        self.check()?;
        let mut bytes = Vec::new();
        append(&mut bytes, self);
        Ok(bytes)
    }

    /// Reads what [`encode`](Self::encode) gave; words on what is wrong with anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, &'static str> {
        if bytes.len() > MAX_GROUP {
            return Err("a group has more bytes than it may");
        }
        let mut entries = Entries(bytes);
        let group = entries.next().ok_or("a group is empty")??.to_group();
        match entries.next() {
            None => Ok(group),
            Some(_) => Err("a group goes on behind its end"),
        }
    }
}

/// Makes a block of groups.
pub(crate) fn compress(
    compressor: &mut zstd::bulk::Compressor<'_>,
    raw: &[u8],
) -> io::Result<Vec<u8>> {
    let mut stored = (raw.len() as u32).to_be_bytes().to_vec();
    stored.extend(compressor.compress(raw)?);
    debug_assert!(stored.len() <= MAX_STORED);
    Ok(stored)
}

/// The groups of a block, not taken apart yet.
pub(crate) fn decompress(stored: &[u8]) -> Result<Vec<u8>, String> {
    let (length, frame) =
        stored.split_first_chunk().ok_or("a block is shorter than the length of its groups")?;
    let length = u32::from_be_bytes(*length) as usize;
    if length > MAX_RAW {
        return Err(format!("a block says that it has {length} bytes, expected {MAX_RAW} at most"));
    }
    let raw = zstd::bulk::decompress(frame, length)
        .map_err(|error| format!("a block cannot be decompressed: {error}"))?;
    if raw.len() != length {
        return Err(format!("a block has {} bytes, expected {length}", raw.len()));
    }
    Ok(raw)
}

/// Whether there are as many groups as expected, in order, and the first is `first`.
pub(crate) fn check(raw: &[u8], groups: u64, first: &[u8]) -> Result<(), &'static str> {
    let (mut count, mut before) = (0_u64, None::<&[u8]>);
    for entry in Entries(raw) {
        let shared = entry?.shared;
        match before {
            None if shared != first => {
                return Err("a block begins with another group than the index says");
            }
            Some(before) if before >= shared => {
                return Err("the groups of a block are out of order");
            }
            _ => (count, before) = (count + 1, Some(shared)),
        }
    }
    if count == groups {
        Ok(())
    } else {
        Err("a block has another number of groups than the index says")
    }
}

/// A block that was read and checked, its groups not taken apart.
pub(crate) struct Block {
    /// Position of its first group.
    pub(crate) base: u64,
    pub(crate) raw: Vec<u8>,
}

impl Block {
    /// The group whose keys share these bytes, with its position; or the position of the first
    /// one behind.
    pub(crate) fn find(&self, shared: &[u8]) -> Result<(u64, Entry<'_>), u64> {
        let mut position = self.base;
        for entry in self.entries() {
            match entry.shared.cmp(shared) {
                Ordering::Less => position += 1,
                Ordering::Equal => return Ok((position, entry)),
                Ordering::Greater => break,
            }
        }
        Err(position)
    }

    /// Its groups.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        // They were checked: there is no error among them.
        Entries(&self.raw).map_while(Result::ok)
    }
}

/// Takes the groups of a block apart, one after the other. Ends after an error.
pub(crate) struct Entries<'a>(pub(crate) &'a [u8]);

/// A group within its block.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) shared: &'a [u8],
    /// Last byte, length and value of each key.
    values: &'a [u8],
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>, &'static str>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let read = Entry::read(self.0);
        self.0 = read.as_ref().map(|(_, rest)| *rest).unwrap_or_default();
        Some(read.map(|(entry, _)| entry))
    }
}

impl<'a> Entry<'a> {
    /// The group at the beginning of `bytes`, and what is behind it.
    fn read(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), &'static str> {
        const CUT: &str = "a group is cut short";
        let (length, rest) = bytes.split_first_chunk().ok_or(CUT)?;
        let length = usize::from(u16::from_be_bytes(*length));
        if length > MAX_SHARED {
            return Err("the keys of a group share more bytes than they may");
        }
        let (shared, rest) = rest.split_at_checked(length).ok_or(CUT)?;
        let (more, values) = rest.split_first().ok_or(CUT)?;
        let (mut rest, mut before) = (values, None);
        for _ in 0..=*more {
            let (last, _, behind) = value(rest).ok_or(CUT)?;
            if before.is_some_and(|before| before >= last) {
                return Err("the keys of a group are out of order");
            }
            (rest, before) = (behind, Some(last));
        }
        let values = values.get(..values.len() - rest.len()).unwrap_or_default();
        Ok((Self { shared, values }, rest))
    }

    /// The value of the key with this last byte.
    pub(crate) fn value(&self, last: u8) -> Option<&'a [u8]> {
        self.values().find(|(found, _)| *found == last).map(|(_, value)| value)
    }

    /// The group by itself.
    pub(crate) fn to_group(self) -> Group {
        Group {
            shared: self.shared.to_vec(),
            values: self.values().map(|(last, value)| (last, value.to_vec())).collect(),
        }
    }

    fn values(self) -> impl Iterator<Item = (u8, &'a [u8])> {
        let mut rest = self.values;
        std::iter::from_fn(move || {
            let (last, value, behind) = value(rest)?;
            rest = behind;
            Some((last, value))
        })
    }
}

/// Last byte and value at the beginning of `bytes`, and what is behind.
fn value(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (last, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (value, rest) = rest.split_at_checked(length)?;
    Some((*last, value, rest))
}
