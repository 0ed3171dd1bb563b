//! What roots prove: that a segment has a group, or none; that the group is active; that
//! segments are those that the state root commits to.
//!
//! Everything here needs `alloc` and SM3 alone, so that a checker of certificates takes it over
//! as it is. It never panics, and its work is bounded by the length of what it reads.
//! `docs/cold-segments.md` has the trees and the encodings byte by byte.

mod bit;
mod group;
mod reader;
mod roots;
mod tree;

pub(crate) use group::leaf;

pub use bit::{BitProof, CHUNK_BITS, CHUNK_BYTES};
pub use group::{Exclusion, Inclusion, Neighbour};
pub use roots::{Coverage, Listed, MAX_RUNS, cold_root, run_root, state_root};
pub(crate) use tree::Span;
pub use tree::{Frontier, MAX_LEAVES, Path, Tree};

use core::fmt;
use sm3::{Digest as _, Sm3};

/// An SM3 digest (GB/T 32905).
pub type Digest = [u8; 32];

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

/// SM3 of the parts, one behind the other.
fn sm3(parts: &[&[u8]]) -> Digest {
    let mut hash = Sm3::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().into()
}
