//! Blocks that are proposed: ours out, the others' in.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use malachitebft_app_channel::app::streaming::StreamId;
use malachitebft_app_channel::app::types::core::{Round, Validity};
use malachitebft_app_channel::app::types::{LocallyProposedValue, PeerId, ProposedValue};
use ractor::RpcReplyPort;
use tracing::{debug, warn};

use super::{
    Driver, Early, MAX_ANNOUNCED, MAX_CHECKS, MAX_EARLY, Phase, ROUNDS_AHEAD, answer, number,
};
use crate::lane::{Asker, Checked, Job, Proposal};
use crate::parts::{Progress, Wanted, split};
use crate::types::{BillContext, BlockHash, BlockValue, Form, Height, PartInit, StreamMessage};
use crate::undecided::StoredBlock;

impl Driver {
    /// The engine wants a block to propose. One built for this round before —
    /// by this run or the one before a crash — is proposed again: a second one
    /// would be a double proposal.
    pub(super) fn on_get_value(
        &mut self,
        height: u64,
        round: Round,
        reply: RpcReplyPort<LocallyProposedValue<BillContext>>,
    ) {
        if height != self.setup.height {
            warn!(height, expected = self.setup.height, "asked for a block out of turn");
            return;
        }
        let round = number(round);
        let own = self.own_address;
        let mut built = self.store.of_round(height, round).into_iter();
        let ours = |block: &Arc<StoredBlock>| {
            block.init.as_ref().is_some_and(|part| part.init.proposer == own)
        };
        match built.find(ours) {
            Some(block) => self.on_proposed(Some(Proposal { block, short: None }), reply),
            None => self.lane.submit(Job::Propose {
                height,
                round,
                deadline: Instant::now() + self.config.build_time,
                reply,
            }),
        }
    }

    /// A block was built: send it, and tell the engine.
    pub(super) fn on_proposed(
        &mut self,
        proposal: Option<Proposal>,
        reply: RpcReplyPort<LocallyProposedValue<BillContext>>,
    ) {
        // Without a block the round fails after the others' timeout.
        let Some(Proposal { block, short }) = proposal else { return };
        self.keep(block.clone());
        match short {
            Some(short) => self.publish_short(&block, &short),
            None => self.publish(&block),
        }
        let (height, round) = (Height::new(block.height), Round::new(block.round));
        answer(reply, LocallyProposedValue::new(height, round, BlockValue(block.hash)));
    }

    /// The engine wants a block sent again, so that all can vote for it in a
    /// later round. It goes out under its first proposer's announcement.
    pub(super) fn on_restream(&mut self, hash: &BlockHash) {
        match self.store.get(hash).cloned() {
            Some(block) => self.publish(&block),
            None => debug!(%hash, "asked to send a block again that is not here"),
        }
    }

    /// Sends a block whole to all peers.
    pub(super) fn publish(&mut self, block: &StoredBlock) {
        self.publish_parts(block, Form::Whole, &block.bytes);
    }

    /// Sends a block's short form to all peers.
    fn publish_short(&mut self, block: &StoredBlock, short: &Bytes) {
        // The lane lets no form pass that is longer than the block.
        let size = u32::try_from(short.len()).unwrap_or(u32::MAX);
        self.publish_parts(block, Form::Short(size), short);
    }

    fn publish_parts(&mut self, block: &StoredBlock, form: Form, content: &Bytes) {
        let Some(init) = &block.init else {
            // From value sync: the others have decided it.
            return;
        };
        self.streams = self.streams.wrapping_add(1);
        let id = StreamId::new(self.streams.to_be_bytes().to_vec().into());
        for part in split(id, init, form, content) {
            self.network.publish(part);
        }
    }

    /// A part has arrived.
    pub(super) fn on_part(
        &mut self,
        publisher: PeerId,
        message: StreamMessage,
        reply: RpcReplyPort<ProposedValue<BillContext>>,
    ) {
        // A stranger is disconnected once it has identified itself; this is for
        // what it sends before.
        if !self.allowed.contains(&publisher) {
            self.metrics.refused_parts.inc();
            debug!(%publisher, "ignoring a part from a peer that is not allowed");
            return;
        }
        let mut assembler = std::mem::replace(&mut self.assembler, crate::parts::Assembler::new(0));
        let progress = assembler
            .insert(publisher, message, Instant::now(), |init| self.judge_announcement(init));
        self.assembler = assembler;
        match progress {
            Ok(Progress::Pending) => {}
            Ok(Progress::Complete(init, bytes)) => self.on_complete(Early { init, bytes, reply }),
            Ok(Progress::CompleteShort(init, short)) => {
                self.restore(publisher, init, short, reply);
            }
            Err(error) => {
                self.metrics.refused_parts.inc();
                warn!(%publisher, %error, "refused a proposal part");
            }
        }
    }

