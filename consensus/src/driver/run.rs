//! The driver's loop: what comes in, in order of urgency.

use std::sync::Arc;
use std::time::Duration;

use malachitebft_app_channel::app::engine::host::HostMsg;
use malachitebft_app_channel::app::net::PeerId;
use malachitebft_sync::Response;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use super::compact::{Expanded, Expansions};
use super::current::Current;
use super::fit::Fit;
use super::late::Late;
use super::missing::{ANSWERS, Fetching};
use super::pace::Beat;
use super::peers::Peers;
use super::progress::{Phase as Stage, Progress};
use super::proposals::Proposals;
use super::repeat::{EngineState, Repeating};
use super::reports::Reports;
use super::sync::Serving;
use super::timing::Timing;
use super::work::Work;
use super::{Driver, Ports, answer};
use crate::application::Application;
use crate::config::ConsensusConfig;
use crate::engine::Engine;
use crate::error::ConsensusError;
use crate::lane::{Done, HeightSetup, Lane};
use crate::memory::Remembered;
use crate::metrics::Metrics;
use crate::network::Network;
use crate::parts::Assembler;
use crate::peers::AllowList;
use crate::signing::Sm2Verifier;
use crate::status::{Phase, Status};
use crate::support::Support;
use crate::types::{Address, BillContext};
use crate::undecided::UndecidedStore;

/// How long the engine may take to open its port. It says nothing when it cannot.
const START_PATIENCE: Duration = Duration::from_secs(15);

/// What the driver is made of.
pub(crate) struct Parts {
    pub config: ConsensusConfig,
    pub app: Arc<dyn Application>,
    pub verifier: Sm2Verifier,
    pub own_address: Address,
    /// What the validator has signed; without a vote nothing.
    pub remembered: Option<Remembered>,
    pub own_peer: PeerId,
    pub lane: Lane,
    pub done: mpsc::UnboundedReceiver<Done>,
    pub store: UndecidedStore,
    pub setup: HeightSetup,
    pub allowed: AllowList,
    pub metrics: Metrics,
    pub status: watch::Sender<Status>,
}

/// What comes back from the driver's own tasks and threads.
struct Returns {
    read_failures: mpsc::UnboundedReceiver<ConsensusError>,
    done: mpsc::UnboundedReceiver<Done>,
    expansions: mpsc::UnboundedReceiver<Expanded>,
    states: mpsc::UnboundedReceiver<EngineState>,
    answers: mpsc::Receiver<Response<BillContext>>,
}

impl Driver {
    fn new(parts: Parts, network: Network) -> (Self, Returns) {
        let (read_failed, read_failures) = mpsc::unbounded_channel();
        let (expanded, expansions) = mpsc::unbounded_channel();
        let (state, states) = mpsc::unbounded_channel();
        let (answer, answers) = mpsc::channel(ANSWERS);
        let progress = Progress::new(parts.setup.height);
        let driver = Self {
            reports: Reports::new(parts.metrics, parts.status),
            peers: Peers::new(network, parts.allowed, parts.own_peer),
            current: Current { setup: parts.setup, progress, support: Support::default() },
            ports: Ports::default(),
            beat: Beat::new(),
            timing: Timing::default(),
            fit: Fit::new(parts.config.max_block_bytes),
            proposals: Proposals::default(),
            assembler: Assembler::new(parts.config.max_block_bytes),
            expansions: Expansions::new(expanded),
            store: parts.store,
            repeating: Repeating::new(state),
            fetching: Fetching::new(answer),
            late: Late::default(),
            work: Work::new(parts.lane),
            serving: Serving::new(read_failed),
            config: parts.config,
            app: parts.app,
            verifier: parts.verifier,
            own_address: parts.own_address,
            remembered: parts.remembered,
        };
        (driver, Returns { read_failures, done: parts.done, expansions, states, answers })
    }
}

/// Runs until told to stop or something fails.
pub(crate) async fn run(
    parts: Parts,
    mut engine: Engine,
    mut stop: oneshot::Receiver<()>,
) -> Result<(), ConsensusError> {
    let (mut driver, mut returns) = Driver::new(parts, engine.network());
    let result = loop {
        let (repetition, missing) = (driver.repetition_due(), driver.fetching.due());
        let engine_late = driver.beat.engine_late(START_PATIENCE);
        tokio::select! {
            biased;
            _ = &mut stop => break Ok(()),
            Some(error) = returns.read_failures.recv() => break Err(error),
            result = returns.done.recv() => {
                let Some(result) = result else { break Err(ConsensusError::Panicked) };
                if let Err(error) = driver.on_done(result).await {
                    break Err(error);
                }
            }
            Some(expanded) = returns.expansions.recv() => driver.on_expanded(expanded),
            Some(state) = returns.states.recv() => driver.on_engine_state(state),
            question = engine.questions.recv() => {
                let ended = || ConsensusError::Stopped("its actors ended; see its log".into());
                let handled = question.ok_or_else(ended).and_then(|asked| driver.on_question(asked));
                if let Err(error) = handled {
                    break Err(error);
                }
            }
            // Missing some is harmless: the others repeat their votes.
            event = engine.events.recv() => if let Ok(event) = event {
                driver.on_event(event);
            },
            polka = engine.polkas.next() => driver.on_polka(polka),
            Some(answer) = returns.answers.recv() => driver.on_answer(answer),
            () = until(engine_late) => {
                let address = &driver.config.listen;
                break Err(ConsensusError::Start(format!("cannot listen on {address}")));
            }
            () = until(repetition) => driver.ask_engine(),
            () = until(missing) => driver.ask_for_missing(),
            () = driver.beat.wait_over() => driver.begin_height(),
        }
        driver.feed();
        driver.tell_standing();
    };
    if result.is_ok() {
        engine.expect_end();
    }
    // The others stay: the lane reports there until it has ended.
    drop(returns.expansions);
    driver.shut_down(engine).await;
    result
}

impl Driver {
    /// Says where this node stands to whoever asks.
    fn tell_standing(&self) {
        let progress = &self.current.progress;
        let phase = match progress.phase() {
            _ if !self.beat.is_ready() => Phase::Starting,
            Stage::Deciding => Phase::Deciding,
            Stage::Fetching(_) => Phase::Fetching,
            Stage::Committing => Phase::Committing,
            Stage::Committed | Stage::Waiting => Phase::Waiting,
        };
        self.reports.stands(progress.height(), progress.round(), phase);
    }

    /// Ends gently: a commit under way is finished, and the engine gets answers
    /// that let its actors come to their ends.
    async fn shut_down(self, mut engine: Engine) {
        let work = self.work;
        let ended = tokio::task::spawn_blocking(move || work.stop());
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
        drop(self.ports);
        drop(self.proposals);
        drop(self.expansions);
        tokio::select! {
            () = engine.stop() => {}
            () = drain => {}
        }
    }
}

/// Resolves at a time; never without one.
async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
