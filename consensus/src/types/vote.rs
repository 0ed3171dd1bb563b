//! Votes. BillChain uses no vote extensions.

use billchain_primitives::{Statement, StatementContext};
use malachitebft_app_channel::app::types::core::{
    self, NilOrVal, Round, SignedExtension, VoteType,
};

use super::{Address, BillContext, BlockHash, Height};

/// A pre-vote or pre-commit for a block or for nil.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    /// Pre-vote or pre-commit.
    pub kind: VoteType,
    /// Height voted at.
    pub height: Height,
    /// Round voted in.
    pub round: Round,
    /// The block, or nil.
    pub value: NilOrVal<BlockHash>,
    /// Who votes.
    pub voter: Address,
}

impl Vote {
    /// Where and by whom it is made.
    pub(crate) fn context(&self) -> StatementContext {
        StatementContext {
            height: self.height.get(),
            round: self.round.as_u32(),
            signer: *self.voter.as_bytes(),
        }
    }

    /// What it says.
    pub(crate) fn statement(&self) -> Statement {
        let block = match self.value {
            NilOrVal::Nil => None,
            NilOrVal::Val(hash) => Some(hash.get()),
        };
        match self.kind {
            VoteType::Prevote => Statement::Prevote { block },
            VoteType::Precommit => Statement::Precommit { block },
        }
    }
}

impl core::Vote<BillContext> for Vote {
    fn height(&self) -> Height {
        self.height
    }

    fn round(&self) -> Round {
        self.round
    }

    fn value(&self) -> &NilOrVal<BlockHash> {
        &self.value
    }

    fn take_value(self) -> NilOrVal<BlockHash> {
        self.value
    }

    fn vote_type(&self) -> VoteType {
        self.kind
    }

    fn validator_address(&self) -> &Address {
        &self.voter
    }

    fn extension(&self) -> Option<&SignedExtension<BillContext>> {
        None
    }

    fn take_extension(&mut self) -> Option<SignedExtension<BillContext>> {
        None
    }

    // The extension type is `()` and the policy of every height is "disabled";
    // the engine asks for no extension, so there is none to keep.
    fn extend(self, _extension: SignedExtension<BillContext>) -> Self {
        self
    }
}
