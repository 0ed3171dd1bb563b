//! What the journal finds when it opens.

use super::{
    Journal, JournalConfig, JournalError, KeptTransaction, OpenJournal, Shared,
    books::{Books, Place, Segment},
    format::{Contents, parse},
    io_error, segment_path, writer,
};
use crate::JournalMetrics;
use billchain_primitives::Hash;
use foldhash::HashMap;
use parking_lot::{Condvar, Mutex};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read},
    path::Path,
    sync::{Arc, atomic::AtomicU64},
};

/// Longest file that is read: far longer than any that is written.
const MAX_FILE_BYTES: u64 = 64 << 20;

pub(super) fn open(config: JournalConfig) -> Result<OpenJournal, JournalError> {
    let directory = &config.directory;
    fs::create_dir_all(directory).map_err(io_error("make", directory))?;
    let numbers = segments(directory).map_err(io_error("list", directory))?;
    let metrics = JournalMetrics::default();
    let mut books = Books::default();
    let mut kept: HashMap<Hash, KeptTransaction> = HashMap::default();
    for number in &numbers {
        let path = segment_path(directory, *number);
        let contents = read(&path, *number)?;
        metrics.damaged.inc_by(contents.damage.len() as u64);
        books.segments.insert(*number, Segment { bytes: contents.end, ..Segment::default() });
        for found in contents.records {
            let (segment, offset, size) = (*number, found.offset, found.size());
            books.store(found.hash, Place { segment, offset, size });
            let (sender, nonce, hash) = (found.sender, found.nonce, found.hash);
            kept.insert(hash, KeptTransaction { sender, nonce, hash });
        }
    }
    let used = books.segments.values().map(|segment| segment.bytes).sum();
    metrics.show(books.records.len(), books.segments.len(), used);
    let shared = Arc::new(Shared {
        config,
        books: Mutex::new(books),
        work: Condvar::new(),
        used: AtomicU64::new(used),
        metrics,
    });
    let next = numbers.last().map_or(1, |last| last + 1);
    let thread = writer::spawn(shared.clone(), next)
        .map_err(io_error("start the thread of", &shared.config.directory))?;
    let journal = Journal { shared, thread: Some(thread) };
    Ok(OpenJournal { journal, kept: kept.into_values().collect() })
}

/// Numbers of the segments, in order. Files of other names are nobody's business.
fn segments(directory: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let number = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
        numbers.extend(number.filter(|number| segment_path(directory, *number) == path));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Reads a segment, cuts off its torn end, and names what else is damaged.
fn read(path: &Path, number: u64) -> Result<Contents, JournalError> {
    let foreign = |reason: String| JournalError::Foreign { path: path.to_owned(), reason };
    let mut bytes = Vec::new();
    let read =
        File::open(path).and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes));
    read.map_err(io_error("read", path))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(foreign(format!("has more than {MAX_FILE_BYTES} bytes")));
    }
    let contents = parse(&bytes, number)
        .map_err(|_| foreign("is of another version of the format".to_owned()))?;
    for damage in &contents.damage {
        tracing::error!(
            file = %path.display(), from = damage.start, to = damage.end,
            "the journal of accepted transactions is damaged here: what was accepted and is \
             recorded here comes back only from another node; the rest of the file is read"
        );
    }
    let torn = bytes.len() as u64 - contents.end;
    if torn > 0 {
        tracing::info!(
            file = %path.display(), from = contents.end, bytes = torn,
            "cutting off what was being written to the journal when the node ended"
        );
        cut(path, contents.end).map_err(io_error("cut", path))?;
    }
    Ok(contents)
}

fn cut(path: &Path, length: u64) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    file.set_len(length)?;
    file.sync_all()
}
