//! Reads the engine's write-ahead log before the engine does.
//!
//! The engine cuts off what it cannot read and goes on, or stops after it has
//! cut; so what is there is judged first, from a copy in memory, and nothing is
//! changed.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Cursor, Read, Seek, Write};
use std::path::Path;

use billchain_primitives::SignedStatement;
use malachitebft_app_channel::app::consensus::Input;
use malachitebft_app_channel::app::engine::wal::decode_entry;
use malachitebft_app_channel::app::wal::Storage;

use crate::codec::ScaleCodec;
use crate::types::{Address, BillContext};

/// Longest log that is read. One height's votes are far below.
const MAX_LOG_BYTES: u64 = 256 << 20;

/// What the log says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LogState {
    /// There is no file, or an empty one.
    Missing,
    /// Its head cannot be read; why.
    Unreadable(String),
    /// It is of one height.
    Of(LogContents),
}

/// The part of a log that can be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LogContents {
    /// Height it is of; 0 before the first.
    pub height: u64,
    /// What this validator signed, by round, as the log has it.
    pub own: Vec<(u32, SignedStatement)>,
    /// Length of the part that reads.
    pub intact_bytes: u64,
    /// What is wrong with what follows, if something does.
    pub damage: Option<String>,
}

/// Reads the log at `path`, in which `own` is this validator.
pub(super) fn read(path: &Path, own: &Address) -> io::Result<LogState> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(LogState::Missing),
        Err(error) => return Err(error),
    };
    match file.try_lock_shared() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let held = "another process holds its lock: a node runs on this directory";
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, held));
        }
        Err(TryLockError::Error(error)) => return Err(error),
    }
    let mut bytes = Vec::new();
    (&mut file).take(MAX_LOG_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_LOG_BYTES {
        return Ok(LogState::Unreadable(format!("more than {MAX_LOG_BYTES} bytes")));
    }
    Ok(parse(bytes, own))
}

/// What the bytes of a log say.
pub(super) fn parse(bytes: Vec<u8>, own: &Address) -> LogState {
    let total = bytes.len() as u64;
    if total == 0 {
        return LogState::Missing;
    }
    let mut log =
        match malachitebft_app_channel::app::wal::log::Log::<Copy>::open_with(Path::new(""), bytes)
        {
            Ok(log) => log,
            Err(error) => return LogState::Unreadable(error.to_string()),
        };
    let framed = log.size_bytes().unwrap_or(0);
    let mut contents = LogContents { height: log.sequence(), ..LogContents::default() };
    let mut damaged_entry = None;
    if let Ok(entries) = log.iter() {
        for (index, entry) in entries.enumerate() {
            let input = entry.and_then(|bytes| decode_entry(&ScaleCodec, Cursor::new(bytes)));
            match input {
                Ok(input) => contents.own.extend(signed_by(own, &input)),
                Err(error) => {
                    damaged_entry = Some((index as u64, error));
                    break;
                }
            }
        }
    }
    (contents.intact_bytes, contents.damage) = match damaged_entry {
        Some((index, error)) => {
            // The copy is cut, to learn where the entry begins.
            let cut = log.truncate(index).and_then(|()| log.size_bytes());
            (cut.unwrap_or(0), Some(format!("entry {index}: {error}")))
        }
        None if framed < total => {
            (framed, Some(format!("{} bytes at its end are no entry", total - framed)))
        }
        None => (framed, None),
    };
    LogState::Of(contents)
}

/// The statement of an entry, if it is this validator's.
fn signed_by(own: &Address, input: &Input<BillContext>) -> Option<(u32, SignedStatement)> {
    let (context, statement, signature) = match input {
        Input::Vote(vote) => (vote.message.context(), vote.message.statement(), vote.signature),
        Input::Proposal(proposal) => {
            (proposal.message.context(), proposal.message.statement(), proposal.signature)
        }
        _ => return None,
    };
    let signed = SignedStatement { statement, signature: signature.to_bytes() };
    (context.signer == *own.as_bytes()).then(|| context.round.map(|round| (round, signed)))?
}

/// Cuts off a damaged end.
pub(super) fn cut(path: &Path, length: u64) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    file.set_len(length)?;
    file.sync_all()
}

/// Moves a log out of the way, beside itself.
pub(super) fn set_aside(path: &Path) -> io::Result<()> {
    fs::rename(path, path.with_extension("damaged"))?;
    match path.parent() {
        Some(directory) => File::open(directory)?.sync_all(),
        None => Ok(()),
    }
}

/// A copy of a log in memory.
struct Copy(Cursor<Vec<u8>>);

impl Read for Copy {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Copy {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Copy {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

impl Storage for Copy {
    type OpenOptions = Vec<u8>;

    fn open_with(_: impl AsRef<Path>, bytes: Vec<u8>) -> io::Result<Self> {
        Ok(Self(Cursor::new(bytes)))
    }

    fn size_bytes(&self) -> io::Result<u64> {
        Ok(self.0.get_ref().len() as u64)
    }

    fn truncate_to(&mut self, size: u64) -> io::Result<()> {
        self.0.get_mut().truncate(usize::try_from(size).map_err(io::Error::other)?);
        Ok(())
    }

    fn sync_all(&mut self) -> io::Result<()> {
        Ok(())
    }
}
