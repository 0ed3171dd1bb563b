//! Reading blocks, and what was stored with them.

use crate::{EventGroup, Storage, StorageError, tables::Table};
use sp_core::H256;

impl Storage {
    /// The encoded block with this number, if it is kept whole.
    pub fn block(&self, number: u32) -> Result<Option<Vec<u8>>, StorageError> {
        self.shared.tables.get(Table::Block, &number.to_be_bytes())
    }

    /// What `read` makes of the encoded block with this number, if it is kept whole. The block is
    /// not copied: for whoever needs a part of it.
    pub fn block_with<T>(
        &self,
        number: u32,
        read: impl FnOnce(&[u8]) -> T,
    ) -> Result<Option<T>, StorageError> {
        self.shared.tables.get_with(Table::Block, &number.to_be_bytes(), read)
    }

    /// The commit certificate of the block with this number; genesis has none.
    pub fn certificate(&self, number: u32) -> Result<Option<Vec<u8>>, StorageError> {
        self.shared.tables.get(Table::Certificate, &number.to_be_bytes())
    }

    /// Hash of the block with this number.
    pub fn hash_of(&self, number: u32) -> Result<Option<H256>, StorageError> {
        Ok(self.shared.tables.index(number)?.map(|index| index.hash))
    }

    /// State root of the block with this number.
    pub fn state_root_of(&self, number: u32) -> Result<Option<H256>, StorageError> {
        Ok(self.shared.tables.index(number)?.map(|index| index.state_root))
    }

    /// Number of the block with this hash.
    pub fn number_of(&self, hash: &H256) -> Result<Option<u32>, StorageError> {
        self.shared.tables.number_of(hash)
    }

    /// Where a transaction is: number of its block and its index there. If the
    /// same bytes were included twice, the last place.
    pub fn tx(&self, hash: &H256) -> Result<Option<(u32, u32)>, StorageError> {
        let tables = &self.shared.tables;
        let Some(bytes) = tables.get(Table::Tx, hash.as_bytes())? else { return Ok(None) };
        let place: (u32, u32) =
            codec::DecodeAll::decode_all(&mut bytes.as_slice()).map_err(|error| {
                tables.corrupt(format!("the place of transaction {hash} is unreadable: {error}"))
            })?;
        // RocksDB has a block shortly before it is the head: who is told of the
        // transaction then, and reads the state at the head, would miss it.
        Ok((place.0 <= self.head().number).then_some(place))
    }

    /// The group of events that those of transaction `index` of block `number`
    /// are in, for as long as the block is kept; `None` if there is no such
    /// block. Of an index beyond the block's: its last group.
    pub fn event_group(&self, number: u32, index: u32) -> Result<Option<EventGroup>, StorageError> {
        // As with a transaction's place: not before the block is the head.
        if number > self.head().number {
            return Ok(None);
        }
        self.ensure_indexed(Some(number))?;
        self.shared.tables.event_group(number, index)
    }

    /// All events of block `number`, in order; none if there is no such block.
    pub fn event_groups(&self, number: u32) -> Result<Vec<EventGroup>, StorageError> {
        if number > self.head().number {
            return Ok(Vec::new());
        }
        self.ensure_indexed(Some(number))?;
        self.shared.tables.event_groups(number)
    }
}
