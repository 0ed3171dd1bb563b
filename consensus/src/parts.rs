//! Assembles proposed blocks, or their compact blocks, from the parts that peers
//! send.
//!
//! Everything here is bounded, and every bound belongs to one publisher: its
//! streams, their bytes, their age, the parts of each. Only nodes of validators
//! publish, so the whole is bounded by their number. A stream whose announcement is refused, or
//! whose block is complete, stays as an empty entry, so that parts that come
//! later open nothing. Parts may come in any order and more than once.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use billchain_crypto::sm3::sm3;
use bytes::{Bytes, BytesMut};
use malachitebft_app_channel::app::streaming::{StreamContent, StreamId};
use malachitebft_app_channel::app::types::PeerId;
use thiserror::Error;

use crate::types::{
    Form, Height, MAX_CHUNK_BYTES, ProposalPart, SignedAnnouncement, StreamMessage, chunk_count,
};

/// Streams one publisher may have open: proposals of two heights, each sent
/// again once.
const MAX_STREAMS: usize = 4;
/// Full blocks that one publisher may have under way.
const BLOCKS_PER_PUBLISHER: usize = 2;
/// A stream that has not completed by then never will.
const MAX_AGE: Duration = Duration::from_secs(60);

/// Why a part was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum PartError {
    /// An announcement must open the stream, data must not.
    #[error("sequence {sequence} does not fit the kind of part")]
    Misplaced { sequence: u64 },
    /// Beyond the announced, or the largest possible, block.
    #[error("part {sequence} of at most {most}")]
    BeyondEnd { sequence: u64, most: u64 },
    /// A data part of the wrong length.
    #[error("part {sequence} has {found} bytes, expected {expected}")]
    Length { sequence: u64, found: usize, expected: usize },
    /// A block this size is never accepted.
    #[error("announced block of {size} bytes, expected 1 to {most}")]
    Size { size: u32, most: usize },
    /// A compact block that is none.
    #[error("announced compact block of {size} bytes, expected 1 to {most}")]
    CompactSize { size: u32, most: u32 },
    /// All parts came, but not the bytes the proposer signed.
    #[error("content does not match the proposer's signature")]
    Content,
    /// More than one publisher may have under way.
    #[error("too much data under way from this peer")]
    Full,
    /// What the caller had against the announcement.
    #[error("announcement refused: {0}")]
    Refused(String),
}

/// What the caller says about an announcement it does not refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Collect the block.
    Yes,
    /// It is here already, or no longer of use.
    No,
}

/// What became of a part.
#[derive(Debug)]
pub(crate) enum Progress {
    /// Taken, more are needed; or known already.
    Pending,
    /// The block is complete.
    Complete(SignedAnnouncement, Bytes),
    /// Its compact block is complete; nothing says yet that it is the right one.
    CompleteCompact(SignedAnnouncement, Bytes),
}

enum Stream {
    /// Parts are being collected.
    Open {
        init: Option<(Box<SignedAnnouncement>, Form)>,
        chunks: BTreeMap<u64, Bytes>,
        bytes: usize,
    },
    /// Complete or refused.
    Closed,
}

struct Entry {
    id: StreamId,
    opened: Instant,
    /// Height announced; streams of decided heights are dropped.
    height: Option<Height>,
    stream: Stream,
}

impl Entry {
    fn bytes(&self) -> usize {
        match &self.stream {
            Stream::Open { bytes, .. } => *bytes,
            Stream::Closed => 0,
        }
    }
}

/// Streams of parts under way, by publisher.
pub(crate) struct Assembler {
    max_block_bytes: usize,
    streams: HashMap<PeerId, Vec<Entry>>,
}

impl Assembler {
    pub(crate) fn new(max_block_bytes: usize) -> Self {
        Self { max_block_bytes, streams: HashMap::new() }
    }

