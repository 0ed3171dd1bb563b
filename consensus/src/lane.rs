//! The one thread on which blocks are built, checked and committed.
//!
//! Blocking work in order, one piece at a time: the application never sees two
//! calls at once, and a commit is never overtaken. The thread also writes the
//! proposal store, because a block must be on disk before the engine hears of
//! it. Results go back to the driver over a channel; if the application panics,
//! the thread ends and the closed channel tells.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use billchain_crypto::sm3::sm3;
use billchain_primitives::Equivocation;
use bytes::Bytes;
use malachitebft_app_channel::app::engine::host::SyncedValueOutcome;
use malachitebft_app_channel::app::types::{LocallyProposedValue, ProposedValue};
use ractor::RpcReplyPort;
use tokio::sync::{mpsc, watch};

use crate::application::{
    AllowedPeers, AppError, Application, BlockRequest, CheckMode, CheckOutcome,
};
use crate::certificate::CommitCertificate;
use crate::error::ConsensusError;
use crate::keys::Electorate;
use crate::metrics::Metrics;
use crate::signing::Sm2Signer;
use crate::types::{
    Address, Announcement, BillContext, Height, Round, SignedAnnouncement, ValidatorSet,
};
use crate::undecided::{StoredBlock, UndecidedWriter};

/// A block that came whole.
#[derive(Debug)]
pub(crate) struct Received<P> {
    /// What its proposer signed about it.
    pub announced: SignedAnnouncement,
    /// The encoded block.
    pub bytes: Bytes,
    /// Where the engine waits for it.
    pub reply: P,
}

/// A proposed block with the engine's port.
pub(crate) type Proposed = Received<RpcReplyPort<ProposedValue<BillContext>>>;

/// Who waits for the check of a block.
pub(crate) enum Asker {
    /// A proposal came from the network.
    Proposal(Box<Proposed>),
    /// A decided block came from value sync.
    Sync { round: Round, proposer: Address, reply: RpcReplyPort<SyncedValueOutcome<BillContext>> },
    /// The block that was decided here came from a peer.
    Missing { round: Round },
}

/// Work for the thread.
pub(crate) enum Job {
    /// Build a block for this round.
    Propose {
        height: Height,
        round: Round,
        wanted: BlockRequest,
        reply: RpcReplyPort<LocallyProposedValue<BillContext>>,
    },
    /// Check a block.
    Check { height: Height, bytes: Bytes, mode: CheckMode, asker: Asker },
    /// Make a block final, then read what the next height needs.
    Commit { block: Arc<StoredBlock>, certificate: CommitCertificate },
    /// Tell the application of equivocations.
    Report(Vec<Equivocation>),
    /// Remove files of the proposal store.
    Remove(Vec<PathBuf>),
}

/// What a height is decided with, read from the state of the block before.
#[derive(Clone, Debug)]
pub(crate) struct HeightSetup {
    /// The height.
    pub height: Height,
    /// Its validators.
    pub validators: ValidatorSet,
    /// Peers that may connect.
    pub peers: AllowedPeers,
}

/// A finished check.
pub(crate) enum Checked {
    /// Valid and on disk.
    Valid(Arc<StoredBlock>),
    /// Must not be voted for.
    Invalid(String),
    /// Must not be voted for unless two thirds have voted for it before.
    Untimely(String),
    /// The application could not say.
    Skipped(String),
}

/// A block to propose.
pub(crate) struct Proposal {
    /// The block, on disk.
    pub block: Arc<StoredBlock>,
    /// The compact block that is sent first, if it is not sent whole.
    pub compact: Option<Bytes>,
}

/// Results. An error stops the component.
pub(crate) enum Done {
    /// Of [`Job::Propose`]; `None` if the application had nothing this time.
    Proposed { proposal: Option<Proposal>, reply: RpcReplyPort<LocallyProposedValue<BillContext>> },
    /// Of [`Job::Check`].
    Checked { height: Height, checked: Checked, asker: Asker },
    /// Of [`Job::Commit`].
    Committed(HeightSetup),
    /// Anything that stops the component.
    Failed(ConsensusError),
}

