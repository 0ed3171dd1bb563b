//! Sizes and limits of the store.

use crate::StorageError;
use std::path::PathBuf;

/// Whether [`crate::Storage::open`] may make a new database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// Make one where there is none.
    CreateIfMissing,
    /// Fail with [`StorageError::Missing`] where there is none.
    MustExist,
}

/// Sizes and limits of the store. Memory is bounded by the sum of the byte fields, 32 MiB of
/// groups of keys, QMDB's index, which has an entry for each hot group, and two bits for each
/// cold one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageOptions {
    /// Whether a missing database is made.
    pub mode: OpenMode,
    /// Bytes of RocksDB's LRU cache of blocks, index and filters included.
    pub block_cache_bytes: usize,
    /// Bytes of RocksDB's write buffers, all column families together.
    pub write_buffer_bytes: usize,
    /// Files RocksDB keeps open.
    pub max_open_files: u32,
    /// Bytes of QMDB's page cache.
    pub commitment_cache_bytes: usize,
    /// How far back [`crate::Storage::state_at`] reads, in blocks. The changes of so many blocks,
    /// and of the last 64 in any case, are kept on disk. `u32::MAX` keeps all.
    pub history_blocks: u32,
    /// Bytes of replaced values held in memory for [`crate::Storage::state_at`]. Blocks that do
    /// not fit are not served, even within `history_blocks`.
    pub history_bytes: usize,
    /// Directory of the files of cold segments, of this store alone; `cold` in the store's own if
    /// none is given. It may lie on another disk.
    pub cold_path: Option<PathBuf>,
    /// Bytes of pages, blocks and filters of cold segments that are kept in memory.
    pub cold_cache_bytes: usize,
}

impl Default for StorageOptions {
    fn default() -> Self {
        Self {
            mode: OpenMode::CreateIfMissing,
            block_cache_bytes: 64 << 20,
            write_buffer_bytes: 64 << 20,
            max_open_files: 512,
            commitment_cache_bytes: 16 << 20,
            history_blocks: 256,
            history_bytes: 64 << 20,
            cold_path: None,
            cold_cache_bytes: 32 << 20,
        }
    }
}

impl StorageOptions {
    /// Refuses values that cannot work.
    pub(crate) fn validate(&self) -> Result<(), StorageError> {
        let at_least = |field, found: usize, least: usize, expected| {
            if found >= least {
                return Ok(());
            }
            Err(StorageError::InvalidOption { field, found: found as u64, expected })
        };
        at_least("block_cache_bytes", self.block_cache_bytes, 1 << 20, "at least 1048576")?;
        at_least("write_buffer_bytes", self.write_buffer_bytes, 1 << 20, "at least 1048576")?;
        at_least("max_open_files", self.max_open_files as usize, 32, "at least 32")?;
        let commitment = self.commitment_cache_bytes;
        at_least("commitment_cache_bytes", commitment, 1 << 20, "at least 1048576")?;
        at_least("cold_cache_bytes", self.cold_cache_bytes, 1 << 20, "at least 1048576")
    }
}
