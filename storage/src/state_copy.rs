//! A copy of the store at one block, from which others are served.
//!
//! It lies in a directory of its own beside the store: a [checkpoint] and a record of
//! what the block's state root proves. The store goes on meanwhile.
//!
//! [checkpoint]: Storage::checkpoint

use crate::{
    Head, Storage, StorageError, StorageOptions, SyncTarget,
    cold::{
        SegmentId,
        records::{self, RUNS, RunList},
    },
    commitment::{LogProof, Served},
    groups::Gathered,
    tables::{Cursor, Table, Tables},
};
use billchain_crypto::sm3::Sm3;
use codec::{Decode, DecodeAll, Encode};
use sp_core::H256;
use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

/// The record's name in the directory. It is written last.
const RECORD: &str = "target";

/// What the record begins with.
const MAGIC: [u8; 4] = *b"BCST";

/// Longest record.
const MAX_RECORD_BYTES: u64 = 4_096;

/// RocksDB's memory and files for a copy: it is read seldom, and in order.
const CACHE_BYTES: usize = 8 << 20;
const FILES: u32 = 64;

/// Tables of which pages are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum CopyTable {
    /// The state: each entry is proven by the commitment.
    State,
    /// Events of transactions, by number of the block and index.
    Events,
    /// The node-local index.
    Index,
    /// The records of the runs of cold segments and of the segments. The state root proves them
    /// whole, together with [`Bits`](Self::Bits).
    Cold,
    /// Activity bits of the segments.
    Bits,
    /// Groups of segments that no file was due of yet.
    Cooled,
}

impl CopyTable {
    const fn table(self) -> Table {
        match self {
            Self::State => Table::State,
            Self::Events => Table::Events,
            Self::Index => Table::Offchain,
            Self::Cold => Table::Cold,
            Self::Bits => Table::Bits,
            Self::Cooled => Table::Cooled,
        }
    }

    /// Where its entries begin that all nodes have.
    const fn start(self) -> &'static [u8] {
        match self {
            // What is before is each node's own.
            Self::Cold => RUNS,
            _ => &[],
        }
    }

    /// The run and the segment to which a key belongs, of a table of the cold part.
    fn segment_of(self, key: &[u8]) -> Option<SegmentId> {
        match self {
            Self::Cold => SegmentId::of_record_key(key),
            Self::Bits | Self::Cooled => SegmentId::of_prefix(key),
            Self::State | Self::Events | Self::Index => None,
        }
    }

    /// The smallest key of the segments of this run and of later ones.
    fn first_key_of(self, run: u64) -> Vec<u8> {
        let first = SegmentId { run, index: 0 };
        if self == Self::Cold { first.record_key() } else { first.prefix() }
    }
}

/// Entries of a table, keys and values, in the order of keys.
pub type Entries = Vec<(Vec<u8>, Vec<u8>)>;

impl Storage {
    /// Makes a copy of the store at the head in the new directory `into`, from which
    /// [`StateCopy`] serves. As [`checkpoint`](Self::checkpoint), and synced.
    ///
    /// Called between two commits it is of the block before.
    pub fn copy_state(&self, into: &Path) -> Result<SyncTarget, StorageError> {
        let read = |storage: &Self| {
            Ok((storage.commitment.proof()?, storage.hot_root(), storage.shared.cold.view()))
        };
        let (head, (proof, hot_root, view)) = self.checkpoint_with(into, read)?;
        let LogProof { root, range, witness } = proof;
        let Head { number, hash, state_root } = head;
        let target = SyncTarget {
            number,
            hash,
            state_root,
            hot_root,
            runs: view.run_roots().into_iter().map(H256).collect(),
            records: H256(view.records),
            operations_root: root,
            start: range.start,
            end: range.end,
            witness,
        };
        let io_error = |source| StorageError::Io {
            action: "write the record of a copy to",
            path: into.to_owned(),
            source,
        };
        write_record(into, &target).map_err(io_error)?;
        Ok(target)
    }
}

