//! The groups of a segment, one after the other.

use crate::{
    ColdError, Group, Located, Segment,
    block::Entry,
    index::{Child, Page, Target},
    source::Source,
};
use std::{sync::Arc, vec};

/// Positions and groups of a segment, ascending. Ends after an error.
pub struct Groups<'a, S> {
    segment: &'a Segment<S>,
    /// Position of the next group.
    next: u64,
    /// The rest of a block.
    block: vec::IntoIter<Group>,
    /// The page of that block, and the block behind it, if that is in the page.
    page: Option<(Arc<Page>, Child)>,
}

impl<S: Source> Segment<S> {
    /// All groups.
    pub fn iter(&self) -> Groups<'_, S> {
        self.iter_at(0)
    }

    /// The groups from the one whose keys share these bytes on, or from the first behind it.
    pub fn iter_from(&self, shared: &[u8]) -> Result<Groups<'_, S>, ColdError> {
        Ok(self.iter_at(match self.locate(shared)? {
            Located::Here { position, .. } | Located::Before(position) => position,
        }))
    }

    /// The groups from a position on.
    pub fn iter_at(&self, position: u64) -> Groups<'_, S> {
        Groups { segment: self, next: position, block: Vec::new().into_iter(), page: None }
    }
}

impl<S: Source> Groups<'_, S> {
    /// Reads the block of the next group, with those before it skipped.
    fn read(&mut self) -> Result<(), ColdError> {
        let following = self.page.take().filter(|(page, child)| child.at < page.references.len());
        let found = match following {
            Some(found) => Some(found),
            None => self.segment.leaf_page(Target::Position(self.next))?,
        };
        let Some((page, child)) = found else { return Ok(()) };
        let Some(reference) = page.reference(child.at) else { return Ok(()) };
        let block = self.segment.block(reference, child.base)?;
        let groups: Vec<Group> = block.entries().map(Entry::to_group).collect();
        let after = Child { at: child.at + 1, base: child.base + reference.groups };
        self.block = groups.into_iter();
        for _ in child.base..self.next {
            self.block.next();
        }
        self.page = Some((page, after));
        Ok(())
    }
}

impl<S: Source> Iterator for Groups<'_, S> {
    type Item = Result<(u64, Group), ColdError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.block.len() == 0
            && self.next < self.segment.groups()
            && let Err(error) = self.read()
        {
            self.next = u64::MAX;
            return Some(Err(error));
        }
        let group = self.block.next()?;
        let position = self.next;
        self.next += 1;
        Some(Ok((position, group)))
    }
}
