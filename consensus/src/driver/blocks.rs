//! Blocks that are proposed: ours out, the others' in.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use malachitebft_app_channel::app::types::core::{Round as EngineRound, Validity};
use malachitebft_app_channel::app::types::{LocallyProposedValue, PeerId, ProposedValue};
use ractor::RpcReplyPort;
use tracing::{debug, warn};

use super::progress::Next;
use super::proposals::{Taken, Verdict};
use super::{Driver, Whose, answer};
use crate::application::BlockRequest;
use crate::lane::{Asker, Checked, Job, Proposal, Proposed, Received};
use crate::parts::Progress;
use crate::types::{BillContext, BlockHash, BlockValue, Form, Height, Round, StreamMessage};
use crate::undecided::StoredBlock;

type Reply = RpcReplyPort<LocallyProposedValue<BillContext>>;

impl Driver {
    /// The engine wants a block to propose. One built for this round before — by
    /// this run or the one before a crash — is proposed again: a second one would
    /// be a double proposal. So is a block that two thirds have voted for in an
    /// earlier round: whoever is locked on it accepts no other.
    pub(super) fn on_get_value(&mut self, height: Height, round: Round, reply: Reply) {
        if height != self.current.height() {
            warn!(%height, expected = %self.current.height(), "asked for a block out of turn");
            return;
        }
        let own = self.own_address;
        let ours = |block: &Arc<StoredBlock>| {
            block.announced.as_ref().is_some_and(|announced| announced.proposer == own)
        };
        let mut built = self.store.of_round(height, round).into_iter();
        let supported =
            || self.current.support.leader().and_then(|hash| self.store.get(&hash).cloned());
        match built.find(ours).or_else(supported) {
            Some(block) => self.propose(&block, round, None, reply),
            None => self.work.propose(Job::Propose {
                height,
                round,
                wanted: BlockRequest {
                    max_bytes: self.fit.limit(round),
                    deadline: Instant::now() + self.config.build_time,
                    late: self.late.all(),
                },
                reply,
            }),
        }
    }

    /// A block was built.
    pub(super) fn on_proposed(&mut self, proposal: Option<Proposal>, reply: Reply) {
        // Without a block the round fails after the others' timeout.
        let Some(Proposal { block, compact }) = proposal else { return };
        self.keep(block.clone());
        self.propose(&block, block.round, compact, reply);
    }

    /// Sends a block and tells the engine.
    fn propose(&mut self, block: &StoredBlock, round: Round, compact: Option<Bytes>, reply: Reply) {
        match compact {
            Some(compact) => {
                // The lane lets none pass that is longer than the block.
                let size = u32::try_from(compact.len()).unwrap_or(u32::MAX);
                self.peers.publish(block, Form::Compact(size), &compact);
            }
            None => self.publish(block),
        }
        let value = BlockValue(block.hash);
        answer(reply, LocallyProposedValue::new(block.height, round.into(), value));
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
        self.peers.publish(block, Form::Whole, &block.bytes);
    }

    /// A part has arrived.
    pub(super) fn on_part(
        &mut self,
        publisher: PeerId,
        message: StreamMessage,
        reply: RpcReplyPort<ProposedValue<BillContext>>,
    ) {
        // A stranger is disconnected once it has identified itself; this is for
        // what it sends before. An observer has nothing to send.
        if !self.peers.is_validator(&publisher) {
            self.reports.metrics.refused_parts.inc();
            debug!(%publisher, "ignoring a part from a peer that is no validator's");
            return;
        }
        let view = self.current.view();
        let (proposals, store, verifier) = (&mut self.proposals, &self.store, &self.verifier);
        let progress = self.assembler.insert(publisher, message, Instant::now(), |announced| {
            if store.get(&announced.block_hash).is_some() {
                return Ok(crate::parts::Wanted::No);
            }
            let authentic = |validator: &crate::types::Validator| {
                let (signature, key) = (&announced.signature, validator.public_key());
                verifier.verify_announcement(announced, signature, key)
            };
            proposals.judge(&view, announced, authentic).map_err(|refused| refused.to_string())
        });
        match progress {
            Ok(Progress::Pending) => {}
            Ok(Progress::Complete(announced, bytes)) => {
                self.on_complete(Received { announced, bytes, reply });
            }
            Ok(Progress::CompleteCompact(announced, compact)) => {
                self.expand(publisher, announced, compact, reply);
            }
            Err(error) => {
                self.reports.metrics.refused_parts.inc();
                if let Some(omitted) = self.reports.may_log(Whose::Peer(publisher)) {
                    warn!(%publisher, %error, omitted, "refused a proposal part");
                }
            }
        }
    }

