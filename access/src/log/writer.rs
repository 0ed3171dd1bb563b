//! Writes the log, on a thread of its own.

use super::{
    LogError, LogHead, State,
    lines::{self, Entry, FORMAT, GENESIS, Header, VERSION},
    verify::{Broken, Segment},
};
use crate::config::LogConfig;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Seek, SeekFrom, Write},
    path::PathBuf,
    sync::{
        atomic::Ordering,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

/// How long a line may wait for the disk.
const SYNC: Duration = Duration::from_secs(1);
/// Lines that are written at a time.
const AT_ONCE: usize = 1_024;

/// What writes the log.
pub(super) struct Writer {
    config: LogConfig,
    node: String,
    segment: u32,
    file: File,
    length: u64,
    head: LogHead,
}

impl Writer {
    pub(super) fn open(config: &LogConfig, node: &str) -> Result<Self, LogError> {
        let directory = &config.directory;
        let said = |path: PathBuf| move |source: io::Error| LogError::Io { path, source };
        fs::create_dir_all(directory).map_err(said(directory.clone()))?;
        let segments = lines::segments(directory).map_err(said(directory.clone()))?;
        let (config, node) = (config.clone(), node.to_owned());
        let Some(&segment) = segments.last() else {
            let head = LogHead { number: 0, hash: GENESIS };
            let (file, length) = begin(&config, &node, 0, head)?;
            return Ok(Self { config, node, segment: 0, file, length, head });
        };
        let path = lines::file(directory, segment);
        let read = Segment::read(&path, |_, _| {})?;
        if let Some((line, reason)) = read.broken {
            // What was being written when the machine stopped; anything else is none of that.
            if !read.is_torn {
                return Err(Broken { file: path, line, reason }.into());
            }
            tracing::warn!(file = %path.display(), line, "the last line of the log was torn off");
        }
        if read.whole == 0 {
            // Not even its header was written whole.
            let head = before(&config, &segments)?;
            fs::remove_file(&path).map_err(said(path))?;
            let (file, length) = begin(&config, &node, segment, head)?;
            return Ok(Self { config, node, segment, file, length, head });
        }
        let file =
            OpenOptions::new().read(true).write(true).open(&path).map_err(said(path.clone()))?;
        file.set_len(read.whole).map_err(said(path))?;
        Ok(Self { config, node, segment, file, length: read.whole, head: read.head })
    }

    pub(super) fn head(&self) -> LogHead {
        self.head
    }

    /// Writes what comes, until nobody can send any more.
    pub(super) fn run(mut self, lines: &Receiver<Entry>, state: &State) {
        let mut unsynced: Option<Instant> = None;
        loop {
            let wait = unsynced.map_or(SYNC, |since| SYNC.saturating_sub(since.elapsed()));
            let first = match lines.recv_timeout(wait) {
                Ok(first) => Some(first),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let entries: Vec<_> = first.into_iter().chain(lines.try_iter().take(AT_ONCE)).collect();
            let count = entries.len();
            if count > 0 {
                self.write(entries, state);
                state.waiting.fetch_sub(count, Ordering::Relaxed);
                *state.head.write() = self.head;
                unsynced.get_or_insert_with(Instant::now);
            }
            if unsynced.is_some_and(|since| since.elapsed() >= SYNC) {
                self.until_done(state, |writer| writer.file.sync_data());
                unsynced = None;
            }
        }
        if let Err(error) = self.file.sync_data() {
            tracing::error!(%error, "the last lines of the log of access may be lost");
        }
    }

    fn write(&mut self, entries: Vec<Entry>, state: &State) {
        let mut entries = entries.into_iter().peekable();
        while entries.peek().is_some() {
            let (mut text, mut head) = (Vec::new(), self.head);
            while self.length + (text.len() as u64) < self.config.segment_bytes
                && let Some(mut entry) = entries.next()
            {
                entry.n = head.number + 1;
                lines::shorten(&mut entry);
                let json = serde_json::to_vec(&entry).expect("texts and numbers are JSON; qed");
                head = LogHead { number: entry.n, hash: lines::hash(&head.hash, &json) };
                text.extend_from_slice(hex::encode(head.hash).as_bytes());
                text.push(b' ');
                text.extend_from_slice(&json);
                text.push(b'\n');
            }
            self.until_done(state, |writer| {
                // What an earlier try left is written over.
                writer.file.seek(SeekFrom::Start(writer.length))?;
                writer.file.write_all(&text)
            });
            self.length += text.len() as u64;
            self.head = head;
            if self.length >= self.config.segment_bytes {
                self.until_done(state, Self::rotate);
            }
        }
    }

    /// Tries until it can be done; meanwhile nobody is served.
    fn until_done(&mut self, state: &State, mut work: impl FnMut(&mut Self) -> io::Result<()>) {
        while let Err(error) = work(self) {
            if !state.fails.swap(true, Ordering::Relaxed) {
                tracing::error!(%error, "the log of access cannot be written: nobody is served");
            }
            std::thread::sleep(SYNC);
        }
        if state.fails.swap(false, Ordering::Relaxed) {
            tracing::info!("the log of access is written again");
        }
    }

    /// Goes on in the next segment, and lets go of the oldest.
    fn rotate(&mut self) -> io::Result<()> {
        self.file.sync_data()?;
        let next = self.segment + 1;
        let path = lines::file(&self.config.directory, next);
        if path.exists() {
            // Of a try before.
            fs::remove_file(&path)?;
        }
        (self.file, self.length) = start(&self.config, &self.node, next, self.head)?;
        self.segment = next;
        if self.config.keep_segments > 0 {
            let keep = next.saturating_sub(self.config.keep_segments - 1);
            for old in lines::segments(&self.config.directory)? {
                if old < keep {
                    fs::remove_file(lines::file(&self.config.directory, old))?;
                }
            }
        }
        Ok(())
    }
}

/// The head before the last segment, whose header is not whole.
fn before(config: &LogConfig, segments: &[u32]) -> Result<LogHead, LogError> {
    let Some(before) = segments.len().checked_sub(2).map(|at| segments[at]) else {
        return Ok(LogHead { number: 0, hash: GENESIS });
    };
    let path = lines::file(&config.directory, before);
    let read = Segment::read(&path, |_, _| {})?;
    match read.broken {
        Some((line, reason)) => Err(Broken { file: path, line, reason }.into()),
        None => Ok(read.head),
    }
}

fn begin(
    config: &LogConfig,
    node: &str,
    segment: u32,
    head: LogHead,
) -> Result<(File, u64), LogError> {
    let path = lines::file(&config.directory, segment);
    start(config, node, segment, head).map_err(|source| LogError::Io { path, source })
}

fn start(config: &LogConfig, node: &str, segment: u32, head: LogHead) -> io::Result<(File, u64)> {
    let header = Header {
        format: FORMAT.into(),
        version: VERSION,
        node: node.chars().take(64).collect(),
        first: head.number + 1,
        previous: hex::encode(head.hash),
    };
    let mut text = serde_json::to_vec(&header)?;
    text.push(b'\n');
    let path = lines::file(&config.directory, segment);
    let mut file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
    file.write_all(&text)?;
    file.sync_all()?;
    File::open(&config.directory)?.sync_all()?;
    Ok((file, text.len() as u64))
}
