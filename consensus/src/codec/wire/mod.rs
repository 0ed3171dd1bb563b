//! Encoded forms of the engine's types.

mod certificates;
mod parts;
mod statements;
mod sync;
mod values;

use billchain_crypto::sm2::Signature;
use codec::{Decode, Encode};
use malachitebft_app_channel::app::types::core::{NilOrVal, Round, VoteType};

pub(crate) use sync::MAX_SYNC_VALUES;

use crate::types::BlockHash;

/// Longest peer id: a multihash of an inlined Ed25519 key has 38 bytes.
const MAX_PEER_ID: usize = 64;
/// A height that has not been decided after this many rounds never will be.
const MAX_ROUND: u32 = 1 << 24;

type SigBytes = [u8; 64];

fn signature(bytes: &SigBytes) -> Result<Signature, String> {
    Signature::from_bytes(bytes).map_err(|error| error.to_string())
}

/// A round that must not be nil.
fn round(round: &Round) -> u32 {
    // The engine makes no vote, proposal or certificate for the nil round.
    round.as_u32().unwrap_or(0)
}

/// Refuses rounds no run of the protocol reaches, so that arithmetic on rounds
/// that follow a foreign one cannot overflow.
fn valid_round(round: u32) -> Result<Round, String> {
    if round > MAX_ROUND {
        return Err(format!("round {round} is beyond {MAX_ROUND}"));
    }
    Ok(Round::new(round))
}

fn optional_round(round: Option<u32>) -> Result<Round, String> {
    round.map_or(Ok(Round::Nil), valid_round)
}

fn value_of(value: &NilOrVal<BlockHash>) -> Option<BlockHash> {
    match value {
        NilOrVal::Nil => None,
        NilOrVal::Val(hash) => Some(*hash),
    }
}

fn nil_or(value: Option<BlockHash>) -> NilOrVal<BlockHash> {
    value.map_or(NilOrVal::Nil, NilOrVal::Val)
}

/// Pre-vote or pre-commit.
#[derive(Clone, Copy, Encode, Decode)]
pub(crate) enum WireVoteType {
    #[codec(index = 1)]
    Prevote,
    #[codec(index = 2)]
    Precommit,
}

impl From<VoteType> for WireVoteType {
    fn from(kind: VoteType) -> Self {
        match kind {
            VoteType::Prevote => Self::Prevote,
            VoteType::Precommit => Self::Precommit,
        }
    }
}

impl From<WireVoteType> for VoteType {
    fn from(kind: WireVoteType) -> Self {
        match kind {
            WireVoteType::Prevote => Self::Prevote,
            WireVoteType::Precommit => Self::Precommit,
        }
    }
}
