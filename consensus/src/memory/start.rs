//! Whether memory, log and chain agree, asked before a validator starts.

use std::path::{Path, PathBuf};

use billchain_primitives::Hash;
use tracing::warn;

use super::SigningMemory;
use super::error::SigningMemoryError as Error;
use super::file::{self, RecordFile};
use super::log::{self, LogContents, LogState};
use super::record::{Contents, Record, Slot, Step};
use crate::types::Address;

/// Where a validator stands when it starts.
pub(crate) struct Start<'a> {
    /// The memory.
    pub memory: &'a Path,
    /// The write-ahead log.
    pub log: &'a Path,
    /// Genesis hash of the chain.
    pub genesis: Hash,
    /// The validator's address.
    pub signer: Address,
    /// The height to be decided next.
    pub height: u64,
    /// The highest of the newest blocks that carries the validator's signature.
    pub signed_in_chain: Option<u64>,
}

/// How a validator may start.
pub(crate) enum Verdict {
    /// It votes.
    Vote(SigningMemory),
    /// It may have signed up to this height, so it follows until that is decided.
    Follow { until: u64 },
}

/// What is to be done with the log before the engine opens it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LogRemedy {
    Keep,
    /// Cut off an end that does not read.
    Cut(u64),
    /// Nothing was signed at the height, so nothing in it is needed.
    SetAside(String),
}

/// What follows from the three.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// The key is new here.
    Fresh,
    /// The memory is good.
    Continue(LogRemedy),
    /// The chain is behind the memory.
    Follow { remedy: LogRemedy, until: u64 },
}

/// What memory files say; for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Genesis hash of the chain.
    pub genesis: Hash,
    /// Address of the validator.
    pub signer: Address,
    /// Nothing is signed below this height any more.
    pub height: u64,
    /// What was signed last there.
    pub last: Option<String>,
}

pub(super) fn describe(record: &Record) -> String {
    match &record.last {
        None => format!("that nothing may be signed up to height {}", record.height),
        Some(last) => {
            format!("{:?} at height {}, round {}", last.signed.statement, record.height, last.round)
        }
    }
}

/// Whether the log has a statement that came after all that is remembered.
fn is_newer(log: &LogContents, record: &Record) -> bool {
    let steps = log.own.iter().map(|(round, signed)| (*round, signed.statement.kind()));
    let Some(newest): Option<Step> = steps.max() else { return false };
    match &record.last {
        _ if log.height != record.height => log.height > record.height,
        Some(last) => newest > last.step(),
        // Nothing at this height can come after "nothing more".
        None => false,
    }
}

fn damage(log: &LogState) -> Option<String> {
    match log {
        LogState::Missing => None,
        LogState::Unreadable(reason) => Some(reason.clone()),
        LogState::Of(contents) => contents.damage.clone(),
    }
}

