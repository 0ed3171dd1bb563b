//! How the nodes of the tree over groups lie in a segment.
//!
//! One level in six is there, from the leaves on, until a level has 64 nodes or fewer; each as
//! digests in their order. Five levels of six are computed again from 64 nodes below them, so
//! that a proof takes one read of 2 KiB for six levels, and the tree 32.5 bytes a group.

use crate::proof::{Digest, Path, Span, Tree};
use std::ops::Range;

/// Levels from one that is stored to the next.
pub(crate) const STEP: u8 = 6;

/// Nodes under one of the next level that is stored.
pub(crate) const FAN: u64 = 1 << STEP;

/// Bytes of a node.
pub(crate) const NODE: u64 = 32;

/// A level that is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Level {
    pub(crate) level: u8,
    /// Nodes.
    pub(crate) width: u64,
    /// Where it begins, counted from the first node of the lowest.
    pub(crate) offset: u64,
}

/// The levels that are stored of a tree with so many leaves, [`MAX_LEAVES`] at most; the lowest
/// first.
///
/// [`MAX_LEAVES`]: crate::proof::MAX_LEAVES
pub(crate) fn levels(leaves: u64) -> Vec<Level> {
    let (mut levels, mut offset) = (Vec::new(), 0);
    let (mut level, mut width) = (0, leaves);
    while width > 0 {
        levels.push(Level { level, width, offset });
        if width <= FAN {
            break;
        }
        offset += width * NODE;
        (level, width) = (level + STEP, width.div_ceil(FAN));
    }
    levels
}

/// Bytes of all levels.
pub(crate) fn bytes(leaves: u64) -> u64 {
    levels(leaves).last().map_or(0, |top| top.offset + top.width * NODE)
}

/// The nodes six levels above those of `level` from `first` on, a multiple of 64; those that
/// are there go up to a multiple of 64, or to the end of the level.
pub(crate) fn step(tree: Tree, level: u8, first: u64, nodes: Vec<Digest>) -> Vec<Digest> {
    let (mut nodes, mut first) = (nodes, first);
    for level in level..level + STEP {
        nodes = tree.above(level, first, &nodes);
        first /= 2;
    }
    nodes
}

/// The way of leaves that follow one another to the root of a tree with `count` leaves. `read`
/// gives nodes of a level that is stored; none if these are fewer than there must be.
pub(crate) fn path<E>(
    count: u64,
    first: u64,
    shown: u64,
    mut read: impl FnMut(Level, Range<u64>) -> Result<Vec<Digest>, E>,
) -> Result<Option<Path>, E> {
    let mut path = Path { count, first, siblings: Vec::new() };
    let mut span = Span { first, end: first + shown, width: count };
    for level in levels(count) {
        let mut start = span.first / FAN * FAN;
        let end = span.end.next_multiple_of(FAN).min(level.width);
        let mut digests = read(level, start..end)?;
        for height in level.level..level.level + STEP {
            if span.width <= 1 {
                break;
            }
            let Some(siblings) = span.siblings(start, &digests) else { return Ok(None) };
            path.siblings.extend(siblings);
            digests = Tree::Groups.above(height, start, &digests);
            (span, start) = (span.above(), start / 2);
        }
    }
    Ok(Some(path))
}

/// Digests of their bytes; what is left over is none.
pub(crate) fn digests(bytes: &[u8]) -> Vec<Digest> {
    bytes.as_chunks::<32>().0.to_vec()
}
