//! Votes and proposals.

use codec::{Decode, Encode};
use malachitebft_app_channel::app::consensus::SignedConsensusMsg;
use malachitebft_app_channel::app::types::core::{SignedProposal, SignedVote};

use super::{
    SigBytes, WireVoteType, nil_or, round, round_or_nil, signature, valid_round,
    valid_round_or_nil, value_of,
};
use crate::codec::Wired;
use crate::types::{Address, BillContext, BlockHash, BlockValue, Height, Proposal, Round, Vote};

/// A signed vote.
#[derive(Encode, Decode)]
pub(crate) struct WireVote {
    kind: WireVoteType,
    height: Height,
    round: Round,
    value: Option<BlockHash>,
    voter: Address,
    signature: SigBytes,
}

impl TryFrom<&SignedVote<BillContext>> for WireVote {
    type Error = String;

    fn try_from(vote: &SignedVote<BillContext>) -> Result<Self, String> {
        Ok(Self {
            kind: vote.message.kind.into(),
            height: vote.message.height,
            round: round(vote.message.round)?,
            value: value_of(&vote.message.value),
            voter: vote.message.voter,
            signature: vote.signature.to_bytes(),
        })
    }
}

impl TryFrom<WireVote> for SignedVote<BillContext> {
    type Error = String;

    fn try_from(wire: WireVote) -> Result<Self, String> {
        let vote = Vote {
            kind: wire.kind.into(),
            height: wire.height,
            round: valid_round(wire.round)?,
            value: nil_or(wire.value),
            voter: wire.voter,
        };
        Ok(Self::new(vote, signature(&wire.signature)?))
    }
}

/// A signed proposal.
#[derive(Encode, Decode)]
pub(crate) struct WireProposal {
    height: Height,
    round: Round,
    value: BlockHash,
    pol_round: Option<Round>,
    proposer: Address,
    signature: SigBytes,
}

impl TryFrom<&SignedProposal<BillContext>> for WireProposal {
    type Error = String;

    fn try_from(proposal: &SignedProposal<BillContext>) -> Result<Self, String> {
        Ok(Self {
            height: proposal.message.height,
            round: round(proposal.message.round)?,
            value: proposal.message.value.0,
            pol_round: round_or_nil(proposal.message.pol_round),
            proposer: proposal.message.proposer,
            signature: proposal.signature.to_bytes(),
        })
    }
}

impl TryFrom<WireProposal> for SignedProposal<BillContext> {
    type Error = String;

    fn try_from(wire: WireProposal) -> Result<Self, String> {
        let proposal = Proposal {
            height: wire.height,
            round: valid_round(wire.round)?,
            value: BlockValue(wire.value),
            pol_round: valid_round_or_nil(wire.pol_round)?,
            proposer: wire.proposer,
        };
        Ok(Self::new(proposal, signature(&wire.signature)?))
    }
}

/// A signed vote or proposal.
#[derive(Encode, Decode)]
pub(crate) enum WireConsensus {
    #[codec(index = 1)]
    Vote(WireVote),
    #[codec(index = 2)]
    Proposal(WireProposal),
}

impl Wired for SignedConsensusMsg<BillContext> {
    const WHAT: &'static str = "consensus message";
    type Wire = WireConsensus;

    fn to_wire(&self) -> Result<WireConsensus, String> {
        Ok(match self {
            Self::Vote(vote) => WireConsensus::Vote(vote.try_into()?),
            Self::Proposal(proposal) => WireConsensus::Proposal(proposal.try_into()?),
        })
    }

    fn from_wire(wire: WireConsensus) -> Result<Self, String> {
        Ok(match wire {
            WireConsensus::Vote(vote) => Self::Vote(vote.try_into()?),
            WireConsensus::Proposal(proposal) => Self::Proposal(proposal.try_into()?),
        })
    }
}
