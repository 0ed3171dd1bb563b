//! When each validator was seen to vote: for operators who look for a vote that is
//! missing.
//!
//! Whoever delivers a vote may have forged it, so that only a vote whose signature fits
//! is a sighting. That costs time, and a sighting each second says enough: others are
//! not looked at. Votes in one's name that do not fit are looked at some times a second
//! at most, each validator's by itself.

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime};

use billchain_crypto::sm2::DEFAULT_ID;
use malachitebft_app_channel::app::types::core::SignedVote;

use crate::signing::Sm2Verifier;
use crate::types::{Address, BillContext, Height, Round, ValidatorSet};

/// Time between two sightings of a validator.
const PAUSE: Duration = Duration::from_secs(1);
/// And between two looks at votes in its name that may be forged.
const LOOK_PAUSE: Duration = Duration::from_millis(50);

/// A validator was seen to vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The validator.
    pub validator: Address,
    /// Height of the vote.
    pub height: Height,
    /// Its round.
    pub round: Round,
    /// When it came, by this node's clock.
    pub at: SystemTime,
}

/// What is known of one validator.
#[derive(Debug)]
struct Known {
    looked: Instant,
    seen: Option<(Instant, Sighting)>,
}

/// See the module's documentation.
pub(crate) struct Sightings {
    verifier: Sm2Verifier,
    validators: ValidatorSet,
    known: HashMap<Address, Known>,
}

impl Sightings {
    pub(crate) fn new(verifier: Sm2Verifier, validators: ValidatorSet) -> Self {
        Self { verifier, validators, known: HashMap::new() }
    }

    /// A height has begun, which these decide.
    pub(crate) fn begun(&mut self, validators: ValidatorSet) {
        self.known.retain(|address, _| validators.get(address).is_some());
        self.validators = validators;
    }

    /// A peer has delivered a vote.
    pub(crate) fn hear(&mut self, vote: &SignedVote<BillContext>, now: Instant) {
        let message = &vote.message;
        // Nobody votes in the nil round.
        let Ok(round) = Round::try_from(message.round) else { return };
        let Some(validator) = self.validators.get(&message.voter) else { return };
        if let Some(known) = self.known.get(&message.voter) {
            let fresh = known.seen.is_some_and(|(at, _)| now < at + PAUSE);
            if fresh || now < known.looked + LOOK_PAUSE {
                return;
            }
        }
        let known =
            self.known.entry(message.voter).or_insert_with(|| Known { looked: now, seen: None });
        known.looked = now;
        let bytes = self.verifier.domain().vote_bytes(message);
        if validator.public_key().verify(DEFAULT_ID, &bytes, &vote.signature) {
            let (validator, height, at) = (message.voter, message.height, SystemTime::now());
            // An old vote may be delivered again at any time.
            if known.seen.is_none_or(|(_, seen)| (height, round) >= (seen.height, seen.round)) {
                known.seen = Some((now, Sighting { validator, height, round, at }));
            }
        }
    }

    /// The last sighting of each validator that was seen.
    pub(crate) fn all(&self) -> Vec<Sighting> {
        self.known.values().filter_map(|known| Some(known.seen?.1)).collect()
    }
}

#[cfg(test)]
mod tests {
    use billchain_crypto::sm2::SecretKey;
    use billchain_primitives::Hash;
    use malachitebft_app_channel::app::types::core::{NilOrVal, Round as EngineRound, VoteType};

    use super::*;
    use crate::signing::ChainDomain;
    use crate::types::{Validator, Vote};

    fn key(seed: u8) -> SecretKey {
        SecretKey::from_seed(&[seed])
    }

    fn address(seed: u8) -> Address {
        Address::from_public_key(&key(seed).public())
    }

    fn domain() -> ChainDomain {
        ChainDomain::new(Hash::repeat_byte(7))
    }

    fn set(seeds: std::ops::Range<u8>) -> ValidatorSet {
        let keys = seeds.map(|seed| Validator::new(key(seed).public(), 1));
        ValidatorSet::new(keys).expect("a set")
    }

    fn sightings() -> Sightings {
        Sightings::new(Sm2Verifier::new(domain()), set(0..4))
    }

    /// A vote in the name of one, signed by another or the same.
    fn vote(height: u64, voter: u8, signer: u8) -> SignedVote<BillContext> {
        let vote = Vote {
            kind: VoteType::Precommit,
            height: Height::new(height),
            round: EngineRound::new(0),
            value: NilOrVal::Nil,
            voter: address(voter),
        };
        let signature = key(signer).sign(DEFAULT_ID, &domain().vote_bytes(&vote));
        SignedVote::new(vote, signature)
    }

    fn heights(sightings: &Sightings) -> Vec<(Address, u64)> {
        sightings.all().iter().map(|one| (one.validator, one.height.get())).collect()
    }

    #[test]
    fn a_validator_is_seen_by_its_own_votes_only() {
        let (mut sightings, now) = (sightings(), Instant::now());
        sightings.hear(&vote(5, 0, 1), now);
        sightings.hear(&vote(5, 77, 77), now);
        assert!(sightings.all().is_empty(), "forged, and no validator's");
        sightings.hear(&vote(5, 0, 0), now + LOOK_PAUSE);
        assert_eq!(heights(&sightings), [(address(0), 5)]);
    }

    #[test]
    fn one_sighting_a_second_is_noted_and_old_votes_are_none() {
        let (mut sightings, now) = (sightings(), Instant::now());
        sightings.hear(&vote(5, 0, 0), now);
        sightings.hear(&vote(6, 0, 0), now + PAUSE / 2);
        assert_eq!(heights(&sightings), [(address(0), 5)], "within the second");
        sightings.hear(&vote(4, 0, 0), now + PAUSE);
        assert_eq!(heights(&sightings), [(address(0), 5)], "delivered again");
        sightings.hear(&vote(7, 0, 0), now + PAUSE + LOOK_PAUSE);
        assert_eq!(heights(&sightings), [(address(0), 7)]);
    }

    #[test]
    fn a_flood_of_forged_votes_is_looked_at_a_few_times_and_hides_no_other() {
        let (mut sightings, now) = (sightings(), Instant::now());
        let forged = vote(9, 0, 1);
        for _ in 0..10_000 {
            sightings.hear(&forged, now);
        }
        sightings.hear(&vote(9, 0, 0), now);
        assert!(sightings.all().is_empty(), "looked at once");
        sightings.hear(&vote(9, 1, 1), now);
        assert_eq!(heights(&sightings), [(address(1), 9)]);
        sightings.hear(&vote(9, 0, 0), now + LOOK_PAUSE);
        assert_eq!(sightings.all().len(), 2);
    }

    #[test]
    fn who_is_no_validator_any_more_is_forgotten() {
        let (mut sightings, now) = (sightings(), Instant::now());
        for seed in 0..4 {
            sightings.hear(&vote(5, seed, seed), now);
        }
        assert_eq!(sightings.all().len(), 4);
        sightings.begun(set(2..6));
        assert_eq!(sightings.known.len(), 2);
    }
}
