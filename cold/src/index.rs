//! Pages of the index: where blocks, and other pages, lie and begin.
//!
//! ```text
//! page      = u8 level ‖ references
//! reference = u16 length ‖ first shared bytes ‖ u64 groups ‖ u64 offset ‖ u32 length ‖ SM3
//! ```
//!
//! The references of a page of level 1 are of blocks, those of a higher one of pages of the
//! level below. Each has SM3 of what it refers to, so that nothing that was read is used before
//! it was compared.

use crate::{group::MAX_SHARED, proof::Digest};

/// Bytes from which on a page is full.
pub(crate) const PAGE_BYTES: usize = 8 << 10;

/// Most bytes of a page.
pub(crate) const MAX_PAGE: usize = 16 << 10;

/// Most levels of pages. Pages have eight references at least, so these hold more blocks than a
/// segment may have groups.
pub(crate) const MAX_LEVEL: u8 = 15;

/// Where something of a segment lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) offset: u64,
    pub(crate) length: u32,
    /// SM3 of its bytes.
    pub(crate) digest: Digest,
}

/// A block, or a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// What the keys of its first group share.
    pub(crate) first: Vec<u8>,
    /// Groups in it.
    pub(crate) groups: u64,
    pub(crate) extent: Extent,
}

impl Reference {
    /// Appends its bytes; `first` was checked.
    pub(crate) fn append(&self, to: &mut Vec<u8>) {
        to.extend((self.first.len() as u16).to_be_bytes());
        to.extend(&self.first);
        to.extend(self.groups.to_be_bytes());
        to.extend(self.extent.offset.to_be_bytes());
        to.extend(self.extent.length.to_be_bytes());
        to.extend(self.extent.digest);
    }

    fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (length, rest) = bytes.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (first, rest) = rest.split_at_checked(length)?;
        let (groups, rest) = rest.split_first_chunk()?;
        let (offset, rest) = rest.split_first_chunk()?;
        let (bytes, rest) = rest.split_first_chunk()?;
        let (digest, rest) = rest.split_first_chunk()?;
        let extent = Extent {
            offset: u64::from_be_bytes(*offset),
            length: u32::from_be_bytes(*bytes),
            digest: *digest,
        };
        let groups = u64::from_be_bytes(*groups);
        Some((Self { first: first.to_vec(), groups, extent }, rest))
    }
}

/// A page that was read.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) level: u8,
    /// One at least, ascending, each with a group at least.
    pub(crate) references: Vec<Reference>,
}

/// What is looked for.
#[derive(Clone, Copy)]
pub(crate) enum Target<'a> {
    /// The group whose keys share these bytes, or where it would be.
    Shared(&'a [u8]),
    /// The group at this position.
    Position(u64),
}

/// A reference of a page, and the position of its first group.
#[derive(Clone, Copy)]
pub(crate) struct Child {
    pub(crate) at: usize,
    pub(crate) base: u64,
}

impl Page {
    /// Reads a page of `level` which holds `groups`, the first of which is `first`.
    pub(crate) fn read(
        bytes: &[u8],
        level: u8,
        groups: u64,
        first: Option<&[u8]>,
    ) -> Result<Self, String> {
        let (found, mut rest) = bytes.split_first().ok_or("a page of the index is empty")?;
        if *found != level {
            return Err(format!("a page of the index has level {found}, expected {level}"));
        }
        let mut references: Vec<Reference> = Vec::new();
        let mut sum = Some(0_u64);
        while !rest.is_empty() {
            let (reference, behind) = Reference::read(rest).ok_or("a page of the index is cut")?;
            let is_after = references.last().is_none_or(|before| before.first < reference.first);
            if !is_after || reference.first.len() > MAX_SHARED || reference.groups == 0 {
                return Err("a page of the index refers to what is out of order or empty".into());
            }
            sum = sum.and_then(|sum| sum.checked_add(reference.groups));
            references.push(reference);
            rest = behind;
        }
        let begins = references.first().map(|reference| reference.first.as_slice());
        if begins.is_none() || first.is_some_and(|first| begins != Some(first)) {
            return Err("a page of the index begins with another group than expected".into());
        }
        if sum != Some(groups) {
            return Err(format!("a page of the index has other than {groups} groups"));
        }
        Ok(Self { level, references })
    }

    /// The reference in which the target is, if it is in the page; of shared bytes, the last
    /// that does not begin behind them. `base` is the position of the page's first group.
    pub(crate) fn find(&self, target: Target<'_>, base: u64) -> Option<Child> {
        let mut found = None;
        let mut base = base;
        for (at, reference) in self.references.iter().enumerate() {
            // Their sum was checked.
            let end = base.checked_add(reference.groups)?;
            match target {
                Target::Shared(shared) if reference.first.as_slice() > shared => break,
                Target::Shared(_) => found = Some(Child { at, base }),
                Target::Position(position) if position < end => return Some(Child { at, base }),
                Target::Position(_) => {}
            }
            base = end;
        }
        found
    }

    /// Bytes that it takes in memory, about.
    pub(crate) fn room(&self) -> usize {
        let first = |reference: &Reference| size_of::<Reference>() + reference.first.len();
        self.references.iter().map(first).sum()
    }

    pub(crate) fn reference(&self, at: usize) -> Option<&Reference> {
        self.references.get(at)
    }
}
