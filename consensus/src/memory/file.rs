//! The file of the signing memory.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::record::{Contents, FILE_BYTES, Record, Slot, parse};

/// What the file lies on. In tests it fails on demand.
pub(super) trait Medium: Send {
    /// Overwrites bytes within the file.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Returns when what was written survives a power failure.
    fn sync(&mut self) -> io::Result<()>;
}

impl Medium for File {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn sync(&mut self) -> io::Result<()> {
        // The file keeps its length, so its data is all there is to sync.
        self.sync_data()
    }
}

/// The record on disk.
pub(super) struct RecordFile<M> {
    medium: M,
    newest: Slot,
}

impl<M: Medium> RecordFile<M> {
    pub(super) fn new(medium: M, newest: Slot) -> Self {
        Self { medium, newest }
    }

    pub(super) fn record(&self) -> &Record {
        &self.newest.record
    }

    /// Replaces the record. When it fails, what the file holds is unknown: it is
    /// the old record or the new one, and this must not be called again.
    pub(super) fn replace(&mut self, record: Record) -> io::Result<()> {
        let slot = Slot { sequence: self.newest.sequence + 1, record };
        self.medium.write_at(Slot::offset(slot.sequence), &slot.to_bytes())?;
        self.medium.sync()?;
        self.newest = slot;
        Ok(())
    }
}

/// Reads a file; `None` if there is none.
pub(super) fn read(path: &Path) -> io::Result<Option<Contents>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::with_capacity(FILE_BYTES);
    file.take(FILE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(Some(parse(&bytes)))
}

/// Opens the file that [`read`] has found this record in.
pub(super) fn open(path: &Path, newest: Slot) -> io::Result<RecordFile<File>> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    Ok(RecordFile::new(file, newest))
}

/// Writes a file with this record, in place of one that is there. It is whole or
/// not there at all, whenever the power fails.
pub(super) fn create(path: &Path, record: Record) -> io::Result<RecordFile<File>> {
    let directory = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let slot = Slot { sequence: 0, record };
    let mut bytes = vec![0; FILE_BYTES];
    let slot_bytes = slot.to_bytes();
    bytes[..slot_bytes.len()].copy_from_slice(&slot_bytes);
    let partial = partial_path(path);
    let mut file = File::create(&partial)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    fs::rename(&partial, path)?;
    File::open(directory)?.sync_all()?;
    open(path, slot)
}

fn partial_path(path: &Path) -> PathBuf {
    path.with_extension("partial")
}
