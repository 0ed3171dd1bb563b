//! Checks a log without a node: every line, and the heads that the chain knows.

use super::{
    LogError, LogHead,
    lines::{self, Entry, MAX_LINE},
};
use std::{
    fmt,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

/// Where a log is broken, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// The segment.
    pub file: PathBuf,
    /// The line in it, from 1.
    pub line: u64,
    /// What is wrong.
    pub reason: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}: {}", self.file.display(), self.line, self.reason)
    }
}

impl std::error::Error for Broken {}

/// A log that is whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verified {
    /// Name of the node.
    pub node: String,
    /// Number of the first line that is kept.
    pub first: u64,
    /// The last line.
    pub head: LogHead,
    /// Segments that were read.
    pub segments: usize,
    /// The heads that were asked for and whose lines are no longer kept.
    pub not_kept: Vec<u64>,
}

/// Checks every line of a log, and that the lines of these heads, which the chain knows, are
/// what they were.
pub fn verify(directory: &Path, anchors: &[LogHead]) -> Result<Verified, LogError> {
    let said = |source| LogError::Io { path: directory.into(), source };
    let segments = lines::segments(directory).map_err(said)?;
    let mut all: Option<Verified> = None;
    let mut known = Known { anchors, found: vec![false; anchors.len()] };
    for segment in &segments {
        let path = lines::file(directory, *segment);
        let broken = |(line, reason)| Broken { file: path.clone(), line, reason };
        let mut wrong = None;
        let read = Segment::read(&path, |head, line| {
            if let Err(reason) = known.meet(head) {
                wrong.get_or_insert((line, reason));
            }
        })?;
        if let Some(flaw) = read.broken.clone().or(wrong) {
            return Err(broken(flaw).into());
        }
        if let Some(before) = &all {
            read.follows(before).map_err(|reason| broken((1, reason)))?;
        }
        let first = all.as_ref().map_or(read.before.number + 1, |all| all.first);
        let segments = all.map_or(0, |all| all.segments) + 1;
        let not_kept = Vec::new();
        all = Some(Verified { node: read.node, first, head: read.head, segments, not_kept });
    }
    let none = || said(io::Error::new(io::ErrorKind::NotFound, "no segment of a log is there"));
    let mut all = all.ok_or_else(none)?;
    let file = lines::file(directory, segments.last().copied().unwrap_or(0));
    let not_kept = known.left(all.head);
    all.not_kept = not_kept.map_err(|reason| Broken { file, line: 0, reason })?;
    Ok(all)
}

/// Heads that are known from elsewhere, and which of them were met.
struct Known<'a> {
    anchors: &'a [LogHead],
    found: Vec<bool>,
}

impl Known<'_> {
    /// A line of the log.
    fn meet(&mut self, head: LogHead) -> Result<(), String> {
        for (anchor, found) in self.anchors.iter().zip(&mut self.found) {
            if anchor.number == head.number {
                *found = true;
                if anchor.hash != head.hash {
                    return Err(format!("number {} is anchored with another hash", head.number));
                }
            }
        }
        Ok(())
    }

    /// Those that the log does not keep any more; beyond its end is none.
    fn left(&self, head: LogHead) -> Result<Vec<u64>, String> {
        let missed = self.anchors.iter().zip(&self.found).filter(|(_, found)| !**found);
        let mut not_kept = Vec::new();
        for number in missed.map(|(anchor, _)| anchor.number).filter(|number| *number > 0) {
            if number > head.number {
                let end = head.number;
                return Err(format!("it ends at number {end}, and number {number} is anchored"));
            }
            not_kept.push(number);
        }
        Ok(not_kept)
    }
}

/// A segment that was read.
pub(super) struct Segment {
    pub(super) node: String,
    /// What its first line follows.
    pub(super) before: LogHead,
    /// Its last good line.
    pub(super) head: LogHead,
    /// Bytes up to the end of that.
    pub(super) whole: u64,
    /// The first line that is wrong, and why.
    pub(super) broken: Option<(u64, String)>,
    /// Whether that is the file's end without a line feed.
    pub(super) is_torn: bool,
}

impl Segment {
    /// Reads a segment up to its first wrong line; tells each good one's head and place.
    pub(super) fn read(path: &Path, mut tell: impl FnMut(LogHead, u64)) -> Result<Self, LogError> {
        let said = |source| LogError::Io { path: path.into(), source };
        let mut reader = BufReader::with_capacity(64 << 10, File::open(path).map_err(said)?);
        let nothing = LogHead { number: 0, hash: lines::GENESIS };
        let mut read = Self {
            node: String::new(),
            before: nothing,
            head: nothing,
            whole: 0,
            broken: None,
            is_torn: false,
        };
        for number in 1_u64.. {
            let line = match next(&mut reader).map_err(said)? {
                Line::None if number == 1 => {
                    (read.broken, read.is_torn) = (Some((1, "there is no header".into())), true);
                    break;
                }
                Line::None => break,
                Line::Torn => {
                    (read.broken, read.is_torn) = (Some((number, "it has no end".into())), true);
                    break;
                }
                Line::TooLong => {
                    read.broken = Some((number, "it is too long".into()));
                    break;
                }
                Line::Whole(line) => line,
            };
            let took = if number == 1 { read.begin(&line) } else { read.follow(&line) };
            if let Err(reason) = took {
                read.broken = Some((number, reason));
                break;
            }
            read.whole += line.len() as u64 + 1;
            if number > 1 {
                tell(read.head, number);
            }
        }
        Ok(read)
    }

    /// Whether it goes on where the segments before ended.
    fn follows(&self, before: &Verified) -> Result<(), String> {
        if self.before != before.head {
            let number = before.head.number;
            return Err(format!("it does not follow line {number} of the segment before"));
        }
        match self.node == before.node {
            true => Ok(()),
            false => Err(format!("it is of node \"{}\"", self.node)),
        }
    }

    fn begin(&mut self, line: &[u8]) -> Result<(), String> {
        let (header, previous) = lines::header(line)?;
        let number = header.first.checked_sub(1).ok_or("first: expected a number from 1")?;
        self.before = LogHead { number, hash: previous };
        (self.head, self.node) = (self.before, header.node);
        Ok(())
    }

    fn follow(&mut self, line: &[u8]) -> Result<(), String> {
        let (hash, json) = lines::split(line)?;
        if hash != lines::hash(&self.head.hash, json) {
            return Err("its hash does not follow from the line before".into());
        }
        let entry: Entry =
            serde_json::from_slice(json).map_err(|error| format!("no entry: {error}"))?;
        if Some(entry.n) != self.head.number.checked_add(1) {
            return Err(format!(
                "expected number {}, found {}",
                self.head.number.saturating_add(1),
                entry.n
            ));
        }
        self.head = LogHead { number: entry.n, hash };
        Ok(())
    }
}

pub(super) enum Line {
    None,
    Torn,
    TooLong,
    /// Without its line feed.
    Whole(Vec<u8>),
}

/// The next line, of which no more is read than a line may have.
pub(super) fn next(reader: &mut impl BufRead) -> io::Result<Line> {
    let mut line = Vec::new();
    reader.by_ref().take(MAX_LINE as u64 + 1).read_until(b'\n', &mut line)?;
    Ok(match line.pop() {
        None => Line::None,
        Some(b'\n') => Line::Whole(line),
        Some(_) if line.len() >= MAX_LINE => Line::TooLong,
        Some(_) => Line::Torn,
    })
}
