//! Filters: which keys a segment may have, in a file beside it.
//!
//! Whether a group is nowhere is asked for each new key, of each run. A filter says of most
//! groups that are not in a segment that they are not, with one read of a page. It is of a node's
//! own making, and nothing commits to it: it can be made again of its segment at any time. A page
//! that is damaged is an error, never a *no*.
//!
//! ```text
//! file   = header ‖ pages
//! header = "BCFILTER" ‖ u32 format, 1 ‖ u64 salt ‖ u64 number of pages
//!          ‖ root over the groups of the segment ‖ SM3 of all before
//! page   = 992 bytes of bits ‖ SM3(u64 salt ‖ u64 number of the page ‖ the bits)
//! ```
//!
//! A group sets seven bits of one page, which SM3(salt ‖ shared bytes) says: the page is its
//! first eight bytes modulo the number of pages; bit *i* is (the next eight + *i* times the
//! eight after these, made odd) modulo 2^64, modulo 7,936. The salt is random, so that nobody can
//! choose keys that pass.

use crate::{Cache, ColdError, cache::Kept, output::Pending, proof::Digest, source::Source};
use billchain_crypto::sm3::sm3;
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

const MAGIC: &[u8; 8] = b"BCFILTER";
const FORMAT: u32 = 1;

/// Bytes of the header.
const HEADER: usize = 8 + 4 + 8 + 8 + 32 + 32;

/// Bytes of a page, and of the bits in it.
const PAGE: usize = 1024;
const PAGE_BYTES: usize = PAGE - 32;
const PAGE_BITS: u64 = 8 * PAGE_BYTES as u64;

/// Bits a group, and how many of them it sets.
const BITS: u64 = 10;
const SET: u64 = 7;

/// Most pages: of more groups than a segment has.
const MAX_PAGES: u64 = 1 << 31;

/// A filter in the making, in memory of ten bits a group.
pub struct FilterWriter {
    salt: u64,
    pages: Vec<[u8; PAGE_BYTES]>,
}

/// A filter that is read.
#[derive(Debug)]
pub struct Filter<S> {
    source: S,
    salt: u64,
    pages: u64,
    cache: Option<(Arc<Cache>, u64)>,
}

/// Page and bits of a group.
struct Places {
    page: u64,
    first: u64,
    step: u64,
}

impl Places {
    fn of(salt: u64, pages: u64, shared: &[u8]) -> Self {
        let digest = sm3(&[&salt.to_be_bytes()[..], shared].concat());
        let number = |at: usize| {
            let bytes = digest.get(at..).and_then(|rest| rest.first_chunk());
            bytes.copied().map_or(0, u64::from_be_bytes)
        };
        Self { page: number(0) % pages, first: number(8), step: number(16) | 1 }
    }

    /// Byte and mask of each bit.
    fn bits(&self) -> impl Iterator<Item = (usize, u8)> + '_ {
        (0..SET).map(|at| {
            let bit = self.first.wrapping_add(at.wrapping_mul(self.step)) % PAGE_BITS;
            ((bit / 8) as usize, 1 << (bit % 8))
        })
    }
}

impl FilterWriter {
    /// A filter for so many groups, with a salt that nobody knows.
    pub fn new(groups: u64, salt: u64) -> Self {
        let pages = groups.saturating_mul(BITS).div_ceil(PAGE_BITS).clamp(1, MAX_PAGES);
        Self { salt, pages: vec![[0; PAGE_BYTES]; pages as usize] }
    }

    /// Takes in the group whose keys share these bytes.
    pub fn add(&mut self, shared: &[u8]) {
        let places = Places::of(self.salt, self.pages.len() as u64, shared);
        let Some(page) = self.pages.get_mut(places.page as usize) else { return };
        for (at, mask) in places.bits() {
            if let Some(byte) = page.get_mut(at) {
                *byte |= mask;
            }
        }
    }

