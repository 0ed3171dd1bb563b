//! From one height to the next: begin, decide, commit, wait.

use billchain_primitives::Offence;
use malachitebft_app_channel::app::consensus::{Role, SignedConsensusMsg};
use malachitebft_app_channel::app::engine::host::{HeightParams, Next as EngineNext};
use malachitebft_app_channel::app::types::core::{
    CommitCertificate as EngineCertificate, LinearTimeouts, Round as EngineRound, Validity,
};
use malachitebft_app_channel::app::types::{MisbehaviorEvidence, ProposedValue};
use ractor::RpcReplyPort;
use tokio::time::Instant;
use tracing::{debug, info, warn};

use super::current::view;
use super::progress::{Decided, Next, Phase, Progress};
use super::{Driver, answer};
use crate::certificate::CommitCertificate;
use crate::early::is_signed_by_validator;
use crate::error::ConsensusError;
use crate::lane::{HeightSetup, Job};
use crate::misbehavior::equivocations;
use crate::support::Support;
use crate::types::{Address, BillContext, BlockValue, Height, Round};
use crate::undecided::StoredBlock;

impl Driver {
    fn params(&self) -> HeightParams<BillContext> {
        HeightParams::new(self.current.setup.validators.clone(), self.timeouts(), None)
    }

    /// The timeouts of the height at hand.
    pub(super) fn timeouts(&self) -> LinearTimeouts {
        self.timing.timeouts(&self.first_proposer(), self.config.timeouts())
    }

    /// Whose turn begins the height at hand.
    fn first_proposer(&self) -> Address {
        let validators = &self.current.setup.validators;
        *validators.proposer(self.current.height(), Round::FIRST).address()
    }

    /// The engine is ready: begin the first height of this run.
    pub(super) fn on_ready(&mut self, reply: RpcReplyPort<(Height, HeightParams<BillContext>)>) {
        let height = self.current.height();
        info!(%height, "consensus begins");
        self.beat.begin();
        self.delay_repetition();
        answer(reply, (height, self.params()));
    }

    /// A round has begun. Blocks of that round from before a crash go back to
    /// the engine; our own goes out again, the others may never have had it.
    pub(super) fn on_started_round(
        &mut self,
        height: Height,
        round: Round,
        role: Role,
        reply: RpcReplyPort<Vec<ProposedValue<BillContext>>>,
    ) {
        self.current.progress.started_round(height, round);
        self.timing.round_began(round, Instant::now());
        self.proposals.round_began(&self.current.view());
        self.delay_repetition();
        let blocks = self.store.of_round(height, round);
        answer(reply, blocks.iter().map(|block| self.proposed_value(block)).collect());
        if round > Round::FIRST {
            info!(%height, %round, ?role, "round failed, the next one began");
        } else {
            debug!(%height, %round, ?role, "round began");
        }
        self.reports.round_began(height, round, role != Role::None);
        if role == Role::Proposer {
            for block in blocks {
                self.publish(&block);
            }
        }
    }

    /// What the engine knows of a valid block.
    pub(super) fn proposed_value(&self, block: &StoredBlock) -> ProposedValue<BillContext> {
        let proposer = match &block.announced {
            Some(announced) => announced.proposer,
            None => {
                let validators = &self.current.setup.validators;
                *validators.proposer(block.height, block.round).address()
            }
        };
        ProposedValue {
            height: block.height,
            round: block.round.into(),
            valid_round: EngineRound::Nil,
            proposer,
            value: BlockValue(block.hash),
            validity: Validity::Valid,
        }
    }

    /// Two thirds have committed to a block: make it final. A decision of no round
    /// has no certificate that the chain could keep.
    pub(super) fn on_decided(
        &mut self,
        certificate: &EngineCertificate<BillContext>,
        acknowledge: RpcReplyPort<()>,
    ) -> Result<(), ConsensusError> {
        let certificate = CommitCertificate::from_engine(certificate)?;
        let (height, hash) = (certificate.height, certificate.block_hash);
        let block = self.store.get(&hash).filter(|block| block.height == height).cloned();
        let decided = self.current.progress.decided(height, hash, block.is_some());
        if decided == Decided::OutOfTurn {
            let expected = self.current.height();
            warn!(%height, %expected, "ignoring a decision out of turn");
            return Ok(());
        }
        if let Some(remembered) = &self.remembered {
            remembered.judge(&certificate)?;
        }
        info!(%height, round = %certificate.round, %hash, "decided");
        self.own_turns_over(certificate.round);
        self.timing.decided(hash, Instant::now());
        self.late.decided(&certificate, self.current.setup.validators.clone());
        self.ports.acknowledge = Some(acknowledge);
        match block {
            Some(block) => self.work.commit(Job::Commit { block, certificate }),
            None => self.fetch_missing(certificate),
        }
        Ok(())
    }