/// Where jobs go in.
pub(crate) struct Lane {
    jobs: std::sync::mpsc::Sender<Job>,
    stopping: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<()>,
}

/// What the thread works with.
pub(crate) struct Worker {
    pub app: Arc<dyn Application>,
    pub signer: Option<Sm2Signer>,
    pub writer: UndecidedWriter,
    pub max_block_bytes: usize,
    pub metrics: Metrics,
    /// Told who decides the next height, when that changes.
    pub electorate: watch::Sender<Electorate>,
}

impl Lane {
    /// Starts the thread.
    pub(crate) fn start(
        worker: Worker,
    ) -> Result<(Self, mpsc::UnboundedReceiver<Done>), ConsensusError> {
        let (jobs, queue) = std::sync::mpsc::channel::<Job>();
        let (results, receiver) = mpsc::unbounded_channel();
        let stopping = Arc::new(AtomicBool::new(false));
        let skip = stopping.clone();
        let thread = std::thread::Builder::new()
            .name("consensus-blocks".into())
            .spawn(move || {
                for job in queue {
                    // On the way out only what is already decided is worth doing.
                    if skip.load(Ordering::Relaxed) && !matches!(job, Job::Commit { .. }) {
                        continue;
                    }
                    let done = worker.run(job).unwrap_or_else(|error| Some(Done::Failed(error)));
                    if done.is_some_and(|done| results.send(done).is_err()) {
                        break;
                    }
                }
            })
            .map_err(|error| ConsensusError::Start(format!("thread for blocks: {error}")))?;
        Ok((Self { jobs, stopping, thread }, receiver))
    }

    /// Queues a job. If the thread is gone, the result channel tells.
    pub(crate) fn submit(&self, job: Job) {
        let _ = self.jobs.send(job);
    }

    /// Lets a commit under way finish and ends the thread. Blocking.
    pub(crate) fn stop(self) {
        self.stopping.store(true, Ordering::Relaxed);
        drop(self.jobs);
        // A panic was reported through the closed result channel already.
        let _ = self.thread.join();
    }
}

impl Worker {
    fn run(&self, job: Job) -> Result<Option<Done>, ConsensusError> {
        match job {
            Job::Propose { height, round, wanted, reply } => {
                let proposal = self.propose(height, round, wanted)?;
                Ok(Some(Done::Proposed { proposal, reply }))
            }
            Job::Check { height, bytes, mode, asker } => {
                let checked = self.check(height, bytes, mode, &asker)?;
                Ok(Some(Done::Checked { height, checked, asker }))
            }
            Job::Commit { block, certificate } => {
                self.commit(&block, &certificate)?;
                self.setup().map(Done::Committed).map(Some)
            }
            Job::Report(equivocations) => {
                let height = self.app.next_height();
                let reported = self.app.report(equivocations);
                reported
                    .map(|()| None)
                    .map_err(|source| failed("take up equivocations", height, source))
            }
            Job::Remove(files) => self.writer.remove(&files).map(|()| None),
        }
    }

    fn propose(
        &self,
        height: Height,
        round: Round,
        wanted: BlockRequest,
    ) -> Result<Option<Proposal>, ConsensusError> {
        let Some(signer) = &self.signer else {
            // The engine asks validators only.
            return Ok(None);
        };
        let begin = Instant::now();
        let built = match self.app.propose(height, wanted) {
            Ok(built) => built,
            Err(AppError::Skip(reason)) => {
                tracing::warn!(%height, %round, reason, "no block to propose in this round");
                return Ok(None);
            }
            Err(source) => {
                return Err(failed("propose", height, source));
            }
        };
        self.metrics.propose_time.observe(begin.elapsed().as_secs_f64());
        let Some(size) = u32::try_from(built.bytes.len())
            .ok()
            .filter(|size| *size > 0 && *size as usize <= self.max_block_bytes)
        else {
            let source = AppError::new(format!(
                "built a block of {} bytes, the limit is {}",
                built.bytes.len(),
                self.max_block_bytes
            ));
            return Err(failed("propose", height, source));
        };
        let announcement = Announcement {
            height,
            round,
            proposer: Address::from_public_key(&signer.public_key()),
            block_hash: built.hash.into(),
            size,
            content: sm3(&built.bytes),
        };
        let signature = signer.sign_announcement(&announcement);
        let block = StoredBlock {
            height,
            round,
            hash: built.hash.into(),
            announced: Some(SignedAnnouncement { announcement, signature }),
            bytes: built.bytes,
        };
        self.writer.write(&block)?;
        self.metrics.proposed.inc();
        let shorter = |compact: &Bytes| (1..block.bytes.len()).contains(&compact.len());
        let compact = built.compact.filter(shorter);
        Ok(Some(Proposal { block: Arc::new(block), compact }))
    }

