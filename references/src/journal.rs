//! The log of who asked how much: one line of JSON an entry, each with the SM3 of all
//! before it, so that nothing in the middle can be changed or left out.
//!
//! What was cut off at the end shows in the newest hash, which `/health` tells: an auditor
//! who keeps one finds out. An answer is given only when its entry is on the disk. Files
//! have a bounded length and number; when the oldest goes, the chain begins with the hash
//! that the next one names. A last line that a crash cut was never answered and goes.

use billchain_crypto::sm3::sm3;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
};

/// Longest line, in bytes.
pub const MAX_LINE: usize = 1024;

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// From 1.
    pub number: u64,
    /// Milliseconds since 1970.
    pub time_ms: u64,
    /// Who asked.
    pub requester: String,
    /// From where.
    pub address: String,
    /// Id of the key.
    pub key: String,
    /// How many elements.
    pub elements: u32,
    /// Questions of this requester that were refused since its entry before.
    pub refused: u64,
    /// Hash of the entry before; zeros for the first.
    pub previous: String,
    /// SM3 of the line without this field.
    pub hash: String,
}

/// What is appended.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    /// Milliseconds since 1970.
    pub time_ms: u64,
    /// Who asked.
    pub requester: &'a str,
    /// From where.
    pub address: &'a str,
    /// Id of the key.
    pub key: &'a str,
    /// How many elements.
    pub elements: u32,
    /// Questions that were refused since.
    pub refused: u64,
}

/// What is wrong with a log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The system refuses.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line that is no entry, or not the one that has to follow.
    #[error("{}, line {line}: {problem}", .path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: u64,
        /// What is wrong.
        problem: String,
    },
}

impl Entry {
    /// Reads a line without its end.
    ///
    /// # Errors
    /// In words, what is wrong.
    pub fn from_line(line: &[u8]) -> Result<Self, String> {
        if line.len() > MAX_LINE {
            return Err(format!("{} bytes: expected at most {MAX_LINE}", line.len()));
        }
        let entry: Self = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        if entry.to_line() != line {
            return Err("not written as a log writes it".into());
        }
        let expected = entry.expected_hash();
        if entry.hash != expected {
            return Err(format!("its hash is {expected}, it says {}", entry.hash));
        }
        Ok(entry)
    }

    /// With the hash that it has to have.
    pub fn sealed(self) -> Self {
        let hash = self.expected_hash();
        Self { hash, ..self }
    }

    /// The line, without its end.
    pub fn to_line(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("text and numbers are JSON")
    }

    fn expected_hash(&self) -> String {
        let bare = Self { hash: String::new(), ..self.clone() };
        hex::encode(sm3(&bare.to_line()))
    }
}

/// How large a log gets.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Bytes of a file, about.
    pub file_bytes: u64,
    /// Files that are kept.
    pub files: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { file_bytes: 16 << 20, files: 1024 }
    }
}

/// Where a chain ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Number of the newest entry, 0 before the first.
    pub number: u64,
    /// Its hash.
    pub hash: String,
}

impl Head {
    fn start() -> Self {
        Self { number: 0, hash: hex::encode([0; 32]) }
    }
}

/// A log that is written.
#[derive(Debug)]
pub struct Journal {
    directory: PathBuf,
    bounds: Bounds,
    file: File,
    path: PathBuf,
    bytes: u64,
    head: Head,
    failed: bool,
}

impl Journal {
    /// Opens the log of a directory, which is made if it is not there. All of it is
    /// checked, and `see` gets each entry, oldest first.
    ///
    /// # Errors
    /// A [`JournalError`]: with a log that was changed, no service starts.
    pub fn open(
        directory: &Path,
        bounds: Bounds,
        see: impl FnMut(&Entry),
    ) -> Result<Self, JournalError> {
        fs::create_dir_all(directory).map_err(at(directory))?;
        let head = read(directory, Tail::Cut, see)?;
        let path = files(directory)?.pop().unwrap_or_else(|| name(directory, head.number + 1));
        let file = append_to(&path).map_err(at(&path))?;
        let bytes = file.metadata().map_err(at(&path))?.len();
        let directory = directory.to_owned();
        Ok(Self { directory, bounds, file, path, bytes, head, failed: false })
    }

    /// Where the chain ends.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Whether a write failed, after which nothing is written any more.
    pub fn has_failed(&self) -> bool {
        self.failed
    }

    /// Writes an entry to the disk.
    ///
    /// # Errors
    /// What the system says. After that, nothing is written any more: what is on the disk
    /// is not known, until the log is opened again.
    pub fn append(&mut self, record: &Record<'_>) -> Result<(), JournalError> {
        if self.failed {
            let source = io::Error::other("an earlier write failed: start the service again");
            return Err(JournalError::Io { path: self.path.clone(), source });
        }
        let written = self.try_append(record);
        self.failed = written.is_err();
        written
    }

