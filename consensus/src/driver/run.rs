//! The driver's loop: what comes in, in order of urgency.

use std::sync::Arc;
use std::time::Duration;

use malachitebft_app_channel::app::engine::host::HostMsg;
use malachitebft_app_channel::app::net::PeerId;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use super::compact::Expansions;
use super::lines::Lines;
use super::missing::{ANSWERS, Answers};
use super::progress::Progress;
use super::proposals::Proposals;
use super::repeat::Repeating;
use super::turns::Turns;
use super::work::Work;
use super::{Driver, Ports, answer};
use crate::application::Application;
use crate::config::ConsensusConfig;
use crate::engine::Engine;
use crate::error::ConsensusError;
use crate::lane::{Done, HeightSetup, Lane};
use crate::metrics::Metrics;
use crate::parts::Assembler;
use crate::peers::AllowList;
use crate::signing::Sm2Verifier;
use crate::status::Status;
use crate::support::Support;
use crate::types::Address;
use crate::undecided::UndecidedStore;

/// How long the engine may take to open its port. It says nothing when it cannot.
const START_PATIENCE: Duration = Duration::from_secs(15);

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
    mut parts: Parts,
    mut engine: Engine,
    mut stop: oneshot::Receiver<()>,
) -> Result<(), ConsensusError> {
    let (read_failed, mut read_failures) = mpsc::unbounded_channel();
    let (expanded, mut expansions) = mpsc::unbounded_channel();
    let (state, mut states) = mpsc::unbounded_channel();
    let (sender, mut answers) = mpsc::channel(ANSWERS);
    let mut done = std::mem::replace(&mut parts.done, mpsc::unbounded_channel().1);
    let mut driver = Driver {
        network: engine.network(),
        log: Lines::new(parts.metrics.omitted_lines.clone()),
        progress: Progress::new(parts.setup.height),
        ports: Ports::default(),
        pace: None,
        ready: false,
        started: Instant::now(),
        committed: None,
        turns: Turns::default(),
        proposals: Proposals::default(),
        support: Support::default(),
        polka: None,
        repeating: Repeating::new(state),
        missing: None,
        answers: Answers::new(sender),
        assembler: Assembler::new(parts.config.max_block_bytes),
        expansions: Expansions::new(expanded),
        work: Work::new(parts.lane),
        streams: stream_seed(),
        reads: Arc::new(Semaphore::new(2)),
        read_failed,
        config: parts.config,
        app: parts.app,
        verifier: parts.verifier,
        own_address: parts.own_address,
        own_peer: parts.own_peer,
        allowed: parts.allowed,
        metrics: parts.metrics,
        status: parts.status,
        setup: parts.setup,
        store: parts.store,
    };
    let result = loop {
        let (repetition, missing) = (driver.repetition_due(), driver.missing_due());
        tokio::select! {
            biased;
            _ = &mut stop => break Ok(()),
            Some(error) = read_failures.recv() => break Err(error),
            result = done.recv() => match result {
                Some(result) => if let Err(error) = driver.on_done(result).await {
                    break Err(error);
                },
                None => break Err(ConsensusError::Panicked),
            },
            Some(expanded) = expansions.recv() => driver.on_expanded(expanded),
            Some(state) = states.recv() => driver.on_engine_state(state),
            question = engine.questions.recv() => match question {
                Some(question) => driver.on_question(question),
                None => break Err(ConsensusError::Stopped("its actors ended; see its log".into())),
            },
            // Missing some is harmless: the others repeat their votes.
            event = engine.events.recv() => if let Ok(event) = event {
                driver.on_event(event);
            },
            polka = engine.polkas.next() => driver.on_polka(polka),
            Some(answer) = answers.recv() => driver.on_answer(answer),
            () = sleep_until(driver.started + START_PATIENCE), if !driver.ready => {
                let address = driver.config.listen.clone();
                break Err(ConsensusError::Start(format!("cannot listen on {address}")));
            }
            () = until(repetition) => driver.ask_engine(),
            () = until(missing) => driver.ask_for_missing(),
            () = driver.next_height_due() => driver.begin_height(),
        }
        driver.feed();
    };
    drop(expansions);
    driver.shut_down(engine).await;
    result
}

impl Driver {
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

/// Streams of two runs of one node must differ; the clock is enough for that.
fn stream_seed() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(0))
}
