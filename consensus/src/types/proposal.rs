//! Proposals and the value they carry.

use billchain_primitives::{Statement, StatementContext};
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

impl Proposal {
    /// Where and by whom it is made.
    pub(crate) fn context(&self) -> StatementContext {
        StatementContext {
            height: self.height.get(),
            round: self.round.as_u32(),
            signer: *self.proposer.as_bytes(),
        }
    }

    /// What it says.
    pub(crate) fn statement(&self) -> Statement {
        Statement::Proposal { block: self.value.0.get(), valid_round: self.pol_round.as_u32() }
    }
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