    /// Takes a part. `accept` judges an announcement — may this proposer propose,
    /// is the block wanted — before anything else of the stream is kept.
    pub(crate) fn insert(
        &mut self,
        publisher: PeerId,
        message: StreamMessage,
        now: Instant,
        accept: impl FnOnce(&SignedAnnouncement) -> Result<Wanted, String>,
    ) -> Result<Progress, PartError> {
        let StreamContent::Data(part) = message.content else {
            // Nothing of ours needs an end marker.
            return Ok(Progress::Pending);
        };
        let sequence = message.sequence;
        let most = chunk_count(u32::try_from(self.max_block_bytes).unwrap_or(u32::MAX));
        match &part {
            ProposalPart::Init(..) if sequence != 0 => {
                return Err(PartError::Misplaced { sequence });
            }
            ProposalPart::Data(_) if sequence == 0 => {
                return Err(PartError::Misplaced { sequence });
            }
            _ if sequence > most => return Err(PartError::BeyondEnd { sequence, most }),
            _ => {}
        }
        self.make_room(&publisher, &message.stream_id, &part, now)?;
        let max_block_bytes = self.max_block_bytes;
        let entry = self.entry(publisher, message.stream_id, now);
        let outcome = entry.take(sequence, part, max_block_bytes, accept);
        if !matches!(outcome, Ok(Progress::Pending)) {
            entry.stream = Stream::Closed;
        }
        outcome
    }

    /// Forgets streams of heights below `next_height`, those too old, and those of
    /// publishers that may send no longer.
    pub(crate) fn prune(
        &mut self,
        next_height: Height,
        now: Instant,
        may_send: impl Fn(&PeerId) -> bool,
    ) {
        self.streams.retain(|publisher, entries| {
            if !may_send(publisher) {
                return false;
            }
            entries.retain(|entry| {
                now.duration_since(entry.opened) < MAX_AGE
                    && entry.height.is_none_or(|height| height >= next_height)
            });
            !entries.is_empty()
        });
    }

    /// Bytes held by all streams.
    #[cfg(test)]
    fn bytes(&self) -> usize {
        self.streams.values().flatten().map(Entry::bytes).sum()
    }

    /// Makes room for the part among its publisher's own streams: the oldest of
    /// the others go first.
    fn make_room(
        &mut self,
        publisher: &PeerId,
        id: &StreamId,
        part: &ProposalPart,
        now: Instant,
    ) -> Result<(), PartError> {
        let most = BLOCKS_PER_PUBLISHER * self.max_block_bytes;
        let Some(entries) = self.streams.get_mut(publisher) else { return Ok(()) };
        entries.retain(|entry| now.duration_since(entry.opened) < MAX_AGE);
        let ProposalPart::Data(data) = part else { return Ok(()) };
        while entries.iter().map(Entry::bytes).sum::<usize>() + data.len() > most {
            let other = |entry: &Entry| entry.id != *id && entry.bytes() > 0;
            let at = entries.iter().position(other).ok_or(PartError::Full)?;
            entries[at].stream = Stream::Closed;
        }
        Ok(())
    }

    /// The stream's entry; a new one pushes out the publisher's oldest.
    fn entry(&mut self, publisher: PeerId, id: StreamId, now: Instant) -> &mut Entry {
        let entries = self.streams.entry(publisher).or_default();
        let index = match entries.iter().position(|entry| entry.id == id) {
            Some(index) => index,
            None => {
                if entries.len() == MAX_STREAMS {
                    entries.remove(0);
                }
                let stream = Stream::Open { init: None, chunks: BTreeMap::new(), bytes: 0 };
                entries.push(Entry { id, opened: now, height: None, stream });
                entries.len() - 1
            }
        };
        &mut entries[index]
    }
}

