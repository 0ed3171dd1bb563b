//! Checking a whole segment.

use crate::{
    ColdError, Segment,
    block::Entry,
    footer::HEADER,
    index::{Extent, Page, Reference},
    nodes::{self, FAN},
    proof::{Digest, Frontier, Tree, leaf},
    source::Source,
};

/// Nodes that are read at once.
const AT_ONCE: u64 = 64 * FAN;

impl<S: Source> Segment<S> {
    /// Reads everything, and computes everything again that the segment says of itself: SM3 of
    /// every block and page, that they lie one behind the other, the order of the groups, all
    /// nodes, the root, and all counts. In memory of a block and a page a level.
    ///
    /// If it returns, no byte of the segment is another than what its root, and its footer,
    /// commit to.
    pub fn verify(&self) -> Result<(), ColdError> {
        let mut check = Check {
            segment: self,
            at: HEADER,
            tree: Frontier::new(Tree::Groups),
            keys: 0,
            value_bytes: 0,
            last: None,
            leaves: Vec::new(),
        };
        if let Some(top) = self.top() {
            check.page(top)?;
            check.follows(self.footer().top)?;
        }
        check.finish()?;
        self.verify_nodes()
    }

    /// Computes each level of nodes again from the one before.
    fn verify_nodes(&self) -> Result<(), ColdError> {
        let levels = nodes::levels(self.groups());
        for (below, level) in levels.iter().zip(levels.iter().skip(1)) {
            for first in (0..below.width).step_by(AT_ONCE as usize) {
                let found = self.nodes(*below, first, below.width.min(first + AT_ONCE))?;
                let computed = nodes::step(Tree::Groups, below.level, first, found);
                let start = first / FAN;
                let stored = self.nodes(*level, start, start + computed.len() as u64)?;
                if let Some(at) = computed.iter().zip(&stored).position(|(one, two)| one != two) {
                    let at = (start + at as u64) * nodes::NODE;
                    let offset = self.footer().nodes + level.offset + at;
                    return Err(self.damaged(offset, "a node is not that of the nodes below it"));
                }
            }
        }
        Ok(())
    }
}

/// What was read so far.
struct Check<'a, S> {
    segment: &'a Segment<S>,
    /// Where the next block or page must be.
    at: u64,
    tree: Frontier,
    keys: u64,
    value_bytes: u64,
    /// The group before.
    last: Option<Vec<u8>>,
    /// The leaves that were read ahead.
    leaves: Vec<Digest>,
}

impl<S: Source> Check<'_, S> {
    /// Goes through what a page refers to; a page lies behind all of that.
    fn page(&mut self, page: &Page) -> Result<(), ColdError> {
        for reference in &page.references {
            if page.level > 1 {
                // The level falls, so this ends.
                self.page(&self.segment.page_of(reference, page.level - 1)?)?;
                self.follows(reference.extent)?;
            } else {
                self.follows(reference.extent)?;
                self.block(reference)?;
            }
        }
        Ok(())
    }

    /// Something of the index must lie directly behind what was before it.
    fn follows(&mut self, extent: Extent) -> Result<(), ColdError> {
        if extent.offset != self.at {
            let what = format!("what follows is said to be at {}, expected here", extent.offset);
            return Err(self.segment.damaged(self.at, what));
        }
        self.at += u64::from(extent.length);
        Ok(())
    }

    fn block(&mut self, reference: &Reference) -> Result<(), ColdError> {
        let block = self.segment.block(reference, self.tree.count())?;
        // Within a block they are in order.
        if self.last.as_ref().is_some_and(|last| *last >= reference.first) {
            let what = "the groups of this block do not follow those of the one before";
            return Err(self.segment.damaged(reference.extent.offset, what));
        }
        for group in block.entries().map(Entry::to_group) {
            let position = self.tree.count();
            let leaf = leaf(position, &group.shared, &group.digest());
            self.compare(position, &leaf)?;
            self.tree.push(leaf);
            self.keys += group.values.len() as u64;
            self.value_bytes += group.value_bytes();
            self.last = Some(group.shared);
        }
        Ok(())
    }

    /// Compares a leaf with the one that is stored.
    fn compare(&mut self, position: u64, leaf: &Digest) -> Result<(), ColdError> {
        if position.is_multiple_of(AT_ONCE)
            && let Some(level) = nodes::levels(self.segment.groups()).first()
        {
            let end = level.width.min(position + AT_ONCE);
            self.leaves = self.segment.nodes(*level, position, end)?;
        }
        let stored = self.leaves.get((position % AT_ONCE) as usize);
        if stored != Some(leaf) {
            let offset = self.segment.footer().nodes + position * nodes::NODE;
            return Err(self.segment.damaged(offset, "a leaf is not that of its group"));
        }
        Ok(())
    }

    fn finish(&self) -> Result<(), ColdError> {
        let footer = self.segment.footer();
        let what = if self.at != footer.nodes {
            "there are bytes that belong to nothing"
        } else if self.tree.count() != footer.groups || self.tree.root() != footer.root {
            "the root is not that of its groups"
        } else if self.last.as_deref().unwrap_or_default() != footer.last {
            "the last group is not the one that the footer says"
        } else if (self.keys, self.value_bytes) != (footer.keys, footer.value_bytes) {
            "the footer counts other keys or values than there are"
        } else {
            return Ok(());
        };
        Err(self.segment.damaged(self.at, what))
    }
}

#[cfg(test)]
mod tests;
