//! Repeating what two thirds have voted for while the height is undecided.
//!
//! A locked validator accepts no other block. Validators that missed the polka
//! propose other blocks in vain until its turn comes. So whoever holds a polka
//! repeats it: the certificate, the proposal it is for and, once a
//! round has failed with it, the block. A validator in the same round then locks
//! too; one in a later round accepts the block, whatever its age, when it is
//! proposed again. Malachite does this by itself from the tenth round on.
//!
//! At the first height of a run the proposer repeats its own proposal, too: peers that
//! started later have not had it, and would let its round go by.
//!
//! In good health no height lasts until the first repetition is due.

use std::sync::Arc;
use std::time::Duration;

use malachitebft_app_channel::app::consensus::{LivenessMsg, SignedConsensusMsg};
use malachitebft_app_channel::app::engine::consensus::state_dump::StateDump;
use malachitebft_app_channel::app::types::core::PolkaCertificate;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tracing::info;

use super::Driver;
use super::progress::Phase;
use crate::support::{Polka, is_polka, weigh};
use crate::types::{BillContext, Round};
use crate::undecided::StoredBlock;

/// How often a node's own proposal is sent again in a round, at most.
const OWN_REPEATED: u8 = 4;
/// Pauses between votes' repetitions for one of a polka's.
const POLKA_PAUSE: u32 = 3;

/// What the engine said about itself; `None` if it said nothing.
pub(super) type EngineState = Option<Box<StateDump<BillContext>>>;

/// When the engine is asked, and what was repeated.
pub(super) struct Repeating {
    /// When the engine is asked next.
    due: Instant,
    /// Whether it has been asked and has not answered.
    asking: bool,
    pub(super) repeated: Repeated,
    answers: mpsc::UnboundedSender<EngineState>,
}

impl Repeating {
    pub(super) fn new(answers: mpsc::UnboundedSender<EngineState>) -> Self {
        let repeated = Repeated::default();
        Self { due: Instant::now(), asking: false, repeated, answers }
    }
}

/// What was repeated at the height at hand.
pub(super) struct Repeated {
    /// Round in which the block was last sent.
    sent: Option<Round>,
    /// Round of this node's own proposal that was sent again, and how often.
    own: (Round, u8),
    /// Whether this is the first height of the run: the others may have lost what
    /// this node sent before.
    first: bool,
    /// The polka of the highest round that a peer sent, verified.
    polka: Option<Polka>,
}

impl Default for Repeated {
    /// At the start of a run.
    fn default() -> Self {
        Self { sent: None, own: (Round::FIRST, 0), first: true, polka: None }
    }
}

impl Repeated {
    /// A height was committed.
    pub(super) fn committed(&mut self) {
        *self = Self { first: false, ..Self::default() };
    }

    /// A peer sent this polka.
    pub(super) fn add_polka(&mut self, polka: Polka) {
        if self.polka.as_ref().is_none_or(|known| known.round < polka.round) {
            self.polka = Some(polka);
        }
    }

    /// The polka of the highest round, of this node's own and those of peers.
    pub(super) fn highest(&self, own: Option<Polka>) -> Option<Polka> {
        own.into_iter().chain(self.polka.clone()).max_by_key(|polka| polka.round)
    }

    /// Whether the block goes out with a polka of `polka` in round `round`: once a
    /// round, and not while the round of the polka itself is under way.
    pub(super) fn sends_block(&mut self, polka: Round, round: Round) -> bool {
        let sends = (self.first || round > polka) && self.sent != Some(round);
        if sends {
            self.sent = Some(round);
        }
        sends
    }

    /// Whether this node's own proposal of `round` goes out again.
    pub(super) fn sends_own(&mut self, round: Round) -> bool {
        if self.own.0 != round {
            self.own = (round, 0);
        }
        let sends = self.first && self.own.1 < OWN_REPEATED;
        self.own.1 += u8::from(sends);
        sends
    }

    /// Time until something is repeated, of how often votes are.
    pub(super) fn pause(&self, rebroadcast: Duration) -> Duration {
        if self.first { rebroadcast } else { rebroadcast * POLKA_PAUSE }
    }
}

impl Driver {
    /// A round has begun: give it time before anything is repeated.
    pub(super) fn delay_repetition(&mut self) {
        self.repeating.due =
            Instant::now() + self.repeating.repeated.pause(self.config.rebroadcast) / 2;
    }

    /// When something may have to be repeated.
    pub(super) fn repetition_due(&self) -> Option<Instant> {
        let deciding = self.beat.is_ready() && self.current.progress.phase() == Phase::Deciding;
        (deciding && !self.repeating.asking).then_some(self.repeating.due)
    }

    /// Asks the engine what it knows, beside everything else.
    pub(super) fn ask_engine(&mut self) {
        if std::mem::replace(&mut self.repeating.asking, true) {
            return;
        }
        let (network, answers) = (self.peers.network.clone(), self.repeating.answers.clone());
        tokio::spawn(async move {
            let state = network.engine_state().await.map(Box::new);
            // The driver is gone when consensus stops.
            let _ = answers.send(state);
        });
    }

