//! Making proofs from a segment.

use crate::{
    ColdError, Group, Located, Segment, nodes,
    proof::{Exclusion, Inclusion, Neighbour, Path},
    source::Source,
};

/// What a segment proves of keys that differ in their last byte alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Some of them have a value.
    Present {
        /// The group.
        group: Group,
        /// That the segment has it.
        proof: Inclusion,
    },
    /// None of them has.
    Absent(Exclusion),
}

impl<S: Source> Segment<S> {
    /// Proves what it has of the keys that share these bytes. What it gives was verified, so
    /// damaged nodes are found here.
    ///
    /// Costs a read of 2 to 4 KiB for each six levels of the tree, beside what finding the group
    /// and its neighbours costs.
    pub fn prove(&self, shared: &[u8]) -> Result<Proof, ColdError> {
        let proof = match self.locate(shared)? {
            Located::Here { position, group } => {
                Proof::Present { group, proof: Inclusion(self.path(position, 1)?) }
            }
            Located::Before(position) => Proof::Absent(self.exclusion(position)?),
        };
        let verified = match &proof {
            Proof::Present { group, proof } => proof.verify(self.root(), shared, &group.digest()),
            Proof::Absent(exclusion) => exclusion.verify(self.root(), shared),
        };
        verified.map_err(|refused| {
            self.damaged(self.footer().nodes, format!("its own proof does not hold: {refused}"))
        })?;
        Ok(proof)
    }

    /// The neighbours of the gap before this position.
    fn exclusion(&self, behind: u64) -> Result<Exclusion, ColdError> {
        let first = behind.saturating_sub(1);
        let end = self.groups().min(behind.saturating_add(1));
        let mut neighbours = Vec::new();
        for found in self.iter_at(first).take((end - first) as usize) {
            let (_, group) = found?;
            neighbours.push(Neighbour { group: group.digest(), shared: group.shared });
        }
        Ok(Exclusion { neighbours, path: self.path(first, end - first)? })
    }

    /// The way of groups that follow one another to the root.
    fn path(&self, first: u64, shown: u64) -> Result<Path, ColdError> {
        let read = |level, nodes: std::ops::Range<u64>| self.nodes(level, nodes.start, nodes.end);
        nodes::path(self.groups(), first, shown, read)?.ok_or_else(|| {
            self.damaged(self.footer().nodes, "the nodes are fewer than there must be")
        })
    }

    /// Nodes of a level, as they are stored.
    pub(crate) fn nodes(
        &self,
        level: nodes::Level,
        start: u64,
        end: u64,
    ) -> Result<Vec<[u8; 32]>, ColdError> {
        let mut bytes = vec![0; ((end - start) * nodes::NODE) as usize];
        let offset = self.footer().nodes + level.offset + start * nodes::NODE;
        self.fill(offset, &mut bytes)?;
        Ok(nodes::digests(&bytes))
    }
}