    fn check(
        &self,
        height: Height,
        bytes: Bytes,
        mode: CheckMode,
        asker: &Asker,
    ) -> Result<Checked, ConsensusError> {
        // A commit may have come first: what was proposed for its height is stale.
        if self.app.next_height() != height {
            return Ok(Checked::Skipped(format!("height {height} is decided")));
        }
        let begin = Instant::now();
        let outcome = match self.app.check(height, &bytes, mode) {
            Ok(outcome) => outcome,
            Err(AppError::Skip(reason)) => return Ok(Checked::Skipped(reason)),
            Err(source) => {
                return Err(failed("check", height, source));
            }
        };
        self.metrics.check_time.observe(begin.elapsed().as_secs_f64());
        let hash = match outcome {
            CheckOutcome::Valid { hash } => hash.into(),
            CheckOutcome::Invalid { reason } => return Ok(Checked::Invalid(reason)),
            CheckOutcome::Untimely { reason } => return Ok(Checked::Untimely(reason)),
        };
        let (round, announced) = match asker {
            Asker::Proposal(proposed) if proposed.announced.block_hash != hash => {
                let claimed = proposed.announced.block_hash;
                return Ok(Checked::Invalid(format!("hash is {hash}, announced was {claimed}")));
            }
            Asker::Proposal(proposed) => {
                (proposed.announced.round, Some(proposed.announced.clone()))
            }
            Asker::Sync { round, .. } | Asker::Missing { round } => (*round, None),
        };
        let block = StoredBlock { height, round, hash, announced, bytes };
        self.writer.write(&block)?;
        Ok(Checked::Valid(Arc::new(block)))
    }

    fn commit(
        &self,
        block: &StoredBlock,
        certificate: &CommitCertificate,
    ) -> Result<(), ConsensusError> {
        let begin = Instant::now();
        let height = block.height;
        self.app
            .commit(height, block.hash.into(), &block.bytes, certificate)
            .map_err(|source| failed("commit", height, source))?;
        self.metrics.commit_time.observe(begin.elapsed().as_secs_f64());
        self.metrics.block_bytes.observe(block.bytes.len() as f64);
        Ok(())
    }

    fn setup(&self) -> Result<HeightSetup, ConsensusError> {
        let setup = read_setup(&*self.app)?;
        let next = (setup.height, setup.validators.clone());
        self.electorate.send_if_modified(|known| {
            let is_new = known.1 != next.1;
            if is_new {
                *known = next;
            }
            is_new
        });
        Ok(setup)
    }
}

/// Reads what the next height is decided with. Blocking.
pub(crate) fn read_setup(app: &dyn Application) -> Result<HeightSetup, ConsensusError> {
    let height = app.next_height();
    Ok(HeightSetup {
        height,
        validators: app
            .validator_set()
            .map_err(|source| failed("read the validator set", height, source))?,
        peers: app
            .allowed_peers()
            .map_err(|source| failed("read the allowed peers", height, source))?,
    })
}

fn failed(action: &'static str, height: Height, source: AppError) -> ConsensusError {
    ConsensusError::Application { action, height: height.get(), source }
}
