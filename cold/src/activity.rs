//! Which groups of a segment are still what the state says of their keys.
//!
//! A segment never changes. A group of it that is written to becomes hot again, whole, and its
//! bit here becomes 0. The state root commits to the bits by a Merkle tree over chunks of 512.
//!
//! In memory: one bit a group, and one more for the tree. Bits that are turned together cost
//! two blocks of SM3 for each chunk that they are in, and for each node above these. [`Turned`]
//! has the root before anything is changed: many may be computed of the same bits.
//!
//! ```text
//! encoded = "BCBITS" ‖ u16 format, 1 ‖ u64 groups ‖ chunks of 64 bytes ‖ SM3 of all before
//! ```

use crate::{
    ColdError,
    proof::{BitProof, CHUNK_BITS, CHUNK_BYTES, Digest, MAX_LEAVES, Path, Span, Tree},
};
use billchain_crypto::sm3::sm3;
use std::collections::{BTreeMap, BTreeSet};

const MAGIC: &[u8; 8] = b"BCBITS\x00\x01";

/// Bytes around the chunks.
const AROUND: usize = 8 + 8 + 32;

type Chunk = [u8; CHUNK_BYTES];

/// The activity bits of a segment, with their tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    groups: u64,
    active: u64,
    chunks: Vec<Chunk>,
    /// From the leaves to the top.
    levels: Vec<Vec<Digest>>,
}

/// Bits of a segment without groups.
impl Default for Activity {
    fn default() -> Self {
        Self::of(0, Vec::new())
    }
}

impl Activity {
    /// Bits of a segment with so many groups, all of them active.
    ///
    /// # Errors
    /// [`ColdError::Bits`] for more groups than a segment has.
    pub fn all_active(groups: u64) -> Result<Self, ColdError> {
        check_count(groups)?;
        let mut chunks = Vec::new();
        let mut rest = groups;
        while rest > 0 {
            let mut chunk = [0; CHUNK_BYTES];
            for bit in 0..rest.min(CHUNK_BITS) {
                if let Some(byte) = chunk.get_mut((bit / 8) as usize) {
                    *byte |= 1 << (bit % 8);
                }
            }
            chunks.push(chunk);
            rest = rest.saturating_sub(CHUNK_BITS);
        }
        Ok(Self::of(groups, chunks))
    }

    /// Groups of the segment.
    pub const fn groups(&self) -> u64 {
        self.groups
    }

    /// Groups that are active.
    pub const fn active(&self) -> u64 {
        self.active
    }

    /// Whether the group at a position is active; not if there is none.
    pub fn is_active(&self, position: u64) -> bool {
        let (chunk, byte, mask) = place(position);
        self.chunks.get(chunk).and_then(|chunk| chunk.get(byte)).is_some_and(|b| b & mask != 0)
    }

    /// The first active group from a position on.
    pub fn next_active(&self, from: u64) -> Option<u64> {
        let (at, ..) = place(from);
        let mut first = from % CHUNK_BITS;
        for (at, chunk) in (at as u64..).zip(self.chunks.get(at..)?) {
            let is_active = |bit: &u64| {
                let byte = chunk.get((bit / 8) as usize);
                byte.is_some_and(|byte| byte >> (bit % 8) & 1 == 1)
            };
            if chunk.iter().any(|byte| *byte != 0)
                && let Some(bit) = (first..CHUNK_BITS).find(is_active)
            {
                return Some(at * CHUNK_BITS + bit);
            }
            first = 0;
        }
        None
    }

    /// What the bits would be if the segment had `groups` groups, as many as now or more, and
    /// these positions these bits; of others that are new, the bit is 0.
    ///
    /// # Errors
    /// [`ColdError::Bits`] for fewer groups, more than a segment has, or a position of none.
    pub fn turn(&self, groups: u64, bits: &BTreeMap<u64, bool>) -> Result<Turned, ColdError> {
        check_count(groups)?;
        if groups < self.groups {
            return Err(error(format!("{groups} groups"), format!("{} or more", self.groups)));
        }
        let mut chunks: BTreeMap<u64, Chunk> = BTreeMap::new();
        for new in self.chunks.len() as u64..groups.div_ceil(CHUNK_BITS) {
            chunks.insert(new, [0; CHUNK_BYTES]);
        }
        let mut active = self.active;
        for (position, is_active) in bits {
            if *position >= groups {
                return Err(error(format!("position {position}"), format!("below {groups}")));
            }
            let (at, byte, mask) = place(*position);
            let known = || self.chunks.get(at).copied().unwrap_or([0; CHUNK_BYTES]);
            let chunk = chunks.entry(at as u64).or_insert_with(known);
            let Some(byte) = chunk.get_mut(byte) else { continue };
            match (*byte & mask != 0, is_active) {
                (false, true) => (*byte, active) = (*byte | mask, active + 1),
                (true, false) => (*byte, active) = (*byte & !mask, active - 1),
                _ => {}
            }
        }
        let levels = self.levels_with(groups, &chunks);
        let top = levels.last().and_then(|level| level.get(&0));
        let top = top.or_else(|| self.levels.get(levels.len() - 1).and_then(|level| level.first()));
        let root = Tree::Bits.root(groups.div_ceil(CHUNK_BITS), top);
        Ok(Turned { groups, active, chunks, levels, root })
    }

