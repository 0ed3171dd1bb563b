//! What is kept of each validator.

use billchain_primitives::{AccountId, BlockNumber, MAX_VALIDATORS};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame::{deps::sp_runtime::ConsensusEngineId, prelude::*};
use scale_info::TypeInfo;

/// Least number of blocks in a row without its pre-commit after which a validator is
/// absent.
pub const ABSENT_AFTER: u32 = 4;

/// How often the time without turns doubles with each failed turn in a row.
pub const MAX_DOUBLINGS: u32 = 6;

/// Name of the digest item that holds a [`CommitDigest`].
pub const COMMIT_DIGEST: ConsensusEngineId = *b"BCPC";

/// What a header says about the commit of its parent.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct CommitDigest {
    /// Round in which the parent was decided.
    pub round: u32,
    /// Who pre-committed: bit *n* is the validator *n* of the parent, by descending
    /// power and then ascending account.
    pub signers: u64,
    /// Which of them took turns to propose the parent, in the same way. The proposer of
    /// a round is the [`turn`](billchain_primitives::turn) among these.
    pub turns: u64,
}

/// Name of the digest item that holds a [`SetChange`].
pub const SET_DIGEST: ConsensusEngineId = *b"BCVS";

/// What a header says when others decide the next block. Whoever knows the validators
/// of one block follows them from header to header, without any state: each of these
/// headers is decided by the validators that the one before it names.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct SetChange {
    /// The last block before whose header says so; 0 if that is the genesis, whose header
    /// always does, with 0 here.
    pub previous: BlockNumber,
    /// Compressed SM2 key and voting power of each validator of the next block, by
    /// descending power and then ascending account.
    pub validators: Voters,
}

/// Compressed SM2 keys and voting powers.
pub(crate) type Voters = BoundedVec<([u8; 33], u64), ConstU32<MAX_VALIDATORS>>;

/// A validator of the block at hand, for whoever judges its commit later.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Seat {
    /// Account of the consensus key.
    pub validator: AccountId,
    /// Compressed SM2 key.
    pub key: [u8; 33],
    /// Voting power.
    pub power: u64,
    /// Whether it takes turns to propose.
    pub takes_turns: bool,
}

/// How a validator takes part.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Record {
    /// Account of the consensus key.
    pub validator: AccountId,
    /// Last blocks in a row whose commits lack its pre-commit.
    pub missed: u32,
    /// Blocks in all whose commits lack it.
    pub missed_in_all: u64,
    /// Its last turns in a row in which no block was decided.
    pub failed: u32,
    /// It takes no turn before this block.
    pub out_until: BlockNumber,
}

impl Record {
    /// Of a validator that has missed nothing.
    pub fn new(validator: AccountId) -> Self {
        Self { validator, missed: 0, missed_in_all: 0, failed: 0, out_until: 0 }
    }

    /// Whether there is nothing to remember.
    pub fn is_blank(&self) -> bool {
        (self.missed, self.missed_in_all, self.failed) == (0, 0, 0)
    }
}

/// How a validator takes part, for whoever asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Standing {
    /// Its record.
    pub record: Record,
    /// Last block whose commit holds its pre-commit; 0 if there is none.
    pub last_seen: BlockNumber,
    /// Whether it takes turns to propose in the next block.
    pub takes_turns: bool,
}
