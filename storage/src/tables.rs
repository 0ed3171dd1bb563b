//! RocksDB: column families, options, making and opening a database.
//!
//! A new database is made beside its place and renamed into it when it is
//! whole, so that an interrupted making is never taken for a damaged database,
//! and a damaged one never for an empty place. What RocksDB's own recovery
//! would take for a crash, [`crate::seal`] and the checks asked for here tell
//! from damage.

mod table;

pub(crate) use table::Table;

use crate::{StorageError, StorageOptions, SystemCause, seal::Seal};
use rocksdb::{
    BlockBasedIndexType, BlockBasedOptions, Cache, ColumnFamily, ColumnFamilyDescriptor, DB,
    DBCompressionType, DBRecoveryMode, ErrorKind, LogLevel, Options, WriteBatch, WriteOptions,
    checkpoint::Checkpoint,
};
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
};

/// Format of everything below a data directory. A change of any table's
/// encoding, of a commitment constant or of the layout raises it.
pub const FORMAT: u32 = 8;

/// The format version's key in [`Table::Meta`].
pub(crate) const META_FORMAT: &[u8] = b"format";
/// The head record's key in [`Table::Meta`].
pub(crate) const META_HEAD: &[u8] = b"head";
/// The key, in [`Table::Meta`], of the digest of the document that the chain was made
/// from.
pub(crate) const META_DOCUMENT: &[u8] = b"document";
/// The key, in [`Table::Meta`], of the number of the oldest block with a change set.
pub(crate) const META_OLDEST_CHANGES: &[u8] = b"oldest_changes";

/// The key, in [`Table::Meta`], of the number of the oldest block that is kept whole,
/// the genesis aside. Absent while all are.
pub(crate) const META_FIRST_BLOCK: &[u8] = b"first_block";
/// The key, in [`Table::Meta`], of how far the index of older blocks is filled
/// ([`IndexGap`](crate::IndexGap)). Absent when nothing is missing.
pub(crate) const META_INDEX_GAP: &[u8] = b"index_gap";
/// The key, in [`Table::Meta`], of the number of the newest block that a snapshot holds.
pub(crate) const META_HELD: &[u8] = b"held";

/// The database of one data directory.
pub(crate) struct Tables {
    pub(crate) db: DB,
    cache: Cache,
    path: PathBuf,
    pub(crate) seal: Seal,
    /// Bytes to make room for in a batch: those of the last one. A batch that
    /// outgrows its room is copied.
    batch_bytes: AtomicUsize,
    /// Entries that were asked for, by key or one after the other.
    reads: AtomicU64,
}

/// Bytes that a batch gets in advance, at most.
const MAX_BATCH_ROOM: usize = 64 << 20;

impl Tables {
    /// Opens the database in `path`.
    pub(crate) fn open(path: &Path, options: &StorageOptions) -> Result<Self, StorageError> {
        Seal::check(path)?;
        let (db, cache) = open(path, options, Access::Write)?;
        let tables = Self::new(db, cache, path);
        tables.seal.renew()?;
        tables.check_format()
    }

    /// Opens the database in `path`, which is not written to.
    pub(crate) fn open_read_only(
        path: &Path,
        options: &StorageOptions,
    ) -> Result<Self, StorageError> {
        Seal::check(path)?;
        let (db, cache) = open(path, options, Access::Read)?;
        Self::new(db, cache, path).check_format()
    }

    fn check_format(self) -> Result<Self, StorageError> {
        let tables = self;
        match tables.get(Table::Meta, META_FORMAT)?.as_deref() {
            Some(found) if found == FORMAT.to_be_bytes() => Ok(tables),
            Some(found) => match found.try_into().map(u32::from_be_bytes) {
                Ok(found) => {
                    let path = tables.path.clone();
                    Err(StorageError::VersionMismatch { found, expected: FORMAT, path })
                }
                Err(_) => Err(tables.corrupt("the format version is not four bytes".into())),
            },
            None => Err(tables.corrupt("there is no format version".into())),
        }
    }