impl Start<'_> {
    pub(super) fn judge(
        &self,
        memory: Option<&Record>,
        log: &LogState,
    ) -> Result<Judgement, Error> {
        match memory {
            None => self.judge_without_memory(log),
            Some(record) => self.judge_memory(record, log),
        }
    }

    /// Without a memory the key must not have signed.
    fn judge_without_memory(&self, log: &LogState) -> Result<Judgement, Error> {
        let missing = |evidence| Err(Error::Missing { file: self.memory.to_owned(), evidence });
        if let Some(height) = self.signed_in_chain {
            return missing(format!("block {height} carries this validator's signature"));
        }
        let log_name = self.log.display();
        if let LogState::Of(contents) = log
            && !contents.own.is_empty()
        {
            let height = contents.height;
            return missing(format!("the log {log_name} has its statements of height {height}"));
        }
        match damage(log) {
            Some(reason) => {
                missing(format!("the log {log_name}, which may know, is damaged: {reason}"))
            }
            None => Ok(Judgement::Fresh),
        }
    }

    fn judge_memory(&self, record: &Record, log: &LogState) -> Result<Judgement, Error> {
        if (record.genesis, record.signer) != (self.genesis, *self.signer.as_bytes()) {
            let owner = |genesis: Hash, signer| format!("validator {signer} of chain {genesis:?}");
            return Err(Error::Foreign {
                file: self.memory.to_owned(),
                found: owner(record.genesis, Address::from(record.signer)),
                expected: owner(self.genesis, self.signer),
            });
        }
        let out_of_date = |evidence| {
            Err(Error::OutOfDate {
                file: self.memory.to_owned(),
                remembered: describe(record),
                evidence,
            })
        };
        if let Some(height) = self.signed_in_chain.filter(|height| *height > record.height) {
            return out_of_date(format!("block {height} carries this validator's signature"));
        }
        if let LogState::Of(contents) = log
            && is_newer(contents, record)
        {
            let log = self.log.display();
            return out_of_date(format!("the log {log} has a newer statement"));
        }
        // Needed where nothing was signed that the log has to explain.
        let remedy = damage(log).map_or(LogRemedy::Keep, LogRemedy::SetAside);
        let follow = Judgement::Follow { remedy: remedy.clone(), until: record.height };
        match &record.last {
            _ if record.height > self.height => Ok(follow),
            None if record.height == self.height => Ok(follow),
            Some(_) if record.height == self.height => self.judge_log(record, log),
            // Nothing was signed at the height at hand, so no lock is lost.
            _ => Ok(Judgement::Continue(remedy)),
        }
    }

    /// The validator has signed at the height at hand: the log has to say why.
    fn judge_log(&self, record: &Record, log: &LogState) -> Result<Judgement, Error> {
        let lost = |problem: String| {
            Err(Error::LogLost {
                log: self.log.to_owned(),
                problem,
                file: self.memory.to_owned(),
                remembered: describe(record),
            })
        };
        let contents = match log {
            LogState::Missing => return lost("is missing or empty".into()),
            LogState::Unreadable(reason) => return lost(format!("is damaged: {reason}")),
            LogState::Of(contents) => contents,
        };
        if contents.height > self.height {
            // The height at hand was decided; the database is an older one.
            let remedy = damage(log).map_or(LogRemedy::Keep, LogRemedy::SetAside);
            return Ok(Judgement::Follow { remedy, until: record.height });
        }
        if contents.height != self.height {
            return lost(format!("is of height {}", contents.height));
        }
        // What came after the last statement led to none.
        let explains = contents.intact_bytes >= record.log_bytes;
        match &contents.damage {
            Some(_) if explains => Ok(Judgement::Continue(LogRemedy::Cut(contents.intact_bytes))),
            None if explains => Ok(Judgement::Continue(LogRemedy::Keep)),
            Some(reason) => lost(format!("is damaged: {reason}")),
            None => {
                let (has, had) = (contents.intact_bytes, record.log_bytes);
                lost(format!("was cut: it has {has} of {had} bytes"))
            }
        }
    }

    fn io(&self, action: &'static str) -> impl FnOnce(std::io::Error) -> Error + '_ {
        move |reason| Error::Io { action, file: self.memory.to_owned(), reason }
    }

    fn repair(&self, remedy: LogRemedy) -> Result<(), Error> {
        match remedy {
            LogRemedy::Keep => Ok(()),
            LogRemedy::Cut(length) => {
                warn!(file = %self.log.display(), length, "cutting off a damaged end of the log");
                log::cut(self.log, length).map_err(log_error("cut", self.log))
            }
            LogRemedy::SetAside(reason) => set_aside(self.log, &reason),
        }
    }

    fn vote(&self, file: RecordFile<std::fs::File>) -> Verdict {
        Verdict::Vote(SigningMemory::new(self.memory, self.log, file))
    }
}

fn log_error<'a>(action: &'static str, log: &'a Path) -> impl FnOnce(std::io::Error) -> Error + 'a {
    move |reason| Error::LogIo { action, file: log.to_owned(), reason }
}

/// For a log in which nothing is needed.
fn set_aside(log: &Path, reason: &str) -> Result<(), Error> {
    warn!(file = %log.display(), reason, "setting aside a damaged log; nothing was signed at its height");
    log::set_aside(log).map_err(log_error("set aside", log))
}

