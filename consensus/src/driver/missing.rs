//! A block that was decided and is not here.
//!
//! It happens when the directory of undecided blocks was lost, or when a block
//! left it before its height was decided. The peers have it: more than a third of
//! the validators promised so with their votes. Those that have committed it
//! serve it; those that have not are helped to, by repeating to them the
//! pre-commits that decided it here. A proposer may also send it again in parts.
//! Whoever it comes from, it must have the hash that was decided.

use std::time::Duration;

use malachitebft_app_channel::app::consensus::LivenessMsg;
use malachitebft_app_channel::app::types::PeerId;
use malachitebft_app_channel::app::types::core::{NilOrVal, Round, SignedVote, VoteType};
use malachitebft_sync::Response;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tracing::{info, warn};

use super::{Driver, Whose};
use crate::application::CheckMode;
use crate::certificate::CommitCertificate;
use crate::lane::{Asker, Checked, Job};
use crate::status::connected;
use crate::types::{BillContext, Vote};

/// Time between two attempts to get the block.
const INTERVAL: Duration = Duration::from_secs(1);
/// Answers that may wait for the driver.
pub(super) const ANSWERS: usize = 4;

/// The decision whose block is missing.
pub(super) struct Missing {
    certificate: CommitCertificate,
    due: Instant,
    /// Attempts so far; each asks the next of the connected peers.
    attempts: usize,
    /// Whether an answer is being checked.
    checking: bool,
}

/// Access to decided blocks that peers send.
pub(super) struct Answers {
    sender: mpsc::Sender<Response<BillContext>>,
    /// Whether the network knows of the sender.
    listening: bool,
}

impl Answers {
    pub(super) fn new(sender: mpsc::Sender<Response<BillContext>>) -> Self {
        Self { sender, listening: false }
    }
}

impl Driver {
    /// Begins to look for the block of a decision.
    pub(super) fn fetch_missing(&mut self, certificate: CommitCertificate) {
        let store = self.store.directory().display();
        let (height, hash) = (certificate.height, certificate.block_hash);
        warn!(height, %hash, %store, "a decided block is missing here, asking the peers for it");
        self.metrics.missing.inc();
        if !std::mem::replace(&mut self.answers.listening, true) {
            let (network, sender) = (self.network.clone(), self.answers.sender.clone());
            tokio::spawn(async move { network.listen(sender).await });
        }
        let due = Instant::now();
        self.missing = Some(Missing { certificate, due, attempts: 0, checking: false });
    }

    /// When the next peer should be asked.
    pub(super) fn missing_due(&self) -> Option<Instant> {
        self.missing.as_ref().map(|missing| missing.due)
    }

    /// Asks the next peer, and repeats the pre-commits to all.
    pub(super) fn ask_for_missing(&mut self) {
        let Some(missing) = &mut self.missing else { return };
        missing.due = Instant::now() + INTERVAL;
        let attempt = missing.attempts;
        missing.attempts = attempt.wrapping_add(1);
        for vote in precommits(&missing.certificate) {
            self.network.repeat(LivenessMsg::Vote(vote));
        }
        let (network, height) = (self.network.clone(), self.progress.height());
        tokio::spawn(async move {
            let peers = connected(&network).await;
            let Some(peer) = peers.get(attempt % peers.len().max(1)) else { return };
            if let Ok(peer) = PeerId::from_bytes(&peer.peer.to_bytes()) {
                network.ask(peer, height).await;
            }
        });
    }

    /// Decided blocks from a peer.
    pub(super) fn on_answer(&mut self, Response::ValueResponse(answer): Response<BillContext>) {
        let height = self.progress.height();
        let Some(missing) = self.missing.as_mut().filter(|missing| !missing.checking) else {
            return;
        };
        let Some(value) = answer.values.into_iter().next() else { return };
        let bytes = value.value_bytes;
        let fits = (1..=self.config.max_block_bytes).contains(&bytes.len());
        if answer.start_height != height || !fits {
            return;
        }
        missing.checking = true;
        let asker = Asker::Missing { round: missing.certificate.round };
        self.work.check_decided(Job::Check { height, bytes, mode: CheckMode::Voted, asker });
    }

    /// The check of an answer is finished.
    pub(super) fn on_answer_checked(&mut self, checked: Checked) {
        if let Some(missing) = &mut self.missing {
            missing.checking = false;
        }
        let reason = match checked {
            Checked::Valid(block) => {
                let hash = block.hash;
                self.keep(block);
                match &self.missing {
                    None => return,
                    Some(missing) => format!(
                        "its hash is {hash}, decided was {}",
                        missing.certificate.block_hash
                    ),
                }
            }
            Checked::Invalid(reason) | Checked::Untimely(reason) | Checked::Skipped(reason) => {
                reason
            }
        };
        if let Some(omitted) = self.may_log(Whose::Anybody) {
            warn!(reason, omitted, "a peer's answer is not the block that is missing");
        }
    }

    /// Commits if this is the block that was missing.
    pub(super) fn commit_if_missing(&mut self, hash: &crate::types::BlockHash) {
        if self.missing.is_none() || !self.progress.found(hash) {
            return;
        }
        let Some((missing, block)) = self.missing.take().zip(self.store.get(hash).cloned()) else {
            return;
        };
        info!(height = %block.height, %hash, "the missing block is here");
        self.work.commit(Job::Commit { block, certificate: missing.certificate });
    }
}

/// The votes that a certificate consists of.
pub(super) fn precommits(certificate: &CommitCertificate) -> Vec<SignedVote<BillContext>> {
    let vote = |voter| Vote {
        kind: VoteType::Precommit,
        height: crate::types::Height::new(certificate.height),
        round: Round::new(certificate.round),
        value: NilOrVal::Val(certificate.block_hash),
        voter,
    };
    certificate
        .signatures
        .iter()
        .map(|entry| SignedVote::new(vote(entry.address), entry.signature))
        .collect()
}
