//! Reading a segment.

use crate::{
    Cache, ColdError, Group,
    block::{self, Block, MAX_STORED},
    cache::Kept,
    footer::Footer,
    index::{Child, Extent, MAX_PAGE, Page, Reference, Target},
    proof::Digest,
    source::Source,
};
use billchain_crypto::sm3::sm3;
use std::sync::Arc;

/// A segment: groups in the order of their shared bytes, that never change.
///
/// It takes memory of one page, 16 KiB at most, however large it is, and its part of a
/// [`Cache`] if it was [opened with one](Self::open_with). Whatever it gives is what
/// its footer commits to by SM3, so damage by accident is found where it is read. Whoever got a
/// segment from elsewhere calls [`verify`](Self::verify) once, and compares
/// [`root`](Self::root) with what the state root commits to.
#[derive(Debug)]
pub struct Segment<S> {
    source: S,
    footer: Footer,
    /// The topmost page; none without groups.
    top: Option<Arc<Page>>,
    /// Where pages and blocks are kept, and what they are found there by.
    cache: Option<(Arc<Cache>, u64)>,
}

/// Where a group is, or would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Located {
    /// It is there.
    Here {
        /// Its position.
        position: u64,
        /// The group.
        group: Group,
    },
    /// It is not there; the first one behind it would be at this position.
    Before(u64),
}

impl<S: Source> Segment<S> {
    /// Opens a segment: reads its header, its footer and the topmost page of its index.
    pub fn open(source: S) -> Result<Self, ColdError> {
        let footer = Footer::read(&source)?;
        let mut segment = Self { source, footer, top: None, cache: None };
        if segment.footer.level > 0 {
            let Footer { level, groups, ref first, top: extent, .. } = segment.footer;
            segment.top = Some(Arc::new(segment.page(extent, level, groups, Some(first))?));
        }
        Ok(segment)
    }

    /// Opens a segment whose pages and blocks are kept in `cache` when they were looked for.
    pub fn open_with(source: S, cache: &Arc<Cache>) -> Result<Self, ColdError> {
        let mut segment = Self::open(source)?;
        segment.cache = Some((Arc::clone(cache), cache.owner()));
        Ok(segment)
    }

    /// What errors call it.
    pub fn name(&self) -> String {
        self.source.name()
    }

    /// Root over its groups.
    pub const fn root(&self) -> &Digest {
        &self.footer.root
    }

    /// Its groups.
    pub const fn groups(&self) -> u64 {
        self.footer.groups
    }

    /// Keys of its groups.
    pub const fn keys(&self) -> u64 {
        self.footer.keys
    }

    /// Bytes of their values.
    pub const fn value_bytes(&self) -> u64 {
        self.footer.value_bytes
    }

    /// Shared bytes of the first and of the last group; none without groups.
    pub fn range(&self) -> Option<(&[u8], &[u8])> {
        (self.footer.groups > 0).then_some((&self.footer.first, &self.footer.last))
    }

