//! Ties BillChain's types together for Malachite.

use malachitebft_app_channel::app::types::core::{
    Context, LinearTimeouts, NilOrVal, Round, VoteType,
};

use super::scheme::Sm2Scheme;
use super::{
    Address, BlockHash, BlockValue, Height, Proposal, ProposalPart, Validator, ValidatorSet, Vote,
};

/// BillChain's instance of Malachite's [`Context`]. It has no state: which
/// chain it is lives in the signer and the verifier.
#[derive(Clone, Copy, Debug, Default)]
pub struct BillContext;

impl Context for BillContext {
    type Address = Address;
    type Height = Height;
    type ProposalPart = ProposalPart;
    type Proposal = Proposal;
    type Validator = Validator;
    type ValidatorSet = ValidatorSet;
    type Timeouts = LinearTimeouts;
    type Value = BlockValue;
    type Vote = Vote;
    type Extension = ();
    type SigningScheme = Sm2Scheme;

    fn select_proposer<'a>(
        &self,
        validator_set: &'a ValidatorSet,
        height: Height,
        round: Round,
    ) -> &'a Validator {
        // The engine asks only about rounds it is in, never about nil.
        validator_set.proposer(height.get(), round.as_u32().unwrap_or(0))
    }

    fn new_proposal(
        &self,
        height: Height,
        round: Round,
        value: BlockValue,
        pol_round: Round,
        proposer: Address,
    ) -> Proposal {
        Proposal { height, round, value, pol_round, proposer }
    }

    fn new_prevote(
        &self,
        height: Height,
        round: Round,
        value: NilOrVal<BlockHash>,
        voter: Address,
    ) -> Vote {
        Vote { kind: VoteType::Prevote, height, round, value, voter }
    }

    fn new_precommit(
        &self,
        height: Height,
        round: Round,
        value: NilOrVal<BlockHash>,
        voter: Address,
    ) -> Vote {
        Vote { kind: VoteType::Precommit, height, round, value, voter }
    }
}
