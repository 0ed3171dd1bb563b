//! Repeating what two thirds have voted for while the height is undecided.
//!
//! A locked validator accepts no other block. Validators that missed the polka
//! propose other blocks in vain until its turn comes. So whoever holds a polka
//! repeats it: the certificate, the proposal it is for and, once a
//! round has failed with it, the block. A validator in the same round then locks
//! too; one in a later round accepts the block, whatever its age, when it is
//! proposed again. Malachite does this by itself from the tenth round on.
//!
//! In good health no height lasts until the first repetition is due.

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

/// What the engine said about itself; `None` if it said nothing.
pub(super) type EngineState = Option<Box<StateDump<BillContext>>>;

/// When the engine is asked, and what was repeated.
pub(super) struct Repeating {
    /// When the engine is asked next.
    due: Instant,
    /// Whether it has been asked and has not answered.
    asking: bool,
    /// Round in which the block was last sent.
    sent: Option<Round>,
    /// Whether this is the first height of the run: the others may have lost what
    /// this node sent before.
    first: bool,
    /// The polka of the highest round that a peer sent, verified.
    polka: Option<Polka>,
    answers: mpsc::UnboundedSender<EngineState>,
}

impl Repeating {
    pub(super) fn new(answers: mpsc::UnboundedSender<EngineState>) -> Self {
        let due = Instant::now();
        Self { due, asking: false, sent: None, first: true, polka: None, answers }
    }

    /// A height was committed.
    pub(super) fn committed(&mut self) {
        self.first = false;
        self.sent = None;
        self.polka = None;
    }

    /// Whether the block goes out with a polka of `polka` in round `round`: once a
    /// round, and not while the round of the polka itself is under way.
    fn sends_block(&mut self, polka: Round, round: Round) -> bool {
        let sends = (self.first || round > polka) && self.sent != Some(round);
        if sends {
            self.sent = Some(round);
        }
        sends
    }
}

impl Driver {
    /// A round has begun: give it time before anything is repeated.
    pub(super) fn delay_repetition(&mut self) {
        self.repeating.due = Instant::now() + self.config.rebroadcast / 2;
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
        self.repeating.due = Instant::now() + self.config.rebroadcast;
        let height = self.current.height();
        let Some(state) = state.filter(|state| state.consensus.height == height) else { return };
        let votes = state.vote_keeper.votes.values().flat_map(|round| round.received_votes());
        let validators = &self.current.setup.validators;
        let (support, polka) = weigh(height, &self.own_address, validators, votes);
        self.current.support.add(support);
        let known = self.repeating.polka.clone();
        let polka = polka.into_iter().chain(known).max_by_key(|polka| polka.round);
        let is_validator = validators.get(&self.own_address).is_some();
        if let Some(polka) = polka
            && is_validator
            && self.current.progress.phase() == Phase::Deciding
        {
            self.repeat_polka(polka, &state);
        }
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
        if self.repeating.polka.as_ref().is_none_or(|known| known.round < round) {
            self.repeating.polka = Some(polka);
        }
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
        if !self.repeating.sends_block(polka_round, round) {
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

    #[tokio::test]
    async fn a_block_is_sent_again_once_a_round_after_its_own_has_failed() {
        let (answers, _receiver) = mpsc::unbounded_channel();
        let mut repeating = Repeating::new(answers);
        repeating.committed();
        assert!(!repeating.sends_block(FIRST, FIRST), "its round is under way");
        assert!(repeating.sends_block(FIRST, SECOND));
        assert!(!repeating.sends_block(FIRST, SECOND), "once a round");
        assert!(repeating.sends_block(FIRST, Round::new(2)));
    }

    #[tokio::test]
    async fn a_block_from_before_a_restart_is_sent_again_at_once() {
        let (answers, _receiver) = mpsc::unbounded_channel();
        let mut repeating = Repeating::new(answers);
        assert!(repeating.sends_block(FIRST, FIRST));
        repeating.committed();
        assert!(!repeating.sends_block(FIRST, FIRST), "only at the first height of a run");
    }
}
