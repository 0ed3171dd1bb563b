//! The seal: how much of RocksDB's MANIFEST is known to be on disk.
//!
//! RocksDB takes a MANIFEST that ends early for one that a crash cut. It then
//! forgets the tables that the rest named, opens an older view beside newer
//! logs, and removes the forgotten files: the state would be wrong, and what
//! could mend it gone. A file cut from outside looks the same to it. So the
//! length of the MANIFEST that was synced, and the SM3 of these bytes, are kept
//! beside it in the file `seal`, and compared before RocksDB sees the
//! directory. What follows the sealed part may end anywhere: that is what a
//! crash leaves, and nothing rests on it yet.
//!
//! Every write renews the seal if the MANIFEST has grown. RocksDB appends to it
//! when it writes out or merges tables, not with each block: most blocks cost
//! the reading of `CURRENT` and one look at a file's length, the others two
//! more syncs.
//!
//! It does not cover what RocksDB appended between the last write and a crash,
//! nor a MANIFEST that was begun and not sealed before one. It is no defence
//! against somebody who writes a seal of their own.

use crate::StorageError;
use billchain_crypto::sm3::{Sm3, sm3};
use codec::{Decode, DecodeAll, Encode};
use parking_lot::Mutex;
use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// The seal's file, in RocksDB's directory, which leaves unknown names alone.
const FILE: &str = "seal";
/// RocksDB's file that names the MANIFEST in use.
const CURRENT: &str = "CURRENT";
/// First bytes of the file: name and version of the format.
const MAGIC: &[u8; 8] = b"BCSEAL01";
/// Bytes of the MANIFEST read at once.
const CHUNK: usize = 64 << 10;
/// Longest `CURRENT` and longest seal that are read.
const MAX_SMALL_FILE: u64 = 1024;

/// What the seal's file says, between the magic and the SM3 of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Record {
    /// Number of the MANIFEST.
    manifest: u64,
    /// Bytes of it that are on disk.
    length: u64,
    /// SM3 of these bytes.
    hash: [u8; 32],
}

impl Record {
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        self.encode_to(&mut bytes);
        let sum = sm3(&bytes);
        bytes.extend(sum);
        bytes
    }

    /// A seal of some MANIFEST, for fuzzers to begin with.
    pub(crate) fn sample() -> Self {
        Self { manifest: 7, length: 4096, hash: [9; 32] }
    }

    /// `None` if the bytes are not a whole seal.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (body, sum) = bytes.split_at_checked(bytes.len().checked_sub(32)?)?;
        if sm3(body) != sum {
            return None;
        }
        Self::decode_all(&mut body.strip_prefix(MAGIC)?).ok()
    }
}

/// Keeps the seal of one database directory.
pub(crate) struct Seal {
    directory: PathBuf,
    sealed: Mutex<Sealed>,
}

/// The part of the MANIFEST that is sealed.
#[derive(Clone, Default)]
struct Sealed {
    manifest: u64,
    length: u64,
    hash: Sm3,
}

