//! Files that a segment is written to, until it is whole.

use crate::{ColdError, index::Extent};
use billchain_crypto::sm3::sm3;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write as _},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

const BUFFER: usize = 1 << 20;

/// A file that is appended to.
pub(crate) struct Output {
    name: String,
    file: BufWriter<File>,
    at: u64,
}

impl Output {
    fn create(path: &Path) -> Result<Self, ColdError> {
        let name = path.display().to_string();
        // Another writer's leftovers may be there, and may not be writable.
        let _ = fs::remove_file(path);
        let file = OpenOptions::new().create_new(true).read(true).write(true).open(path);
        let failed = |source| ColdError::Io { action: "make", name: name.clone(), source };
        let file = BufWriter::with_capacity(BUFFER, file.map_err(failed)?);
        Ok(Self { name, file, at: 0 })
    }

    /// Its length.
    pub(crate) const fn at(&self) -> u64 {
        self.at
    }

    /// Appends bytes.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), ColdError> {
        self.file.write_all(bytes).map_err(|error| self.failed("write", error))?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// Appends something that is referred to; where it is.
    pub(crate) fn append_extent(&mut self, bytes: &[u8]) -> Result<Extent, ColdError> {
        let length = u32::try_from(bytes.len())
            .map_err(|_| self.failed("write", io::ErrorKind::FileTooLarge.into()))?;
        let extent = Extent { offset: self.at, length, digest: sm3(bytes) };
        self.append(bytes)?;
        Ok(extent)
    }

    /// Makes what was appended readable.
    pub(crate) fn flush(&mut self) -> Result<(), ColdError> {
        self.file.flush().map_err(|error| self.failed("write", error))
    }

    /// Reads what was flushed.
    pub(crate) fn read_back(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ColdError> {
        let read = self.file.get_ref().read_exact_at(buffer, offset);
        read.map_err(|error| self.failed("read", error))
    }

    /// Makes the file durable, and unwritable; its length.
    pub(crate) fn sync(mut self) -> Result<u64, ColdError> {
        self.flush()?;
        let file = self.file.get_ref();
        let sealed = file.metadata().and_then(|metadata| {
            let mut permissions = metadata.permissions();
            permissions.set_readonly(true);
            file.set_permissions(permissions)?;
            file.sync_all()
        });
        sealed.map_err(|error| self.failed("sync", error))?;
        Ok(self.at)
    }

    pub(crate) fn failed(&self, action: &'static str, source: io::Error) -> ColdError {
        ColdError::Io { action, name: self.name.clone(), source }
    }
}

/// The files of a segment that is not whole yet; dropped, they are removed.
pub(crate) struct Pending {
    path: PathBuf,
    partial: PathBuf,
    leaves: PathBuf,
}

impl Pending {
    /// Refuses if the segment is there.
    pub(crate) fn new(path: &Path) -> Result<Self, ColdError> {
        let name = path.display().to_string();
        match path.try_exists() {
            Ok(false) => {}
            Ok(true) => return Err(ColdError::Exists { name }),
            Err(source) => return Err(ColdError::Io { action: "look for", name, source }),
        }
        let beside = |ending: &str| {
            let mut name = path.file_name().unwrap_or_default().to_owned();
            name.push(ending);
            path.with_file_name(name)
        };
        Ok(Self { path: path.to_owned(), partial: beside(".partial"), leaves: beside(".leaves") })
    }

    pub(crate) fn segment(&self) -> Result<Output, ColdError> {
        Output::create(&self.partial)
    }

    pub(crate) fn leaves(&self) -> Result<Output, ColdError> {
        Output::create(&self.leaves)
    }

    /// The leaves are in the segment.
    pub(crate) fn drop_leaves(&self) {
        let _ = fs::remove_file(&self.leaves);
    }

    /// Gives the synced file its name, durably.
    pub(crate) fn publish(self) -> Result<(), ColdError> {
        let failed = |action| {
            let name = self.path.display().to_string();
            move |source| ColdError::Io { action, name, source }
        };
        fs::rename(&self.partial, &self.path).map_err(failed("give its name to"))?;
        let directory = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let directory = directory.unwrap_or(Path::new("."));
        File::open(directory)
            .and_then(|directory| directory.sync_all())
            .map_err(failed("sync the directory of"))
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        // Nothing is there after it was published.
        let _ = fs::remove_file(&self.partial);
        let _ = fs::remove_file(&self.leaves);
    }
}
