//! The trail of a connector: a Merkle mountain range over what became of its entries, of
//! which the state holds the peaks. So each [`Trace`](super::Trace) is provable for ever
//! by some 32-byte hashes, though it has left the state.
//!
//! A leaf is `SM3(0x08 ‖ SCALE(trace))`, a node `SM3(0x09 ‖ left ‖ right)`. Leaves are numbered
//! from 0; the node at height `h` and place `i` covers the leaves `i·2^h` to `(i+1)·2^h − 1`. The
//! peaks are the nodes of the binary digits of the number of leaves, the highest first.

use codec::{Decode, DecodeWithMemTracking, Encode, Input, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{ConstU32, bounded::BoundedVec};

/// Most peaks: one a binary digit of the number of leaves.
pub const MAX_PEAKS: u32 = 64;

const LEAF: u8 = 0x08;
const NODE: u8 = 0x09;

/// Hash of the leaf of a trace with this encoding.
pub fn leaf(trace: &[u8]) -> [u8; 32] {
    let mut bytes = Vec::with_capacity(trace.len().saturating_add(1));
    bytes.push(LEAF);
    bytes.extend_from_slice(trace);
    crate::sm3(&bytes)
}

fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    crate::sm3(&(NODE, left, right).encode())
}

/// The peaks, and how many leaves they cover.
#[derive(Clone, Default, PartialEq, Eq, Debug, Encode, MaxEncodedLen, TypeInfo)]
pub struct Trail {
    leaves: u64,
    peaks: BoundedVec<[u8; 32], ConstU32<MAX_PEAKS>>,
}

impl Trail {
    /// How many leaves there are.
    pub const fn leaves(&self) -> u64 {
        self.leaves
    }

    /// Appends a leaf. `keep` is told each node that comes by it, the leaf first: its height,
    /// its place, its hash. Proofs are made of them.
    pub fn append(&mut self, leaf: [u8; 32], mut keep: impl FnMut(u32, u64, &[u8; 32])) {
        let (mut place, mut hash) = (self.leaves, leaf);
        keep(0, place, &hash);
        let merged = self.leaves.trailing_ones();
        for height in 1..=merged {
            // As many peaks as the number of leaves has ones at its end.
            let Some(left) = self.peaks.pop() else { break };
            hash = node(&left, &hash);
            place >>= 1;
            keep(height, place, &hash);
        }
        // Never full: 64 binary digits have 64 ones at most, and a merge took one each.
        let _ = self.peaks.try_push(hash);
        self.leaves = self.leaves.saturating_add(1);
    }

    /// The proof of leaf number `place`; `node` gives a node of a height and place that was kept.
    /// None: there is no such leaf, or a node is not known.
    pub fn prove(
        &self,
        place: u64,
        mut node: impl FnMut(u32, u64) -> Option<[u8; 32]>,
    ) -> Option<TrailProof> {
        let (height, _) = self.mountain(place)?;
        let siblings = (0..height).map(|height| node(height, (place >> height) ^ 1));
        let siblings = siblings.collect::<Option<Vec<_>>>()?;
        Some(TrailProof { place, siblings: BoundedVec::truncate_from(siblings) })
    }

    /// Whether `leaf` is the leaf that `proof` is of.
    pub fn holds(&self, leaf: [u8; 32], proof: &TrailProof) -> bool {
        let Some((height, peak)) = self.mountain(proof.place) else { return false };
        if proof.siblings.len() != height as usize {
            return false;
        }
        let mut hash = leaf;
        for (height, sibling) in proof.siblings.iter().enumerate() {
            let is_right = proof.place >> height & 1 == 1;
            hash = if is_right { node(sibling, &hash) } else { node(&hash, sibling) };
        }
        self.peaks.get(peak) == Some(&hash)
    }

    /// Height of the mountain that has leaf number `place`, and which peak it is.
    fn mountain(&self, place: u64) -> Option<(u32, usize)> {
        let mut first = 0_u64;
        let heights = (0..u64::BITS).rev().filter(|height| self.leaves >> height & 1 == 1);
        for (peak, height) in heights.enumerate() {
            let end = first.saturating_add(1 << height);
            if (first..end).contains(&place) {
                return Some((height, peak));
            }
            first = end;
        }
        None
    }
}

impl Decode for Trail {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        let leaves = u64::decode(input)?;
        let peaks = BoundedVec::<[u8; 32], ConstU32<MAX_PEAKS>>::decode(input)?;
        if peaks.len() != leaves.count_ones() as usize {
            return Err("Trail: expected a peak a binary one of the number of leaves".into());
        }
        Ok(Self { leaves, peaks })
    }
}
impl DecodeWithMemTracking for Trail {}

/// That a trail has a leaf.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct TrailProof {
    /// Number of the leaf, from 0.
    pub place: u64,
    /// The nodes beside the way from the leaf to its peak, from below.
    pub siblings: BoundedVec<[u8; 32], ConstU32<MAX_PEAKS>>,
}
