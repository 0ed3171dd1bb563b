//! Merging, emptying and flushing tables.

use crate::{
    StorageError,
    tables::{Table, Tables},
};
use rocksdb::{BottommostLevelCompaction, CompactOptions};

impl Tables {
    /// Merges every table's files into as few as its levels allow.
    pub(crate) fn compact(&self) -> Result<(), StorageError> {
        let mut options = CompactOptions::default();
        // What was written last is merged and compressed as all else.
        options.set_bottommost_level_compaction(BottommostLevelCompaction::ForceOptimized);
        for table in Table::ALL {
            let family = self.family(table);
            self.db.flush_cf(family).map_err(|error| self.error("compact", &error))?;
            self.db.compact_range_cf_opt(family, None::<&[u8]>, None::<&[u8]>, &options);
        }
        self.seal.renew()
    }

    /// Merges the files of a table that hold keys below `end`.
    pub(crate) fn compact_below(&self, table: Table, end: &[u8]) -> Result<(), StorageError> {
        let mut options = CompactOptions::default();
        options.set_exclusive_manual_compaction(false);
        options.set_bottommost_level_compaction(BottommostLevelCompaction::ForceOptimized);
        let family = self.family(table);
        self.db.flush_cf(family).map_err(|error| self.error("compact", &error))?;
        self.db.compact_range_cf_opt(family, None::<&[u8]>, Some(end), &options);
        self.seal.renew()
    }

    /// Removes every entry of a table.
    pub(crate) fn clear(&self, table: Table) -> Result<(), StorageError> {
        let family = self.family(table);
        let mut last = self.db.raw_iterator_cf(family);
        last.seek_to_last();
        last.status().map_err(|error| self.error("read", &error))?;
        let Some(last) = last.key() else { return Ok(()) };
        self.db
            .delete_range_cf(family, &[][..], last)
            .and_then(|()| self.db.delete_cf(family, last))
            .map_err(|error| self.error("empty a table", &error))
    }

    /// Writes what is in memory to files.
    pub(crate) fn flush(&self) -> Result<(), StorageError> {
        for table in Table::ALL {
            self.db.flush_cf(self.family(table)).map_err(|error| self.error("flush", &error))?;
        }
        self.seal.renew()
    }
}
