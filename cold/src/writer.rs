//! Writing a segment: from groups in order, in memory of one block and one page a level.

use crate::{
    ColdError,
    block::{self, MAX_RAW},
    footer::{self, Footer, HEADER},
    group::{Group, MAX_GROUP},
    index::{Extent, MAX_LEVEL, PAGE_BYTES, Reference},
    nodes,
    output::{Output, Pending},
    proof::{Digest, Frontier, MAX_LEAVES, Tree, leaf},
};
use std::path::Path;

/// How a segment is written. The root does not depend on it.
#[derive(Clone, Copy, Debug)]
pub struct WriteOptions {
    /// Bytes of groups from which on a block is full: 1 KiB to 1 MiB.
    pub block_bytes: usize,
    /// Level of zstd: 1 to 22.
    pub zstd_level: i32,
}

impl Default for WriteOptions {
    fn default() -> Self {
        Self { block_bytes: 16 << 10, zstd_level: 3 }
    }
}

impl WriteOptions {
    fn check(&self) -> Result<(), ColdError> {
        if !(1 << 10..=MAX_RAW - MAX_GROUP).contains(&self.block_bytes) {
            return Err(ColdError::Option {
                field: "block_bytes",
                found: i64::try_from(self.block_bytes).unwrap_or(i64::MAX),
                expected: "1,024 to 1,048,576",
            });
        }
        if !(1..=22).contains(&self.zstd_level) {
            return Err(ColdError::Option {
                field: "zstd_level",
                found: self.zstd_level.into(),
                expected: "1 to 22",
            });
        }
        Ok(())
    }
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Root over the groups.
    pub root: Digest,
    /// Groups.
    pub groups: u64,
    /// Keys of the groups.
    pub keys: u64,
    /// Bytes of their values.
    pub value_bytes: u64,
    /// Bytes of the file.
    pub file_bytes: u64,
}

/// Writes the groups, which come in ascending order of their shared bytes, as the segment
/// `path`. When it returns, the file is whole and on disk, and can only be read; before,
/// there is none of this name.
///
/// # Errors
/// The first error of `groups`; [`ColdError::Exists`] if there is such a file;
/// [`ColdError::Order`] and [`ColdError::Group`] for groups that a segment cannot hold;
/// [`ColdError::Io`]. What was written until then is removed; what a crash left behind is
/// written over the next time.
pub fn write<E: From<ColdError>>(
    path: &Path,
    options: WriteOptions,
    groups: impl IntoIterator<Item = Result<Group, E>>,
) -> Result<Written, E> {
    options.check()?;
    let pending = Pending::new(path)?;
    let mut writer = Writer::new(&pending, options)?;
    for group in groups {
        writer.add(&group?)?;
    }
    let written = writer.finish(&pending)?;
    pending.publish()?;
    Ok(written)
}

/// A page that is being filled.
#[derive(Default)]
struct Filling {
    first: Vec<u8>,
    groups: u64,
    /// References, encoded.
    bytes: Vec<u8>,
}

struct Writer {
    out: Output,
    /// The leaves, which come behind the index.
    leaves: Output,
    compressor: zstd::bulk::Compressor<'static>,
    block_bytes: usize,
    /// The groups of the block, encoded; its first, and how many.
    raw: Vec<u8>,
    first: Vec<u8>,
    in_block: u64,
    /// From level 1 on.
    pages: Vec<Filling>,
    tree: Frontier,
    keys: u64,
    value_bytes: u64,
    /// The first and the last group.
    range: Option<(Vec<u8>, Vec<u8>)>,
}

impl Writer {
    fn new(pending: &Pending, options: WriteOptions) -> Result<Self, ColdError> {
        let mut out = pending.segment()?;
        out.append(&footer::header())?;
        let compressor = zstd::bulk::Compressor::new(options.zstd_level)
            .map_err(|error| out.failed("prepare to compress", error))?;
        Ok(Self {
            out,
            leaves: pending.leaves()?,
            compressor,
            block_bytes: options.block_bytes,
            raw: Vec::new(),
            first: Vec::new(),
            in_block: 0,
            pages: Vec::new(),
            tree: Frontier::new(Tree::Groups),
            keys: 0,
            value_bytes: 0,
            range: None,
        })
    }