impl Entry {
    fn take(
        &mut self,
        sequence: u64,
        part: ProposalPart,
        max_block_bytes: usize,
        accept: impl FnOnce(&SignedAnnouncement) -> Result<Wanted, String>,
    ) -> Result<Progress, PartError> {
        let Stream::Open { init, chunks, bytes } = &mut self.stream else {
            return Ok(Progress::Pending);
        };
        match part {
            ProposalPart::Init(..) if init.is_some() => return Ok(Progress::Pending),
            ProposalPart::Init(announced, form) => {
                let size = check_announced_size(&announced, form, max_block_bytes)?;
                if accept(&announced).map_err(PartError::Refused)? == Wanted::No {
                    self.stream = Stream::Closed;
                    return Ok(Progress::Pending);
                }
                for (sequence, chunk) in chunks.iter() {
                    check_length(*sequence, chunk.len(), size)?;
                }
                self.height = Some(announced.height);
                *init = Some((announced, form));
            }
            ProposalPart::Data(data) => {
                if let Some((announced, form)) = init {
                    check_length(sequence, data.len(), form.size(announced))?;
                }
                if let std::collections::btree_map::Entry::Vacant(vacant) = chunks.entry(sequence) {
                    *bytes += data.len();
                    vacant.insert(data);
                }
            }
        }
        let Some((announced, form)) = init else {
            return Ok(Progress::Pending);
        };
        let size = form.size(announced);
        if (chunks.len() as u64) < chunk_count(size) {
            return Ok(Progress::Pending);
        }
        let mut content = BytesMut::with_capacity(size as usize);
        for chunk in chunks.values() {
            content.extend_from_slice(chunk);
        }
        let (announced, content) = ((**announced).clone(), content.freeze());
        match form {
            Form::Compact(_) => Ok(Progress::CompleteCompact(announced, content)),
            Form::Whole if is_announced(&announced, &content) => {
                Ok(Progress::Complete(announced, content))
            }
            Form::Whole => Err(PartError::Content),
        }
    }
}

/// Whether these are the bytes that the proposer signed.
pub(crate) fn is_announced(announced: &SignedAnnouncement, block: &[u8]) -> bool {
    block.len() == announced.size as usize && sm3(block) == announced.content
}

/// The size of what follows, if the block may be that large and a compact block is
/// shorter than the block.
fn check_announced_size(
    announced: &SignedAnnouncement,
    form: Form,
    max_block_bytes: usize,
) -> Result<u32, PartError> {
    let block = announced.size;
    if block == 0 || block as usize > max_block_bytes {
        return Err(PartError::Size { size: block, most: max_block_bytes });
    }
    match form {
        Form::Compact(size) if size == 0 || size >= block => {
            Err(PartError::CompactSize { size, most: block - 1 })
        }
        form => Ok(form.size(announced)),
    }
}

/// Every part but the last is full.
fn check_length(sequence: u64, found: usize, size: u32) -> Result<(), PartError> {
    let most = chunk_count(size);
    if sequence > most {
        return Err(PartError::BeyondEnd { sequence, most });
    }
    let before = (sequence - 1) * MAX_CHUNK_BYTES as u64;
    let expected = (u64::from(size) - before).min(MAX_CHUNK_BYTES as u64) as usize;
    if found == expected { Ok(()) } else { Err(PartError::Length { sequence, found, expected }) }
}

/// A block in the given form as parts, in order. The data is shared, not copied.
pub(crate) fn split(
    stream: StreamId,
    init: &SignedAnnouncement,
    form: Form,
    content: &Bytes,
) -> Vec<StreamMessage> {
    let mut parts = Vec::with_capacity(1 + chunk_count(form.size(init)) as usize);
    parts.push(ProposalPart::Init(Box::new(init.clone()), form));
    let mut rest = content.clone();
    while !rest.is_empty() {
        let chunk = rest.split_to(rest.len().min(MAX_CHUNK_BYTES));
        parts.push(ProposalPart::Data(chunk));
    }
    parts
        .into_iter()
        .enumerate()
        .map(|(sequence, part)| {
            StreamMessage::new(stream.clone(), sequence as u64, StreamContent::Data(part))
        })
        .collect()
}

#[cfg(test)]
mod tests;
