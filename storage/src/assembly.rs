//! A store that is made of what others serve: the state of one block, compared with the
//! commitment that the block's root proves.
//!
//! First the commitment, whose operations are proven as they come. Then the entries, of
//! whose groups ([`crate::groups`]) the commitment has the digests: a group that differs is
//! refused. One that is left out shows at the end, by their number. Then the cold part
//! ([`cold`]). Nothing is a store before.

mod cold;

pub use cold::Filled;
pub(crate) use cold::{Fuzzed, is_list, sample};

use crate::{
    Entries, OlderBlock, OperationsSource, StorageError, StorageOptions, SyncTarget,
    commitment::{self, Commitment, Position},
    groups::Gathered,
    index::{IndexGap, IndexTable},
    tables::{
        META_DOCUMENT, META_FIRST_BLOCK, META_HEAD, META_INDEX_GAP, META_OLDEST_CHANGES, Table,
        Tables,
    },
    types::{BlockIndex, Head},
};
use billchain_crypto::sm3::sm3_many;
use codec::Encode;
use sp_core::H256;
use std::{fs, path::Path, sync::Arc};

/// What became of entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Added {
    /// The state has them.
    Taken,
    /// The state has not this one, or another of its group, or the order of keys is broken
    /// by it: who sent them lies.
    Refuted {
        /// Its key, or that of the first of its group.
        key: Vec<u8>,
    },
}

/// The chain's first block, which every node makes by itself.
#[derive(Clone, Debug)]
pub struct Beginning {
    /// Its hash.
    pub hash: H256,
    /// Root of the state after it.
    pub state_root: H256,
    /// The encoded block.
    pub block: Vec<u8>,
    /// Digest of the document that the chain was made from.
    pub document: H256,
}

/// The header of a block before, and its certificate, both encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptHeader {
    /// The block's number.
    pub number: u32,
    /// Its hash.
    pub hash: H256,
    /// Its header.
    pub header: Vec<u8>,
    /// Its certificate.
    pub certificate: Vec<u8>,
}

/// A store in the making.
pub struct Assembly {
    target: SyncTarget,
    // Dropped before the commitment: it is written to last.
    tables: Tables,
    commitment: Commitment,
    committed: u64,
    groups: u64,
    last: Vec<u8>,
    cold: cold::ColdPart,
}

impl Assembly {
    /// Begins in the directory `path`, which is made: fetches the commitment of `target`,
    /// which is [proven](SyncTarget::is_proven). Takes time and disk in proportion to the
    /// state.
    ///
    /// # Errors
    /// [`StorageError::NotFetched`] when `source` gives up.
    pub fn begin(
        path: &Path,
        options: &StorageOptions,
        target: SyncTarget,
        source: Arc<dyn OperationsSource>,
    ) -> Result<Self, StorageError> {
        options.validate()?;
        let (db, log) = (path.join("db"), path.join("commitment"));
        fs::create_dir_all(&log).map_err(|source| StorageError::Io {
            action: "make",
            path: log.clone(),
            source,
        })?;
        let SyncTarget { number, hot_root, operations_root, start, end, .. } = target;
        let goal = Position { height: Some(number), root: hot_root, log_size: end };
        let cache_bytes = options.commitment_cache_bytes;
        commitment::fetch(&log, cache_bytes, goal, (operations_root, start), source)?;
        Tables::create(&db, options)?;
        let tables = Tables::open(&db, options)?;
        let commitment = Commitment::open(&log, options.commitment_cache_bytes, None)?;
        let committed = commitment.keys()?;
        let (last, cold) = (Vec::new(), cold::ColdPart::default());
        Ok(Self { target, tables, commitment, committed, groups: 0, last, cold })
    }

    /// Groups of keys of the state: keys that differ in their last byte alone.
    pub fn committed(&self) -> u64 {
        self.committed
    }

    /// Groups of keys that are here.
    pub fn groups(&self) -> u64 {
        self.groups
    }