    fn try_append(&mut self, record: &Record<'_>) -> Result<(), JournalError> {
        if self.bytes >= self.bounds.file_bytes {
            self.turn()?;
        }
        let entry = Entry {
            number: self.head.number + 1,
            time_ms: record.time_ms,
            requester: record.requester.to_owned(),
            address: record.address.to_owned(),
            key: record.key.to_owned(),
            elements: record.elements,
            refused: record.refused,
            previous: self.head.hash.clone(),
            hash: String::new(),
        }
        .sealed();
        let mut line = entry.to_line();
        line.push(b'\n');
        let written = self.file.write_all(&line).and_then(|()| self.file.sync_data());
        written.map_err(at(&self.path))?;
        self.bytes += line.len() as u64;
        self.head = Head { number: entry.number, hash: entry.hash };
        Ok(())
    }

    /// Goes on in a new file; the oldest one goes if there are too many.
    fn turn(&mut self) -> Result<(), JournalError> {
        let path = name(&self.directory, self.head.number + 1);
        self.file = append_to(&path).map_err(at(&path))?;
        (self.path, self.bytes) = (path, 0);
        let all = files(&self.directory)?;
        for old in &all[..all.len().saturating_sub(self.bounds.files.max(1))] {
            fs::remove_file(old).map_err(at(old))?;
        }
        let directory = File::open(&self.directory).and_then(|directory| directory.sync_all());
        directory.map_err(at(&self.directory))
    }
}

/// Checks a log, and says where it begins and ends.
///
/// # Errors
/// A [`JournalError`] with file and line.
pub fn verify(directory: &Path) -> Result<(u64, Head), JournalError> {
    let mut first = None;
    let head = read(directory, Tail::Refuse, |entry| {
        first.get_or_insert(entry.number);
    })?;
    Ok((first.unwrap_or(0), head))
}

/// What is done with a last line that has no end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tail {
    Cut,
    Refuse,
}

fn read(directory: &Path, tail: Tail, mut see: impl FnMut(&Entry)) -> Result<Head, JournalError> {
    let mut head: Option<Head> = None;
    let all = files(directory)?;
    for (position, path) in all.iter().enumerate() {
        let file = File::open(path).map_err(at(path))?;
        let mut input = BufReader::new(file);
        let (mut number, mut whole) = (0, 0u64);
        loop {
            let mut line = Vec::new();
            let limit = MAX_LINE as u64 + 1;
            (&mut input).take(limit).read_until(b'\n', &mut line).map_err(at(path))?;
            if line.is_empty() {
                break;
            }
            number += 1;
            let broken = |problem: String| JournalError::Broken {
                path: path.clone(),
                line: number,
                problem,
            };
            if line.pop() != Some(b'\n') {
                let is_last = position + 1 == all.len() && line.len() < MAX_LINE;
                if tail == Tail::Cut && is_last {
                    cut(path, whole).map_err(at(path))?;
                    break;
                }
                return Err(broken("it has no end".into()));
            }
            let entry = Entry::from_line(&line).map_err(broken)?;
            follows(head.as_ref(), &entry).map_err(broken)?;
            see(&entry);
            whole += line.len() as u64 + 1;
            head = Some(Head { number: entry.number, hash: entry.hash });
        }
    }
    Ok(head.unwrap_or_else(Head::start))
}

/// The first entry that is kept may be any.
fn follows(head: Option<&Head>, entry: &Entry) -> Result<(), String> {
    let start = Head::start();
    let head = match head {
        Some(head) => head,
        None if entry.number == 1 => &start,
        None => return Ok(()),
    };
    if entry.number != head.number + 1 {
        return Err(format!("entry {} follows {}", entry.number, head.number));
    }
    if entry.previous != head.hash {
        return Err(format!("the entry before has hash {}, it says {}", head.hash, entry.previous));
    }
    Ok(())
}

fn cut(path: &Path, length: u64) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    file.set_len(length)?;
    file.sync_all()
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

fn at(path: &Path) -> impl Fn(io::Error) -> JournalError {
    |source| JournalError::Io { path: path.to_owned(), source }
}

/// A file is named for its first entry.
fn name(directory: &Path, first: u64) -> PathBuf {
    directory.join(format!("asked-{first:020}.jsonl"))
}

fn files(directory: &Path) -> Result<Vec<PathBuf>, JournalError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(at(directory))? {
        let path = entry.map_err(at(directory))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("asked-") && name.ends_with(".jsonl") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests;
