//! From one height to the next: begin, decide, commit, wait.

use billchain_primitives::Offence;
use malachitebft_app_channel::app::consensus::{Role, SignedConsensusMsg};
use malachitebft_app_channel::app::engine::host::{HeightParams, Next as EngineNext};
use malachitebft_app_channel::app::types::core::Validity;
use malachitebft_app_channel::app::types::core::{CommitCertificate as EngineCertificate, Round};
use malachitebft_app_channel::app::types::{MisbehaviorEvidence, ProposedValue};
use ractor::RpcReplyPort;
use tokio::time::Instant;
use tracing::{debug, info, warn};

use super::pace::Pace;
use super::progress::{Decided, Next, Phase, Progress};
use super::{Driver, answer, number, view};
use crate::certificate::CommitCertificate;
use crate::early::is_signed_by_validator;
use crate::lane::{HeightSetup, Job};
use crate::misbehavior::equivocations;
use crate::peers::AllowList;
use crate::support::Support;
use crate::types::{Address, BillContext, BlockValue, Height};
use crate::undecided::StoredBlock;

impl Driver {
    fn params(&self) -> HeightParams<BillContext> {
        let mut timeouts = self.config.timeouts();
        timeouts.propose = self.turns.patience(&self.first_proposer(), timeouts.propose);
        HeightParams::new(self.setup.validators.clone(), timeouts, None)
    }

    /// Whose turn begins the height at hand.
    fn first_proposer(&self) -> Address {
        *self.setup.validators.proposer(self.progress.height().get(), 0).address()
    }

    /// The engine is ready: begin the first height of this run.
    pub(super) fn on_ready(&mut self, reply: RpcReplyPort<(Height, HeightParams<BillContext>)>) {
        let height = self.progress.height();
        info!(%height, "consensus begins");
        self.ready = true;
        self.started = Instant::now();
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
        let round = number(round);
        self.progress.started_round(height, round);
        self.proposals.round_began(&view(&self.setup, &self.progress, &self.support));
        self.delay_repetition();
        let blocks = self.store.of_round(height, round);
        answer(reply, blocks.iter().map(|block| self.proposed_value(block)).collect());
        if round > 0 {
            info!(%height, round, ?role, "round failed, the next one began");
        } else {
            debug!(%height, round, ?role, "round began");
        }
        self.status.send_modify(|status| {
            status.height = height.get();
            status.round = round;
            status.is_validator = role != Role::None;
        });
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
            None => *self.setup.validators.proposer(block.height.get(), block.round).address(),
        };
        ProposedValue {
            height: block.height,
            round: Round::new(block.round),
            valid_round: Round::Nil,
            proposer,
            value: BlockValue(block.hash),
            validity: Validity::Valid,
        }
    }

    /// Two thirds have committed to a block: make it final.
    pub(super) fn on_decided(
        &mut self,
        certificate: &EngineCertificate<BillContext>,
        acknowledge: RpcReplyPort<()>,
    ) {
        let (height, hash) = (certificate.height, certificate.value_id);
        let block = self.store.get(&hash).filter(|block| block.height == height).cloned();
        let decided = self.progress.decided(height, hash, block.is_some());
        if decided == Decided::OutOfTurn {
            warn!(%height, expected = %self.progress.height(), "ignoring a decision out of turn");
            return;
        }
        info!(%height, round = %certificate.round, %hash, "decided");
        self.turns.on_decided(self.first_proposer(), number(certificate.round));
        self.ports.acknowledge = Some(acknowledge);
        let certificate = CommitCertificate::from_engine(certificate);
        match block {
            Some(block) => self.work.commit(Job::Commit { block, certificate }),
            None => self.fetch_missing(certificate),
        }
    }

    /// What the engine has seen of equivocation while it decided a height.
    pub(super) fn on_evidence(&mut self, evidence: &MisbehaviorEvidence<BillContext>) {
        let found = equivocations(evidence);
        for equivocation in &found {
            let Offence { offender, height, kind } = equivocation.offence();
            // A few a height at most, each of a validator.
            warn!(%offender, height, round = equivocation.round, ?kind, "a validator signed twice");
            self.metrics.equivocations.inc();
        }
        self.work.report(found);
    }

    /// The engine asks what comes next.
    pub(super) fn on_finalized(&mut self, reply: RpcReplyPort<EngineNext<BillContext>>) {
        match self.progress.asked() {
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
        let height = self.progress.height();
        self.metrics.height.set(i64::try_from(height.get()).unwrap_or(i64::MAX));
        self.metrics.blocks.inc();
        if let Some(before) = self.committed.replace(now) {
            self.metrics.block_interval.observe((now - before).as_secs_f64());
        }
        self.work.remove(self.store.forget_below(setup.height));
        self.turns.retain(&setup.validators);
        self.support = Support::default();
        self.polka = None;
        self.missing = None;
        self.repeating.committed();

        let list = AllowList::new(setup.peers.clone(), &self.own_peer);
        self.network.follow(&mut self.allowed, list).await;
        let allowed = &self.allowed;
        self.assembler
            .prune(setup.height, now.into_std(), |publisher| allowed.is_validator(publisher));

        self.setup = setup;
        let next = Progress::new(self.setup.height);
        let early = {
            let view = view(&self.setup, &next, &self.support);
            for refused in self.proposals.committed(&view) {
                debug!(%refused, "refused a proposal that came early");
            }
            self.proposals.has_current(&view)
        };
        let next = self.progress.committed(self.setup.height, early);
        let caught_up_by_sync = self.progress.is_catching_up();
        if caught_up_by_sync {
            self.metrics.synced.inc();
        }
        self.status.send_modify(|status| {
            status.committed = height.get();
            status.catching_up = caught_up_by_sync;
        });
        if let Some(acknowledge) = self.ports.acknowledge.take() {
            answer(acknowledge, ());
        }
        self.go_on(next);
    }

    /// Does what progress says about the next height.
    pub(super) fn go_on(&mut self, next: Next) {
        match next {
            Next::Nothing => {}
            Next::Wait => {
                self.pace = Some(Pace::new(
                    self.started,
                    self.config.min_block_interval,
                    self.config.empty_interval,
                    self.app.work_ready(),
                ));
            }
            Next::Begin => self.begin_height(),
        }
    }

    /// Resolves when the wait is over; never while there is none.
    pub(super) async fn next_height_due(&mut self) {
        match &mut self.pace {
            Some(pace) => pace.wait().await,
            None => std::future::pending().await,
        }
    }

    /// Tells the engine to begin the height it waits for.
    pub(super) fn begin_height(&mut self) {
        self.pace = None;
        if !self.progress.begin() {
            return;
        }
        self.started = Instant::now();
        self.network.begun(self.progress.height(), self.setup.validators.clone());
        if let Some(reply) = self.ports.next.take() {
            answer(reply, EngineNext::Start(self.progress.height(), self.params()));
        }
    }

    /// Looks for signs that others have begun the height this node waits for.
    pub(super) fn on_message_seen(&mut self, message: &SignedConsensusMsg<BillContext>) {
        let waiting = self.progress.phase() == Phase::Waiting;
        let validators = &self.setup.validators;
        if waiting
            && message.height() == self.progress.height()
            && is_signed_by_validator(&self.verifier, validators, message)
        {
            let next = self.progress.others_began();
            self.go_on(next);
        }
    }
}
