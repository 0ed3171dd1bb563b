//! Converts the engine's evidence of misbehaviour into the chain's `Equivocation`.

use billchain_crypto::sm2::Signature;
use billchain_primitives::{Equivocation, Offence, SignedStatement, Statement, StatementContext};
use malachitebft_app_channel::app::types::MisbehaviorEvidence;
use std::collections::BTreeMap;

use crate::types::BillContext;

/// The charges that follow from the engine's evidence: one for each validator,
/// height and kind of statement, as the chain records them. The engine has
/// verified the signatures, and keeps a few pairs of each validator and height.
///
/// It also keeps two proposals of one block that differ in what they say of an
/// earlier round; these are no offence.
pub(crate) fn equivocations(evidence: &MisbehaviorEvidence<BillContext>) -> Vec<Equivocation> {
    let mut charges = BTreeMap::<Offence, Equivocation>::new();
    let votes = evidence.votes.iter().flat_map(|(_, pairs)| pairs).filter_map(|(one, other)| {
        let said = |vote: &crate::types::Vote| (vote.context(), vote.statement());
        charge([(said(&one.message), &one.signature), (said(&other.message), &other.signature)])
    });
    let proposals =
        evidence.proposals.iter().flat_map(|(_, pairs)| pairs).filter_map(|(one, other)| {
            let said =
                |proposal: &crate::types::Proposal| (proposal.context(), proposal.statement());
            charge([(said(&one.message), &one.signature), (said(&other.message), &other.signature)])
        });
    for equivocation in votes.chain(proposals) {
        charges.entry(equivocation.offence()).or_insert(equivocation);
    }
    charges.into_values().collect()
}

/// What was said, where, and the signature under it.
type Said<'a> = ((StatementContext, Statement), &'a Signature);

/// The charge of a pair; none if its statements do not exclude each other.
fn charge(pair: [Said<'_>; 2]) -> Option<Equivocation> {
    let [((context, one), _), ((other_context, other), _)] = &pair;
    let excludes = one.kind() == other.kind() && one.block() != other.block();
    if context != other_context || !excludes {
        return None;
    }
    let StatementContext { height, round, signer } = *context;
    let statements = pair.map(|((_, statement), signature)| SignedStatement {
        statement,
        signature: signature.to_bytes(),
    });
    Some(Equivocation::new(signer.into(), height, round?, statements))
}

#[cfg(test)]
mod tests {
    use billchain_crypto::sm2::{DEFAULT_ID, SecretKey};
    use billchain_primitives::{Hash, StatementKind};
    use malachitebft_app_channel::app::types::core::{NilOrVal, Round, SignedMessage, VoteType};

    use super::*;
    use crate::signing::ChainDomain;
    use crate::types::{Address, BlockValue, Height, Proposal, Vote};

    fn domain() -> ChainDomain {
        ChainDomain::new(Hash::repeat_byte(7))
    }

    fn key() -> SecretKey {
        SecretKey::from_seed(&[1])
    }

    fn vote(kind: VoteType, round: u32, block: Option<u8>) -> SignedMessage<BillContext, Vote> {
        let vote = Vote {
            kind,
            height: Height::new(5),
            round: Round::new(round),
            value: block.map_or(NilOrVal::Nil, |b| NilOrVal::Val(Hash::repeat_byte(b).into())),
            voter: Address::from_public_key(&key().public()),
        };
        let signature = key().sign(DEFAULT_ID, &domain().vote_bytes(&vote));
        SignedMessage::new(vote, signature)
    }

    fn proposal(block: u8, valid_round: Round) -> SignedMessage<BillContext, Proposal> {
        let proposal = Proposal {
            height: Height::new(5),
            round: Round::new(3),
            value: BlockValue(Hash::repeat_byte(block).into()),
            pol_round: valid_round,
            proposer: Address::from_public_key(&key().public()),
        };
        let signature = key().sign(DEFAULT_ID, &domain().proposal_bytes(&proposal));
        SignedMessage::new(proposal, signature)
    }

    /// What the engine hands over is what the chain accepts, and is charged once.
    #[test]
    fn the_engines_evidence_becomes_charges_that_the_chain_can_verify() {
        use VoteType::{Precommit, Prevote};
        let mut evidence =
            MisbehaviorEvidence { proposals: Default::default(), votes: Default::default() };
        assert!(equivocations(&evidence).is_empty());
        evidence.votes.add(vote(Prevote, 0, Some(1)), vote(Prevote, 0, None));
        evidence.votes.add(vote(Prevote, 1, Some(1)), vote(Prevote, 1, Some(2)));
        evidence.votes.add(vote(Precommit, 1, Some(1)), vote(Precommit, 1, Some(2)));
        evidence.proposals.add(proposal(1, Round::Nil), proposal(1, Round::new(2)));
        evidence.proposals.add(proposal(1, Round::Nil), proposal(2, Round::new(2)));
        let charges = equivocations(&evidence);
        let kinds: Vec<_> = charges.iter().map(|charge| charge.offence().kind).collect();
        assert_eq!(
            kinds,
            [StatementKind::Proposal, StatementKind::Prevote, StatementKind::Precommit]
        );
        for charge in charges {
            let key = key().public().to_compressed();
            assert_eq!(charge.verify(domain().layout(), &key), Ok(()), "{charge:?}");
        }
    }

    #[test]
    fn one_block_proposed_again_with_another_valid_round_is_no_offence() {
        let mut evidence =
            MisbehaviorEvidence { proposals: Default::default(), votes: Default::default() };
        evidence.proposals.add(proposal(1, Round::Nil), proposal(1, Round::new(2)));
        assert!(equivocations(&evidence).is_empty());
    }
}
