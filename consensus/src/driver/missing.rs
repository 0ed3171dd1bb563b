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
use malachitebft_app_channel::app::types::core::{NilOrVal, SignedVote, VoteType};
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

/// The decision whose block is missing, if there is one, and where peers' answers
/// go.
pub(super) struct Fetching {
    missing: Option<Missing>,
    answers: Answers,
}

impl Fetching {
    /// Nothing is missing; answers will go to `sender`.
    pub(super) fn new(sender: mpsc::Sender<Response<BillContext>>) -> Self {
        Self { missing: None, answers: Answers { sender, listening: false } }
    }

    /// When the next peer should be asked.
    pub(super) fn due(&self) -> Option<Instant> {
        self.missing.as_ref().map(|missing| missing.due)
    }

    /// The height is committed.
    pub(super) fn committed(&mut self) {
        self.missing = None;
    }
}

/// The decision whose block is missing.
struct Missing {
    certificate: CommitCertificate,
    due: Instant,
    /// Attempts so far; each asks the next of the connected peers.
    attempts: usize,
    /// Whether an answer is being checked.
    checking: bool,
}

/// Access to decided blocks that peers send.
struct Answers {
    sender: mpsc::Sender<Response<BillContext>>,
    /// Whether the network knows of the sender.
    listening: bool,
}

impl Driver {
    /// Begins to look for the block of a decision.
    pub(super) fn fetch_missing(&mut self, certificate: CommitCertificate) {
        let store = self.store.directory().display();
        let (height, hash) = (certificate.height, certificate.block_hash);
        warn!(%height, %hash, %store, "a decided block is missing here, asking the peers for it");
        self.reports.metrics.missing.inc();
        let answers = &mut self.fetching.answers;
        if !std::mem::replace(&mut answers.listening, true) {
            let (network, sender) = (self.peers.network.clone(), answers.sender.clone());
            tokio::spawn(async move { network.listen(sender).await });
        }
        let due = Instant::now();
        let missing = Missing { certificate, due, attempts: 0, checking: false };
        self.fetching.missing = Some(missing);
    }

    /// Asks the next peer, and repeats the pre-commits to all.
    pub(super) fn ask_for_missing(&mut self) {
        let Some(missing) = &mut self.fetching.missing else { return };
        missing.due = Instant::now() + INTERVAL;
        let attempt = missing.attempts;
        missing.attempts = attempt.wrapping_add(1);
        for vote in precommits(&missing.certificate) {
            self.peers.network.repeat(LivenessMsg::Vote(vote));
        }
        let (network, height) = (self.peers.network.clone(), self.current.height());
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
        let height = self.current.height();
        let missing = self.fetching.missing.as_mut();
        let Some(missing) = missing.filter(|missing| !missing.checking) else { return };
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
        if let Some(missing) = &mut self.fetching.missing {
            missing.checking = false;
        }
        let reason = match checked {
            Checked::Valid(block) => {
                let hash = block.hash;
                self.keep(block);
                match &self.fetching.missing {
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
        if let Some(omitted) = self.reports.may_log(Whose::Anybody) {
            warn!(reason, omitted, "a peer's answer is not the block that is missing");
        }
    }

    /// Commits if this is the block that was missing.
    pub(super) fn commit_if_missing(&mut self, hash: &crate::types::BlockHash) {
        if self.fetching.missing.is_none() || !self.current.progress.found(hash) {
            return;
        }
        let missing = self.fetching.missing.take();
        let Some((missing, block)) = missing.zip(self.store.get(hash).cloned()) else { return };
        info!(height = %block.height, %hash, "the missing block is here");
        self.work.commit(Job::Commit { block, certificate: missing.certificate });
    }
}

/// The votes that a certificate consists of.
pub(super) fn precommits(certificate: &CommitCertificate) -> Vec<SignedVote<BillContext>> {
    let vote = |voter| Vote {
        kind: VoteType::Precommit,
        height: certificate.height,
        round: certificate.round.into(),
        value: NilOrVal::Val(certificate.block_hash),
        voter,
    };
    certificate
        .signatures
        .iter()
        .map(|entry| SignedVote::new(vote(entry.address), entry.signature))
        .collect()
}
