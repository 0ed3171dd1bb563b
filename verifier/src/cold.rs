//! What roots of the cold part prove: that a segment has a group, or none; that the group is
//! active; that segments are those that the state root commits to.
//!
//! Whoever keeps cold segments computes the same trees and makes these proofs. Nothing here
//! panics, and the work is bounded by the length of what is read: a proof shows two leaves at
//! most, of [`MAX_SHARED`] bytes and some digests, and 80 digests beside their way.
//! `docs/certificates.md` has the trees and the encodings byte by byte.

mod bit;
mod group;
mod reader;
mod roots;
mod tree;

pub use crate::Digest;
pub use bit::{BitProof, CHUNK_BITS, CHUNK_BYTES};
pub use group::{Exclusion, Inclusion, Neighbour, leaf};
pub(crate) use reader::Reader;
pub use roots::{Coverage, Listed, MAX_RUNS, cold_root, run_root, state_root};
pub use tree::{Beside, Frontier, MAX_LEAVES, Path, Span, Tree};

use crate::sm3;
use core::fmt;

/// Most bytes that the keys of a group share, so that it can be cold.
pub const MAX_SHARED: usize = 1_024;

/// Why nothing is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The bytes are no proof of the form expected.
    Malformed(&'static str),
    /// What is shown leads to another root.
    OtherRoot,
    /// The key is not between the neighbours that are shown.
    NotBetween,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(why) => write!(f, "the proof is malformed: {why}"),
            Self::OtherRoot => f.write_str("what is shown leads to another root"),
            Self::NotBetween => f.write_str("the key is not between the neighbours that are shown"),
        }
    }
}

impl core::error::Error for Refused {}
