//! What the engine has proof of at the height at hand: the blocks that two
//! thirds have pre-voted for (a *polka*), and those this node has voted for.
//!
//! It is computed from the votes that the engine holds, which it has verified, and
//! from certificates that this node has verified itself: a validator that votes
//! twice can have its second vote in a certificate only. Nothing here is a peer's
//! claim. Three things follow from it: a block with a
//! polka is not judged by the clock, because honest validators judged it when it
//! was new; it is the last to leave the store; and a node that holds a polka
//! repeats it to the others while the height is undecided, because one of them
//! may be locked on the block and accept no other.

use std::collections::BTreeMap;

use billchain_crypto::sm2::DEFAULT_ID;
use malachitebft_app_channel::app::types::core::{
    NilOrVal, PolkaCertificate, PolkaSignature, SignedVote, VoteType,
};

use crate::signing::ChainDomain;
use crate::types::{Address, BillContext, BlockHash, Height, NilRound, Round, ValidatorSet, Vote};

/// Polkas and own votes remembered, those of the highest rounds.
const MAX_REMEMBERED: usize = 64;

/// The certificate of a polka.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Polka {
    /// The certificate's round.
    pub round: Round,
    /// Two thirds pre-voted for its block.
    pub certificate: PolkaCertificate<BillContext>,
}

impl TryFrom<PolkaCertificate<BillContext>> for Polka {
    type Error = NilRound;

    fn try_from(certificate: PolkaCertificate<BillContext>) -> Result<Self, NilRound> {
        Ok(Self { round: certificate.round.try_into()?, certificate })
    }
}

/// See the module's documentation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Support {
    /// Last round in which two thirds pre-voted for the block.
    polkas: BTreeMap<BlockHash, Round>,
    /// Last round in which this node voted for the block.
    voted: BTreeMap<BlockHash, Round>,
}

impl Support {
    /// Polkas and own votes with their rounds.
    #[cfg(test)]
    pub(crate) fn of_rounds(polkas: &[(BlockHash, Round)], voted: &[(BlockHash, Round)]) -> Self {
        Self { polkas: polkas.iter().copied().collect(), voted: voted.iter().copied().collect() }
    }

    /// Whether two thirds have pre-voted for the block in some round.
    pub(crate) fn has_polka(&self, hash: &BlockHash) -> bool {
        self.polkas.contains_key(hash)
    }

    /// The block with the polka of the highest round.
    pub(crate) fn leader(&self) -> Option<BlockHash> {
        self.polkas.iter().max_by_key(|(_, round)| **round).map(|(hash, _)| *hash)
    }

    /// How much is lost with a block, least first: one that nobody voted for,
    /// one that this node voted for, one with a polka; each by its round.
    pub(crate) fn worth(&self, hash: &BlockHash) -> (Option<Round>, Option<Round>) {
        (self.polkas.get(hash).copied(), self.voted.get(hash).copied())
    }

    /// Two thirds have pre-voted for the block in this round.
    pub(crate) fn add_polka(&mut self, hash: BlockHash, round: Round) {
        self.add(Self { polkas: BTreeMap::from([(hash, round)]), voted: BTreeMap::new() });
    }

    /// Whether a polka of this round or a later one is known for the block.
    pub(crate) fn knows(&self, hash: &BlockHash, round: Round) -> bool {
        self.polkas.get(hash).is_some_and(|known| *known >= round)
    }

    /// Adds what is known now. The engine drops votes of rounds before the one
    /// it is locked in; what they proved stays true.
    pub(crate) fn add(&mut self, newer: Self) {
        for (into, from) in [(&mut self.polkas, newer.polkas), (&mut self.voted, newer.voted)] {
            for (hash, round) in from {
                let known = into.entry(hash).or_insert(round);
                *known = round.max(*known);
            }
            while into.len() > MAX_REMEMBERED {
                let Some(oldest) = into.iter().min_by_key(|(_, round)| **round) else { break };
                let oldest = *oldest.0;
                into.remove(&oldest);
            }
        }
    }
}

/// What verified votes of `height` prove, and the polka of the highest round.
pub(crate) fn weigh<'a>(
    height: Height,
    own: &Address,
    validators: &ValidatorSet,
    votes: impl Iterator<Item = &'a SignedVote<BillContext>>,
) -> (Support, Option<Polka>) {
    let mut support = Support::default();
    let mut prevotes: BTreeMap<(Round, BlockHash), BTreeMap<Address, &SignedVote<BillContext>>> =
        BTreeMap::new();
    for vote in votes {
        // A vote in the nil round, which there is not, proves nothing.
        let (NilOrVal::Val(hash), Ok(round)) =
            (vote.message.value, Round::try_from(vote.message.round))
        else {
            continue;
        };
        if vote.message.voter == *own {
            let known = support.voted.entry(hash).or_insert(round);
            *known = round.max(*known);
        }
        if vote.message.kind == VoteType::Prevote {
            prevotes.entry((round, hash)).or_default().insert(vote.message.voter, vote);
        }
    }
    let mut highest = None;
    // Ascending by round.
    for ((round, hash), voters) in prevotes {
        let power: u64 = voters
            .keys()
            .filter_map(|voter| validators.get(voter))
            .fold(0, |sum, validator| sum.saturating_add(validator.power()));
        // The set guarantees that three times its total fits.
        if power.saturating_mul(3) <= validators.total_power().saturating_mul(2) {
            continue;
        }
        support.polkas.insert(hash, round);
        let signature = |(voter, vote): (&Address, &&SignedVote<BillContext>)| {
            PolkaSignature::new(*voter, vote.signature)
        };
        let certificate = PolkaCertificate {
            height,
            round: round.into(),
            value_id: hash,
            polka_signatures: voters.iter().map(signature).collect(),
        };
        highest = Some(Polka { round, certificate });
    }
    (support, highest)
}

/// Whether more than two thirds of the power pre-voted as the certificate says. It
/// comes from a peer: each voter counts once and must have signed.
pub(crate) fn is_polka(
    certificate: &PolkaCertificate<BillContext>,
    validators: &ValidatorSet,
    domain: &ChainDomain,
) -> bool {
    let mut power = BTreeMap::new();
    for entry in &certificate.polka_signatures {
        let vote = Vote {
            kind: VoteType::Prevote,
            height: certificate.height,
            round: certificate.round,
            value: NilOrVal::Val(certificate.value_id),
            voter: entry.address,
        };
        let Some(validator) = validators.get(&entry.address) else { return false };
        let bytes = domain.vote_bytes(&vote);
        if !validator.public_key().verify(DEFAULT_ID, &bytes, &entry.signature)
            || power.insert(entry.address, validator.power()).is_some()
        {
            return false;
        }
    }
    let power: u64 = power.values().sum();
    // The set guarantees that three times its total fits.
    power.saturating_mul(3) > validators.total_power().saturating_mul(2)
}

#[cfg(test)]
mod tests;
