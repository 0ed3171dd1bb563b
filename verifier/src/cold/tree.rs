//! Merkle trees whose nodes are bound to their place.

use super::{Digest, Refused, reader::Reader, sm3};
use alloc::vec::Vec;

/// Most leaves of a tree.
pub const MAX_LEAVES: u64 = 1 << 40;

/// What begins the hash of a root, where a node has its level.
const ROOT: u8 = 0xFF;

/// What a tree is over. No leaf, node or root of one is that of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tree {
    /// The groups of a segment.
    Groups,
    /// The activity bits of a segment.
    Bits,
    /// The segments.
    Segments,
}

impl Tree {
    const fn tag(self) -> u8 {
        match self {
            Self::Groups => 0xC1,
            Self::Bits => 0xC2,
            Self::Segments => 0xC3,
        }
    }

    /// The leaf at `index`.
    pub fn leaf(self, index: u64, content: &[u8]) -> Digest {
        sm3(&[&[self.tag(), 0], &index.to_be_bytes(), content])
    }

    /// The node at `index` of a level above the leaves, which are level 0.
    pub fn node(self, level: u8, index: u64, left: &Digest, right: &Digest) -> Digest {
        sm3(&[&[self.tag(), level], &index.to_be_bytes(), left, right])
    }

    /// The root of a tree with `count` leaves and this node at the top; none without leaves.
    pub fn root(self, count: u64, top: Option<&Digest>) -> Digest {
        let top = top.map_or(&[][..], |top| top);
        sm3(&[&[self.tag(), ROOT], &count.to_be_bytes(), top])
    }

    /// The nodes above those of `level`, of which the first is at `first`, an even number.
    /// One that stands alone is the last of its level, and goes up as it is.
    pub fn above(self, level: u8, first: u64, nodes: &[Digest]) -> Vec<Digest> {
        (first / 2..)
            .zip(nodes.chunks(2))
            .map(|(index, pair)| match pair {
                [left, right] => self.node(level + 1, index, left, right),
                _ => pair.first().copied().unwrap_or_default(),
            })
            .collect()
    }
}

/// Leaves that follow one another, and what lies beside their way to the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// Leaves of the tree.
    pub count: u64,
    /// Place of the first leaf that is shown.
    pub first: u64,
    /// Level by level from the leaves on: the node on the left, the node on the right, where
    /// there must be one.
    pub siblings: Vec<Digest>,
}

/// Which siblings one level needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beside {
    /// The node before those that are known.
    pub left: bool,
    /// The node behind them.
    pub right: bool,
}

/// Nodes of a level from `first` to `end` (excluded), of `width` that the level has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first node.
    pub first: u64,
    /// The node behind the last one.
    pub end: u64,
    /// Nodes of the level.
    pub width: u64,
}

impl Span {
    /// The siblings that it needs.
    pub const fn beside(self) -> Beside {
        Beside { left: self.first & 1 == 1, right: self.end & 1 == 1 && self.end < self.width }
    }

    /// The siblings that it needs, of the level's nodes from `start` on.
    pub fn siblings(self, start: u64, nodes: &[Digest]) -> Option<impl Iterator<Item = Digest>> {
        let node = |index: u64| {
            let place = usize::try_from(index.checked_sub(start)?).ok()?;
            nodes.get(place).copied()
        };
        let beside = self.beside();
        let left = if beside.left { Some(node(self.first.checked_sub(1)?)?) } else { None };
        let right = if beside.right { Some(node(self.end)?) } else { None };
        Some(left.into_iter().chain(right))
    }

    /// The nodes above.
    pub const fn above(self) -> Self {
        Self { first: self.first / 2, end: self.end.div_ceil(2), width: self.width.div_ceil(2) }
    }
}

