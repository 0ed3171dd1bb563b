//! Files of cold segments: pieces of them for others, and a lost one from others.
//!
//! A file never changes, so that a piece of it belongs to no block. Two nodes' files of one
//! segment may differ in bytes: one file comes from one peer. It is verified whole, and its
//! root compared with the state's, before it is taken.
//!
//! What a peer can cost is bounded: each is asked for a file at most once from its beginning,
//! gives pieces of the full length, at a least pace, and no more than there is room for. Whoever
//! gave something else is asked last from then on ([`Doubts`]).

use crate::{
    Peers,
    peers::{Unanswered, ask},
    wire::{PIECE_BYTES, Piece, PieceOf, Question, Refusal},
};
use billchain_consensus::PeerId;
use billchain_storage::{ColdSegment, Storage, StorageError};
use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{ErrorKind, Read, Seek, SeekFrom, Write},
    path::Path,
    time::{Duration, Instant},
};

/// Longest file that is fetched: that of 2^21 groups takes some five GB.
pub const MAX_FILE_BYTES: u64 = 64 << 30;

/// Times that a piece is asked for again, and the pause before.
const RETRIES: (u32, Duration) = (5, Duration::from_secs(1));

/// Bytes that have to come in as long, again and again: 140 KB a second.
const LEAST: (u64, Duration) = (16 << 20, Duration::from_secs(120));

/// Why a segment's file was not fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// There is no connection to any peer.
    #[error("no peer is connected")]
    NoPeers,
    /// Nobody has it, or those who said so lied.
    #[error("no member gave the file of segment {run}/{index}: {reason}")]
    NotGiven {
        /// The run.
        run: u64,
        /// The place in the run.
        index: u32,
        /// The last reason.
        reason: String,
    },
    /// The store, or the disk, of this node.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Where a file lies until it was verified.
#[derive(Clone, Copy, Debug)]
pub struct Scratch<'a> {
    /// The file, which is made and removed.
    pub path: &'a Path,
    /// Most bytes that it may take there.
    pub most: u64,
}

/// Peers that gave wrong files, or did not give what they began to. They are asked last.
#[derive(Debug, Default)]
pub struct Doubts(BTreeSet<PeerId>);

impl Doubts {
    /// The peers in the order in which they are asked.
    fn order(&self, mut peers: Vec<PeerId>) -> Vec<PeerId> {
        peers.sort_by_key(|peer| self.0.contains(peer));
        peers
    }
}

/// Why a peer's file was not taken.
#[derive(Debug, thiserror::Error)]
enum Untaken {
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
    #[error("{0}")]
    Wrong(String),
    #[error("{bytes} bytes came in {took:?}, expected {} at least", LEAST.0)]
    Slow { bytes: u64, took: Duration },
}

impl Untaken {
    /// Whether the peer said at once that it has no such file.
    fn is_said(&self) -> bool {
        matches!(self, Self::Unanswered(Unanswered::Refused(_)))
    }
}

/// Fetches the file of a segment from whoever has it, and lets the store take it over. The peer
/// that gave it.
///
/// Blocks its thread on the disk, for as long as a file is written and verified: to be driven
/// by a thread of its own.
pub async fn fetch_segment(
    storage: &Storage,
    peers: &dyn Peers,
    segment: &ColdSegment,
    scratch: Scratch<'_>,
    doubts: &mut Doubts,
) -> Result<PeerId, FetchError> {
    let (run, index) = (segment.run, segment.index);
    let mut last = None;
    for peer in doubts.order(peers.connected()) {
        remove(scratch.path)?;
        let fetched = fetch_from(storage, peers, peer, segment, scratch).await;
        // The store has a copy, or what is there is worth nothing.
        let removed = remove(scratch.path);
        let fetched = fetched?;
        removed?;
        let Err(why) = fetched else {
            doubts.0.remove(&peer);
            return Ok(peer);
        };
        if !why.is_said() {
            tracing::warn!(%peer, run, index, "a peer's file of a cold segment is not taken: {why}");
            doubts.0.insert(peer);
        }
        last = Some(format!("{peer}: {why}"));
    }
    match last {
        None => Err(FetchError::NoPeers),
        Some(reason) => Err(FetchError::NotGiven { run, index, reason }),
    }
}