fn write_record(directory: &Path, target: &SyncTarget) -> io::Result<()> {
    let partial = directory.join(format!("{RECORD}.partial"));
    let mut file = File::create(&partial)?;
    file.write_all(&record(target))?;
    file.sync_all()?;
    fs::rename(&partial, directory.join(RECORD))?;
    File::open(directory)?.sync_all()
}

/// Magic, format, target, SM3 of all before.
pub(crate) fn record(target: &SyncTarget) -> Vec<u8> {
    let mut bytes = [&MAGIC[..], &crate::FORMAT.to_be_bytes(), &target.encode()].concat();
    let mut sm3 = Sm3::new();
    sm3.update(&bytes);
    bytes.extend(sm3.finalize());
    bytes
}

/// Reads a record; words on what is wrong with it.
pub(crate) fn read_record(bytes: &[u8]) -> Result<SyncTarget, String> {
    let (content, digest) =
        bytes.split_last_chunk::<32>().ok_or_else(|| "it is cut short".to_owned())?;
    let mut sm3 = Sm3::new();
    sm3.update(content);
    if sm3.finalize() != *digest {
        return Err("its SM3 is another".into());
    }
    let content = content.strip_prefix(&MAGIC).ok_or("it is no record of a copy")?;
    let (format, target) = content.split_first_chunk::<4>().ok_or("it is cut short")?;
    let format = u32::from_be_bytes(*format);
    if format != crate::FORMAT {
        return Err(format!("it has format {format}, expected {}", crate::FORMAT));
    }
    let target = SyncTarget::decode_all(&mut &target[..]).map_err(|error| error.to_string())?;
    if target.is_proven() { Ok(target) } else { Err("its state root proves another log".into()) }
}

/// A copy that is open. All methods block on the disk.
pub struct StateCopy {
    path: PathBuf,
    target: SyncTarget,
    tables: Tables,
    commitment: Served,
    /// The runs that the state root is over.
    runs: BTreeSet<u64>,
}

