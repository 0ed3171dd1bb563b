//! Votes. BillChain uses no vote extensions.

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