    /// Makes an empty database in `path`, where there is nothing.
    pub(crate) fn create(path: &Path, options: &StorageOptions) -> Result<(), StorageError> {
        let making = path.with_extension("making");
        let io_error = |action, path: &Path| {
            let path = path.to_owned();
            move |source| StorageError::Io { action, path, source }
        };
        match fs::remove_dir_all(&making) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(io_error("remove", &making)(error));
            }
            _ => {}
        }
        {
            let (db, cache) = open(&making, options, Access::Make)?;
            let tables = Self::new(db, cache, &making);
            let mut batch = tables.batch();
            batch.put(Table::Meta, META_FORMAT, FORMAT.to_be_bytes());
            batch.write()?;
        }
        fs::rename(&making, path).map_err(io_error("make", path))?;
        let parent = path.parent().unwrap_or(path);
        File::open(parent).and_then(|parent| parent.sync_all()).map_err(io_error("sync", parent))
    }

    fn new(db: DB, cache: Cache, path: &Path) -> Self {
        let (path, seal) = (path.to_owned(), Seal::new(path));
        let (batch_bytes, reads) = (AtomicUsize::new(0), AtomicU64::new(0));
        Self { db, cache, path, seal, batch_bytes, reads }
    }

    /// Entries that were asked for since the database was opened.
    pub(crate) fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    fn count_reads(&self, entries: usize) {
        self.reads.fetch_add(entries as u64, Ordering::Relaxed);
    }

    /// The value of `key`.
    pub(crate) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        self.count_reads(1);
        self.db.get_cf(self.family(table), key).map_err(|e| self.error("read", &e))
    }

    /// What `read` makes of the value of `key`, which is not copied.
    pub(crate) fn get_with<T>(
        &self,
        table: Table,
        key: &[u8],
        read: impl FnOnce(&[u8]) -> T,
    ) -> Result<Option<T>, StorageError> {
        self.count_reads(1);
        let value = self.db.get_pinned_cf(self.family(table), key);
        Ok(value.map_err(|e| self.error("read", &e))?.map(|value| read(&value)))
    }

    /// The values of `keys`, which are sorted.
    pub(crate) fn get_sorted<'a>(
        &self,
        table: Table,
        keys: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Vec<Option<Vec<u8>>>, StorageError> {
        let keys: Vec<&[u8]> = keys.into_iter().collect();
        self.count_reads(keys.len());
        let mut values = Vec::with_capacity(keys.len());
        // Each answer pins blocks of the cache; a bounded number at a time.
        for keys in keys.chunks(1024) {
            for value in self.db.batched_multi_get_cf(self.family(table), keys.iter(), true) {
                let value = value.map_err(|e| self.error("read", &e))?;
                values.push(value.map(|value| value.to_vec()));
            }
        }
        Ok(values)
    }

    /// A cursor over `table`, at the first key that is not below `from`; with
    /// `end`, never at or above it.
    pub(crate) fn cursor(
        &self,
        table: Table,
        from: &[u8],
        end: Option<Vec<u8>>,
    ) -> Result<Cursor<'_>, StorageError> {
        let mut options = rocksdb::ReadOptions::default();
        if let Some(end) = end {
            options.set_iterate_upper_bound(end);
        }
        let mut iterator = self.db.raw_iterator_cf_opt(self.family(table), options);
        iterator.seek(from);
        let cursor = Cursor { tables: self, iterator };
        cursor.check()?;
        Ok(cursor)
    }

    /// The last entry of `table` that is not below `from` and not above `to`.
    pub(crate) fn last_within(
        &self,
        table: Table,
        from: &[u8],
        to: &[u8],
    ) -> Result<Option<(Vec<u8>, Vec<u8>)>, StorageError> {
        let mut options = rocksdb::ReadOptions::default();
        options.set_iterate_lower_bound(from);
        let mut iterator = self.db.raw_iterator_cf_opt(self.family(table), options);
        iterator.seek_for_prev(to);
        let cursor = Cursor { tables: self, iterator };
        cursor.check()?;
        Ok(cursor.entry().map(|(key, value)| (key.to_vec(), value.to_vec())))
    }

    /// An empty batch.
    pub(crate) fn batch(&self) -> Batch<'_> {
        let room = self.batch_bytes.load(Ordering::Relaxed);
        Batch { tables: self, batch: WriteBatch::with_capacity_bytes(room) }
    }

    /// A number that RocksDB keeps about one table, 0 if it does not.
    pub(crate) fn property(&self, table: Table, name: &str) -> u64 {
        self.db.property_int_value_cf(self.family(table), name).ok().flatten().unwrap_or(0)
    }

    /// Makes a database of the same content in `into`, which is made, with a seal of
    /// its own. Tables are linked where the file system can.
    pub(crate) fn checkpoint(&self, into: &Path) -> Result<(), StorageError> {
        Checkpoint::new(&self.db)
            .and_then(|checkpoint| checkpoint.create_checkpoint(into))
            .map_err(|error| self.error("copy", &error))?;
        self.seal.renew()?;
        Seal::new(into).renew()
    }

    /// Bytes of the block cache in use.
    pub(crate) fn cache_usage(&self) -> usize {
        self.cache.get_usage()
    }

    /// An error that names this database.
    pub(crate) fn corrupt(&self, what: String) -> StorageError {
        StorageError::Corrupt { what, path: self.path.clone() }
    }

    pub(crate) fn family(&self, table: Table) -> &ColumnFamily {
        self.db.cf_handle(table.name()).expect("opened with every table, and none is ever dropped")
    }

    pub(crate) fn error(&self, action: &'static str, error: &rocksdb::Error) -> StorageError {
        translate(action, &self.path, error)
    }
}