    /// Nodes that are others than now if these chunks are, from the leaves to the top.
    fn levels_with(
        &self,
        groups: u64,
        chunks: &BTreeMap<u64, Chunk>,
    ) -> Vec<BTreeMap<u64, Digest>> {
        let leaves = chunks.iter().map(|(at, chunk)| (*at, Tree::Bits.leaf(*at, chunk)));
        let mut levels: Vec<BTreeMap<u64, Digest>> = vec![leaves.collect()];
        let (mut width, mut height) = (groups.div_ceil(CHUNK_BITS), 0_u8);
        while let Some(nodes) = levels.last().filter(|_| width > 1) {
            let known = self.levels.get(usize::from(height));
            let node = |at: u64| {
                let old = || known?.get(usize::try_from(at).ok()?);
                nodes.get(&at).or_else(old).copied()
            };
            let above: BTreeSet<u64> = nodes.keys().map(|at| at / 2).collect();
            let above = above.into_iter().filter_map(|at| {
                let pair: Vec<Digest> = [2 * at, 2 * at + 1].into_iter().filter_map(node).collect();
                Some((at, *Tree::Bits.above(height, 2 * at, &pair).first()?))
            });
            let above = above.collect();
            levels.push(above);
            (width, height) = (width.div_ceil(2), height + 1);
        }
        levels
    }

    /// Makes the bits what [`turn`](Self::turn) gave of these.
    pub fn apply(&mut self, turned: &Turned) {
        (self.groups, self.active) = (turned.groups, turned.active);
        // What is new comes in order, without a gap.
        for (at, chunk) in &turned.chunks {
            put(&mut self.chunks, *at, *chunk);
        }
        for (height, nodes) in turned.levels.iter().enumerate() {
            if height == self.levels.len() {
                self.levels.push(Vec::new());
            }
            let Some(level) = self.levels.get_mut(height) else { return };
            for (at, node) in nodes {
                put(level, *at, *node);
            }
        }
    }

    /// The group at a position is hot again. Whether it was active.
    pub fn kill(&mut self, position: u64) -> bool {
        self.set(position, false)
    }

    /// Takes back [`kill`](Self::kill). Whether the group was inactive.
    pub fn revive(&mut self, position: u64) -> bool {
        self.set(position, true)
    }

    /// The segment that is being filled has one group more, an active one.
    ///
    /// # Errors
    /// [`ColdError::Bits`] if it has as many as a segment may have.
    pub fn push(&mut self) -> Result<(), ColdError> {
        let turned = self.turn(self.groups + 1, &[(self.groups, true)].into())?;
        self.apply(&turned);
        Ok(())
    }

    /// Gives a group this bit. Whether there is such a group and its bit was another.
    fn set(&mut self, position: u64, is_active: bool) -> bool {
        if position >= self.groups || self.is_active(position) == is_active {
            return false;
        }
        let turned = self.turn(self.groups, &[(position, is_active)].into());
        turned.map(|turned| self.apply(&turned)).is_ok()
    }

    /// Root over the bits.
    pub fn root(&self) -> Digest {
        let top = self.levels.last().and_then(|level| level.first());
        Tree::Bits.root(self.chunks.len() as u64, top)
    }

    /// Proof of the bit of the group at a position; none if there is none.
    pub fn prove(&self, position: u64) -> Option<BitProof> {
        if position >= self.groups {
            return None;
        }
        let (at, ..) = place(position);
        let (count, first) = (self.chunks.len() as u64, at as u64);
        let mut path = Path { count, first, siblings: Vec::new() };
        let mut span = Span { first, end: first + 1, width: count };
        for level in &self.levels {
            if span.width > 1 {
                path.siblings.extend(span.siblings(0, level)?);
                span = span.above();
            }
        }
        Some(BitProof { chunk: *self.chunks.get(at)?, path })
    }

    /// The chunk in which the bit of a position is, as a store keeps it: its place, and its
    /// bytes; none if there is no such group.
    pub fn chunk_of(&self, position: u64) -> Option<(u64, &[u8; 64])> {
        let (at, ..) = place(position);
        Some((at as u64, self.chunks.get(at).filter(|_| position < self.groups)?))
    }