impl Seal {
    /// For the database in `directory`, which is open or about to be made.
    pub(crate) fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), sealed: Mutex::default() }
    }

    /// Compares the seal in `directory` with its MANIFEST, before RocksDB
    /// opens it. Changes nothing.
    pub(crate) fn check(directory: &Path) -> Result<(), StorageError> {
        let seal = Self::new(directory);
        let bytes = seal.read_small(FILE)?;
        let record = Record::from_bytes(&bytes)
            .ok_or_else(|| seal.damaged(format!("the file {FILE} is damaged")))?;
        let current = seal.current()?;
        if current > record.manifest {
            // RocksDB began a new MANIFEST, whole when it became current, and
            // the process ended before it was sealed.
            return Ok(());
        }
        let name = manifest_name(record.manifest);
        if current < record.manifest {
            let found = manifest_name(current);
            return Err(seal.damaged(format!("{CURRENT} names {found}, expected {name}")));
        }
        let file = seal.open(&name).map_err(|error| seal.unreadable(&name, error))?;
        let mut found = Sealed { manifest: current, ..Sealed::default() };
        found
            .read(file.take(record.length))
            .map_err(|source| seal.io_error("read", &name, source))?;
        if found.length < record.length {
            return Err(seal.damaged(format!(
                "{name} has {} bytes, expected at least {}",
                found.length, record.length
            )));
        }
        if found.hash.finalize() != record.hash {
            return Err(seal.damaged(format!(
                "the first {} bytes of {name} are not those that were written",
                record.length
            )));
        }
        Ok(())
    }

    /// Seals what RocksDB appended to its MANIFEST since the last time.
    pub(crate) fn renew(&self) -> Result<(), StorageError> {
        let mut sealed = self.sealed.lock();
        loop {
            let current = self.current()?;
            let name = manifest_name(current);
            let path = self.directory.join(&name);
            let mut next = if current == sealed.manifest {
                match fs::metadata(&path) {
                    Ok(metadata) if metadata.len() == sealed.length => return Ok(()),
                    _ => sealed.clone(),
                }
            } else {
                Sealed { manifest: current, ..Sealed::default() }
            };
            let mut file = match File::open(&path) {
                Ok(file) => file,
                // Replaced by the next one since `CURRENT` was read.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    if self.current()? == current {
                        return Err(self.unreadable(&name, error));
                    }
                    continue;
                }
                Err(error) => return Err(self.unreadable(&name, error)),
            };
            file.seek(SeekFrom::Start(next.length))
                .and_then(|_| next.read(&file))
                // What was just read may not be on disk yet.
                .and_then(|()| file.sync_data())
                .map_err(|source| self.io_error("seal", &name, source))?;
            self.write(&next).map_err(|source| self.io_error("write", FILE, source))?;
            *sealed = next;
            return Ok(());
        }
    }

    /// Puts a new seal in the place of the old one, durably and whole.
    fn write(&self, sealed: &Sealed) -> io::Result<()> {
        let record = Record {
            manifest: sealed.manifest,
            length: sealed.length,
            hash: sealed.hash.clone().finalize(),
        };
        let path = self.directory.join(FILE);
        let partial = path.with_extension("partial");
        let mut file = File::create(&partial)?;
        file.write_all(&record.to_bytes())?;
        file.sync_all()?;
        fs::rename(&partial, &path)?;
        File::open(&self.directory)?.sync_all()
    }

    /// Number of the MANIFEST that `CURRENT` names.
    fn current(&self) -> Result<u64, StorageError> {
        let text = self.read_small(CURRENT)?;
        manifest_number(&text)
            .ok_or_else(|| self.damaged(format!("{CURRENT} does not name a MANIFEST")))
    }

    fn read_small(&self, name: &str) -> Result<Vec<u8>, StorageError> {
        let mut bytes = Vec::new();
        self.open(name)
            .and_then(|file| file.take(MAX_SMALL_FILE).read_to_end(&mut bytes))
            .map_err(|error| self.unreadable(name, error))?;
        Ok(bytes)
    }

    fn open(&self, name: &str) -> io::Result<File> {
        File::open(self.directory.join(name))
    }

    /// A file that must be there and cannot be opened.
    fn unreadable(&self, name: &str, error: io::Error) -> StorageError {
        match error.kind() {
            io::ErrorKind::NotFound => self.damaged(format!("the file {name} is missing")),
            _ => self.io_error("read", name, error),
        }
    }

    fn io_error(&self, action: &'static str, name: &str, source: io::Error) -> StorageError {
        StorageError::Io { action, path: self.directory.join(name), source }
    }

    fn damaged(&self, what: String) -> StorageError {
        StorageError::Corrupt {
            what: format!(
                "{what}; put back a copy of the data directory, or move it away and fetch the \
                 chain from other nodes"
            ),
            path: self.directory.clone(),
        }
    }
}

impl Sealed {
    /// Takes in `more` of the MANIFEST, up to its end.
    fn read(&mut self, mut more: impl Read) -> io::Result<()> {
        let mut chunk = vec![0; CHUNK];
        loop {
            match more.read(&mut chunk) {
                Ok(0) => return Ok(()),
                Ok(count) => {
                    self.hash.update(&chunk[..count]);
                    self.length += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn manifest_name(number: u64) -> String {
    format!("MANIFEST-{number:06}")
}

/// The number in `MANIFEST-<digits>\n`, as RocksDB writes it.
fn manifest_number(current: &[u8]) -> Option<u64> {
    let name = core::str::from_utf8(current.strip_suffix(b"\n")?).ok()?;
    let number = name.strip_prefix("MANIFEST-")?.parse().ok()?;
    (manifest_name(number) == name).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_reads_back_and_a_damaged_one_does_not() {
        let record = Record::sample();
        let bytes = record.to_bytes();
        assert_eq!(Record::from_bytes(&bytes), Some(record));
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 1;
            assert_eq!(Record::from_bytes(&bad), None, "flipped at {at}");
            assert_eq!(Record::from_bytes(&bytes[..at]), None, "cut at {at}");
        }
        assert_eq!(Record::from_bytes(&[bytes, vec![0]].concat()), None);
    }

    #[test]
    fn current_names_a_manifest_in_one_form_only() {
        for (text, expected) in [
            ("MANIFEST-000005\n", Some(5)),
            ("MANIFEST-1234567\n", Some(1_234_567)),
            ("MANIFEST-000005", None),
            ("MANIFEST-5\n", None),
            ("MANIFEST-+00005\n", None),
            ("MANIFEST-\n", None),
            ("manifest-000005\n", None),
            ("MANIFEST-99999999999999999999999\n", None),
            ("", None),
        ] {
            assert_eq!(manifest_number(text.as_bytes()), expected, "{text:?}");
        }
    }
}