/// Makes sure that the engine can open the log of a node that signs nothing.
/// Blocking.
pub(crate) fn start_without_key(log: &Path, own: &Address) -> Result<(), Error> {
    let state = log::read(log, own).map_err(log_error("read", log))?;
    damage(&state).map_or(Ok(()), |reason| set_aside(log, &reason))
}

fn read_memory(path: &Path) -> Result<Option<Slot>, Error> {
    let io = |reason| Error::Io { action: "read", file: path.to_owned(), reason };
    match file::read(path).map_err(io)? {
        None => Ok(None),
        Some(Contents::Known(slot)) => Ok(Some(*slot)),
        Some(Contents::Damaged(reason)) => Err(Error::Damaged { file: path.to_owned(), reason }),
    }
}

/// Opens or makes the memory of a validator that starts, if it may start.
/// Blocking; changes nothing when it refuses.
pub(crate) fn start(start: &Start<'_>) -> Result<Verdict, Error> {
    let slot = read_memory(start.memory)?;
    let log = log::read(start.log, &start.signer).map_err(log_error("read", start.log))?;
    let judgement = start.judge(slot.as_ref().map(|slot| &slot.record), &log)?;
    match (judgement, slot) {
        (Judgement::Follow { remedy, until }, _) => {
            start.repair(remedy)?;
            Ok(Verdict::Follow { until })
        }
        (Judgement::Continue(remedy), Some(slot)) => {
            start.repair(remedy)?;
            let file = file::open(start.memory, slot).map_err(start.io("open"))?;
            Ok(start.vote(file))
        }
        (Judgement::Fresh | Judgement::Continue(_), _) => {
            let record = Record {
                genesis: start.genesis,
                signer: *start.signer.as_bytes(),
                height: start.height.saturating_sub(1),
                last: None,
                log_bytes: 0,
            };
            let file = file::create(start.memory, record).map_err(start.io("make"))?;
            Ok(start.vote(file))
        }
    }
}

/// The memory's file in the directory of consensus.
pub fn path_in(directory: &Path) -> PathBuf {
    directory.join("signing-memory")
}

/// What the memory at this path says; `None` if there is none.
pub fn summary(path: &Path) -> Result<Option<Summary>, Error> {
    Ok(read_memory(path)?.map(|slot| Summary {
        genesis: slot.record.genesis,
        signer: slot.record.signer.into(),
        height: slot.record.height,
        last: slot.record.last.is_some().then(|| describe(&slot.record)),
    }))
}

/// Copies the memory to a file beside it that is named after its signer.
pub(crate) fn set_copy_aside(path: &Path, signer: &Address) -> Result<(), Error> {
    let aside = path.with_file_name(format!("signing-memory-of-{signer}"));
    let copied = std::fs::copy(path, aside).map(drop);
    copied.map_err(|reason| Error::Io { action: "copy", file: path.to_owned(), reason })
}

/// Makes a stopped validator sign nothing up to a height, by default the one
/// that it remembers, and returns the height. `head` is the chain's newest block.
pub fn abstain(
    path: &Path,
    genesis: Hash,
    signer: Address,
    head: u64,
    up_to: Option<u64>,
) -> Result<u64, Error> {
    let known = match read_memory(path) {
        Ok(slot) => slot.map(|slot| slot.record.height),
        // What is damaged is what this replaces.
        Err(Error::Damaged { .. }) => None,
        Err(other) => return Err(other),
    };
    let height = match (up_to, known) {
        (Some(height), _) => height,
        (None, Some(known)) => known.max(head),
        (None, None) => return Err(Error::HeightNeeded { file: path.to_owned() }),
    };
    for (least, reason) in [
        (known.unwrap_or(0), "at which the validator has signed"),
        (head, "which the chain in data_dir has reached"),
    ] {
        if height < least {
            return Err(Error::HeightTooLow { asked: height, least, reason });
        }
    }
    let record = Record { genesis, signer: *signer.as_bytes(), height, last: None, log_bytes: 0 };
    file::create(path, record).map_err(|reason| Error::Io {
        action: "write",
        file: path.to_owned(),
        reason,
    })?;
    Ok(height)
}