/// Fetches it from one peer; why it is not taken.
async fn fetch_from(
    storage: &Storage,
    peers: &dyn Peers,
    peer: PeerId,
    segment: &ColdSegment,
    scratch: Scratch<'_>,
) -> Result<Result<(), Untaken>, StorageError> {
    if let Err(why) = download(peers, peer, segment, scratch).await? {
        return Ok(Err(why));
    }
    match storage.adopt_segment(scratch.path) {
        Ok(_) => Ok(Ok(())),
        Err(error) if is_others(&error) => Ok(Err(Untaken::Wrong(error.to_string()))),
        Err(error) => Err(error),
    }
}

/// Whether it is the file that is wrong, and not what this node does with it.
fn is_others(error: &StorageError) -> bool {
    match error {
        StorageError::NotAdopted { .. } => true,
        StorageError::Cold(_) => error.system_cause().is_none(),
        _ => false,
    }
}

/// Writes the file that one peer gives; why it gives none.
async fn download(
    peers: &dyn Peers,
    peer: PeerId,
    segment: &ColdSegment,
    scratch: Scratch<'_>,
) -> Result<Result<(), Untaken>, StorageError> {
    let failed =
        |source| StorageError::Io { action: "write", path: scratch.path.to_owned(), source };
    let mut file = File::create_new(scratch.path).map_err(failed)?;
    let (mut at, mut length, mut pace) = (0_u64, None::<u64>, Pace::new(Instant::now()));
    while length.is_none_or(|length| at < length) {
        let ColdSegment { run, index, groups_root, .. } = *segment;
        let of = PieceOf { run, index, root: groups_root, offset: at };
        let piece = match ask_again(peers, peer, &Question::Piece(of)).await {
            Ok(piece) => piece,
            Err(why) => return Ok(Err(why.into())),
        };
        let expected = *length.get_or_insert(piece.length);
        if let Err(what) = is_next(&piece, at, expected, scratch.most) {
            return Ok(Err(Untaken::Wrong(what)));
        }
        file.write_all(&piece.bytes).map_err(failed)?;
        at = at.saturating_add(piece.bytes.len() as u64);
        if let Err(slow) = pace.came(piece.bytes.len() as u64, Instant::now()) {
            return Ok(Err(slow));
        }
    }
    file.sync_all().map_err(failed)?;
    Ok(Ok(()))
}

/// Whether a piece is the one from `at` of a file of this length: all of it that a piece can
/// hold.
fn is_next(piece: &Piece, at: u64, length: u64, most: u64) -> Result<(), String> {
    let most = most.min(MAX_FILE_BYTES);
    if length > most {
        return Err(format!("a file of {length} bytes, there is room for {most}"));
    }
    let rest = length.saturating_sub(at).min(PIECE_BYTES as u64);
    if piece.length != length || piece.bytes.is_empty() || piece.bytes.len() as u64 != rest {
        return Err(format!(
            "{} bytes from {at} of a file of {}, expected {rest} of {length}",
            piece.bytes.len(),
            piece.length
        ));
    }
    Ok(())
}

/// How fast a file comes.
struct Pace {
    began: Instant,
    bytes: u64,
}

impl Pace {
    fn new(now: Instant) -> Self {
        Self { began: now, bytes: 0 }
    }

    /// More has come. Fails if it was too little in too long.
    fn came(&mut self, bytes: u64, now: Instant) -> Result<(), Untaken> {
        let (least, window) = LEAST;
        self.bytes = self.bytes.saturating_add(bytes);
        let took = now.saturating_duration_since(self.began);
        if took < window {
            return Ok(());
        }
        let Self { bytes, .. } = std::mem::replace(self, Self::new(now));
        if bytes < least { Err(Untaken::Slow { bytes, took }) } else { Ok(()) }
    }
}