    /// The bits that a store kept chunk by chunk.
    ///
    /// # Errors
    /// [`ColdError::Bits`] if the chunks are not as many as the groups need, or have bits behind
    /// the last group.
    pub fn of_chunks(groups: u64, chunks: Vec<[u8; 64]>) -> Result<Self, ColdError> {
        check_count(groups)?;
        let expected = groups.div_ceil(CHUNK_BITS);
        if chunks.len() as u64 != expected {
            return Err(error(format!("{} chunks", chunks.len()), format!("{expected}")));
        }
        let last = groups % CHUNK_BITS;
        if last > 0 && chunks.last().is_some_and(|chunk| highest(chunk) >= last) {
            return Err(error("bits behind the last group", format!("{groups} bits")));
        }
        Ok(Self::of(groups, chunks))
    }

    /// All bits, for a snapshot or a peer.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(AROUND + CHUNK_BYTES * self.chunks.len());
        bytes.extend(MAGIC);
        bytes.extend(self.groups.to_be_bytes());
        self.chunks.iter().for_each(|chunk| bytes.extend(chunk));
        bytes.extend(sm3(&bytes));
        bytes
    }

    /// Reads what [`encode`](Self::encode) gave.
    ///
    /// # Errors
    /// [`ColdError::Bits`] for anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, ColdError> {
        let length = || error(format!("{} bytes", bytes.len()), "a whole number of chunks");
        let (body, found) = bytes.split_last_chunk::<32>().ok_or_else(length)?;
        let (magic, rest) = body.split_first_chunk::<8>().ok_or_else(length)?;
        if magic != MAGIC {
            let (found, expected) = (hex::encode(magic), hex::encode(MAGIC));
            return Err(error(format!("format {found}"), expected));
        }
        let (groups, chunks) = rest.split_first_chunk::<8>().ok_or_else(length)?;
        let (chunks, left) = chunks.as_chunks::<CHUNK_BYTES>();
        if !left.is_empty() {
            return Err(length());
        }
        let expected = sm3(body);
        if *found != expected {
            return Err(error(format!("SM3 {}", hex::encode(found)), hex::encode(expected)));
        }
        Self::of_chunks(u64::from_be_bytes(*groups), chunks.to_vec())
    }

    /// Bits that were checked.
    fn of(groups: u64, chunks: Vec<Chunk>) -> Self {
        let leaves = (0..).zip(&chunks).map(|(at, chunk)| Tree::Bits.leaf(at, chunk)).collect();
        let mut levels: Vec<Vec<Digest>> = vec![leaves];
        let mut height = 0;
        while let Some(level) = levels.last().filter(|level| level.len() > 1) {
            let above = Tree::Bits.above(height, 0, level);
            levels.push(above);
            height += 1;
        }
        let active = chunks.iter().flatten().map(|byte| u64::from(byte.count_ones())).sum();
        Self { groups, active, chunks, levels }
    }
}

/// What becomes of activity bits, computed before they are changed.
#[derive(Clone, Debug)]
pub struct Turned {
    groups: u64,
    active: u64,
    /// Those that are new or others than before.
    chunks: BTreeMap<u64, Chunk>,
    /// Nodes that are new or others than before, from the leaves to the top.
    levels: Vec<BTreeMap<u64, Digest>>,
    root: Digest,
}

impl Turned {
    /// Root over the bits.
    pub const fn root(&self) -> &Digest {
        &self.root
    }

    /// The chunks that are new or others than before, by their places, as a store keeps them.
    pub fn chunks(&self) -> impl Iterator<Item = (u64, &[u8; 64])> {
        self.chunks.iter().map(|(at, chunk)| (*at, chunk))
    }
}

/// Changes an entry, or appends it.
fn put<T>(list: &mut Vec<T>, at: u64, entry: T) {
    match usize::try_from(at).ok().and_then(|at| list.get_mut(at)) {
        Some(found) => *found = entry,
        None => list.push(entry),
    }
}

/// Chunk, byte and mask of a bit.
fn place(position: u64) -> (usize, usize, u8) {
    let chunk = usize::try_from(position / CHUNK_BITS).unwrap_or(usize::MAX);
    (chunk, (position % CHUNK_BITS / 8) as usize, 1 << (position % 8))
}

/// The highest bit that is set; 0 if none is.
fn highest(chunk: &Chunk) -> u64 {
    let found = (0_u64..).zip(chunk).filter(|(_, byte)| **byte != 0).last();
    found.map_or(0, |(at, byte)| 8 * at + u64::from(byte.ilog2()))
}

fn check_count(groups: u64) -> Result<(), ColdError> {
    if groups <= MAX_LEAVES {
        return Ok(());
    }
    Err(error(format!("{groups} groups"), format!("{MAX_LEAVES} at most")))
}

fn error(found: impl Into<String>, expected: impl Into<String>) -> ColdError {
    ColdError::Bits { found: found.into(), expected: expected.into() }
}
