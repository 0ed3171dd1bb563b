//! Looks for lines in a log, a part at a time.

use super::{
    LogError,
    lines::{self, Entry},
    verify::{Line, next},
};
use std::{
    fs::File,
    io::{BufReader, Seek, SeekFrom},
    path::Path,
};

/// Bytes that one search reads.
const MAX_READ: u64 = 16 << 20;
/// Lines that one search gives.
pub(crate) const MAX_FOUND: usize = 100;

/// What is looked for: all of what is there must hold.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Query {
    /// First moment, in milliseconds since 1970.
    pub from: Option<u64>,
    /// Last moment.
    pub to: Option<u64>,
    /// Name of the identity.
    pub who: Option<String>,
    /// DID of its participant.
    pub did: Option<String>,
    /// Beginning of the method's name.
    pub method: Option<String>,
    /// What it was about, as the log has it.
    pub about: Option<String>,
    /// Address that it came from.
    pub address: Option<String>,
    /// Code of the outcome.
    pub code: Option<i32>,
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Found {
    /// Lines, oldest first.
    pub entries: Vec<Entry>,
    /// Where to go on: there may be more, were there none in this part.
    pub next: Option<String>,
}

impl Query {
    fn is_met_by(&self, entry: &Entry) -> bool {
        let is = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
        };
        self.from.is_none_or(|from| from <= entry.at)
            && self.to.is_none_or(|to| entry.at <= to)
            && is(&self.who, Some(&entry.who))
            && is(&self.did, entry.did.as_deref())
            && is(&self.about, entry.about.as_deref())
            && is(&self.address, Some(&entry.from))
            && self.method.as_deref().is_none_or(|method| entry.method.starts_with(method))
            && self.code.is_none_or(|code| code == entry.code)
    }
}

/// Looks through at most 16 MiB, from the beginning or where the part before ended, for at
/// most `limit` lines, 100 at most.
///
/// # Errors
/// A cursor that is none, and files that cannot be read. Lines that are wrong are passed over:
/// whether the log is whole, [`super::verify`] says.
pub fn search(
    directory: &Path,
    query: &Query,
    cursor: Option<&str>,
    limit: usize,
) -> Result<Result<Found, &'static str>, LogError> {
    let limit = limit.clamp(1, MAX_FOUND);
    let said = |source| LogError::Io { path: directory.into(), source };
    let segments = lines::segments(directory).map_err(said)?;
    let Some((mut segment, mut at)) = place(cursor, &segments) else {
        return Ok(Err("expected `next` of the part before"));
    };
    let (mut found, mut read) = (Found::default(), 0);
    loop {
        let path = lines::file(directory, segment);
        let said = |source| LogError::Io { path: path.clone(), source };
        let opened = match File::open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            other => Some(other.map_err(said)?),
        };
        if let Some(mut file) = opened {
            file.seek(SeekFrom::Start(at)).map_err(said)?;
            let mut reader = BufReader::with_capacity(64 << 10, file);
            // A torn line is being written.
            while let Line::Whole(line) = next(&mut reader).map_err(said)? {
                let length = line.len() as u64 + 1;
                (at, read) = (at + length, read + length);
                let entry = lines::split(&line)
                    .ok()
                    .and_then(|(_, json)| serde_json::from_slice(json).ok());
                found.entries.extend(entry.filter(|entry| query.is_met_by(entry)));
                if found.entries.len() == limit || read >= MAX_READ {
                    found.next = Some(format!("{segment}.{at}"));
                    return Ok(Ok(found));
                }
            }
        }
        let Some(next) = segments.iter().find(|other| **other > segment) else {
            return Ok(Ok(found));
        };
        (segment, at) = (*next, 0);
    }
}

fn place(cursor: Option<&str>, segments: &[u32]) -> Option<(u32, u64)> {
    let Some(cursor) = cursor else { return Some((segments.first().copied().unwrap_or(0), 0)) };
    let (segment, at) = cursor.split_once('.')?;
    if segment.len() > 10 || at.len() > 20 {
        return None;
    }
    Some((segment.parse().ok()?, at.parse().ok()?))
}