impl Path {
    /// The path of `shown` leaves from `first` on, of a tree with these leaves; none if there
    /// are not as many.
    pub fn of(tree: Tree, leaves: &[Digest], first: usize, shown: usize) -> Option<Self> {
        let number = |place: usize| u64::try_from(place).ok();
        let (count, start) = (number(leaves.len())?, number(first)?);
        let end = start.checked_add(number(shown)?).filter(|end| *end <= count)?;
        let mut path = Self { count, first: start, siblings: Vec::new() };
        let mut span = Span { first: start, end, width: count };
        let (mut nodes, mut level) = (leaves.to_vec(), 0);
        while span.width > 1 {
            path.siblings.extend(span.siblings(0, &nodes)?);
            (nodes, span, level) = (tree.above(level, 0, &nodes), span.above(), level + 1);
        }
        Some(path)
    }

    /// Reads leaves of the tree (8), place of the first (8), and as many siblings as there must
    /// be if `leaves` are shown.
    pub(crate) fn read(reader: &mut Reader<'_>, leaves: u64) -> Result<Self, Refused> {
        let (count, first) = (reader.u64()?, reader.u64()?);
        let end = first.checked_add(leaves).filter(|end| *end <= count);
        let (Some(end), true) = (end, count <= MAX_LEAVES) else {
            return Err(Refused::Malformed("it shows leaves that the tree has not"));
        };
        let mut siblings = Vec::new();
        let mut span = Span { first, end, width: count };
        while span.width > 1 {
            let beside = span.beside();
            for _ in 0..u8::from(beside.left) + u8::from(beside.right) {
                siblings.push(reader.digest()?);
            }
            span = span.above();
        }
        Ok(Self { count, first, siblings })
    }

    /// Writes what [`Self::read`] reads.
    pub(crate) fn write(&self, to: &mut Vec<u8>) {
        to.extend(self.count.to_be_bytes());
        to.extend(self.first.to_be_bytes());
        self.siblings.iter().for_each(|sibling| to.extend(sibling));
    }

    /// The root that leaves at this place lead to; none if the siblings are not those that
    /// there must be.
    pub fn root(&self, tree: Tree, leaves: Vec<Digest>) -> Option<Digest> {
        let shown = u64::try_from(leaves.len()).ok()?;
        let end = self.first.checked_add(shown)?;
        if shown == 0 || end > self.count || self.count > MAX_LEAVES {
            return None;
        }
        let mut siblings = self.siblings.iter();
        let mut span = Span { first: self.first, end, width: self.count };
        let (mut nodes, mut level) = (leaves, 0);
        while span.width > 1 {
            let beside = span.beside();
            if beside.left {
                nodes.insert(0, *siblings.next()?);
            }
            if beside.right {
                nodes.push(*siblings.next()?);
            }
            nodes = tree.above(level, span.first - u64::from(beside.left), &nodes);
            (span, level) = (span.above(), level + 1);
        }
        if siblings.next().is_some() {
            return None;
        }
        Some(tree.root(self.count, nodes.first()))
    }
}

/// The edge of a tree that grows: its root at any time, in memory of a digest a level.
#[derive(Clone, Debug)]
pub struct Frontier {
    tree: Tree,
    count: u64,
    /// The whole subtrees, the highest first.
    peaks: Vec<Digest>,
}

impl Frontier {
    /// A tree without leaves.
    pub const fn new(tree: Tree) -> Self {
        Self { tree, count: 0, peaks: Vec::new() }
    }

    /// Leaves so far.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Takes in the next leaf.
    pub fn push(&mut self, leaf: Digest) {
        let (mut node, mut level, mut index) = (leaf, 0_u8, self.count);
        while index & 1 == 1
            && let Some(left) = self.peaks.pop()
        {
            (level, index) = (level + 1, index / 2);
            node = self.tree.node(level, index, &left, &node);
        }
        self.peaks.push(node);
        self.count += 1;
    }

    /// The root over the leaves so far.
    pub fn root(&self) -> Digest {
        let mut peaks = self.peaks.iter().rev();
        let heights = (0_u8..64).filter(|height| (self.count >> height) & 1 == 1).skip(1);
        let last = peaks.next().copied();
        let top = last.map(|last| {
            peaks.zip(heights).fold(last, |right, (left, height)| {
                self.tree.node(height + 1, self.count >> (height + 1), left, &right)
            })
        });
        self.tree.root(self.count, top.as_ref())
    }
}

#[cfg(test)]
mod tests;
