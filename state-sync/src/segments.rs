//! Files of cold segments: pieces of them for others, and a lost one from others.
//!
//! A file never changes, so that a piece of it belongs to no block. Two nodes' files of one
//! segment may differ in bytes: one file comes from one peer. It is verified whole, and its
//! root compared with the state's, before it is taken.

use crate::{
    Peers,
    peers::{Circle, Unanswered, ask},
    wire::{PIECE_BYTES, Piece, PieceOf, Question, Refusal},
};
use billchain_consensus::PeerId;
use billchain_storage::{ColdSegment, Storage, StorageError};
use std::{
    fs::{self, File},
    io::{ErrorKind, Read, Seek, SeekFrom, Write},
    path::Path,
    time::Duration,
};

/// Longest file that is fetched: that of 2^21 groups takes some five GB.
pub const MAX_FILE_BYTES: u64 = 64 << 30;

/// Times that a piece is asked for again, and the pause before.
const RETRIES: (u32, Duration) = (5, Duration::from_secs(1));

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

/// Fetches the file of a segment from whoever has it into the new file `scratch`, and lets the
/// store take it over. The peer that gave it.
///
/// Blocks its thread on the disk, for as long as a file is written and verified: to be driven
/// by a thread of its own. Of each peer the file is asked at most once from its beginning; a
/// peer whose file is another is asked no more.
pub async fn fetch_segment(
    storage: &Storage,
    peers: &dyn Peers,
    segment: &ColdSegment,
    scratch: &Path,
) -> Result<PeerId, FetchError> {
    let connected = peers.connected();
    if connected.is_empty() {
        return Err(FetchError::NoPeers);
    }
    let circle = Circle::new(connected);
    loop {
        let peer = circle.next().map_err(|reason| FetchError::NotGiven {
            run: segment.run,
            index: segment.index,
            reason,
        })?;
        remove(scratch)?;
        match download(peers, peer, segment, scratch).await? {
            Ok(()) => {}
            Err(why) => {
                // From its beginning again, so from another peer.
                remove(scratch)?;
                circle.left_out(peer, &why);
                continue;
            }
        }
        let adopted = storage.adopt_segment(scratch);
        // The store has a copy, or what is there is worth nothing.
        remove(scratch)?;
        match adopted {
            Ok(_) => return Ok(peer),
            Err(error) if is_others(&error) => circle.refuted(peer, &error.to_string()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether it is the file that is wrong, and not what this node does with it.
fn is_others(error: &StorageError) -> bool {
    match error {
        StorageError::NotAdopted { .. } | StorageError::Corrupt { .. } => true,
        StorageError::Cold(_) => error.system_cause().is_none(),
        _ => false,
    }
}

/// Writes the file that one peer gives; why it gives none.
async fn download(
    peers: &dyn Peers,
    peer: PeerId,
    segment: &ColdSegment,
    into: &Path,
) -> Result<Result<(), Unanswered>, StorageError> {
    let failed = |source| StorageError::Io { action: "write", path: into.to_owned(), source };
    let mut file = File::create_new(into).map_err(failed)?;
    let (mut at, mut length) = (0_u64, None);
    while length.is_none_or(|length| at < length) {
        let ColdSegment { run, index, groups_root, .. } = *segment;
        let of = PieceOf { run, index, root: groups_root, offset: at };
        let piece = match ask_again(peers, peer, &Question::Piece(of)).await {
            Ok(piece) => piece,
            Err(why) => return Ok(Err(why)),
        };
        let expected = *length.get_or_insert(piece.length);
        let end = at.saturating_add(piece.bytes.len() as u64);
        let is_good = piece.length == expected
            && expected <= MAX_FILE_BYTES
            && !piece.bytes.is_empty()
            && end <= expected;
        if !is_good {
            let what = format!(
                "{} bytes from {at} of a file of {}, expected some of {expected}, at most \
                 {MAX_FILE_BYTES}",
                piece.bytes.len(),
                piece.length
            );
            return Ok(Err(Unanswered::Malformed(what)));
        }
        file.write_all(&piece.bytes).map_err(failed)?;
        at = end;
    }
    file.sync_all().map_err(failed)?;
    Ok(Ok(()))
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
