//! What can go wrong with segments.

use std::io;

/// Why a segment could not be written, read or believed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ColdError {
    /// What the segment lies on refused.
    #[error("cannot {action} {name}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        name: String,
        /// Why not.
        source: io::Error,
    },
    /// A segment is damaged, or is none.
    #[error("{name} is no sound segment, at byte {offset}: {what}")]
    Damaged {
        /// The segment.
        name: String,
        /// Where in it.
        offset: u64,
        /// What was found, and what was expected.
        what: String,
    },
    /// A segment of another format.
    #[error("{name} has segment format {found}, this program reads format {expected}")]
    Format {
        /// The segment.
        name: String,
        /// Format found.
        found: u32,
        /// Format that this program reads and writes.
        expected: u32,
    },
    /// There is a file of this name: segments are never written over.
    #[error("{name} is there already; a segment is never written over")]
    Exists {
        /// The file.
        name: String,
    },
    /// Groups to be written are not in the order of their shared bytes.
    #[error(
        "group {} follows group {}; expected groups in ascending order, each once",
        hex::encode(next),
        hex::encode(before)
    )]
    Order {
        /// What the keys of the group before share.
        before: Vec<u8>,
        /// What those of this one share.
        next: Vec<u8>,
    },
    /// A group cannot be in a segment.
    #[error("group {} cannot be in a segment: {what}", hex::encode(shared))]
    Group {
        /// What its keys share, cut to what a segment can hold.
        shared: Vec<u8>,
        /// What is wrong with it, and what was expected.
        what: String,
    },
    /// An option has a value that cannot work.
    #[error("segment option {field}: found {found}, expected {expected}")]
    Option {
        /// The option's name.
        field: &'static str,
        /// Its value.
        found: i64,
        /// What it may be.
        expected: &'static str,
    },
    /// Activity bits that are not those of the segment, or no bits.
    #[error("activity bits: found {found}, expected {expected}")]
    Bits {
        /// What was found.
        found: String,
        /// What was expected.
        expected: String,
    },
}
