//! What a segment is read from.

use crate::ColdError;
use std::{
    fs::File,
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Bytes that never change, on a local disk, a mounted one or in an object store.
///
/// Every read is one call; no call depends on another. A read that fails may be tried again.
pub trait Source: Send + Sync {
    /// What errors call it: a path, or an address without credentials.
    fn name(&self) -> String;

    /// Its length in bytes.
    fn length(&self) -> io::Result<u64>;

    /// Fills `buffer` with what is at `offset`. Fails if there is less.
    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;
}

/// A file of a local or a mounted file system.
#[derive(Debug)]
pub struct LocalFile {
    path: PathBuf,
    file: File,
}

impl LocalFile {
    /// Opens the file for reading.
    pub fn open(path: &Path) -> Result<Self, ColdError> {
        let failed =
            |source| ColdError::Io { action: "open", name: path.display().to_string(), source };
        Ok(Self { path: path.to_owned(), file: File::open(path).map_err(failed)? })
    }
}

impl Source for LocalFile {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset)
    }
}

/// A segment in memory, as it came from a peer.
impl Source for Vec<u8> {
    fn name(&self) -> String {
        "a segment in memory".into()
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let found = start.checked_add(buffer.len()).and_then(|end| self.get(start..end));
        buffer.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

impl<S: Source + ?Sized> Source for Arc<S> {
    fn name(&self) -> String {
        (**self).name()
    }

    fn length(&self) -> io::Result<u64> {
        (**self).length()
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        (**self).read_exact_at(offset, buffer)
    }
}