impl Drop for Tables {
    /// Seals what background work appended after the last write.
    fn drop(&mut self) {
        self.db.cancel_all_background_work(true);
        if let Err(error) = self.seal.renew() {
            tracing::warn!(%error, path = %self.path.display(), "database closed without a new seal");
        }
    }
}

/// Writes that land together.
pub(crate) struct Batch<'a> {
    tables: &'a Tables,
    batch: WriteBatch,
}

impl Batch<'_> {
    pub(crate) fn put(&mut self, table: Table, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        self.batch.put_cf(self.tables.family(table), key, value);
    }

    pub(crate) fn delete(&mut self, table: Table, key: impl AsRef<[u8]>) {
        self.batch.delete_cf(self.tables.family(table), key);
    }

    /// Deletes the keys from `from` on, below `end`.
    pub(crate) fn delete_range(
        &mut self,
        table: Table,
        from: impl AsRef<[u8]>,
        end: impl AsRef<[u8]>,
    ) {
        self.batch.delete_range_cf(self.tables.family(table), from.as_ref(), end.as_ref());
    }

    /// Writes all of it without a log: a crash takes it away until the tables are
    /// [flushed](Tables::flush).
    pub(crate) fn write_unlogged(self) -> Result<(), StorageError> {
        let mut options = WriteOptions::default();
        options.disable_wal(true);
        let tables = self.tables;
        tables.db.write_opt(self.batch, &options).map_err(|error| tables.error("write", &error))
    }

    /// Writes all of it and waits until it is on disk.
    pub(crate) fn write(self) -> Result<(), StorageError> {
        let mut options = WriteOptions::default();
        options.set_sync(true);
        let room = self.batch.size_in_bytes().min(MAX_BATCH_ROOM);
        self.tables.batch_bytes.store(room, Ordering::Relaxed);
        self.tables
            .db
            .write_opt(self.batch, &options)
            .map_err(|error| self.tables.error("write a block", &error))?;
        self.tables.seal.renew()
    }
}

/// A walk over a table in the order of its keys. It sees the table as it was
/// when the cursor was made.
pub(crate) struct Cursor<'a> {
    tables: &'a Tables,
    iterator: rocksdb::DBRawIterator<'a>,
}

impl Cursor<'_> {
    /// The entry under the cursor; `None` at the end.
    pub(crate) fn entry(&self) -> Option<(&[u8], &[u8])> {
        self.iterator.item()
    }

    /// Goes to the first key that is not below `key`.
    pub(crate) fn seek(&mut self, key: &[u8]) -> Result<(), StorageError> {
        self.iterator.seek(key);
        self.check()
    }

    /// Goes to the next entry.
    pub(crate) fn advance(&mut self) -> Result<(), StorageError> {
        self.iterator.next();
        self.check()
    }

    fn check(&self) -> Result<(), StorageError> {
        self.tables.count_reads(1);
        self.iterator.status().map_err(|error| self.tables.error("read", &error))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Make,
    Write,
    Read,
}

