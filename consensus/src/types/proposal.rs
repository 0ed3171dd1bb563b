//! Proposals and the value they carry.

use codec::{Decode, Encode, MaxEncodedLen};
use malachitebft_app_channel::app::types::core::{self, Round};

use super::{Address, BillContext, BlockHash, Height};

/// What consensus agrees on: a block, named by its hash.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, MaxEncodedLen,
)]
pub struct BlockValue(pub BlockHash);

impl core::Value for BlockValue {
    type Id = BlockHash;

    fn id(&self) -> BlockHash {
        self.0
    }
}

/// A proposer's statement that it proposes this block in this round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Height proposed at.
    pub height: Height,
    /// Round proposed in.
    pub round: Round,
    /// The block.
    pub value: BlockValue,
    /// Earlier round in which this block had two thirds of the pre-votes, or nil.
    pub pol_round: Round,
    /// Who proposes.
    pub proposer: Address,
}

impl core::Proposal<BillContext> for Proposal {
    fn height(&self) -> Height {
        self.height
    }

    fn round(&self) -> Round {
        self.round
    }

    fn value(&self) -> &BlockValue {
        &self.value
    }

    fn take_value(self) -> BlockValue {
        self.value
    }

    fn pol_round(&self) -> Round {
        self.pol_round
    }

    fn validator_address(&self) -> &Address {
        &self.proposer
    }
}
