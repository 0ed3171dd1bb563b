//! Blocks that were checked or built for the height at hand, on disk.
//!
//! A validator that votes for a block promises to have it. So a block's bytes
//! are synced here before the engine learns of the block, and stay until a
//! block of that height is committed. One file a block; the file is written
//! beside its place, synced, renamed, and the directory synced. A file that does
//! not read back whole — the power went while it was written, so nothing was
//! voted — is removed with a warning when the store opens. A file of another
//! version of the format may hold a block that was voted for, perhaps on every
//! node: the store does not open, and the file stays for the release that wrote it.
//! No version before this one was of a production network, so none is read.
//!
//! A file is the name and version of the format, a header (SCALE: height, round,
//! hash, announcement, SM3 and length of the block's bytes), the SM3 of both, and
//! the block's bytes. The SM3 of a proposal's bytes is in its announcement, and was
//! checked there: it is not computed again to write the file.
//!
//! Blocks that this node has voted for stay, and those with a polka, as far back as
//! [`Support`] remembers: 64 of each. So do those that a run before left: which of
//! them were voted for the engine's log tells only later. The others give way when
//! there are many, but never the newest: nobody can have voted for it yet, and a
//! validator that refuses every new block would not vote again at its height. That
//! is the bound: what was read, 128 blocks, and one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use billchain_crypto::sm2::Signature;
use billchain_crypto::sm3::{Sm3, sm3};
use bytes::Bytes;
use codec::{Decode, Encode};
use tracing::warn;

use crate::error::ConsensusError;
use crate::support::Support;
use crate::types::{Announcement, BlockHash, Height, Round, SignedAnnouncement};

/// First bytes of a file: name and version of the format.
const MAGIC: &[u8; 8] = b"BCUNDEC2";
/// How many of them are the name.
const NAME_BYTES: usize = 7;
/// Length of an SM3.
const SUM_BYTES: usize = 32;
/// More than what is in a file beside the block.
const MOST_BESIDE: usize = 1024;
const EXTENSION: &str = "block";
/// Blocks up to which none gives way. A height that needs more rounds than this
/// with a new block each is stuck for another reason.
const MAX_BLOCKS: usize = 64;

/// A block whose bytes are kept.
#[derive(Clone, Debug)]
pub(crate) struct StoredBlock {
    /// Height it was checked at.
    pub height: Height,
    /// Round it was proposed in first.
    pub round: Round,
    /// Its hash.
    pub hash: BlockHash,
    /// The proposer's announcement, of exactly these bytes; a block from value sync
    /// has none.
    pub announced: Option<SignedAnnouncement>,
    /// The encoded block.
    pub bytes: Bytes,
}

/// File contents after the magic and before the checksum.
#[derive(Encode, Decode)]
struct Header {
    height: Height,
    round: Round,
    hash: BlockHash,
    announced: Option<(Announcement, [u8; 64])>,
    /// SM3 of the block's bytes.
    content: [u8; SUM_BYTES],
    /// Length of the block's bytes.
    size: u32,
}

/// The store. Cheap to read: the blocks are in memory too.
pub(crate) struct UndecidedStore {
    directory: PathBuf,
    blocks: BTreeMap<BlockHash, Arc<StoredBlock>>,
    /// Those of a run before.
    read: BTreeSet<BlockHash>,
}