/// Asks a peer, some times if it gives no answer: the others' files may have other bytes.
async fn ask_again(
    peers: &dyn Peers,
    peer: PeerId,
    question: &Question,
) -> Result<Piece, Unanswered> {
    let (most, pause) = RETRIES;
    for _ in 0..most {
        match ask(peers, peer, question).await {
            Err(Unanswered::Failed(_)) => tokio::time::sleep(pause).await,
            answered => return answered,
        }
    }
    ask(peers, peer, question).await
}

fn remove(path: &Path) -> Result<(), StorageError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != ErrorKind::NotFound => {
            Err(StorageError::Io { action: "remove", path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

/// The piece of a segment's file that is asked for, if this node has the file.
pub(crate) fn piece(storage: &Storage, of: &PieceOf) -> Result<Piece, Refusal> {
    let failed = |error: &dyn std::fmt::Display| {
        tracing::warn!(%error, run = of.run, index = of.index, "a segment's file is not served");
        Refusal::Failed
    };
    let known = storage.cold_segments().map_err(|error| failed(&error))?;
    let wanted = (of.run, of.index, of.root);
    let found = known.into_iter().find(|one| (one.run, one.index, one.groups_root) == wanted);
    let path = found.and_then(|one| one.file).ok_or(Refusal::NotServed)?;
    let mut file = match File::open(&path) {
        Ok(file) => file,
        // It is lost here, too; the node's own thread says so.
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(Refusal::NotServed),
        Err(error) => return Err(failed(&error)),
    };
    let length = file.metadata().map_err(|error| failed(&error))?.len();
    if of.offset >= length {
        return Err(Refusal::Malformed);
    }
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(of.offset))
        .and_then(|_| file.take(PIECE_BYTES as u64).read_to_end(&mut bytes))
        .map_err(|error| failed(&error))?;
    Ok(Piece { length, bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_gives_a_little_at_a_time_is_left() {
        let begun = Instant::now();
        let after = |seconds: u64| begun + Duration::from_secs(seconds);
        let piece = PIECE_BYTES as u64;
        // Sixteen pieces in each two minutes.
        let mut pace = Pace::new(begun);
        for at in 1..200 {
            pace.came(piece, after(at * 7)).unwrap();
        }
        let mut pace = Pace::new(begun);
        for at in 1..15 {
            pace.came(piece, after(at * 8)).unwrap();
        }
        let slow = pace.came(piece, after(120)).unwrap_err().to_string();
        assert!(slow.starts_with("15728640 bytes came in 120s, expected 16777216"), "{slow}");
        // One answer that took for ever.
        assert!(Pace::new(begun).came(piece, after(300)).is_err());
        // What came fast before does not make up for what comes slowly.
        let mut pace = Pace::new(begun);
        pace.came(1 << 40, after(120)).unwrap();
        assert!(pace.came(piece, after(240)).is_err());
    }

    #[test]
    fn a_piece_is_all_that_can_be_given_from_there() {
        let piece = |length: u64, bytes: usize| Piece { length, bytes: vec![7; bytes] };
        let (full, most) = (PIECE_BYTES as u64, 9 << 20);
        is_next(&piece(full + 5, PIECE_BYTES), 0, full + 5, most).unwrap();
        is_next(&piece(full + 5, 5), full, full + 5, most).unwrap();
        is_next(&piece(7, 7), 0, 7, 7).unwrap();
        for (piece, at, length, most, words) in [
            (piece(full + 5, 1), 0, full + 5, most, "1 bytes from 0"),
            (piece(full + 5, PIECE_BYTES - 1), 0, full + 5, most, "expected 1048576"),
            (piece(full + 5, 6), full, full + 5, most, "expected 5 of 1048581"),
            (piece(full + 6, 5), full, full + 5, most, "of a file of 1048582"),
            (piece(0, 0), 0, 0, most, "0 bytes from 0"),
            (piece(8, 8), 0, 8, 7, "a file of 8 bytes, there is room for 7"),
            (piece(MAX_FILE_BYTES + 1, 9), 0, MAX_FILE_BYTES + 1, u64::MAX, "there is room for"),
        ] {
            let what = is_next(&piece, at, length, most).unwrap_err();
            assert!(what.contains(words), "{what}");
        }
    }
}