    /// What became of this node's own turns at the height that was decided.
    fn own_turns_over(&mut self, decided: Round) {
        let (height, validators) = (self.current.height(), &self.current.setup.validators);
        let is_own = |round| *validators.proposer(height, round).address() == self.own_address;
        let count = validators.as_slice().len() as u32;
        let first = decided.before(count.saturating_sub(1));
        for round in first.get()..=decided.get() {
            if is_own(Round::new(round)) {
                self.fit.turn_over(round == decided.get());
            }
        }
    }

    /// What the engine has seen of equivocation while it decided a height.
    pub(super) fn on_evidence(&mut self, evidence: &MisbehaviorEvidence<BillContext>) {
        let found = equivocations(evidence);
        for equivocation in &found {
            let Offence { offender, height, kind } = equivocation.offence();
            // A few a height at most, each of a validator.
            warn!(%offender, height, round = equivocation.round, ?kind, "a validator signed twice");
            self.reports.metrics.equivocations.inc();
        }
        self.work.report(found);
    }

    /// The engine asks what comes next.
    pub(super) fn on_finalized(&mut self, reply: RpcReplyPort<EngineNext<BillContext>>) {
        match self.current.progress.asked() {
            Ok(next) => {
                self.ports.next = Some(reply);
                self.go_on(next);
            }
            Err(_) => warn!("the engine asked for the next height out of turn"),
        }
    }

    /// The block is final.
    pub(super) async fn on_committed(&mut self, setup: HeightSetup) {
        let now = Instant::now();
        let height = self.current.height();
        let interval = self.beat.commit(now);
        self.work.remove(self.store.forget_below(setup.height));
        self.timing.retain(&setup.validators);
        self.current.support = Support::default();
        self.fetching.committed();
        self.repeating.repeated.committed();

        self.peers.follow(setup.peers.clone()).await;
        let peers = &self.peers;
        self.assembler.prune(setup.height, now.into_std(), |peer| peers.is_validator(peer));

        self.current.setup = setup;
        let next = Progress::new(self.current.setup.height);
        let early = {
            let view = view(&self.current.setup, &next, &self.current.support);
            for refused in self.proposals.committed(&view) {
                debug!(%refused, "refused a proposal that came early");
            }
            self.proposals.has_current(&view)
        };
        let next = self.current.progress.committed(self.current.setup.height, early);
        self.reports.committed(height, interval, self.current.progress.is_catching_up());
        if let Some(acknowledge) = self.ports.acknowledge.take() {
            answer(acknowledge, ());
        }
        self.go_on(next);
    }

    /// Does what progress says about the next height.
    pub(super) fn go_on(&mut self, next: Next) {
        match next {
            Next::Nothing => {}
            Next::Wait => self.beat.wait(&self.config, self.app.work_ready()),
            Next::Begin => self.begin_height(),
        }
    }

    /// Tells the engine to begin the height it waits for.
    pub(super) fn begin_height(&mut self) {
        self.beat.stop_waiting();
        if !self.current.progress.begin() {
            return;
        }
        self.beat.begin();
        let height = self.current.height();
        self.peers.network.begun(height, self.current.setup.validators.clone());
        if let Some(reply) = self.ports.next.take() {
            answer(reply, EngineNext::Start(height, self.params()));
        }
    }

    /// Looks for pre-commits that come late, and for signs that others have begun the
    /// height this node waits for.
    pub(super) fn on_message_seen(&mut self, message: &SignedConsensusMsg<BillContext>) {
        let verifier = &self.verifier;
        self.late.hear(message, |validators| is_signed_by_validator(verifier, validators, message));
        let waiting = self.current.progress.phase() == Phase::Waiting;
        let validators = &self.current.setup.validators;
        if waiting
            && message.height() == self.current.height()
            && is_signed_by_validator(&self.verifier, validators, message)
        {
            let next = self.current.progress.others_began();
            self.go_on(next);
        }
    }
}
