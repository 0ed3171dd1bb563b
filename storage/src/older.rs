//! Blocks before the first that is kept whole: taking them in, and letting them go.

use crate::{
    Storage, StorageError,
    records::events_key,
    tables::{META_FIRST_BLOCK, META_HELD, Table, Tables},
    types::BlockIndex,
};
use codec::Encode;
use sp_core::H256;
use std::sync::atomic::Ordering::{Acquire, Release};

/// Bodies that one call lets go at most, so that it takes milliseconds.
const MAX_PRUNED: u32 = 256;

/// A block that was decided earlier, without what its execution leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OlderBlock {
    /// Its number.
    pub number: u32,
    /// Its hash.
    pub hash: H256,
    /// Root of the state after it.
    pub state_root: H256,
    /// The encoded block.
    pub block: Vec<u8>,
    /// The encoded commit certificate.
    pub certificate: Vec<u8>,
    /// Hashes of its transactions, in the order of the block.
    pub tx_hashes: Vec<H256>,
}

impl Tables {
    /// Number of the oldest block that is kept whole, the genesis aside.
    pub(crate) fn first_block(&self) -> Result<u32, StorageError> {
        Ok(self.number(META_FIRST_BLOCK)?.unwrap_or(1))
    }

    fn number(&self, name: &[u8]) -> Result<Option<u32>, StorageError> {
        let Some(bytes) = self.get(Table::Meta, name)? else { return Ok(None) };
        bytes.try_into().map(|bytes| Some(u32::from_be_bytes(bytes))).map_err(|_| {
            self.corrupt(format!("the record {} is not four bytes", String::from_utf8_lossy(name)))
        })
    }
}

impl Storage {
    /// Number of the oldest block that is kept whole; the genesis is kept always. 1 if
    /// every block is.
    pub fn first_block(&self) -> u32 {
        self.first_block.load(Acquire)
    }

    /// Takes in the blocks before the [first](Self::first_block), the newest first, in one
    /// durable write. That they are of the chain the caller has seen.
    ///
    /// # Errors
    /// [`StorageError::WrongNumber`] for a block that is not the one before.
    pub fn add_older(&self, blocks: &[OlderBlock]) -> Result<(), StorageError> {
        self.check_running()?;
        let _order = self.order.read();
        let _older = self.older.lock();
        let tables = &self.shared.tables;
        let mut first = self.first_block();
        let mut batch = tables.batch();
        for block in blocks {
            let expected = first.saturating_sub(1);
            if block.number != expected || expected == 0 {
                return Err(StorageError::WrongNumber { expected, found: block.number });
            }
            block.put(&mut batch, (H256::zero(), 0));
            first = expected;
        }
        batch.put(Table::Meta, META_FIRST_BLOCK, first.to_be_bytes());
        batch.write()?;
        self.first_block.store(first, Release);
        Ok(())
    }

    /// The header of a block that is not kept whole, as it was given.
    pub fn header(&self, number: u32) -> Result<Option<Vec<u8>>, StorageError> {
        self.shared.tables.get(Table::Header, &number.to_be_bytes())
    }

    /// Notes that a snapshot holds the blocks up to this one.
    pub fn note_held(&self, number: u32) -> Result<(), StorageError> {
        self.check_running()?;
        if self.held()?.is_some_and(|known| known >= number) {
            return Ok(());
        }
        let mut batch = self.shared.tables.batch();
        batch.put(Table::Meta, META_HELD, number.to_be_bytes());
        batch.write()
    }

    /// The newest block that a snapshot holds, as far as this store was told.
    pub fn held(&self) -> Result<Option<u32>, StorageError> {
        self.shared.tables.number(META_HELD)
    }

    /// Lets the bodies of blocks below `below` go, the oldest first and some hundreds at
    /// most, with their places in the index of transactions and their events. Headers,
    /// which `header_of` takes from a block's bytes, and certificates stay. Blocks that no
    /// [snapshot holds](Self::note_held) stay whole. The number of bodies let go.
    pub fn prune_bodies(
        &self,
        below: u32,
        header_of: impl Fn(&[u8]) -> Option<(Vec<u8>, Vec<H256>)>,
    ) -> Result<u32, StorageError> {
        self.check_running()?;
        let held = self.held()?.map_or(0, |held| held.saturating_add(1));
        let _older = self.older.lock();
        let tables = &self.shared.tables;
        let first = self.first_block();
        let end = below.min(held).min(self.head().number).min(first.saturating_add(MAX_PRUNED));
        if end <= first {
            return Ok(0);
        }
        let mut batch = tables.batch();
        for number in first..end {
            let key = number.to_be_bytes();
            let block = tables.get(Table::Block, &key)?.ok_or_else(|| {
                tables.corrupt(format!("block {number} is missing, the first is {first}"))
            })?;
            let (header, transactions) = header_of(&block)
                .ok_or_else(|| tables.corrupt(format!("block {number} is unreadable")))?;
            batch.put(Table::Header, key, header);
            batch.delete(Table::Block, key);
            for hash in transactions {
                batch.delete(Table::Tx, hash);
            }
            for group in tables.event_groups(number)? {
                batch.delete(Table::Events, events_key(number, group.first));
            }
        }
        batch.put(Table::Meta, META_FIRST_BLOCK, end.to_be_bytes());
        batch.write()?;
        self.first_block.store(end, Release);
        Ok(end - first)
    }
}

impl Storage {
    /// Gives the room of bodies that were [let go](Self::prune_bodies) back to the disk.
    /// Takes time in proportion to the tables' files that hold them; commits go on.
    pub fn reclaim_bodies(&self) -> Result<(), StorageError> {
        self.check_running()?;
        let end = self.first_block().to_be_bytes();
        for table in [Table::Block, Table::Events] {
            self.shared.tables.compact_below(table, &end)?;
        }
        Ok(())
    }
}

impl OlderBlock {
    /// Puts all that is known of it. The log of the commitment had `log_size` operations
    /// after it, and the root `hot_root`; zeros where nobody winds back to.
    pub(crate) fn put(
        &self,
        batch: &mut crate::tables::Batch<'_>,
        (hot_root, log_size): (H256, u64),
    ) {
        let number = self.number.to_be_bytes();
        let index = BlockIndex { hash: self.hash, state_root: self.state_root, hot_root, log_size };
        batch.put(Table::Block, number, &self.block);
        batch.put(Table::Certificate, number, &self.certificate);
        batch.put(Table::Index, number, index.encode());
        batch.put(Table::NumberByHash, self.hash, number);
        for (at, hash) in (0_u32..).zip(&self.tx_hashes) {
            batch.put(Table::Tx, hash, (self.number, at).encode());
        }
    }
}
