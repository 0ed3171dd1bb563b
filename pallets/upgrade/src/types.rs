//! What a release is.

use billchain_primitives::{BlockNumber, Hash, Moment};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Fewest blocks between the motion and the height of its release.
pub const MIN_NOTICE: BlockNumber = 16;

/// How long what was signed for the rules before is admitted, in milliseconds of block
/// time.
pub const GRACE_MS: Moment = 60 * 60 * 1_000;

/// A release that the chain goes over to.
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
pub struct Release {
    /// Its rules: the runtime's `spec_version`.
    pub rules: u32,
    /// The first block under its rules.
    pub height: BlockNumber,
    /// SM3 of the release's manifest, which lists its files with their SM3.
    pub manifest: Hash,
}

/// A release that is scheduled, and what is in force until then.
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
pub struct Plan {
    /// The release.
    pub release: Release,
    /// Rules in force.
    pub rules: u32,
    /// Encoding of calls: the runtime's `transaction_version`.
    pub encoding: u32,
}

/// Rules that are in force no more.
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
pub struct Former {
    /// The rules.
    pub rules: u32,
    /// Time of a block that admits nothing more that was signed for them, in
    /// milliseconds.
    pub until: Moment,
}

/// Whether a power of `ready` is more than two thirds of the power `of` all.
pub fn is_enough(ready: u64, of: u64) -> bool {
    u128::from(ready) * 3 > u128::from(of) * 2
}
