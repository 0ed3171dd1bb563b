//! Encoded forms of the engine's types.

mod certificates;
mod parts;
mod statements;
mod sync;
mod values;

use billchain_crypto::sm2::Signature;
use codec::{Decode, Encode};
use malachitebft_app_channel::app::types::core::{NilOrVal, Round as EngineRound, VoteType};

pub(crate) use sync::MAX_SYNC_VALUES;

use crate::types::{BlockHash, Round};

/// Longest peer id: a multihash of an inlined Ed25519 key has 38 bytes.
const MAX_PEER_ID: usize = 64;
/// A height that has not been decided after this many rounds never will be.
const MAX_ROUND: Round = Round::new(1 << 24);

type SigBytes = [u8; 64];

fn signature(bytes: &SigBytes) -> Result<Signature, String> {
    Signature::from_bytes(bytes).map_err(|error| error.to_string())
}

/// A round that must not be nil: there is no vote, proposal or certificate for
/// that, and none is sent or logged as if it were for another.
fn round(round: EngineRound) -> Result<Round, String> {
    Round::try_from(round).map_err(|error| error.to_string())
}

/// Refuses rounds no run of the protocol reaches, so that arithmetic on rounds
/// that follow a foreign one cannot overflow.
fn valid_round(round: Round) -> Result<EngineRound, String> {
    if round > MAX_ROUND {
        return Err(format!("round {round} is beyond {MAX_ROUND}"));
    }
    Ok(round.into())
}

/// A round that may be nil.
fn round_or_nil(round: EngineRound) -> Option<Round> {
    Round::try_from(round).ok()
}

fn valid_round_or_nil(round: Option<Round>) -> Result<EngineRound, String> {
    round.map_or(Ok(EngineRound::Nil), valid_round)
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
