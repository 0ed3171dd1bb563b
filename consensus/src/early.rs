//! Votes and proposals of heights that this node has not begun.
//!
//! The engine queues them unverified, in one queue of a bounded length for all, so
//! that one peer could fill it and keep the others' votes out at the start of each
//! height. Here each validator has room of its own, and only what it has signed
//! takes it. The validators of a later height are not known yet, so the current ones
//! count. A validator that the block being decided adds is heard when it repeats its
//! votes.

use std::collections::HashMap;

use billchain_crypto::sm2::DEFAULT_ID;
use malachitebft_app_channel::app::consensus::SignedConsensusMsg;

use crate::sightings::Sightings;
use crate::signing::Sm2Verifier;
use crate::types::{Address, BillContext, Height, ValidatorSet};

/// Heights ahead of the one begun last of which messages are kept; a node that is
/// further behind catches up by value sync.
const HEIGHTS_AHEAD: u64 = 2;
/// Messages that the engine keeps of one height: its default, less what the
/// driver itself may add.
const ENGINE_QUEUE: usize = 480;
/// Messages of one validator for one height at most: votes and proposals of some
/// rounds.
const PER_VALIDATOR: usize = 32;

/// See the module's documentation.
pub(crate) struct EarlyMessages {
    verifier: Sm2Verifier,
    begun: Height,
    validators: ValidatorSet,
    taken: HashMap<(Height, Address), usize>,
}

impl EarlyMessages {
    pub(crate) fn new(verifier: Sm2Verifier, begun: Height, validators: ValidatorSet) -> Self {
        Self { verifier, begun, validators, taken: HashMap::new() }
    }

    /// The engine has begun a height.
    pub(crate) fn begun(&mut self, height: Height, validators: ValidatorSet) {
        self.begun = height;
        self.validators = validators;
        self.taken.retain(|(early, _), _| *early > height);
    }

    /// The height that was begun last, and how many validators it has.
    pub(crate) fn at_hand(&self) -> (Height, usize) {
        (self.begun, self.validators.as_slice().len())
    }

    /// Sightings of the validators of the height that was begun last.
    pub(crate) fn sightings(&self) -> Sightings {
        Sightings::new(self.verifier, self.validators.clone())
    }

    /// Whether the engine may have this message.
    pub(crate) fn admits(&mut self, message: &SignedConsensusMsg<BillContext>) -> bool {
        let height = message.height();
        if height <= self.begun {
            // The engine verifies these at once and bounds them by round.
            return true;
        }
        if height.get() > self.begun.get() + HEIGHTS_AHEAD {
            return false;
        }
        let signer = signer(message);
        let share = (ENGINE_QUEUE / self.validators.as_slice().len()).clamp(3, PER_VALIDATOR);
        if self.taken.get(&(height, signer)).is_some_and(|taken| *taken >= share)
            || !is_signed_by_validator(&self.verifier, &self.validators, message)
        {
            return false;
        }
        *self.taken.entry((height, signer)).or_default() += 1;
        true
    }
}

fn signer(message: &SignedConsensusMsg<BillContext>) -> Address {
    match message {
        SignedConsensusMsg::Vote(vote) => vote.message.voter,
        SignedConsensusMsg::Proposal(proposal) => proposal.message.proposer,
    }
}

/// Whether one of these validators signed this message.
pub(crate) fn is_signed_by_validator(
    verifier: &Sm2Verifier,
    validators: &ValidatorSet,
    message: &SignedConsensusMsg<BillContext>,
) -> bool {
    let domain = verifier.domain();
    let bytes = match message {
        SignedConsensusMsg::Vote(vote) => domain.vote_bytes(&vote.message),
        SignedConsensusMsg::Proposal(proposal) => domain.proposal_bytes(&proposal.message),
    };
    validators.get(&signer(message)).is_some_and(|validator| {
        validator.public_key().verify(DEFAULT_ID, &bytes, message.signature())
    })
}

#[cfg(test)]
mod tests {
    use billchain_crypto::sm2::SecretKey;
    use billchain_primitives::Hash;
    use malachitebft_app_channel::app::types::core::{NilOrVal, Round, SignedVote, VoteType};

    use super::*;
    use crate::signing::ChainDomain;
    use crate::types::{Validator, Vote};

    fn key(seed: u8) -> SecretKey {
        SecretKey::from_seed(&[seed])
    }

    fn domain() -> ChainDomain {
        ChainDomain::new(Hash::repeat_byte(7))
    }

    fn set() -> ValidatorSet {
        let keys = (0..4).map(|seed| Validator::new(key(seed).public(), 1));
        ValidatorSet::new(keys).expect("a set")
    }

    fn early() -> EarlyMessages {
        EarlyMessages::new(Sm2Verifier::new(domain()), Height::new(5), set())
    }

    /// A vote in the name of one, signed by another or the same.
    fn vote(height: u64, round: u32, voter: u8, signer: u8) -> SignedConsensusMsg<BillContext> {
        let vote = Vote {
            kind: VoteType::Prevote,
            height: Height::new(height),
            round: Round::new(round),
            value: NilOrVal::Nil,
            voter: Address::from_public_key(&key(voter).public()),
        };
        let signature = key(signer).sign(DEFAULT_ID, &domain().vote_bytes(&vote));
        SignedConsensusMsg::Vote(SignedVote::new(vote, signature))
    }

    #[test]
    fn early_votes_of_one_validator_take_no_room_of_another() {
        let mut early = early();
        let taken = (0..1000).filter(|round| early.admits(&vote(6, *round, 3, 3))).count();
        assert_eq!(taken, PER_VALIDATOR);
        for voter in 0..3 {
            assert!(early.admits(&vote(6, 0, voter, voter)));
        }
        assert!(early.admits(&vote(7, 0, 3, 3)), "another height");
    }

    #[test]
    fn nobody_takes_room_in_anothers_name() {
        let mut early = early();
        assert!(!early.admits(&vote(6, 0, 0, 3)), "forged");
        assert!(!early.admits(&vote(6, 0, 77, 77)), "no validator");
        assert!(early.taken.is_empty());
    }

    #[test]
    fn messages_of_the_height_at_hand_are_the_engines_to_judge() {
        let mut early = early();
        assert!(early.admits(&vote(5, 0, 0, 3)), "it verifies them itself");
        assert!(early.admits(&vote(4, 0, 0, 0)), "it drops them itself");
        assert!(!early.admits(&vote(8, 0, 0, 0)), "value sync comes first");
        assert!(early.admits(&vote(7, 0, 0, 0)));
        early.begun(Height::new(6), set());
        assert!(early.admits(&vote(8, 0, 0, 0)));
        early.begun(Height::new(8), set());
        assert!(early.taken.is_empty(), "what was begun is forgotten");
    }
}
