//! Durable storage of one node: blocks, the state, and the commitment to it.
//!
//! Two engines share the work. **RocksDB** holds everything the node reads:
//! the state under the runtime's raw keys, blocks with their certificates,
//! look-ups and node-local indices. **QMDB** (`commonware-storage`) holds
//! the digests of groups of keys and gives the root of the hot state; it can
//! compute the root of a proposal that is then dropped.
//!
//! What nobody wrote to for long is *cold*: a block that orders it ([`Cooling`]) takes
//! groups of keys out of the hot state, into segments that never change, which this node
//! writes into compressed files on its own time. A cold key is read and proved through
//! the same calls, and comes back when it is written to. The state root is over the
//! hot root, the runs of segments, and what the chain records of these.
//!
//! # What it promises
//!
//! * A block lands whole or not at all: its state changes, body, certificate,
//!   look-ups and head record are one synced RocksDB write. When
//!   [`Storage::commit`] returns, the block survives the loss of power.
//! * The state root depends on the sequence of committed [`StateDelta`]s and
//!   [`Cooling`] orders alone: not on the machine, on restarts, on pruning, on when
//!   files are written, nor on dropped speculations.
//!   (It does depend on the sequence, not only on the resulting state: QMDB
//!   commits to a log of operations.)
//! * Nothing is committed under a root that the commitment did not compute.
//! * RocksDB is the truth. QMDB follows it, is rolled forward from stored
//!   change sets or wound back when the two differ at start, and its root is
//!   compared with the head's. A difference is [`StorageError::Corrupt`].
//! * A [`StateSnapshot`] never changes while commits go on, and costs nothing
//!   to take.
//! * A file of cold segments that is damaged or lost gives an error when it is read,
//!   never an absent key; it can be written again from another node's copy
//!   ([`Storage::adopt_segment`]).
//! * What the operating system refuses (a full disk, too many open files) is
//!   [`StorageError::System`], with what to do about it; it is not called damage,
//!   and what was committed is there when the cause is gone.
//! * Damaged files give an error that names them, not a panic. A MANIFEST of
//!   RocksDB that was cut, which RocksDB itself takes for a crash's work, is
//!   noticed before RocksDB opens the directory.
//!
//! # What it assumes
//!
//! A local file system with working `fsync` and advisory locks, and one process
//! per directory, which it enforces. Keys and values are opaque bytes; the
//! caller bounds their number and size.
//!
//! # What it does not do
//!
//! It does not tell damage from a crash in what RocksDB appended to its
//! MANIFEST after the last block before a crash: a cut there, made after the
//! crash and before the next start, may go unnoticed.
//!
//! It never checks a block, a certificate or a transaction. It keeps the
//! changes of the last [`StorageOptions::history_blocks`] blocks only; if QMDB's
//! directory is lost later than that, the node must start from an empty
//! directory and fetch the chain from its peers.
//!
//! # Layout of a directory
//!
//! | path | content |
//! | --- | --- |
//! | `lock` | held, through the operating system, by the process that uses the directory |
//! | `db/` | RocksDB, with the column families of [`tables`](self#tables) |
//! | `db/seal` | how much of RocksDB's MANIFEST is on disk, and its SM3 |
//! | `commitment/` | QMDB's operations log, Merkle nodes and metadata, over groups of hot keys |
//! | `cold/`, or [`StorageOptions::cold_path`] | files of cold segments, each with a filter beside it |
//!
//! # Tables
//!
//! | column family | key | value |
//! | --- | --- | --- |
//! | `state` | raw state key, if it is hot | raw value |
//! | `block` | number, 4 bytes big-endian | the block's bytes, if the block is kept whole |
//! | `header` | number | the header's bytes, if the block is not kept whole |
//! | `certificate` | number | the commit certificate's bytes |
//! | `changes` | number | the keys that the block wrote, and the values, activity bits and records of cold segments that it replaced |
//! | `index` | number | hash, state root, hot root, length of QMDB's log after the block |
//! | `number_by_hash` | block hash | number |
//! | `tx` | transaction hash | number, index in the block |
//! | `events` | number, index of a transaction, 4 bytes big-endian each | event records of this transaction and those that follow, up to the next key |
//! | `offchain` | raw key | raw value |
//! | `offchain_gone` | raw key | nothing: deleted while the index of older blocks is fetched |
//! | `cooled` | segment, shared bytes | position and values of a cold group, until its segment has a file |
//! | `bits` | segment, number of the chunk | 64 bytes of activity bits |
//! | `nodes` | segment, level, index | a node of the tree over a segment's groups, until it has a file |
//! | `cold` | kind, segment or run | the runs, their segments, and which of them have files here |
//! | `meta` | name | format version, head, oldest change set, first whole block, what the index lacks, newest block in a snapshot |

#![forbid(unsafe_code)]

mod assembly;
mod blocks;
mod changes;
mod checkpoint;
mod cold;
mod commitment;
mod deltas;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod groups;
mod history;
mod index;
mod older;
mod options;
mod plan;
mod prove;
mod records;
mod recovery;
mod replaced;
mod rewind;
mod seal;
mod segments;
mod shared;
mod snapshot;
mod speculation;
mod state_copy;
mod stats;
mod storage;
mod system;
mod tables;
mod target;
mod types;
mod upkeep;
mod verify;

pub use assembly::{Added, Assembly, Beginning, Filled, KeptHeader};
pub use commitment::{
    COMMITMENT_THREAD, Fetch, Fetched, MAX_OPERATIONS_REQUEST_BYTES, MAX_SYNC_OPERATIONS,
    OperationProof, OperationsSource, genesis_root,
};
pub use error::StorageError;
pub use index::{IndexGap, IndexTable};
pub use older::OlderBlock;
pub use options::{OpenMode, StorageOptions};
pub use prove::{GroupProof, Missing, Place, StateProof};
pub use rewind::rewind;
pub use segments::ColdSegment;
pub use snapshot::StateSnapshot;
pub use state_copy::{CopyTable, Entries, StateCopy};
pub use stats::{ColdStats, Stats};
pub use storage::Storage;
pub use system::SystemCause;
pub use tables::FORMAT;
pub use target::{MAX_WITNESS_BYTES, SyncTarget};
pub use types::{BlockCommit, Cooling, EventGroup, Genesis, Head, StateDelta};
pub use verify::{Verified, verify};
