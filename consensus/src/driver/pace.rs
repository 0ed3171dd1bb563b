//! When heights begin.
//!
//! The wait is between heights, so an idle chain has no round that fails: the
//! engine has decided, is told nothing yet, and keeps what arrives early.

use std::time::Duration;

use futures::future::BoxFuture;
use tokio::time::{Instant, sleep_until};

use crate::config::ConsensusConfig;

/// When the height at hand began, the last was committed, and the next begins.
pub(super) struct Beat {
    /// Whether the engine listens and has been told the first height.
    ready: bool,
    /// When the engine was told to begin the height; until it has been told the
    /// first, when it was started.
    started: Instant,
    /// When the last block was committed.
    committed: Option<Instant>,
    /// The wait for the next height.
    pace: Option<Pace>,
}

impl Beat {
    /// The engine was started.
    pub(super) fn new() -> Self {
        Self { ready: false, started: Instant::now(), committed: None, pace: None }
    }

    /// Whether the engine listens and has been told the first height.
    pub(super) fn is_ready(&self) -> bool {
        self.ready
    }

    /// When the engine is late to listen, with so much patience; `None` if it does.
    pub(super) fn engine_late(&self, patience: Duration) -> Option<Instant> {
        (!self.ready).then(|| self.started + patience)
    }

    /// The engine is told to begin a height.
    pub(super) fn begin(&mut self) {
        self.ready = true;
        self.started = Instant::now();
    }

    /// A block is committed; how long after the one before.
    pub(super) fn commit(&mut self, now: Instant) -> Option<Duration> {
        self.committed.replace(now).map(|before| now - before)
    }

    /// Begins to wait for the next height: until there is `work`, or until an empty
    /// block is due.
    pub(super) fn wait(&mut self, config: &ConsensusConfig, work: BoxFuture<'static, ()>) {
        let (least, empty) = (config.min_block_interval, config.empty_interval);
        self.pace = Some(Pace::new(self.started, least, empty, work));
    }

    /// There is no wait any more.
    pub(super) fn stop_waiting(&mut self) {
        self.pace = None;
    }

    /// Resolves when the wait is over; never while there is none.
    pub(super) async fn wait_over(&mut self) {
        match &mut self.pace {
            Some(pace) => pace.wait().await,
            None => std::future::pending().await,
        }
    }
}

/// A wait for the next height.
struct Pace {
    /// No earlier, whatever work there is.
    not_before: Instant,
    /// No later, even without work.
    empty_at: Instant,
    /// Resolves when there is work; `None` once it has.
    work: Option<BoxFuture<'static, ()>>,
}

impl Pace {
    /// Begins to wait. `last_start` is when the height before began: intervals
    /// count from start to start, so that an idle chain keeps its beat whatever
    /// a decision takes.
    fn new(
        last_start: Instant,
        min_block_interval: Duration,
        empty_interval: Duration,
        work: BoxFuture<'static, ()>,
    ) -> Self {
        Self {
            not_before: last_start + min_block_interval,
            empty_at: last_start + empty_interval,
            work: Some(work),
        }
    }

    /// Resolves when the height should begin. May be dropped and called again.
    async fn wait(&mut self) {
        if let Some(work) = &mut self.work {
            tokio::select! {
                () = work => self.work = None,
                () = sleep_until(self.empty_at) => return,
            }
        }
        sleep_until(self.not_before.min(self.empty_at)).await;
    }
}
