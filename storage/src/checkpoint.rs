//! A second directory with the store's content at one block, made while the store
//! is in use.

use crate::{Head, Storage, StorageError};
use std::{fs, path::Path};

impl Storage {
    /// Makes the directory `into`, which must not exist, with a store of the same
    /// content: `db/` and `commitment/` at the head, which is returned. A
    /// [`Storage`] can be opened there.
    ///
    /// Tables and finished files of the commitment are linked where `into` is on the
    /// same file system, so that this takes no time and no disk in proportion to the
    /// store. Commits wait meanwhile. Nothing in `into` may be written to while the
    /// files are linked: copy them first. What is there is on disk only when the
    /// caller has synced it.
    pub fn checkpoint(&self, into: &Path) -> Result<Head, StorageError> {
        Ok(self.checkpoint_with(into, |_| Ok(()))?.0)
    }

    /// As [`checkpoint`](Self::checkpoint), with something that is read at the same block.
    pub(crate) fn checkpoint_with<T>(
        &self,
        into: &Path,
        read: impl FnOnce(&Self) -> Result<T, StorageError>,
    ) -> Result<(Head, T), StorageError> {
        self.check_running()?;
        if !self.is_initialised() {
            return Err(StorageError::NotInitialised);
        }
        // Most of what is in memory goes to files before commits wait.
        self.shared.tables.flush()?;
        let _order = self.order.read();
        fs::create_dir(into).map_err(|source| StorageError::Io {
            action: "make",
            path: into.to_owned(),
            source,
        })?;
        self.shared.tables.checkpoint(&into.join("db"))?;
        self.commitment.copy(&into.join("commitment"))?;
        Ok((self.head(), read(self)?))
    }
}
