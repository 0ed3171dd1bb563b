//! What the head's state root proves of keys.

use crate::{Head, Storage, StorageError, commitment::OperationProof, groups, tables::Table};
use sp_core::H256;

/// What the state root of a block proves of some keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateProof {
    /// The block.
    pub head: Head,
    /// The groups of the keys, in the order in which the keys were asked for.
    pub groups: Vec<GroupProof>,
}

/// What is proved of keys that differ in their last byte alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupProof {
    /// The value of each of the keys, in the order in which they were asked for; none if it has
    /// none.
    pub values: Vec<Option<Vec<u8>>>,
    /// The group that shows them.
    pub shown: Shown,
    /// The operation that says what is in that group.
    pub operation: OperationProof,
}

/// Keys that differ in their last byte alone, and what they show of some of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The keys' own group.
    Group {
        /// Last byte of each key with a value, and SM3 of the value; ascending.
        group: Vec<(u8, [u8; 32])>,
        /// SM3 of what the keys of the next group share.
        next: H256,
    },
    /// No key of the group has a value. The group before: SM3 of what its keys share, SM3 of
    /// what is in it, and SM3 of what the keys of the next group share.
    Neighbour([H256; 3]),
}

impl Storage {
    /// The values of `keys` at the head, with what proves them under the head's state root; `None`
    /// if a block was committed meanwhile. Keys of one group that follow one another are proved
    /// together, and a block waits for one group at most.
    pub fn prove(&self, keys: &[Vec<u8>]) -> Result<Option<StateProof>, StorageError> {
        let split = keys.iter().map(|key| groups::split(key).map(|(shared, _)| (shared, key)));
        let split = split.collect::<Result<Vec<_>, _>>()?;
        if !self.is_initialised() {
            return Err(StorageError::NotInitialised);
        }
        let head = self.head();
        let mut groups = Vec::new();
        for run in split.chunk_by(|(one, _), (next, _)| one == next) {
            let _order = self.order.read();
            self.check_running()?;
            if self.head() != head {
                return Ok(None);
            }
            groups.push(self.group_proof(run)?);
        }
        Ok(Some(StateProof { head, groups }))
    }

    /// Proves keys, of which each is given with what all of them share. The head must not move
    /// meanwhile.
    fn group_proof(&self, keys: &[(&[u8], &Vec<u8>)]) -> Result<GroupProof, StorageError> {
        let shared = keys.first().map(|(shared, _)| *shared).unwrap_or_default();
        let values = keys.iter().map(|(_, key)| self.shared.tables.get(Table::State, key));
        let values = values.collect::<Result<_, _>>()?;
        let group = self.groups.look(&self.shared.tables, shared)?;
        let active = self.commitment.active(shared)?;
        let shown = if group.is_empty() {
            Shown::Neighbour([active.key, active.value, active.next])
        } else {
            Shown::Group { group: group.into_keys(), next: active.next }
        };
        Ok(GroupProof { values, shown, operation: active.proof })
    }
}