    fn add(&mut self, group: &Group) -> Result<(), ColdError> {
        group.check()?;
        let position = self.tree.count();
        if position >= MAX_LEAVES {
            let (shared, what) = (group.shared.clone(), format!("it holds {MAX_LEAVES} already"));
            return Err(ColdError::Group { shared, what });
        }
        match &mut self.range {
            None => self.range = Some((group.shared.clone(), group.shared.clone())),
            Some((_, last)) if *last < group.shared => last.clone_from(&group.shared),
            Some((_, last)) => {
                let (before, next) = (last.clone(), group.shared.clone());
                return Err(ColdError::Order { before, next });
            }
        }
        let leaf = leaf(position, &group.shared, &group.digest());
        self.leaves.append(&leaf)?;
        self.tree.push(leaf);
        self.keys += group.values.len() as u64;
        self.value_bytes += group.value_bytes();
        if self.in_block == 0 {
            self.first.clone_from(&group.shared);
        }
        self.in_block += 1;
        block::append(&mut self.raw, group);
        if self.raw.len() >= self.block_bytes { self.end_block() } else { Ok(()) }
    }

    fn end_block(&mut self) -> Result<(), ColdError> {
        if self.in_block == 0 {
            return Ok(());
        }
        let stored = block::compress(&mut self.compressor, &self.raw)
            .map_err(|error| self.out.failed("compress a block of", error))?;
        let extent = self.out.append_extent(&stored)?;
        let first = std::mem::take(&mut self.first);
        let groups = std::mem::take(&mut self.in_block);
        self.raw.clear();
        self.refer(0, Reference { first, groups, extent })
    }

    /// Puts a reference into the page `at`, and ends it if it is full.
    fn refer(&mut self, at: usize, reference: Reference) -> Result<(), ColdError> {
        if at == self.pages.len() {
            self.pages.push(Filling::default());
        }
        let Some(page) = self.pages.get_mut(at) else { return Ok(()) };
        if page.groups == 0 {
            page.first.clone_from(&reference.first);
        }
        page.groups += reference.groups;
        reference.append(&mut page.bytes);
        if page.bytes.len() >= PAGE_BYTES {
            let ended = self.end_page(at)?;
            self.refer(at + 1, ended)?;
        }
        Ok(())
    }

    fn end_page(&mut self, at: usize) -> Result<Reference, ColdError> {
        let Filling { first, groups, bytes } =
            self.pages.get_mut(at).map(std::mem::take).unwrap_or_default();
        debug_assert!(at < usize::from(MAX_LEVEL));
        let extent = self.out.append_extent(&[&[at as u8 + 1][..], &bytes].concat())?;
        Ok(Reference { first, groups, extent })
    }

    /// Ends the last block and all pages; level and place of the topmost one.
    fn end_index(&mut self) -> Result<(u8, Extent), ColdError> {
        self.end_block()?;
        let mut at = 0;
        while let Some(page) = self.pages.get(at) {
            if page.groups > 0 {
                let is_top = at + 1 == self.pages.len();
                let ended = self.end_page(at)?;
                if is_top {
                    return Ok((at as u8 + 1, ended.extent));
                }
                self.refer(at + 1, ended)?;
            }
            at += 1;
        }
        Ok((0, Extent { offset: HEADER, length: 0, digest: [0; 32] }))
    }

    fn finish(mut self, pending: &Pending) -> Result<Written, ColdError> {
        let (level, top) = self.end_index()?;
        let nodes = self.out.at();
        self.append_nodes(pending)?;
        let (first, last) = self.range.unwrap_or_default();
        let footer = Footer {
            groups: self.tree.count(),
            keys: self.keys,
            value_bytes: self.value_bytes,
            root: self.tree.root(),
            level,
            top,
            nodes,
            first,
            last,
        };
        self.out.append(&footer.encode())?;
        let file_bytes = self.out.sync()?;
        let Footer { root, groups, keys, value_bytes, .. } = footer;
        Ok(Written { root, groups, keys, value_bytes, file_bytes })
    }

    /// Appends the nodes: the leaves as they were kept, each further level from the one before.
    fn append_nodes(&mut self, pending: &Pending) -> Result<(), ColdError> {
        /// Nodes that are read at once; a multiple of 64.
        const AT_ONCE: u64 = 64 * nodes::FAN;
        let start = self.out.at();
        self.leaves.flush()?;
        let mut below: Option<nodes::Level> = None;
        for level in nodes::levels(self.tree.count()) {
            let (from, width) = match below {
                None => (0, level.width),
                Some(below) => (start + below.offset, below.width),
            };
            self.out.flush()?;
            for first in (0..width).step_by(AT_ONCE as usize) {
                let count = AT_ONCE.min(width - first);
                let mut bytes = vec![0; (count * nodes::NODE) as usize];
                let read = if below.is_none() { &self.leaves } else { &self.out };
                read.read_back(from + first * nodes::NODE, &mut bytes)?;
                if let Some(below) = below {
                    let found = nodes::digests(&bytes);
                    bytes = nodes::step(Tree::Groups, below.level, first, found).concat();
                }
                self.out.append(&bytes)?;
            }
            below = Some(level);
        }
        pending.drop_leaves();
        Ok(())
    }
}
