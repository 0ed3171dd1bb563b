//! Single records of the tables: their keys, and reading them checked.

use crate::{
    EventGroup, Head, StorageError,
    replaced::Replaced,
    tables::{META_DOCUMENT, META_HEAD, META_OLDEST_CHANGES, Table, Tables},
    types::BlockIndex,
};
use codec::DecodeAll;
use sp_core::H256;

/// Key of a group of events.
pub(crate) fn events_key(number: u32, first: u32) -> [u8; 8] {
    let mut key = [0; 8];
    key[..4].copy_from_slice(&number.to_be_bytes());
    key[4..].copy_from_slice(&first.to_be_bytes());
    key
}

impl Tables {
    /// The head, if there is a genesis block, checked against its index record.
    pub(crate) fn head(&self) -> Result<Option<Head>, StorageError> {
        let Some(bytes) = self.get(Table::Meta, META_HEAD)? else { return Ok(None) };
        let head = Head::decode_all(&mut bytes.as_slice())
            .map_err(|error| self.corrupt(format!("the head record is unreadable: {error}")))?;
        match self.index(head.number)? {
            Some(index) if (index.hash, index.state_root) == (head.hash, head.state_root) => {
                Ok(Some(head))
            }
            Some(index) => Err(self.corrupt(format!(
                "the head record names block {} as {}, its index record as {}",
                head.number, head.hash, index.hash
            ))),
            None => {
                Err(self.corrupt(format!("block {}, the head, has no index record", head.number)))
            }
        }
    }

    /// The index record of a block.
    pub(crate) fn index(&self, number: u32) -> Result<Option<BlockIndex>, StorageError> {
        let Some(bytes) = self.get(Table::Index, &number.to_be_bytes())? else { return Ok(None) };
        BlockIndex::decode_all(&mut bytes.as_slice()).map(Some).map_err(|error| {
            self.corrupt(format!("the index record of block {number} is unreadable: {error}"))
        })
    }

    /// Number of the block with this hash.
    pub(crate) fn number_of(&self, hash: &H256) -> Result<Option<u32>, StorageError> {
        let Some(bytes) = self.get(Table::NumberByHash, hash.as_bytes())? else { return Ok(None) };
        match bytes.try_into() {
            Ok(number) => Ok(Some(u32::from_be_bytes(number))),
            Err(_) => Err(self.corrupt(format!("the number of block {hash} is not four bytes"))),
        }
    }

    /// The group with the events of transaction `index` of a block.
    pub(crate) fn event_group(
        &self,
        number: u32,
        index: u32,
    ) -> Result<Option<EventGroup>, StorageError> {
        let (from, to) = (events_key(number, 0), events_key(number, index));
        let found = self.last_within(Table::Events, &from, &to)?;
        found.map(|(key, records)| self.group(number, &key, records)).transpose()
    }

    /// All events of a block.
    pub(crate) fn event_groups(&self, number: u32) -> Result<Vec<EventGroup>, StorageError> {
        let end = number.checked_add(1).map(|next| events_key(next, 0).to_vec());
        let mut cursor = self.cursor(Table::Events, &events_key(number, 0), end)?;
        let mut groups = Vec::new();
        while let Some((key, records)) = cursor.entry() {
            groups.push(self.group(number, key, records.to_vec())?);
            cursor.advance()?;
        }
        Ok(groups)
    }

    fn group(&self, number: u32, key: &[u8], records: Vec<u8>) -> Result<EventGroup, StorageError> {
        match key.split_first_chunk::<4>().map(|(block, first)| (block, first.try_into())) {
            Some((_, Ok(first))) => Ok(EventGroup { first: u32::from_be_bytes(first), records }),
            _ => Err(self.corrupt(format!(
                "a key of the events of block {number} has {} bytes, expected 8",
                key.len()
            ))),
        }
    }

    /// What a block replaced, if it is kept.
    pub(crate) fn replaced(&self, number: u32) -> Result<Option<Replaced>, StorageError> {
        let Some(bytes) = self.get(Table::Changes, &number.to_be_bytes())? else {
            return Ok(None);
        };
        Replaced::decode(&bytes).map(Some).map_err(|error| {
            self.corrupt(format!("the change set of block {number} is unreadable: {error}"))
        })
    }

    /// Digest of the document that the chain was made from.
    pub(crate) fn document(&self) -> Result<H256, StorageError> {
        let bytes = self.get(Table::Meta, META_DOCUMENT)?;
        let bytes = bytes.ok_or_else(|| self.corrupt("no document is named".into()))?;
        let bytes: [u8; 32] = bytes
            .try_into()
            .map_err(|_| self.corrupt("the digest of the document is not 32 bytes".into()))?;
        Ok(bytes.into())
    }

    /// Number of the oldest block whose change set is kept.
    pub(crate) fn oldest_changes(&self) -> Result<u32, StorageError> {
        match self.get(Table::Meta, META_OLDEST_CHANGES)? {
            None => Ok(0),
            Some(bytes) => bytes.try_into().map(u32::from_be_bytes).map_err(|_| {
                self.corrupt("the number of the oldest change set is not four bytes".into())
            }),
        }
    }
}
