//! Many operations in one transaction.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::PalletError;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Most bills in one batch (tender row 196).
pub const MAX_BATCH: u32 = 500;

/// What a refused item means for the others of its batch.
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
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum BatchMode {
    /// One refused item refuses the whole batch.
    AllOrNothing,
    /// Each item is done or refused by itself.
    PerItem,
}

/// Names an error of the contract that carries this: the index of its variant.
/// An error of FRAME holds four bytes, too few for another whole error.
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
    PalletError,
)]
pub struct ErrorIndex(pub u8);