    /// The last key that is here; the next entries are those above it.
    pub fn last(&self) -> &[u8] {
        &self.last
    }

    /// Takes the next entries of the state.
    pub fn add(&mut self, entries: &Entries) -> Result<Added, StorageError> {
        let refuted = |at: usize| Added::Refuted { key: entries[at].0.clone() };
        let mut last = &self.last;
        for (at, (key, _)) in entries.iter().enumerate() {
            if key <= last {
                return Ok(refuted(at));
            }
            last = key;
        }
        let values: Vec<&Vec<u8>> = entries.iter().map(|(_, value)| value).collect();
        let (mut gathered, mut whole) = (Gathered::default(), Vec::new());
        for (at, ((key, _), digest)) in entries.iter().zip(sm3_many(&values)).enumerate() {
            whole.extend(gathered.add((key.as_slice(), digest), at)?);
        }
        // A page ends where a group ends: a part of one is not what the commitment has.
        whole.extend(gathered.finish());
        if let Some(group) = self.commitment.differs(&whole)? {
            return Ok(refuted(whole[group].2));
        }
        let last = last.clone();
        let mut batch = self.tables.batch();
        for (key, value) in entries {
            batch.put(Table::State, key, value);
        }
        batch.write_unlogged()?;
        self.groups = self.groups.saturating_add(whole.len() as u64);
        self.last = last;
        Ok(Added::Taken)
    }

    /// Forgets every entry, to begin again: some were left out.
    pub fn clear(&mut self) -> Result<(), StorageError> {
        self.tables.clear(Table::State)?;
        (self.groups, self.last) = (0, Vec::new());
        Ok(())
    }

    /// Makes a store of it, with the block that the state is of. The index of what earlier
    /// blocks left is still missing ([`crate::Storage::index_gap`]), and so are they but for
    /// `headers`. So are the files of cold segments ([`crate::Storage::missing_segments`]).
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] if entries are missing.
    pub fn finish(
        self,
        block: &OlderBlock,
        beginning: &Beginning,
        headers: &[KeptHeader],
    ) -> Result<(), StorageError> {
        let SyncTarget { number, hash, state_root, hot_root, end, .. } = self.target;
        let found = (block.number, block.hash, block.state_root);
        let is_whole = self.groups == self.committed && self.cold.is_whole();
        if found != (number, hash, state_root) || !is_whole {
            return Err(self.tables.corrupt(format!(
                "{} groups of keys of {}, {} of its cold part and block {found:?} do not make the \
                 state of block {number}, {hash}",
                self.groups,
                self.committed,
                if self.cold.is_whole() { "all" } else { "not all" },
            )));
        }
        self.tables.flush()?;
        let mut batch = self.tables.batch();
        block.put(&mut batch, (hot_root, end));
        let zero = 0_u32.to_be_bytes();
        let index = BlockIndex {
            hash: beginning.hash,
            state_root: beginning.state_root,
            // Nobody winds back to it.
            hot_root: H256::zero(),
            log_size: 0,
        };
        batch.put(Table::Block, zero, &beginning.block);
        batch.put(Table::Index, zero, index.encode());
        batch.put(Table::NumberByHash, beginning.hash, zero);
        for KeptHeader { number, hash, header, certificate } in headers {
            let number = number.to_be_bytes();
            batch.put(Table::Header, number, header);
            batch.put(Table::Certificate, number, certificate);
            batch.put(Table::NumberByHash, hash, number);
        }
        let gap = IndexGap { block: number, table: IndexTable::Index, after: Vec::new() };
        let next = number.saturating_add(1);
        batch.put(Table::Meta, META_DOCUMENT, beginning.document);
        batch.put(Table::Meta, META_OLDEST_CHANGES, next.to_be_bytes());
        batch.put(Table::Meta, META_FIRST_BLOCK, number.to_be_bytes());
        batch.put(Table::Meta, META_INDEX_GAP, gap.encode());
        batch.put(Table::Meta, META_HEAD, Head { number, hash, state_root }.encode());
        batch.write()
    }
}
