//! What the head's state root proves of a key.

use crate::{Head, Storage, StorageError, commitment::OperationProof, groups, tables::Table};
use sp_core::H256;

/// What the state root of a block proves of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyProof {
    /// The block.
    pub head: Head,
    /// The key's value; none if it has none.
    pub value: Option<Vec<u8>>,
    /// The group that shows it.
    pub shown: Shown,
    /// The operation that says what is in that group.
    pub operation: OperationProof,
}

/// Keys that differ in their last byte alone, and what they show of one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The key's own group.
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
    /// The value of `key` at the head, or that it has none, with what proves it under the
    /// head's state root. No block is committed meanwhile.
    pub fn prove(&self, key: &[u8]) -> Result<KeyProof, StorageError> {
        self.check_running()?;
        let (shared, _) = groups::split(key)?;
        let _order = self.order.read();
        if !self.is_initialised() {
            return Err(StorageError::NotInitialised);
        }
        let head = self.head();
        let value = self.shared.tables.get(Table::State, key)?;
        let group = self.groups.get(&self.shared.tables, shared)?;
        let active = self.commitment.active(shared)?;
        let shown = if group.is_empty() {
            Shown::Neighbour([active.key, active.value, active.next])
        } else {
            Shown::Group { group: group.into_keys(), next: active.next }
        };
        Ok(KeyProof { head, value, shown, operation: active.proof })
    }
}