    /// The engine has answered.
    pub(super) fn on_engine_state(&mut self, state: EngineState) {
        self.repeating.asking = false;
        self.repeating.due =
            Instant::now() + self.repeating.repeated.pause(self.config.rebroadcast);
        let height = self.current.height();
        let Some(state) = state.filter(|state| state.consensus.height == height) else { return };
        let votes = state.vote_keeper.votes.values().flat_map(|round| round.received_votes());
        let validators = &self.current.setup.validators;
        let (support, polka) = weigh(height, &self.own_address, validators, votes);
        self.current.support.add(support);
        let polka = self.repeating.repeated.highest(polka);
        let is_validator = validators.get(&self.own_address).is_some();
        if !is_validator || self.current.progress.phase() != Phase::Deciding {
            return;
        }
        match polka {
            Some(polka) => self.repeat_polka(polka, &state),
            None => self.repeat_own(&state),
        }
    }

    /// Sends again what this node proposed in the round at hand.
    fn repeat_own(&mut self, state: &StateDump<BillContext>) {
        let (height, round) = (self.current.height(), self.current.progress.round());
        let is_own = |block: &Arc<StoredBlock>| {
            block.announced.as_ref().is_some_and(|by| by.proposer == self.own_address)
        };
        let own = self.store.of_round(height, round).into_iter().find(is_own);
        let Some(block) = own.filter(|_| self.repeating.repeated.sends_own(round)) else { return };
        let proposals = &state.full_proposal_keeper;
        let full = proposals.full_proposal_at_round_and_value(&height, round.into(), &block.hash);
        if let Some(full) = full {
            let proposal = SignedConsensusMsg::Proposal(full.proposal.clone());
            self.peers.network.publish_message(proposal);
        }
        self.publish(&block);
    }

    /// A peer says that two thirds have pre-voted for a block.
    pub(super) fn on_polka(&mut self, polka: PolkaCertificate<BillContext>) {
        // Nothing is voted for in the nil round.
        let Ok(polka) = Polka::try_from(polka) else { return };
        let (round, hash) = (polka.round, polka.certificate.value_id);
        if polka.certificate.height != self.current.height()
            || self.current.support.knows(&hash, round)
            || !is_polka(&polka.certificate, &self.current.setup.validators, self.verifier.domain())
        {
            return;
        }
        self.current.support.add_polka(hash, round);
        self.repeating.repeated.add_polka(polka);
    }

    fn repeat_polka(&mut self, polka: Polka, state: &StateDump<BillContext>) {
        let (height, round) = (self.current.height(), self.current.progress.round());
        let Polka { round: polka_round, certificate } = polka;
        let hash = certificate.value_id;
        let proposal = state
            .full_proposal_keeper
            .full_proposal_at_round_and_value(&height, certificate.round, &hash)
            .map(|full| full.proposal.clone());
        self.peers.network.repeat(LivenessMsg::PolkaCertificate(certificate));
        if let Some(proposal) = proposal {
            self.peers.network.publish_message(SignedConsensusMsg::Proposal(proposal));
        }
        if !self.repeating.repeated.sends_block(polka_round, round) {
            return;
        }
        info!(%height, %round, %hash, polka = %polka_round, "repeating what two thirds voted for");
        if let Some(block) = self.store.get(&hash).cloned() {
            self.publish(&block);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Round = Round::FIRST;
    const SECOND: Round = Round::new(1);

    #[test]
    fn a_block_is_sent_again_once_a_round_after_its_own_has_failed() {
        let mut repeated = Repeated::default();
        repeated.committed();
        assert!(!repeated.sends_block(FIRST, FIRST), "its round is under way");
        assert!(repeated.sends_block(FIRST, SECOND));
        assert!(!repeated.sends_block(FIRST, SECOND), "once a round");
        assert!(repeated.sends_block(FIRST, Round::new(2)));
    }

    #[test]
    fn a_proposer_sends_its_block_again_a_few_times_at_the_first_height_of_a_run() {
        let mut repeated = Repeated::default();
        for round in [FIRST, SECOND] {
            let sent = (0..10).filter(|_| repeated.sends_own(round)).count();
            assert_eq!(sent, usize::from(OWN_REPEATED), "of {round}");
        }
        assert_eq!(repeated.pause(Duration::from_millis(500)), Duration::from_millis(500));
        repeated.committed();
        assert!(!repeated.sends_own(FIRST), "later heights' peers were connected");
        assert_eq!(repeated.pause(Duration::from_millis(500)), Duration::from_millis(1_500));
    }

    #[test]
    fn a_block_from_before_a_restart_is_sent_again_at_once() {
        let mut repeated = Repeated::default();
        assert!(repeated.sends_block(FIRST, FIRST));
        repeated.committed();
        assert!(!repeated.sends_block(FIRST, FIRST), "only at the first height of a run");
    }
}