impl UndecidedStore {
    /// Opens the directory and reads what a run before left for `height` and
    /// above; older files are removed.
    pub(crate) fn open(
        directory: PathBuf,
        height: Height,
        max_block_bytes: usize,
    ) -> Result<Self, ConsensusError> {
        let io = |action, path: &Path| {
            let path = path.to_owned();
            move |source| ConsensusError::Io { action, path, source }
        };
        fs::create_dir_all(&directory).map_err(io("create", &directory))?;
        let mut store = Self { directory, blocks: BTreeMap::new(), read: BTreeSet::new() };
        let listing = fs::read_dir(&store.directory).map_err(io("list", &store.directory))?;
        for file in listing {
            let path = file.map_err(io("list", &store.directory))?.path();
            match read(&path, max_block_bytes + MOST_BESIDE) {
                // No limit on their number: this node wrote them within its own, and
                // does not know yet which of them it has voted for.
                Ok(Ok(block)) if block.height >= height => {
                    store.read.insert(block.hash);
                    store.blocks.insert(block.hash, Arc::new(block));
                    continue;
                }
                Ok(Ok(_)) => {}
                Ok(Err(Unusable::Damaged)) => {
                    warn!(file = %path.display(), "removing an incomplete proposal file");
                }
                Ok(Err(Unusable::OtherVersion)) => {
                    return Err(ConsensusError::ProposalFormat { path });
                }
                Err(source) => return Err(io("read", &path)(source)),
            }
            fs::remove_file(&path).map_err(io("remove", &path))?;
        }
        Ok(store)
    }

    /// A store without files, with these blocks of a run before.
    #[cfg(test)]
    pub(crate) fn in_memory(blocks: impl IntoIterator<Item = Arc<StoredBlock>>) -> Self {
        let blocks: BTreeMap<_, _> = blocks.into_iter().map(|block| (block.hash, block)).collect();
        let read = blocks.keys().copied().collect();
        Self { directory: PathBuf::new(), blocks, read }
    }

    /// The directory, for messages.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// A handle that writes files from another thread.
    pub(crate) fn writer(&self) -> UndecidedWriter {
        UndecidedWriter { directory: self.directory.clone() }
    }

    /// Takes up a block that the writer has stored. Returns the files of blocks
    /// that had to give way, for the writer to remove: those of the oldest rounds
    /// that nothing is lost with.
    pub(crate) fn insert(&mut self, block: Arc<StoredBlock>, support: &Support) -> Vec<PathBuf> {
        let new = block.hash;
        self.blocks.insert(new, block);
        let mut files = Vec::new();
        while self.blocks.len() > MAX_BLOCKS {
            let idle = |block: &&Arc<StoredBlock>| {
                block.hash != new
                    && !self.read.contains(&block.hash)
                    && support.worth(&block.hash) == (None, None)
            };
            let oldest = self.blocks.values().filter(idle).min_by_key(|b| (b.height, b.round));
            let Some(oldest) = oldest.cloned() else { break };
            self.blocks.remove(&oldest.hash);
            files.push(path_of(&self.directory, &oldest));
        }
        files
    }

    /// The block with this hash.
    pub(crate) fn get(&self, hash: &BlockHash) -> Option<&Arc<StoredBlock>> {
        self.blocks.get(hash)
    }

    /// Blocks of this height that were proposed first in this round.
    pub(crate) fn of_round(&self, height: Height, round: Round) -> Vec<Arc<StoredBlock>> {
        self.blocks
            .values()
            .filter(|block| block.height == height && block.round == round)
            .cloned()
            .collect()
    }

    /// Forgets all blocks below `height`; returns their files for the writer.
    pub(crate) fn forget_below(&mut self, height: Height) -> Vec<PathBuf> {
        let directory = self.directory.clone();
        let mut files = Vec::new();
        self.blocks.retain(|_, block| {
            let keep = block.height >= height;
            if !keep {
                files.push(path_of(&directory, block));
            }
            keep
        });
        self.read.retain(|hash| self.blocks.contains_key(hash));
        files
    }
}

/// Writes and removes the store's files. Blocking.
#[derive(Clone)]
pub(crate) struct UndecidedWriter {
    directory: PathBuf,
}

impl UndecidedWriter {
    /// Writes a block so that it survives a power failure.
    pub(crate) fn write(&self, block: &StoredBlock) -> Result<(), ConsensusError> {
        let path = path_of(&self.directory, block);
        let partial = path.with_extension("partial");
        let front = sealed(&header(block));
        let result = (|| {
            let mut file = File::create(&partial)?;
            // One after the other: a block is too large to be copied for this.
            file.write_all(&front)?;
            file.write_all(&block.bytes)?;
            file.sync_all()?;
            fs::rename(&partial, &path)?;
            File::open(&self.directory)?.sync_all()
        })();
        result.map_err(|source| ConsensusError::Io { action: "write", path, source })
    }