    /// The value of a key.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ColdError> {
        let Some((last, shared)) = key.split_last() else { return Ok(None) };
        let Some(block) = self.block_of(Target::Shared(shared))? else { return Ok(None) };
        let found = block.find(shared).ok();
        Ok(found.and_then(|(_, entry)| entry.value(*last)).map(<[u8]>::to_vec))
    }

    /// The group whose keys share these bytes.
    pub fn get_group(&self, shared: &[u8]) -> Result<Option<Group>, ColdError> {
        Ok(match self.locate(shared)? {
            Located::Here { group, .. } => Some(group),
            Located::Before(_) => None,
        })
    }

    /// The group whose keys share these bytes and its position, or where it would be.
    pub fn locate(&self, shared: &[u8]) -> Result<Located, ColdError> {
        let Some(block) = self.block_of(Target::Shared(shared))? else {
            return Ok(Located::Before(0));
        };
        Ok(match block.find(shared) {
            Ok((position, entry)) => Located::Here { position, group: entry.to_group() },
            Err(position) => Located::Before(position),
        })
    }

    /// The group at a position; none behind the last.
    pub fn group_at(&self, position: u64) -> Result<Option<Group>, ColdError> {
        let Some(block) = self.block_of(Target::Position(position))? else { return Ok(None) };
        let found = (block.base..).zip(block.entries()).find(|(at, _)| *at == position);
        Ok(found.map(|(_, entry)| entry.to_group()))
    }

    /// The block in which the target is, or would be; none if it is before the first group, or
    /// behind the last position.
    fn block_of(&self, target: Target<'_>) -> Result<Option<Arc<Block>>, ColdError> {
        let Some((page, child)) = self.leaf_page(target)? else { return Ok(None) };
        page.reference(child.at).map(|reference| self.kept_block(reference, child.base)).transpose()
    }

    /// The page of level 1 in which the target is, or would be, and its reference there.
    pub(crate) fn leaf_page(
        &self,
        target: Target<'_>,
    ) -> Result<Option<(Arc<Page>, Child)>, ColdError> {
        let Some(top) = &self.top else { return Ok(None) };
        let (mut page, mut base) = (Arc::clone(top), 0);
        loop {
            let Some(child) = page.find(target, base) else { return Ok(None) };
            if page.level <= 1 {
                return Ok(Some((page, child)));
            }
            let Some(reference) = page.reference(child.at) else { return Ok(None) };
            let below = self.kept_page(reference, page.level - 1)?;
            (page, base) = (below, child.base);
        }
    }

    /// As [`Self::page_of`], from the cache if it is there.
    fn kept_page(&self, reference: &Reference, level: u8) -> Result<Arc<Page>, ColdError> {
        let Some((cache, owner)) = &self.cache else {
            return self.page_of(reference, level).map(Arc::new);
        };
        let key = (*owner, reference.extent.digest);
        if let Some(Kept::Page(page)) = cache.get(&key) {
            return Ok(page);
        }
        let page = Arc::new(self.page_of(reference, level)?);
        cache.put(key, Kept::Page(Arc::clone(&page)));
        Ok(page)
    }

    /// As [`Self::block`], from the cache if it is there.
    fn kept_block(&self, reference: &Reference, base: u64) -> Result<Arc<Block>, ColdError> {
        let Some((cache, owner)) = &self.cache else {
            return self.block(reference, base).map(Arc::new);
        };
        let key = (*owner, reference.extent.digest);
        if let Some(Kept::Block(block)) = cache.get(&key) {
            return Ok(block);
        }
        let block = Arc::new(self.block(reference, base)?);
        cache.put(key, Kept::Block(Arc::clone(&block)));
        Ok(block)
    }

    /// The page of this level that is referred to.
    pub(crate) fn page_of(&self, reference: &Reference, level: u8) -> Result<Page, ColdError> {
        self.page(reference.extent, level, reference.groups, Some(&reference.first))
    }

    fn page(
        &self,
        extent: Extent,
        level: u8,
        groups: u64,
        first: Option<&[u8]>,
    ) -> Result<Page, ColdError> {
        let bytes = self.read(extent, MAX_PAGE)?;
        Page::read(&bytes, level, groups, first).map_err(|what| self.damaged(extent.offset, what))
    }

    /// The block that is referred to, whose first group has the position `base`.
    pub(crate) fn block(&self, reference: &Reference, base: u64) -> Result<Block, ColdError> {
        let Reference { extent, groups, ref first } = *reference;
        let stored = self.read(extent, MAX_STORED)?;
        let raw = block::decompress(&stored).map_err(|what| self.damaged(extent.offset, what))?;
        block::check(&raw, groups, first).map_err(|what| self.damaged(extent.offset, what))?;
        Ok(Block { base, raw })
    }

    /// Reads bytes, and compares them with their SM3.
    fn read(&self, extent: Extent, most: usize) -> Result<Vec<u8>, ColdError> {
        let Extent { offset, length, digest } = extent;
        let end = offset.checked_add(length.into());
        if length as usize > most || end.is_none_or(|end| end > self.footer.nodes) {
            return Err(self.damaged(offset, format!("{length} bytes cannot be there")));
        }
        let mut bytes = vec![0; length as usize];
        self.fill(offset, &mut bytes)?;
        let found = sm3(&bytes);
        if found != digest {
            let (found, expected) = (hex::encode(found), hex::encode(digest));
            let what = format!("SM3 of {length} bytes is {found}, expected {expected}");
            return Err(self.damaged(offset, what));
        }
        Ok(bytes)
    }

    /// Reads bytes that are compared otherwise.
    pub(crate) fn fill(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ColdError> {
        let failed = |source| ColdError::Io { action: "read", name: self.name(), source };
        self.source.read_exact_at(offset, buffer).map_err(failed)
    }

    pub(crate) const fn footer(&self) -> &Footer {
        &self.footer
    }

    pub(crate) fn top(&self) -> Option<&Page> {
        self.top.as_deref()
    }

    pub(crate) fn damaged(&self, offset: u64, what: impl Into<String>) -> ColdError {
        ColdError::Damaged { name: self.name(), offset, what: what.into() }
    }
}
