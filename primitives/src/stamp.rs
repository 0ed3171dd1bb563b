//! When, and in which transaction, a record was written.

use crate::{BlockNumber, Moment};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Names the transaction that wrote a record: block and place within it.
#[derive(
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Stamp {
    /// Number of the block; 0 for the genesis.
    pub block: BlockNumber,
    /// Index of the transaction in the block; absent for the genesis and for
    /// what a block does by itself.
    pub extrinsic: Option<u32>,
    /// Time of the block; 0 for the genesis.
    pub moment: Moment,
}