    /// Removes files of decided heights. They may come back after a power
    /// failure; opening the store removes them then.
    pub(crate) fn remove(&self, files: &[PathBuf]) -> Result<(), ConsensusError> {
        for path in files {
            match fs::remove_file(path) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(source) => {
                    return Err(ConsensusError::Io {
                        action: "remove",
                        path: path.clone(),
                        source,
                    });
                }
            }
        }
        Ok(())
    }
}

fn path_of(directory: &Path, block: &StoredBlock) -> PathBuf {
    let hash = hex::encode(block.hash.get());
    directory.join(format!("{:010}-{hash}.{EXTENSION}", block.height.get()))
}

fn checksum(header: &[u8]) -> [u8; SUM_BYTES] {
    let mut hasher = Sm3::new();
    hasher.update(MAGIC);
    hasher.update(header);
    hasher.finalize()
}

/// Why a file of the directory holds no block for this program.
enum Unusable {
    /// It is of another version of the format.
    OtherVersion,
    /// It is not a whole file of ours.
    Damaged,
}

fn read(path: &Path, most: usize) -> std::io::Result<Result<StoredBlock, Unusable>> {
    if path.extension().is_none_or(|extension| extension != EXTENSION) {
        return Ok(Err(Unusable::Damaged));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(most as u64 + 1).read_to_end(&mut bytes)?;
    Ok(match bytes.first_chunk() {
        Some(magic) if magic != MAGIC && magic[..NAME_BYTES] == MAGIC[..NAME_BYTES] => {
            Err(Unusable::OtherVersion)
        }
        _ if bytes.len() > most => Err(Unusable::Damaged),
        _ => parse(bytes.into()).ok_or(Unusable::Damaged),
    })
}

/// What a file says of a block before its bytes.
pub(crate) fn header(block: &StoredBlock) -> Vec<u8> {
    let content = match &block.announced {
        Some(signed) => signed.content,
        None => sm3(&block.bytes),
    };
    Header {
        height: block.height,
        round: block.round,
        hash: block.hash,
        announced: block
            .announced
            .as_ref()
            .map(|signed| (signed.announcement.clone(), signed.signature.to_bytes())),
        content,
        size: u32::try_from(block.bytes.len()).expect("a block has at most 64 MiB"),
    }
    .encode()
}

/// All of a file with this header but the block's bytes.
pub(crate) fn sealed(header: &[u8]) -> Vec<u8> {
    [MAGIC, header, &checksum(header)].concat()
}

/// The block in a file, whose memory it shares.
pub(crate) fn parse(file: Bytes) -> Option<StoredBlock> {
    let after = file.strip_prefix(MAGIC)?;
    let mut rest = after;
    let header = Header::decode(&mut rest).ok()?;
    let encoded = &after[..after.len() - rest.len()];
    let (sum, block) = rest.split_at_checked(SUM_BYTES)?;
    if checksum(encoded) != sum
        || block.len() != header.size as usize
        || sm3(block) != header.content
    {
        return None;
    }
    let announced = match header.announced {
        None => None,
        // The next file takes the SM3 from it.
        Some((announcement, _))
            if announcement.content != header.content || announcement.size != header.size =>
        {
            return None;
        }
        Some((announcement, signature)) => {
            let signature = Signature::from_bytes(&signature).ok()?;
            Some(SignedAnnouncement { announcement, signature })
        }
    };
    Some(StoredBlock {
        height: header.height,
        round: header.round,
        hash: header.hash,
        announced,
        bytes: file.slice(file.len() - block.len()..),
    })
}

#[cfg(test)]
mod faults;
#[cfg(test)]
mod tests;