    /// Writes it as the file `path`, in the place of another: the filter of the segment with
    /// this root. When it returns, the file is whole and on disk.
    pub fn write(&self, path: &Path, root: &Digest) -> Result<(), ColdError> {
        match fs::remove_file(path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                let name = path.display().to_string();
                return Err(ColdError::Io { action: "remove", name, source });
            }
            _ => {}
        }
        let pending = Pending::new(path)?;
        let mut out = pending.segment()?;
        out.append(&header(self.salt, self.pages.len() as u64, root))?;
        for (number, bits) in (0..).zip(&self.pages) {
            out.append(bits)?;
            out.append(&page_digest(self.salt, number, bits))?;
        }
        out.sync()?;
        pending.publish()
    }
}

fn header(salt: u64, pages: u64, root: &Digest) -> Vec<u8> {
    let mut bytes = [&MAGIC[..], &FORMAT.to_be_bytes(), &salt.to_be_bytes()].concat();
    bytes.extend(pages.to_be_bytes());
    bytes.extend(root);
    bytes.extend(sm3(&bytes));
    bytes
}

fn page_digest(salt: u64, number: u64, bits: &[u8]) -> Digest {
    sm3(&[&salt.to_be_bytes()[..], &number.to_be_bytes(), bits].concat())
}

impl<S: Source> Filter<S> {
    /// Opens the filter of the segment with this root.
    pub fn open(source: S, root: &Digest, cache: Option<&Arc<Cache>>) -> Result<Self, ColdError> {
        let name = || source.name();
        let failed = |error| ColdError::Io { action: "read", name: name(), source: error };
        let damaged = |what: String| ColdError::Damaged { name: name(), offset: 0, what };
        let length = source.length().map_err(failed)?;
        let mut found = [0; HEADER];
        if length < HEADER as u64 {
            return Err(damaged(format!("it has {length} bytes, fewer than any filter")));
        }
        source.read_exact_at(0, &mut found).map_err(failed)?;
        let number = |at: usize| {
            let bytes = found.get(at..).and_then(|rest| rest.first_chunk());
            bytes.copied().map_or(0, u64::from_be_bytes)
        };
        let (salt, pages) = (number(12), number(20));
        if found[..] != header(salt, pages, root) {
            return Err(damaged("its header is not that of a filter of this segment".into()));
        }
        let expected =
            pages.checked_mul(PAGE as u64).and_then(|all| all.checked_add(HEADER as u64));
        if !(1..=MAX_PAGES).contains(&pages) || expected != Some(length) {
            return Err(damaged(format!("it has {length} bytes, which are not {pages} pages")));
        }
        let cache = cache.map(|cache| (Arc::clone(cache), cache.owner()));
        Ok(Self { source, salt, pages, cache })
    }

    /// Whether the segment may have the group whose keys share these bytes: true if it has it,
    /// and for one in a hundred of others.
    pub fn may_have(&self, shared: &[u8]) -> Result<bool, ColdError> {
        let places = Places::of(self.salt, self.pages, shared);
        let page = self.page(places.page)?;
        let is_set = |(at, mask): (usize, u8)| page.get(at).is_some_and(|byte| byte & mask != 0);
        Ok(places.bits().all(is_set))
    }

    /// The bits of a page.
    fn page(&self, number: u64) -> Result<Arc<Vec<u8>>, ColdError> {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&number.to_be_bytes());
        let cache = self.cache.as_ref().map(|(cache, owner)| (cache, (*owner, key)));
        if let Some((cache, key)) = &cache
            && let Some(Kept::Bits(bits)) = cache.get(key)
        {
            return Ok(bits);
        }
        let offset = HEADER as u64 + number * PAGE as u64;
        let mut bytes = vec![0; PAGE];
        self.source.read_exact_at(offset, &mut bytes).map_err(|source| ColdError::Io {
            action: "read",
            name: self.source.name(),
            source,
        })?;
        let digest = bytes.split_off(PAGE_BYTES);
        if digest != page_digest(self.salt, number, &bytes) {
            let what = format!("page {number} of the filter is not what was written");
            return Err(ColdError::Damaged { name: self.source.name(), offset, what });
        }
        let bits = Arc::new(bytes);
        if let Some((cache, key)) = cache {
            cache.put(key, Kept::Bits(Arc::clone(&bits)));
        }
        Ok(bits)
    }
}

/// Where the filter of the segment `path` lies.
pub fn filter_path(path: &Path) -> PathBuf {
    path.with_extension("filter")
}

#[cfg(test)]
mod tests;
