//! What a worker and its connector must remember whatever dies: one file a connector.
//!
//! It promises that what [`Store::put`] and [`Store::apply`] returned for is there after a
//! crash of the process or the machine, all of one [`Store::apply`] or nothing. One process
//! at a time has the file open. Keys have at most [`MAX_KEY`] bytes, values [`MAX_VALUE`].
//! A file that is damaged is refused, never repaired by guessing: what it held can be made
//! again, because the outbox is on the chain; see `docs/workers.md`.

use redb::{Database, Durability, ReadableDatabase, ReadableTableMetadata, TableDefinition};
use std::{
    ops::Bound,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Longest key, in bytes.
pub const MAX_KEY: usize = 256;
/// Longest value, in bytes.
pub const MAX_VALUE: usize = 1 << 20;
/// Memory for pages that were read, in bytes.
const CACHE: usize = 4 << 20;

/// Why the store cannot be used. Whoever gets one stops: without memory a worker may do
/// work twice.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StoreProblem {
    /// The file cannot be opened: another process has it, it is damaged, or it may not be
    /// written.
    #[error("{path}: {reason}")]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Reading or writing failed.
    #[error("the worker's store: {0}")]
    Io(String),
    /// A key or value is longer than it may be.
    #[error("{what} of {bytes} bytes, expected at most {most}")]
    TooLong {
        /// `key` or `value`.
        what: &'static str,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        most: usize,
    },
}

type Entries = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// A part of the file with a name; parts do not see one another.
#[derive(Clone, Debug)]
pub struct Store {
    database: Arc<Database>,
    part: &'static str,
}

impl Store {
    /// Opens the file, or makes it; the part named `part`.
    pub fn open(path: &Path, part: &'static str) -> Result<Self, StoreProblem> {
        let open = |reason: String| StoreProblem::Open { path: path.to_owned(), reason };
        let database = Database::builder()
            .set_cache_size(CACHE)
            .create(path)
            .map_err(|error| open(error.to_string()))?;
        Self { database: Arc::new(database), part }.made().map_err(|error| open(error.to_string()))
    }

    /// Another part of the same file.
    pub fn part(&self, part: &'static str) -> Result<Self, StoreProblem> {
        Self { database: self.database.clone(), part }.made()
    }

    /// Makes the part's table, so that reads find it.
    fn made(self) -> Result<Self, StoreProblem> {
        let transaction = self.database.begin_write().map_err(io)?;
        transaction.open_table(self.table()).map_err(io)?;
        transaction.commit().map_err(io)?;
        Ok(self)
    }

    const fn table(&self) -> Entries {
        TableDefinition::new(self.part)
    }

    /// The value under a key.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreProblem> {
        let transaction = self.database.begin_read().map_err(io)?;
        let table = transaction.open_table(self.table()).map_err(io)?;
        let value = table.get(key).map_err(io)?;
        Ok(value.map(|value| value.value().to_vec()))
    }

    /// Puts one value, durably.
    pub fn put(&self, key: &[u8], value: &[u8]) -> Result<(), StoreProblem> {
        self.apply(&[(key.to_vec(), Some(value.to_vec()))])
    }

    /// Takes one value away, durably.
    pub fn remove(&self, key: &[u8]) -> Result<(), StoreProblem> {
        self.apply(&[(key.to_vec(), None)])
    }

    /// Puts values, or takes them away where there is none, all together and durably.
    pub fn apply(&self, changes: &[(Vec<u8>, Option<Vec<u8>>)]) -> Result<(), StoreProblem> {
        for (key, value) in changes {
            bounded("key", key, MAX_KEY)?;
            bounded("value", value.as_deref().unwrap_or_default(), MAX_VALUE)?;
        }
        let mut transaction = self.database.begin_write().map_err(io)?;
        transaction.set_durability(Durability::Immediate).map_err(io)?;
        {
            let mut table = transaction.open_table(self.table()).map_err(io)?;
            for (key, value) in changes {
                match value {
                    Some(value) => {
                        drop(table.insert(key.as_slice(), value.as_slice()).map_err(io)?)
                    }
                    None => drop(table.remove(key.as_slice()).map_err(io)?),
                }
            }
        }
        transaction.commit().map_err(io)
    }

    /// Entries whose keys begin with `prefix`, in the order of keys, after the key `after`:
    /// at most `limit`.
    pub fn entries(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreProblem> {
        let transaction = self.database.begin_read().map_err(io)?;
        let table = transaction.open_table(self.table()).map_err(io)?;
        let from = match after {
            Some(after) => Bound::Excluded(after),
            None => Bound::Included(prefix),
        };
        let mut found = Vec::new();
        for entry in table.range::<&[u8]>((from, Bound::Unbounded)).map_err(io)? {
            let (key, value) = entry.map_err(io)?;
            if found.len() >= limit || !key.value().starts_with(prefix) {
                break;
            }
            found.push((key.value().to_vec(), value.value().to_vec()));
        }
        Ok(found)
    }

    /// How many entries the part has.
    pub fn len(&self) -> Result<u64, StoreProblem> {
        let transaction = self.database.begin_read().map_err(io)?;
        transaction.open_table(self.table()).map_err(io)?.len().map_err(io)
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> Result<bool, StoreProblem> {
        Ok(self.len()? == 0)
    }
}

fn bounded(what: &'static str, bytes: &[u8], most: usize) -> Result<(), StoreProblem> {
    let bytes = bytes.len();
    if bytes <= most { Ok(()) } else { Err(StoreProblem::TooLong { what, bytes, most }) }
}

fn io(error: impl std::fmt::Display) -> StoreProblem {
    StoreProblem::Io(error.to_string())
}

#[cfg(test)]
mod tests;