impl StateCopy {
    /// Opens the copy in `path`, which nobody else uses. It takes some files and
    /// megabytes of memory, and no memory in proportion to the state.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] if it is damaged, or its making was cut short.
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        let corrupt = |what| StorageError::Corrupt { what, path: path.to_owned() };
        let io_error = |source| StorageError::Io {
            action: "read the record of a copy in",
            path: path.to_owned(),
            source,
        };
        let mut bytes = Vec::new();
        match File::open(path.join(RECORD)) {
            Ok(file) => file.take(MAX_RECORD_BYTES).read_to_end(&mut bytes).map_err(io_error)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(corrupt("it holds no whole copy".into()));
            }
            Err(error) => return Err(io_error(error)),
        };
        let target = read_record(&bytes)
            .map_err(|reason| corrupt(format!("the file {RECORD} is unusable: {reason}")))?;
        let options = StorageOptions {
            block_cache_bytes: CACHE_BYTES,
            max_open_files: FILES,
            ..StorageOptions::default()
        };
        let tables = Tables::open_read_only(&path.join("db"), &options)?;
        let commitment = Served::open(&path.join("commitment"))?;
        let list: Option<RunList> = records::read(&tables, RUNS, "the runs of cold groups")?;
        let runs = list.unwrap_or_default().runs.iter().map(|run| run.id).collect();
        let copy = Self { path: path.to_owned(), target, tables, commitment, runs };
        let head = copy.tables.head()?.map(|head| (head.number, head.hash, head.state_root));
        let expected = (copy.target.number, copy.target.hash, copy.target.state_root);
        if head != Some(expected) {
            return Err(corrupt(format!("it holds the block {head:?}, its record {expected:?}")));
        }
        Ok(copy)
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it serves.
    pub fn target(&self) -> &SyncTarget {
        &self.target
    }

    /// The answer to an encoded request for operations of the log; `None` if it is none,
    /// or is for others.
    pub fn operations(&self, request: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        self.commitment.answer(request)
    }

    /// Entries of a table whose keys are above `after`, in order: those that fit into
    /// `max_bytes`, and one in any case. None behind the last. Of the state, what is left of
    /// the last entry's group of keys as well, if `after` was the end of one. Of the cold part,
    /// what all nodes have: nothing of runs that have left it.
    pub fn page(
        &self,
        table: CopyTable,
        after: &[u8],
        max_bytes: usize,
    ) -> Result<Entries, StorageError> {
        // The smallest key above `after`. No key is empty.
        let above = [after, &[0]].concat();
        let from = if after.is_empty() { &[][..] } else { &above };
        let from = from.max(table.start());
        let mut cursor = self.tables.cursor(table.table(), from, None)?;
        let (mut entries, mut bytes) = (Entries::new(), 0_usize);
        let mut gathered = Gathered::default();
        self.skip_former(table, &mut cursor)?;
        while let Some((key, value)) = cursor.entry() {
            bytes = bytes.saturating_add(key.len()).saturating_add(value.len());
            let is_whole = table != CopyTable::State || gathered.is_whole_before(key);
            if bytes > max_bytes && !entries.is_empty() && is_whole {
                break;
            }
            if table == CopyTable::State {
                // What the values are does not matter here.
                gathered.add((key, [0; 32]), 0)?;
            }
            entries.push((key.to_vec(), value.to_vec()));
            cursor.advance()?;
            self.skip_former(table, &mut cursor)?;
        }
        Ok(entries)
    }

    /// Leaves out runs that have left the cold part, one step each.
    fn skip_former(&self, table: CopyTable, cursor: &mut Cursor<'_>) -> Result<(), StorageError> {
        let former = |cursor: &Cursor<'_>| {
            let id = cursor.entry().and_then(|(key, _)| table.segment_of(key))?;
            (!self.runs.contains(&id.run)).then_some(id.run)
        };
        while let Some(run) = former(cursor) {
            let Some(next) = run.checked_add(1) else {
                // Behind it there is nothing.
                return cursor.seek(&[u8::MAX; 16]);
            };
            cursor.seek(&table.first_key_of(next))?;
        }
        Ok(())
    }

    /// Whether its index lacks nothing.
    pub fn has_whole_index(&self) -> Result<bool, StorageError> {
        Ok(self.tables.index_gap()?.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(hex: &str) -> H256 {
        let mut bytes = [0; 32];
        hex::decode_to_slice(hex, &mut bytes).unwrap();
        H256(bytes)
    }

    #[test]
    fn the_record_of_format_8_is_as_it_was() {
        let target = SyncTarget {
            number: 16,
            hash: hash("d0aa11a28ad3b8c087f6b92ffd31a4ac817ab4d8fb50cae66f1f3f06b2a7177a"),
            state_root: hash("8485e03fa49e81d09375ec5d8494c9ae675bc0be20f224d54204287a479cce74"),
            hot_root: hash("3d161e3a20b01f7a6daaff516d505191f8f5b414d39f0f008f3ccf5444f803f9"),
            runs: vec![H256::repeat_byte(0x11), H256::repeat_byte(0x22)],
            records: H256::repeat_byte(0x33),
            operations_root: hash(
                "5923410d6b96ab565123e149127aaf3086da806cf68e108728d2f660678b95b4",
            ),
            start: 0,
            end: 560,
            witness: hex::decode(
                "4817622665b53931d33ca897de3b1d955f5c6101ac1cece2d3bf6b8b5b82d6730130e99550e19a35\
                 bce00654c51ce274f21287b5cd38598b9f3dde93b389ac3e5a41",
            )
            .unwrap(),
        };
        assert!(target.is_proven());
        let fixture = include_bytes!("fixtures/copy-8");
        assert_eq!(record(&target), fixture);
        assert_eq!(read_record(fixture), Ok(target.clone()));
        // What the state root is over cannot be exchanged.
        for other in [
            SyncTarget { runs: vec![H256::repeat_byte(0x11)], ..target.clone() },
            SyncTarget { runs: vec![H256::repeat_byte(0x11); 65], ..target.clone() },
            SyncTarget { records: H256::repeat_byte(0x34), ..target.clone() },
            SyncTarget { hot_root: target.state_root, ..target },
        ] {
            assert!(!other.is_proven(), "{other:?}");
            assert!(read_record(&record(&other)).is_err());
        }
    }
}
