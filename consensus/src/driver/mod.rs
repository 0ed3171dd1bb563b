//! The driver: answers the engine's questions with the application's answers.
//!
//! One task owns all state and never blocks: what takes long goes to the
//! [`Lane`] or to a blocking thread and comes back as a message, together with
//! the port on which the engine waits. So consensus goes on counting votes and
//! timeouts while a block is executed.

mod heights;
mod pace;
mod proposals;
mod restore;
mod sync;
mod turns;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use malachitebft_app_channel::app::consensus::SignedConsensusMsg;
use malachitebft_app_channel::app::engine::host::{HostMsg, Next};
use malachitebft_app_channel::app::engine::util::events::Event;
use malachitebft_app_channel::app::net::PeerId;
use malachitebft_app_channel::app::types::core::Round;
use malachitebft_app_channel::app::types::{PeerId as EnginePeerId, ProposedValue};
use ractor::RpcReplyPort;
use tokio::sync::{Semaphore, broadcast, mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use crate::application::Application;
use crate::config::ConsensusConfig;
use crate::engine::{Engine, Network};
use crate::error::ConsensusError;
use crate::handle::Status;
use crate::host::Question;
use crate::lane::{Done, HeightSetup, Lane};
use crate::metrics::Metrics;
use crate::parts::Assembler;
use crate::peers::AllowList;
use crate::signing::Sm2Verifier;
use crate::types::{Address, BillContext, BlockHash, PartInit};
use crate::undecided::UndecidedStore;
use pace::Pace;
use restore::Restoring;
use turns::Turns;

/// How long the engine may take to open its port. It says nothing when it cannot.
const START_PATIENCE: Duration = Duration::from_secs(15);
/// Complete blocks of the next height that are kept until this one is committed.
const MAX_EARLY: usize = 8;

/// Rounds ahead of the engine's for which blocks are taken.
const ROUNDS_AHEAD: u32 = 2;
/// Different blocks a proposer may announce for one round: its own, and one
/// more so that a double proposal is seen by all. Each costs an execution.
const MAX_ANNOUNCED: usize = 2;
/// Checks of blocks of one round; a block whose parts were tampered with may
/// come again.
const MAX_CHECKS: u8 = 4;

/// What was announced for one round.
#[derive(Default)]
struct Announced {
    blocks: Vec<BlockHash>,
    /// Whose short form of which of them was taken: nobody needs to send it
    /// twice.
    short: HashSet<(EnginePeerId, BlockHash)>,
    checks: u8,
}

/// Where the current height stands.
enum Phase {
    /// The engine is deciding.
    Deciding,
    /// Decided; the lane commits. Ports are answered when it has.
    Committing { acknowledge: RpcReplyPort<()>, finalized: Option<RpcReplyPort<Next<BillContext>>> },
    /// Committed; the engine has not asked yet what comes next.
    Committed,
    /// The engine waits to be told to begin the next height.
    Waiting(Box<Pace>),
}

/// A block that arrived before its parent was committed.
struct Early {
    init: PartInit,
    bytes: Bytes,
    reply: RpcReplyPort<ProposedValue<BillContext>>,
}

/// See the module's documentation.
pub(crate) struct Driver {
    config: ConsensusConfig,
    app: Arc<dyn Application>,
    verifier: Sm2Verifier,
    own_address: Address,
    own_peer: PeerId,
    network: Network,
    lane: Lane,
    metrics: Metrics,
    status: watch::Sender<Status>,

    /// The height at hand, or once it is committed the next.
    setup: HeightSetup,
    phase: Phase,
    /// Whether the engine listens and has been told the first height.
    ready: bool,
    /// When the engine was told to begin the height.
    started: Instant,
    /// When the last block was committed.
    committed: Option<Instant>,
    /// Height of the last block that came from value sync.
    synced: Option<u64>,
    /// Whether a validator was heard of that has begun the next height.
    others_began: bool,
    /// Who let a turn to propose go by.
    turns: Turns,

    allowed: AllowList,
    store: UndecidedStore,
    assembler: Assembler,
    /// Round the engine is in.
    round: u32,
    /// Blocks announced, by height and round.
    announced: HashMap<(u64, u32), Announced>,
    /// Blocks in the lane for a check.
    checking: HashSet<BlockHash>,
    early: HashMap<BlockHash, Early>,
    restoring: Restoring,
    /// Makes stream ids of this process unique.
    streams: u64,
    /// Limits concurrent reads for peers that catch up.
    reads: Arc<Semaphore>,
    /// Reports a read that failed.
    read_failed: mpsc::UnboundedSender<ConsensusError>,
}

/// What the driver is made of.
pub(crate) struct Parts {
    pub config: ConsensusConfig,
    pub app: Arc<dyn Application>,
    pub verifier: Sm2Verifier,
    pub own_address: Address,
    pub own_peer: PeerId,
    pub lane: Lane,
    pub done: mpsc::UnboundedReceiver<Done>,
    pub store: UndecidedStore,
    pub setup: HeightSetup,
    pub allowed: AllowList,
    pub metrics: Metrics,
    pub status: watch::Sender<Status>,
}

/// Runs until told to stop or something fails.
pub(crate) async fn run(
    parts: Parts,
    mut engine: Engine,
    mut stop: oneshot::Receiver<()>,
) -> Result<(), ConsensusError> {
    let (read_failed, mut read_failures) = mpsc::unbounded_channel();
    let (restored, mut restorations) = mpsc::unbounded_channel();
    let Parts { config, app, verifier, own_address, own_peer, lane, .. } = parts;
    let mut done = parts.done;
    let assembler = Assembler::new(config.max_block_bytes);
    let mut driver = Driver {
        config,
        app,
        verifier,
        own_address,
        own_peer,
        network: engine.network(),
        lane,
        metrics: parts.metrics,
        status: parts.status,
        setup: parts.setup,
        phase: Phase::Deciding,
        ready: false,
        started: Instant::now(),
        committed: None,
        synced: None,
        others_began: false,
        turns: Turns::default(),
        allowed: parts.allowed,
        store: parts.store,
        assembler,
        round: 0,
        announced: HashMap::new(),
        checking: HashSet::new(),
        early: HashMap::new(),
        restoring: Restoring::new(restored),
        streams: stream_seed(),
        reads: Arc::new(Semaphore::new(2)),
        read_failed,
    };
    let result = loop {
        let step = tokio::select! {
            biased;
            _ = &mut stop => break Ok(()),
            Some(error) = read_failures.recv() => break Err(error),
            result = done.recv() => match result {
                Some(result) => driver.on_done(result).await,
                None => break Err(ConsensusError::Panicked),
            },
            Some(restored) = restorations.recv() => {
                driver.on_restored(restored);
                Ok(())
            }
            question = engine.questions.recv() => match question {
                Some(question) => driver.on_question(question),
                None => break Err(ConsensusError::Stopped("its actors ended; see its log".into())),
            },
            event = engine.events.recv() => driver.on_event(event),
            () = sleep_until(driver.started + START_PATIENCE), if !driver.ready => {
                let address = driver.config.listen.clone();
                Err(ConsensusError::Start(format!("cannot listen on {address}")))
            }
            () = driver.next_height_due() => {
                driver.begin_height();
                Ok(())
            }
        };
        if let Err(error) = step {
            break Err(error);
        }
    };
    drop(restorations);
    driver.shut_down(engine).await;
    result
}

impl Driver {
    fn on_question(&mut self, question: Question) -> Result<(), ConsensusError> {
        match question {
            HostMsg::ConsensusReady { reply_to } => self.on_ready(reply_to),
            HostMsg::StartedRound { height, round, role, reply_to, .. } => {
                self.on_started_round(height.get(), round, role, reply_to);
            }
            HostMsg::GetValue { height, round, reply_to, .. } => {
                self.on_get_value(height.get(), round, reply_to);
            }
            HostMsg::RestreamValue { value_id, .. } => self.on_restream(&value_id),
            HostMsg::ReceivedProposalPart { from, published_by, part, reply_to } => {
                self.on_part(published_by.unwrap_or(from), part, reply_to);
            }
            HostMsg::Decided { certificate, reply_to, .. } => {
                return self.on_decided(&certificate, reply_to);
            }
            HostMsg::Finalized { reply_to, .. } => self.on_finalized(reply_to),
            HostMsg::GetHistoryMinHeight { reply_to } => self.on_get_earliest(reply_to),
            HostMsg::GetDecidedValues { range, reply_to } => {
                self.on_get_decided(range.start().get(), range.end().get(), reply_to);
            }
            HostMsg::ProcessSyncedValue { height, round, proposer, value_bytes, reply_to } => {
                self.on_synced_value(height.get(), round, proposer, value_bytes, reply_to);
            }
            // No height requires vote extensions, so the engine asks neither.
            HostMsg::ExtendVote { reply_to, .. } => answer(reply_to, None),
            HostMsg::VerifyVoteExtensions { reply_to, .. } => answer(reply_to, Vec::new()),
        }
        Ok(())
    }

    async fn on_done(&mut self, done: Done) -> Result<(), ConsensusError> {
        match done {
            Done::Proposed { proposal, reply } => self.on_proposed(proposal, reply),
            Done::Checked { height, checked, asker } => self.on_checked(height, checked, asker),
            Done::Committed(setup) => self.on_committed(setup).await,
            Done::Failed(error) => return Err(error),
        }
        Ok(())
    }

    /// Looks for signs that others have begun the height this node waits for.
    fn on_event(
        &mut self,
        event: Result<Event<BillContext>, broadcast::error::RecvError>,
    ) -> Result<(), ConsensusError> {
        // Missing some is harmless: the others repeat their votes.
        if let Ok(Event::Received(message)) = event {
            self.on_message_seen(&message);
        }
        Ok(())
    }

    fn on_message_seen(&mut self, message: &SignedConsensusMsg<BillContext>) {
        let waiting = matches!(self.phase, Phase::Waiting(_));
        if !waiting || message.height().get() != self.setup.height {
            return;
        }
        if self.is_from_validator(message) {
            self.others_began = true;
            self.begin_height();
        }
    }

    /// Ends gently: a commit under way is finished, and the engine gets answers
    /// that let its actors come to their ends.
    async fn shut_down(self, mut engine: Engine) {
        let lane = self.lane;
        let ended = tokio::task::spawn_blocking(move || lane.stop());
        let mut questions = std::mem::replace(&mut engine.questions, mpsc::unbounded_channel().1);
        let drain = async move {
            while let Some(question) = questions.recv().await {
                if let HostMsg::StartedRound { reply_to, .. } = question {
                    answer(reply_to, Vec::new());
                }
            }
            std::future::pending::<()>().await;
        };
        // The engine may wait for a port that a job in the lane holds.
        let _ = ended.await;
        drop(self.phase);
        drop(self.early);
        drop(self.restoring);
        tokio::select! {
            () = engine.stop() => {}
            () = drain => {}
        }
    }
}

/// Answers a question. An engine that no longer waits is not an error: the
/// question was overtaken or the engine is stopping.
fn answer<T>(port: RpcReplyPort<T>, value: T) {
    let _ = port.send(value);
}

/// The number of a round the engine is in.
fn number(round: Round) -> u32 {
    round.as_u32().unwrap_or(0)
}

/// Streams of two runs of one node must differ; the clock is enough for that.
fn stream_seed() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(0))
}
