//! What readers and the writer of one data directory share: the tables, and the
//! hold on the directory.

use crate::{StorageError, cold::Cold, tables::Tables};
use std::{
    fs::{File, OpenOptions, TryLockError},
    path::Path,
};

/// What snapshots need of the store, and keep open.
pub(crate) struct Shared {
    pub(crate) tables: Tables,
    pub(crate) cold: Cold,
    /// Held until the last reader is gone.
    _lock: File,
}

impl Shared {
    /// `lock` is what [`lock`] gave for the directory of `tables`.
    pub(crate) fn new(tables: Tables, cold: Cold, lock: File) -> Self {
        Self { tables, cold, _lock: lock }
    }
}

/// Takes the directory for this process. The operating system gives it back
/// when the file is closed, by a crash too.
pub(crate) fn lock(path: &Path) -> Result<File, StorageError> {
    let io_error = |source| StorageError::Io { action: "lock", path: path.to_owned(), source };
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path.join("lock"))
        .map_err(io_error)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StorageError::Locked { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(io_error(source)),
    }
}
