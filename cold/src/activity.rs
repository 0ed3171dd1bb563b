//! Which groups of a segment are still what the state says of their keys.
//!
//! A segment never changes. A group of it that is written to becomes hot again, whole, and its
//! bit here becomes 0. The state root commits to the bits by a Merkle tree over chunks of 512.
//!
//! In memory: one bit a group, and one more for the tree. A change of a bit costs a leaf and a
//! node a level, each two blocks of SM3.
//!
//! ```text
//! encoded = "BCBITS" ‖ u16 format, 1 ‖ u64 groups ‖ chunks of 64 bytes ‖ SM3 of all before
//! ```

use crate::{
    ColdError,
    proof::{BitProof, CHUNK_BITS, CHUNK_BYTES, Digest, MAX_LEAVES, Path, Span, Tree},
};
use billchain_crypto::sm3::sm3;

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

    /// The group at a position is hot again. Whether it was active.
    pub fn kill(&mut self, position: u64) -> bool {
        let is_active = self.is_active(position);
        if is_active {
            self.flip(position);
        }
        is_active
    }

    /// Takes back [`kill`](Self::kill), for a block that is wound back. Whether it was inactive.
    pub fn revive(&mut self, position: u64) -> bool {
        let is_inactive = position < self.groups && !self.is_active(position);
        if is_inactive {
            self.flip(position);
        }
        is_inactive
    }

    /// The segment that is being filled has one group more, an active one.
    ///
    /// # Errors
    /// [`ColdError::Bits`] if it has as many as a segment may have.
    pub fn push(&mut self) -> Result<(), ColdError> {
        check_count(self.groups + 1)?;
        let position = self.groups;
        self.groups += 1;
        if position.is_multiple_of(CHUNK_BITS) {
            self.chunks.push([0; CHUNK_BYTES]);
        }
        self.flip(position);
        Ok(())
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
            return Err(bits(format!("{} chunks", chunks.len()), format!("{expected}")));
        }
        let last = groups % CHUNK_BITS;
        if last > 0 && chunks.last().is_some_and(|chunk| highest(chunk) >= last) {
            return Err(bits("bits behind the last group", format!("{groups} bits")));
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
        let length = || bits(format!("{} bytes", bytes.len()), "a whole number of chunks");
        let (body, found) = bytes.split_last_chunk::<32>().ok_or_else(length)?;
        let (magic, rest) = body.split_first_chunk::<8>().ok_or_else(length)?;
        if magic != MAGIC {
            let (found, expected) = (hex::encode(magic), hex::encode(MAGIC));
            return Err(bits(format!("format {found}"), expected));
        }
        let (groups, chunks) = rest.split_first_chunk::<8>().ok_or_else(length)?;
        let (chunks, left) = chunks.as_chunks::<CHUNK_BYTES>();
        if !left.is_empty() {
            return Err(length());
        }
        let expected = sm3(body);
        if *found != expected {
            return Err(bits(format!("SM3 {}", hex::encode(found)), hex::encode(expected)));
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

    /// Turns the bit of a group that is there, and computes what is above it.
    fn flip(&mut self, position: u64) {
        let (at, byte, mask) = place(position);
        let Some(chunk) = self.chunks.get_mut(at) else { return };
        if let Some(byte) = chunk.get_mut(byte) {
            *byte ^= mask;
            if *byte & mask != 0 { self.active += 1 } else { self.active -= 1 }
        }
        let leaf = Tree::Bits.leaf(at as u64, chunk);
        self.set(at, leaf);
    }

    /// Changes or appends a leaf, and computes the nodes above it.
    fn set(&mut self, leaf_at: usize, leaf: Digest) {
        let (mut at, mut node) = (leaf_at, leaf);
        for height in 0.. {
            if height == self.levels.len() {
                // The tree is higher by a level.
                self.levels.push(Vec::new());
            }
            let Some(level) = self.levels.get_mut(height) else { return };
            match level.get_mut(at) {
                Some(found) => *found = node,
                None => level.push(node),
            }
            if level.len() == 1 {
                return;
            }
            let left = at & !1;
            let pair = level.get(left..level.len().min(left + 2)).unwrap_or_default();
            let above = Tree::Bits.above(height as u8, left as u64, pair);
            (at, node) = (at / 2, above.first().copied().unwrap_or(node));
        }
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
    Err(bits(format!("{groups} groups"), format!("{MAX_LEAVES} at most")))
}

fn bits(found: impl Into<String>, expected: impl Into<String>) -> ColdError {
    ColdError::Bits { found: found.into(), expected: expected.into() }
}
