//! Copies of the store at heights that all nodes agree on, from which peers are served.
//!
//! A copy is made at each block whose number is a multiple of the interval, between that
//! commit and the next: it takes some hundred milliseconds of linking files. The last two
//! are kept, so that whoever began with one has the time of an interval to end.

use billchain_storage::{StateCopy, Storage, StorageError};
use parking_lot::RwLock;
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

/// Copies that are kept.
const KEPT: usize = 2;

/// What a copy's directory is called while it is made or removed.
const UNFINISHED: &str = "unfinished";

/// The copies of one node. Their directory is its own.
pub struct Copies {
    directory: PathBuf,
    /// Blocks between two copies; 0 for none.
    interval: u32,
    /// The newest last.
    kept: RwLock<Vec<Arc<StateCopy>>>,
}

impl Copies {
    /// Opens the copies in `directory`, which is made. What is damaged or unfinished is
    /// removed.
    pub fn open(directory: &Path, interval: u32) -> Result<Self, StorageError> {
        let io_error =
            |action| move |source| StorageError::Io { action, path: directory.to_owned(), source };
        fs::create_dir_all(directory).map_err(io_error("make"))?;
        let mut kept = Vec::new();
        for entry in fs::read_dir(directory).map_err(io_error("read"))? {
            let path = entry.map_err(io_error("read"))?.path();
            match StateCopy::open(&path) {
                Ok(copy) if interval > 0 && copy.target().number.is_multiple_of(interval) => {
                    kept.push(Arc::new(copy));
                }
                Ok(copy) => {
                    drop(copy);
                    remove(&path).map_err(io_error("tidy"))?;
                }
                Err(error) => {
                    tracing::info!(%error, path = %path.display(), "a copy of the state is removed");
                    remove(&path).map_err(io_error("tidy"))?;
                }
            }
        }
        kept.sort_by_key(|copy| copy.target().number);
        let copies = Self { directory: directory.to_owned(), interval, kept: RwLock::new(kept) };
        copies.keep(KEPT);
        Ok(copies)
    }

    /// To be called after each commit and before the next one. A copy that cannot be made
    /// is missing: the log says so, and the chain goes on.
    pub fn committed(&self, storage: &Storage, number: u32) {
        if self.interval == 0 || !number.is_multiple_of(self.interval) {
            return;
        }
        let begun = Instant::now();
        match self.make(storage, number) {
            Ok(copy) => {
                self.kept.write().push(Arc::new(copy));
                self.keep(KEPT);
                tracing::info!(number, took = ?begun.elapsed(), "the state is served to who joins");
            }
            Err(error) => tracing::warn!(%error, number, "no copy of the state is served"),
        }
    }

    fn make(&self, storage: &Storage, number: u32) -> Result<StateCopy, StorageError> {
        let io_error = |action, path: &Path| {
            let path = path.to_owned();
            move |source| StorageError::Io { action, path, source }
        };
        let making = self.directory.join(UNFINISHED);
        remove(&making).map_err(io_error("remove", &making))?;
        storage.copy_state(&making)?;
        let path = self.directory.join(number.to_string());
        remove(&path).map_err(io_error("remove", &path))?;
        fs::rename(&making, &path).map_err(io_error("make", &path))?;
        StateCopy::open(&path)
    }

    /// Removes all, to have their room.
    pub fn clear(&self) {
        self.keep(0);
    }

    /// Keeps so many, the newest.
    fn keep(&self, count: usize) {
        let gone: Vec<Arc<StateCopy>> = {
            let mut kept = self.kept.write();
            let more = kept.len().saturating_sub(count);
            kept.drain(..more).collect()
        };
        for copy in gone {
            // Who reads it holds its files open, or fails and asks for a newer one.
            let path = copy.path().to_owned();
            if let Err(error) = remove(&path) {
                tracing::warn!(%error, path = %path.display(), "an old copy of the state stays");
            }
        }
    }

    /// Those that are served, the newest first.
    pub(crate) fn all(&self) -> Vec<Arc<StateCopy>> {
        self.kept.read().iter().rev().cloned().collect()
    }

    /// The copy of this block.
    pub(crate) fn of(&self, block: u32) -> Option<Arc<StateCopy>> {
        self.kept.read().iter().find(|copy| copy.target().number == block).cloned()
    }
}

fn remove(directory: &Path) -> io::Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
