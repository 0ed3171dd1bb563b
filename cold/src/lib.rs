//! Cold segments: immutable, compressed, authenticated files of groups that nobody writes to
//! any more.
//!
//! The commitment to the state is over *groups*, keys that differ in their last byte alone. A
//! [`Segment`] holds groups in the order of the bytes that their keys share, with all values,
//! in compressed blocks, an index over these, and a Merkle tree over the groups. It answers what
//! a key's value is, and proves that it has a group, or that it has none between two neighbours.
//! [`Activity`] says which of its groups still are what the state says of their keys. A segment
//! that is being filled has a [`Growing`] tree; beside one that is written lies a [`Filter`] of
//! the keys that it may have.
//! [`mod@proof`] checks the proofs: it is a part of the verifier of certificates, which needs
//! `alloc` and SM3 alone.
//!
//! ```
//! use billchain_cold::{ColdError, Group, LocalFile, Segment, WriteOptions, write};
//!
//! # let directory = tempfile::tempdir().unwrap();
//! # let path = directory.path().join("segment");
//! let group = Group { shared: b"number 1".to_vec(), values: vec![(b'7', b"bill".to_vec())] };
//! let written = write::<ColdError>(&path, WriteOptions::default(), [Ok(group)])?;
//! let segment = Segment::open(LocalFile::open(&path)?)?;
//! assert_eq!(*segment.root(), written.root);
//! assert_eq!(segment.get(b"number 17")?.as_deref(), Some(&b"bill"[..]));
//! # Ok::<(), ColdError>(())
//! ```
//!
//! # What it promises
//!
//! * A segment is whole and durable, or there is none of its name.
//! * The root depends on the groups alone: not on blocks, compression or the machine.
//! * Memory to write, read and check a segment does not grow with it.
//! * Bytes that are not what was written give an error that says which file, where, what was
//!   found and what was expected. Nothing panics on foreign bytes.
//!
//! # What it assumes
//!
//! A file system with working `fsync` and `rename` where segments are written. Readers may use
//! any [`Source`]. One program at a time writes a segment of a name.
//!
//! # What it does not do
//!
//! It decides neither what is cold, nor when: `docs/decisions/0063-cold-segments.md` says how a
//! chain does. `docs/cold-segments.md` has every format byte by byte, and `docs/certificates.md`
//! trees and proofs.

#![forbid(unsafe_code)]

mod activity;
mod block;
mod cache;
mod error;
mod filter;
mod footer;
#[doc(hidden)]
pub mod fuzzing;
mod group;
mod growing;
mod index;
mod nodes;
mod output;
mod prove;
mod scan;
mod segment;
mod source;
mod verify;
mod writer;

pub use activity::{Activity, Turned};
pub use billchain_verifier::cold as proof;
pub use cache::Cache;
pub use error::ColdError;
pub use filter::{Filter, FilterWriter, filter_path};
pub use footer::FORMAT;
pub use group::{Group, MAX_GROUP, MAX_SHARED};
pub use growing::{Growing, WholeNode};
pub use prove::Proof;
pub use scan::Groups;
pub use segment::{Located, Segment};
pub use source::{LocalFile, Source};
pub use writer::{WriteOptions, Written, write};