    /// Whether an announced block is worth collecting: it is for this height or
    /// the next, from the validator whose turn it is, and not here yet.
    fn judge_announcement(&mut self, part: &PartInit) -> Result<Wanted, String> {
        let init = &part.init;
        let (height, expected) = (init.height.get(), self.setup.height);
        if height < expected || height > expected + 1 {
            // The one is over; for the other this node must first catch up.
            return Ok(Wanted::No);
        }
        let hash = &init.block_hash;
        let current = if height == expected { self.round } else { 0 };
        if init.round > current.saturating_add(ROUNDS_AHEAD) {
            return Err(format!("round {} while the engine is in {current}", init.round));
        }
        let over = matches!(self.phase, Phase::Committing { .. }) && height == expected;
        if over || self.store.get(hash).is_some() || self.checking.contains(hash) {
            return Ok(Wanted::No);
        }
        let validator = self
            .setup
            .validators
            .get(&init.proposer)
            .ok_or_else(|| format!("{} is not a validator", init.proposer))?;
        // The validators of the next height are not known before this one is
        // committed; its proposer is checked then.
        if height == expected {
            self.judge_proposer(part)?;
        }
        if !self.verifier.verify_init(init, &part.signature, validator.public_key()) {
            return Err(format!("signature of {} is not valid", init.proposer));
        }
        let announced = &mut self.announced.entry((height, init.round)).or_default().blocks;
        if !announced.contains(hash) {
            if announced.len() == MAX_ANNOUNCED {
                return Err(format!("{} announces too many blocks", init.proposer));
            }
            announced.push(*hash);
        }
        Ok(Wanted::Yes)
    }

    fn judge_proposer(&self, part: &PartInit) -> Result<(), String> {
        let init = &part.init;
        let expected = self.setup.validators.proposer(init.height.get(), init.round).address();
        if *expected == init.proposer {
            Ok(())
        } else {
            Err(format!("{} proposes in the turn of {expected}", init.proposer))
        }
    }

    /// A block is here whole.
    pub(super) fn on_complete(&mut self, early: Early) {
        let height = early.init.init.height.get();
        if height == self.setup.height {
            // It may have been announced when its height was the next one.
            if let Err(error) = self.judge_proposer(&early.init) {
                warn!(height, error, "refused a proposal");
                return;
            }
            if matches!(self.phase, Phase::Waiting(_)) {
                self.others_began = true;
                self.begin_height();
            }
            self.check_proposal(early);
        } else if height == self.setup.height + 1 && self.early.len() < MAX_EARLY {
            self.early.entry(early.init.init.block_hash).or_insert(early);
        }
    }

    fn check_proposal(&mut self, early: Early) {
        let Early { init, bytes, reply } = early;
        let height = init.init.height.get();
        // It may have come whole while its short form was being restored.
        if self.store.get(&init.init.block_hash).is_some() {
            return;
        }
        let checks = &mut self.announced.entry((height, init.init.round)).or_default().checks;
        // Two streams may complete with one block.
        if *checks == MAX_CHECKS || !self.checking.insert(init.init.block_hash) {
            return;
        }
        *checks += 1;
        self.lane.submit(Job::Check { height, bytes, asker: Asker::Proposal { init, reply } });
    }

    /// The height before is committed: what came early can be checked now.
    pub(super) fn check_early(&mut self) {
        let mut waiting = std::mem::take(&mut self.early);
        for (_, early) in waiting.drain() {
            let height = early.init.init.height.get();
            if height != self.setup.height {
                continue;
            }
            match self.judge_proposer(&early.init) {
                Ok(()) => {
                    self.others_began = true;
                    self.check_proposal(early);
                }
                Err(error) => warn!(height, error, "refused a proposal that came early"),
            }
        }
    }

    /// A check is finished: tell whoever waits.
    pub(super) fn on_checked(&mut self, height: u64, checked: Checked, asker: Asker) {
        match asker {
            Asker::Proposal { init, reply } => {
                self.checking.remove(&init.init.block_hash);
                let validity = match checked {
                    Checked::Valid(block) => {
                        self.keep(block);
                        Validity::Valid
                    }
                    Checked::Invalid(reason) => {
                        self.metrics.invalid.inc();
                        let proposer = init.init.proposer;
                        warn!(height, %proposer, reason, "proposed block is invalid");
                        Validity::Invalid
                    }
                    Checked::Skipped(reason) => {
                        debug!(height, reason, "proposed block was not checked");
                        return;
                    }
                };
                let value = ProposedValue {
                    height: init.init.height,
                    round: Round::new(init.init.round),
                    valid_round: Round::Nil,
                    proposer: init.init.proposer,
                    value: BlockValue(init.init.block_hash),
                    validity,
                };
                answer(reply, value);
            }
            Asker::Sync { round, proposer, reply } => {
                self.on_sync_checked(height, round, proposer, checked, reply);
            }
        }
    }

    /// Takes a block from the lane into the store.
    pub(super) fn keep(&mut self, block: Arc<StoredBlock>) {
        let mut surplus: Vec<_> = self.store.insert(block).into_iter().collect();
        // A check may finish after its height was decided.
        surplus.extend(self.store.forget_below(self.setup.height));
        if !surplus.is_empty() {
            self.lane.submit(Job::Remove(surplus));
        }
    }
}
