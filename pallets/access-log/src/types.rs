//! What is anchored.

use billchain_primitives::Hash;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Milliseconds of a day.
pub const DAY_MS: u64 = 86_400_000;
/// Anchors of one operator that the state keeps: those of some months.
pub const MAX_ANCHORS: u32 = 100;

/// Where a log stood on a day.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Anchor {
    /// Days since 1970-01-01, UTC, by the block's time.
    pub day: u32,
    /// Number of the log's last line, from 1.
    pub number: u64,
    /// Its hash.
    pub hash: Hash,
}
