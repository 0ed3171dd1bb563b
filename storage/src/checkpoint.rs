//! A second directory with the store's content at one block, made while the store
//! is in use.

use crate::{Head, Storage, StorageError};
use std::{fs, io, path::Path};

/// How the names of the files of cold segments end.
const SEGMENT: &str = "segment";

impl Storage {
    /// Makes the directory `into`, which must not exist, with a store of the same
    /// content: `db/` and `commitment/` at the head, which is returned. A
    /// [`Storage`] can be opened there, with the files of cold segments
    /// ([`link_segments`](Self::link_segments)).
    ///
    /// Tables and finished files of the commitment are linked where `into` is on the
    /// same file system, so that this takes no time and no disk in proportion to the
    /// store. Commits wait meanwhile. Nothing in `into` may be written to while the
    /// files are linked: copy them first. What is there is on disk only when the
    /// caller has synced it.
    pub fn checkpoint(&self, into: &Path) -> Result<Head, StorageError> {
        Ok(self.checkpoint_with(into, |_| Ok(()))?.0)
    }

    /// Links the files of cold segments into the new directory `into`, which must be on the
    /// file system of `cold_path`; whether that can link. Called after
    /// [`checkpoint`](Self::checkpoint) all are there that the checkpoint's state needs: a file
    /// is there before it is recorded, and is removed long after the state has left it.
    pub fn link_segments(&self, into: &Path) -> Result<bool, StorageError> {
        let from = &self.shared.cold.directory;
        let io_error = |action, path: &Path| {
            let path = path.to_owned();
            move |source| StorageError::Io { action, path, source }
        };
        fs::create_dir_all(into).map_err(io_error("make", into))?;
        let entries = match fs::read_dir(from) {
            // No file was written yet.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
            entries => entries.map_err(io_error("read", from))?,
        };
        for entry in entries {
            let file = entry.map_err(io_error("read", from))?.path();
            let is_segment = file.extension().is_some_and(|extension| extension == SEGMENT);
            let Some(name) = file.file_name().filter(|_| is_segment) else { continue };
            match fs::hard_link(&file, into.join(name)) {
                Ok(()) => {}
                // It was removed meanwhile, so it is not needed.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    tracing::info!(%error, path = %from.display(), "segments are not linked");
                    fs::remove_dir_all(into).map_err(io_error("remove", into))?;
                    return Ok(false);
                }
            }
        }
        Ok(true)
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