fn open(
    path: &Path,
    options: &StorageOptions,
    access: Access,
) -> Result<(DB, Cache), StorageError> {
    let cache = Cache::new_lru_cache(options.block_cache_bytes);
    let families = Table::ALL.map(|table| {
        ColumnFamilyDescriptor::new(table.name(), table_options(table, &cache, options))
    });
    let opened = match access {
        Access::Read => {
            let options = database_options(options, access);
            DB::open_cf_descriptors_read_only(&options, path, families, false)
        }
        _ => DB::open_cf_descriptors(&database_options(options, access), path, families),
    };
    Ok((opened.map_err(|error| translate("open", path, &error))?, cache))
}

fn database_options(options: &StorageOptions, access: Access) -> Options {
    let is_new = access == Access::Make;
    let mut db = Options::default();
    db.create_if_missing(is_new);
    db.create_missing_column_families(is_new);
    db.set_error_if_exists(is_new);
    db.set_paranoid_checks(true);
    // A torn last write is what a loss of power leaves behind; the log is read
    // up to it. What had been synced and is lost shows in QMDB, which is ahead.
    db.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    // A log before the last one that is missing or short is no crash's doing.
    db.set_track_and_verify_wals_in_manifest(true);
    db.set_db_write_buffer_size(options.write_buffer_bytes);
    db.set_max_total_wal_size(2 * options.write_buffer_bytes as u64);
    db.set_max_open_files(i32::try_from(options.max_open_files).unwrap_or(i32::MAX));
    db.set_max_background_jobs(2);
    db.set_bytes_per_sync(1 << 20);
    db.set_log_level(LogLevel::Warn);
    db.set_keep_log_file_num(4);
    db.set_max_log_file_size(8 << 20);
    // Its own statistics have no reader: a node's are metrics.
    db.set_stats_dump_period_sec(0);
    db.set_stats_persist_period_sec(0);
    db
}

fn table_options(table: Table, cache: &Cache, options: &StorageOptions) -> Options {
    let mut blocks = BlockBasedOptions::default();
    blocks.set_block_cache(cache);
    // Events of transactions resemble one another: the more of them are
    // compressed together, the smaller they get.
    blocks.set_block_size(if table == Table::Events { 32 << 10 } else { 8 << 10 });
    // Index and filters would otherwise grow outside every limit.
    blocks.set_cache_index_and_filter_blocks(true);
    blocks.set_pin_l0_filter_and_index_blocks_in_cache(true);
    // Whole, those of a large file are as large as a shard of the cache, and go out as they
    // come in.
    blocks.set_index_type(BlockBasedIndexType::TwoLevelIndexSearch);
    blocks.set_partition_filters(true);
    blocks.set_metadata_block_size(4 << 10);
    blocks.set_pin_top_level_index_and_filter(true);
    blocks.set_format_version(5);
    if table.has_filter() {
        blocks.set_bloom_filter(10.0, false);
    }
    let mut family = Options::default();
    family.set_block_based_table_factory(&blocks);
    family.set_write_buffer_size(options.write_buffer_bytes / 2);
    family.set_compression_type(DBCompressionType::Lz4);
    if matches!(table, Table::Block | Table::Header | Table::Certificate | Table::Events) {
        family.set_bottommost_compression_type(DBCompressionType::Zstd);
    }
    family
}

/// RocksDB's message in our terms.
fn translate(action: &'static str, path: &Path, error: &rocksdb::Error) -> StorageError {
    let reason = error.to_string();
    // The data directory is what an operator knows; the database is inside it.
    let directory = || path.parent().unwrap_or(path).to_owned();
    let is_io = error.kind() == ErrorKind::IOError;
    // The words in front of the file's name, which may hold any others.
    if is_io && ["While lock file", "lock hold by"].iter().any(|words| reason.contains(words)) {
        return StorageError::Locked { path: directory() };
    }
    if let Some(cause) = SystemCause::of_text(&reason) {
        return StorageError::System { action, path: path.to_owned(), cause, reason };
    }
    match error.kind() {
        ErrorKind::Corruption => StorageError::Corrupt { what: reason, path: path.to_owned() },
        // Opening an existing database: a file or a table it names is not there.
        ErrorKind::InvalidArgument | ErrorKind::NotFound if action == "open" => {
            StorageError::Corrupt { what: reason, path: path.to_owned() }
        }
        ErrorKind::IOError if reason.contains("No such file") => {
            StorageError::Corrupt { what: reason, path: path.to_owned() }
        }
        _ => StorageError::Database { action, reason },
    }
}
