//! The node-local index, and what a store that was assembled lacks of it: what earlier
//! blocks left there.
//!
//! The node-local index and the events of blocks up to the one that the state was
//! fetched of come from others, entry by entry, while the chain goes on. What the store
//! writes itself is newer and stays; what it deletes meanwhile must not come back, so
//! that it is remembered (`offchain_gone`) until nothing is missing.

use crate::{
    Entries, Storage, StorageError,
    snapshot::after_prefix,
    tables::{Batch, META_INDEX_GAP, Table, Tables},
};
use codec::{Decode, DecodeAll, Encode};
use std::sync::atomic::Ordering::{Acquire, Release};

/// Tables that are filled, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum IndexTable {
    /// The node-local index.
    Index,
    /// Events of transactions.
    Events,
}

impl IndexTable {
    const fn table(self) -> Table {
        match self {
            Self::Index => Table::Offchain,
            Self::Events => Table::Events,
        }
    }
}

/// What the index lacks: the entries of `table` above `after`, and the tables that follow.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct IndexGap {
    /// The block that the state was fetched of. Of later blocks nothing is missing.
    pub block: u32,
    /// The table that is being filled.
    pub table: IndexTable,
    /// The last key that is there.
    pub after: Vec<u8>,
}

impl Tables {
    /// What the index lacks, if anything.
    pub(crate) fn index_gap(&self) -> Result<Option<IndexGap>, StorageError> {
        let Some(bytes) = self.get(Table::Meta, META_INDEX_GAP)? else { return Ok(None) };
        IndexGap::decode_all(&mut bytes.as_slice()).map(Some).map_err(|error| {
            self.corrupt(format!("the record of what the index lacks is unreadable: {error}"))
        })
    }
}

impl Storage {
    /// A node-local index entry.
    ///
    /// # Errors
    /// [`StorageError::IndexIncomplete`] while entries of older blocks are fetched.
    pub fn offchain_get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        self.ensure_indexed(None)?;
        self.shared.tables.get(Table::Offchain, key)
    }

    /// At most `limit` node-local index entries with `prefix`, in order, whose
    /// keys are above `start` (exclusive) if it is given.
    ///
    /// # Errors
    /// As [`Self::offchain_get`].
    pub fn offchain_prefix(
        &self,
        prefix: &[u8],
        start: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StorageError> {
        self.ensure_indexed(None)?;
        let from = match start {
            Some(start) if start >= prefix => [start, &[0]].concat(),
            _ => prefix.to_vec(),
        };
        let mut cursor = self.shared.tables.cursor(Table::Offchain, &from, after_prefix(prefix))?;
        let mut found = Vec::new();
        while found.len() < limit {
            match cursor.entry().filter(|(key, _)| key.starts_with(prefix)) {
                Some((key, value)) => found.push((key.to_vec(), value.to_vec())),
                None => break,
            }
            cursor.advance()?;
        }
        Ok(found)
    }

    /// What the index lacks, if anything.
    pub fn index_gap(&self) -> Result<Option<IndexGap>, StorageError> {
        self.shared.tables.index_gap()
    }

    /// Refuses to read the index of block `number`, or of all, while it lacks something.
    pub(crate) fn ensure_indexed(&self, number: Option<u32>) -> Result<(), StorageError> {
        if !self.has_index_gap.load(Acquire) {
            return Ok(());
        }
        match self.index_gap()? {
            Some(gap) if number.is_none_or(|number| number <= gap.block) => {
                Err(StorageError::IndexIncomplete { block: gap.block })
            }
            _ => Ok(()),
        }
    }

    /// Takes the next entries of what the index lacks, in one durable write; none when
    /// the table has no more. What is then still missing.
    pub fn fill_index(&self, entries: &Entries) -> Result<Option<IndexGap>, StorageError> {
        self.check_running()?;
        // A commit writes the same tables.
        let _order = self.order.write();
        let tables = &self.shared.tables;
        let Some(mut gap) = tables.index_gap()? else { return Ok(None) };
        let mut batch = tables.batch();
        for (key, value) in entries {
            if self.is_missing(gap.table, key)? {
                batch.put(gap.table.table(), key, value);
            }
        }
        let next = match (entries.last(), gap.table) {
            (Some((key, _)), _) => {
                gap.after.clone_from(key);
                Some(gap)
            }
            (None, IndexTable::Index) => {
                Some(IndexGap { table: IndexTable::Events, after: Vec::new(), ..gap })
            }
            (None, IndexTable::Events) => None,
        };
        match &next {
            Some(gap) => batch.put(Table::Meta, META_INDEX_GAP, gap.encode()),
            None => batch.delete(Table::Meta, META_INDEX_GAP),
        }
        batch.write()?;
        if next.is_none() {
            tables.clear(Table::OffchainGone)?;
        }
        self.has_index_gap.store(next.is_some(), Release);
        Ok(next)
    }

    fn is_missing(&self, table: IndexTable, key: &[u8]) -> Result<bool, StorageError> {
        let tables = &self.shared.tables;
        if tables.get(table.table(), key)?.is_some() {
            return Ok(false);
        }
        Ok(table == IndexTable::Events || tables.get(Table::OffchainGone, key)?.is_none())
    }

    /// Deletes an entry of the node-local index with a block.
    pub(crate) fn delete_offchain(&self, batch: &mut Batch<'_>, key: &[u8]) {
        batch.delete(Table::Offchain, key);
        if self.has_index_gap.load(Acquire) {
            batch.put(Table::OffchainGone, key, []);
        }
    }
}
