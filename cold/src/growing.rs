//! The tree over the groups of a segment that is being filled.
//!
//! What it needs to go on is kept in memory, 2 KiB a stored level. The nodes that a file of the
//! segment will have ([`crate::nodes`]) are given out when they are whole, for a store to keep
//! them: with these, the tree is found again after a restart, and groups are proved.

use crate::{
    nodes::{self, FAN, STEP},
    proof::{Digest, MAX_LEAVES, Path, Tree, leaf},
};
use std::{mem, ops::Range};

/// A tree over groups that grows at its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Growing {
    count: u64,
    /// Of each stored level, the last whole nodes that are not under a whole one of the next.
    tails: Vec<Vec<Digest>>,
}

/// A node that is whole: the groups below it do not change any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WholeNode {
    /// Its level: 0 for a leaf, and multiples of 6.
    pub level: u8,
    /// Its place on the level.
    pub index: u64,
    /// The node.
    pub digest: Digest,
}

impl Growing {
    /// Groups so far.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Takes in the next group: what its keys share, and SM3 of what is in it. The nodes that
    /// are whole now: its leaf, and those that it completes.
    pub fn push(&mut self, shared: &[u8], group: &Digest) -> Vec<WholeNode> {
        let mut node =
            WholeNode { level: 0, index: self.count, digest: leaf(self.count, shared, group) };
        let mut whole = Vec::new();
        self.count += 1;
        for at in 0.. {
            if at == self.tails.len() {
                self.tails.push(Vec::new());
            }
            whole.push(node);
            let Some(tail) = self.tails.get_mut(at) else { break };
            tail.push(node.digest);
            if (tail.len() as u64) < FAN {
                break;
            }
            let index = node.index / FAN;
            let above = nodes::step(Tree::Groups, node.level, index * FAN, mem::take(tail));
            let digest = above.first().copied().unwrap_or_default();
            node = WholeNode { level: node.level + STEP, index, digest };
        }
        whole
    }

    /// The root over the groups so far.
    pub fn root(&self) -> Digest {
        let Some(top) = self.tails.last() else { return Tree::Groups.root(0, None) };
        let edge = self.edges().pop().flatten();
        let mut nodes: Vec<Digest> = top.iter().copied().chain(edge).collect();
        let mut level = level_of(self.tails.len() - 1);
        while nodes.len() > 1 {
            nodes = Tree::Groups.above(level, 0, &nodes);
            level += 1;
        }
        Tree::Groups.root(self.count, nodes.first())
    }

    /// The way of groups that follow one another to the root. `read` gives whole nodes of a
    /// level, as they were given out; none if there are not as many groups, or nodes.
    pub fn path<E>(
        &self,
        first: u64,
        shown: u64,
        mut read: impl FnMut(u8, Range<u64>) -> Result<Vec<Digest>, E>,
    ) -> Result<Option<Path>, E> {
        if first.checked_add(shown).is_none_or(|end| end > self.count) {
            return Ok(None);
        }
        let edges = self.edges();
        nodes::path(self.count, first, shown, |level, range| {
            let whole = range.end.min(self.count >> level.level);
            let mut found = read(level.level, range.start..whole)?;
            if range.end > whole {
                found.extend(edges.get(usize::from(level.level / STEP)).copied().flatten());
            }
            Ok(found)
        })
    }

    /// The tree over `count` groups. `read` gives whole nodes of a level, as they were given
    /// out; none if these are not as many as asked for, or a segment cannot have as many groups.
    pub fn restore<E>(
        count: u64,
        mut read: impl FnMut(u8, Range<u64>) -> Result<Vec<Digest>, E>,
    ) -> Result<Option<Self>, E> {
        if count > MAX_LEAVES {
            return Ok(None);
        }
        let (mut tails, mut level) = (Vec::new(), 0_u8);
        while count >> level > 0 {
            let whole = count >> level;
            let start = whole / FAN * FAN;
            let tail = read(level, start..whole)?;
            if tail.len() as u64 != whole - start {
                return Ok(None);
            }
            tails.push(tail);
            level += STEP;
        }
        Ok(Some(Self { count, tails }))
    }

    /// Of each stored level, the node at its end that is not whole.
    fn edges(&self) -> Vec<Option<Digest>> {
        let (mut edges, mut edge) = (Vec::new(), None);
        for (at, tail) in self.tails.iter().enumerate() {
            edges.push(edge);
            let level = level_of(at);
            let first = (self.count >> level) / FAN * FAN;
            let nodes: Vec<Digest> = tail.iter().copied().chain(edge).collect();
            edge = match nodes.is_empty() {
                true => None,
                false => nodes::step(Tree::Groups, level, first, nodes).first().copied(),
            };
        }
        edges
    }
}

/// The level of a tail.
const fn level_of(tail: usize) -> u8 {
    tail as u8 * STEP
}

#[cfg(test)]
mod tests;