    /// A block is here whole.
    pub(super) fn on_complete(&mut self, received: Proposed) {
        // It may have come whole while its compact block was being expanded.
        if self.store.get(&received.announced.block_hash).is_some() {
            return;
        }
        let proposer = received.announced.proposer;
        let view = self.current.view();
        match self.proposals.complete(&view, received) {
            Ok(Taken::Now) => {
                if self.current.progress.others_began() == Next::Begin {
                    self.begin_height();
                }
            }
            Ok(Taken::Early | Taken::Dropped) => {}
            Err(error) => {
                if let Some(omitted) = self.reports.may_log(Whose::Validator(proposer)) {
                    warn!(%error, omitted, "refused a proposal");
                }
            }
        }
    }

    /// A check is finished: tell whoever waits.
    pub(super) fn on_checked(&mut self, height: Height, checked: Checked, asker: Asker) {
        match asker {
            Asker::Proposal(proposed) => self.on_proposal_checked(*proposed, checked),
            Asker::Sync { round, proposer, reply } => {
                self.on_sync_checked(height, round, proposer, checked, reply);
            }
            Asker::Missing { .. } => self.on_answer_checked(checked),
        }
    }

    fn on_proposal_checked(&mut self, proposed: Proposed, checked: Checked) {
        let announced = proposed.announced.announcement.clone();
        let (height, proposer) = (announced.height, announced.proposer);
        let (verdict, answered) = match checked {
            Checked::Valid(block) => {
                if height == self.current.height() {
                    let (hash, now) = (block.hash, Instant::now());
                    self.timing.valid((proposer, announced.round), hash, now.into());
                }
                self.keep(block);
                (Verdict::Valid, Some((Validity::Valid, proposed.reply)))
            }
            Checked::Invalid(reason) => {
                self.reports.metrics.invalid.inc();
                if let Some(omitted) = self.reports.may_log(Whose::Validator(proposer)) {
                    warn!(%height, %proposer, reason, omitted, "proposed block is invalid");
                }
                (Verdict::Invalid, Some((Validity::Invalid, proposed.reply)))
            }
            // The engine is not told: it votes nil when its patience ends, or for
            // the block if two thirds turn out to have done so before.
            Checked::Untimely(reason) => {
                debug!(%height, %proposer, reason, "proposed block waits for a polka");
                self.reports.metrics.untimely.inc();
                self.ask_engine();
                (Verdict::Untimely(Box::new(proposed)), None)
            }
            Checked::Skipped(reason) => {
                debug!(%height, reason, "proposed block was not checked");
                (Verdict::Unknown, None)
            }
        };
        let view = self.current.view();
        self.proposals.checked(&view, &announced, verdict);
        if let Some((validity, reply)) = answered {
            let value = ProposedValue {
                height,
                round: announced.round.into(),
                valid_round: EngineRound::Nil,
                proposer,
                value: BlockValue(announced.block_hash),
                validity,
            };
            answer(reply, value);
        }
    }

    /// Takes a block from the lane into the store.
    pub(super) fn keep(&mut self, block: Arc<StoredBlock>) {
        let hash = block.hash;
        let mut surplus = self.store.insert(block, &self.current.support);
        // A check may finish after its height was decided.
        surplus.extend(self.store.forget_below(self.current.height()));
        self.work.remove(surplus);
        self.commit_if_missing(&hash);
    }
}
