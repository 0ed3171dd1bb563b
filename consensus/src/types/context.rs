//! Ties BillChain's types together for Malachite.

use malachitebft_app_channel::app::types::core::{
    Context, LinearTimeouts, NilOrVal, Round as EngineRound, VoteType,
};

use super::scheme::Sm2Scheme;
use super::{
    Address, BlockHash, BlockValue, Height, Proposal, ProposalPart, Round, Validator, ValidatorSet,
    Vote,
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
        round: EngineRound,
    ) -> &'a Validator {
        // The trait has no room for an error. Nil has no proposer, and to name one
        // would make somebody's block good in a round that there is not.
        let round = Round::try_from(round).expect(
            "the engine asks about rounds that it has begun, and of those in messages and in its \
             log, where the codec has refused nil; qed",
        );
        validator_set.proposer(height, round)
    }

    fn new_proposal(
        &self,
        height: Height,
        round: EngineRound,
        value: BlockValue,
        pol_round: EngineRound,
        proposer: Address,
    ) -> Proposal {
        Proposal { height, round, value, pol_round, proposer }
    }

    fn new_prevote(
        &self,
        height: Height,
        round: EngineRound,
        value: NilOrVal<BlockHash>,
        voter: Address,
    ) -> Vote {
        Vote { kind: VoteType::Prevote, height, round, value, voter }
    }

    fn new_precommit(
        &self,
        height: Height,
        round: EngineRound,
        value: NilOrVal<BlockHash>,
        voter: Address,
    ) -> Vote {
        Vote { kind: VoteType::Precommit, height, round, value, voter }
    }
}
