//! From one height to the next: begin, decide, commit, wait.

use billchain_crypto::sm2::DEFAULT_ID;
use malachitebft_app_channel::app::consensus::{Role, SignedConsensusMsg};
use malachitebft_app_channel::app::engine::host::{HeightParams, Next};
use malachitebft_app_channel::app::types::ProposedValue;
use malachitebft_app_channel::app::types::core::Validity;
use malachitebft_app_channel::app::types::core::{CommitCertificate as EngineCertificate, Round};
use ractor::RpcReplyPort;
use tokio::time::Instant;
use tracing::{debug, info, warn};

use super::pace::Pace;
use super::{Driver, Phase, answer, number};
use crate::certificate::CommitCertificate;
use crate::error::ConsensusError;
use crate::lane::{HeightSetup, Job};
use crate::peers::AllowList;
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
        *self.setup.validators.proposer(self.setup.height, 0).address()
    }

    /// The engine is ready: begin the first height of this run.
    pub(super) fn on_ready(&mut self, reply: RpcReplyPort<(Height, HeightParams<BillContext>)>) {
        info!(height = self.setup.height, "consensus begins");
        self.ready = true;
        self.started = Instant::now();
        answer(reply, (Height::new(self.setup.height), self.params()));
    }

    /// A round has begun. Blocks of that round from before a crash go back to
    /// the engine; our own goes out again, the others may never have had it.
    pub(super) fn on_started_round(
        &mut self,
        height: u64,
        round: Round,
        role: Role,
        reply: RpcReplyPort<Vec<ProposedValue<BillContext>>>,
    ) {
        let round = number(round);
        self.round = round;
        let blocks = self.store.of_round(height, round);
        answer(reply, blocks.iter().map(|block| self.proposed_value(block)).collect());
        if round > 0 {
            info!(height, round, ?role, "round failed, the next one began");
        } else {
            debug!(height, round, ?role, "round began");
        }
        self.status.send_modify(|status| {
            status.height = height;
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
        let proposer = match &block.init {
            Some(part) => part.init.proposer,
            None => *self.setup.validators.proposer(block.height, block.round).address(),
        };
        ProposedValue {
            height: Height::new(block.height),
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
    ) -> Result<(), ConsensusError> {
        let (height, hash) = (certificate.height.get(), certificate.value_id);
        if height != self.setup.height || !matches!(self.phase, Phase::Deciding) {
            warn!(height, expected = self.setup.height, "ignoring a decision out of turn");
            return Ok(());
        }
        let Some(block) = self.store.get(&hash).filter(|block| block.height == height) else {
            return Err(ConsensusError::MissingBlock {
                height,
                hash: hash.to_string(),
                store: self.store.directory().to_owned(),
            });
        };
        info!(height, round = %certificate.round, %hash, bytes = block.bytes.len(), "decided");
        self.turns.on_decided(self.first_proposer(), number(certificate.round));
        self.lane.submit(Job::Commit {
            block: block.clone(),
            certificate: CommitCertificate::from_engine(certificate),
        });
        self.phase = Phase::Committing { acknowledge, finalized: None };
        Ok(())
    }

    /// The engine asks what comes next.
    pub(super) fn on_finalized(&mut self, reply: RpcReplyPort<Next<BillContext>>) {
        match &mut self.phase {
            Phase::Committing { finalized, .. } => *finalized = Some(reply),
            Phase::Committed => self.wait_for_next(reply),
            Phase::Deciding | Phase::Waiting(_) => {
                warn!("the engine asked for the next height out of turn");
            }
        }
    }

    /// The block is final.
    pub(super) async fn on_committed(&mut self, setup: HeightSetup) {
        let now = Instant::now();
        let height = self.setup.height;
        self.metrics.height.set(i64::try_from(height).unwrap_or(i64::MAX));
        self.metrics.blocks.inc();
        if let Some(before) = self.committed.replace(now) {
            self.metrics.block_interval.observe((now - before).as_secs_f64());
        }
        let caught_up_by_sync = self.synced == Some(height);
        if caught_up_by_sync {
            self.metrics.synced.inc();
        }
        let files = self.store.forget_below(setup.height);
        self.lane.submit(Job::Remove(files));
        self.assembler.prune(setup.height, now.into_std());
        self.checking.clear();
        self.announced.retain(|(height, _), _| *height >= setup.height);
        self.round = 0;

        let allowed = AllowList::new(setup.peers.clone(), &self.own_peer);
        if allowed != self.allowed {
            self.network.hear(allowed.clone());
            self.allowed.apply(&allowed, &self.network).await;
            self.allowed = allowed;
        }
        self.turns.retain(&setup.validators);
        self.setup = setup;
        self.others_began = false;
        self.status.send_modify(|status| {
            status.committed = height;
            status.catching_up = caught_up_by_sync;
        });

        let phase = std::mem::replace(&mut self.phase, Phase::Committed);
        let Phase::Committing { acknowledge, finalized } = phase else {
            warn!(height, "committed a block that was not being committed");
            return;
        };
        answer(acknowledge, ());
        self.check_early();
        if let Some(reply) = finalized {
            self.wait_for_next(reply);
        }
    }

    /// Begins the wait between two heights, or ends it at once when there is
    /// more to catch up with or others have begun.
    fn wait_for_next(&mut self, reply: RpcReplyPort<Next<BillContext>>) {
        let pace = Pace::new(
            reply,
            self.started,
            self.config.min_block_interval,
            self.config.empty_interval,
            self.app.work_ready(),
        );
        self.phase = Phase::Waiting(Box::new(pace));
        let decided = self.setup.height.saturating_sub(1);
        if self.synced == Some(decided) || self.others_began {
            self.begin_height();
        }
    }

    /// Resolves when the wait is over; never while there is none.
    pub(super) async fn next_height_due(&mut self) {
        match &mut self.phase {
            Phase::Waiting(pace) => pace.wait().await,
            _ => std::future::pending().await,
        }
    }

    /// Tells the engine to begin the height it waits for.
    pub(super) fn begin_height(&mut self) {
        match std::mem::replace(&mut self.phase, Phase::Deciding) {
            Phase::Waiting(pace) => {
                self.started = Instant::now();
                let next = Next::Start(Height::new(self.setup.height), self.params());
                answer(pace.reply, next);
            }
            other => self.phase = other,
        }
    }

    /// Whether a validator of the height at hand signed this message.
    pub(super) fn is_from_validator(&self, message: &SignedConsensusMsg<BillContext>) -> bool {
        let domain = self.verifier.domain();
        let (signer, bytes) = match message {
            SignedConsensusMsg::Vote(vote) => {
                (vote.message.voter, domain.vote_bytes(&vote.message))
            }
            SignedConsensusMsg::Proposal(proposal) => {
                (proposal.message.proposer, domain.proposal_bytes(&proposal.message))
            }
        };
        self.setup.validators.get(&signer).is_some_and(|validator| {
            validator.public_key().verify(DEFAULT_ID, &bytes, message.signature())
        })
    }
}
