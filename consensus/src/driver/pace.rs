//! When the next height begins.
//!
//! The wait is between heights, so an idle chain has no round that fails: the
//! engine has decided, is told nothing yet, and keeps what arrives early.

use std::time::Duration;

use futures::future::BoxFuture;
use tokio::time::{Instant, sleep_until};

/// A wait for the next height.
pub(crate) struct Pace {
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
    pub(crate) fn new(
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
    pub(crate) async fn wait(&mut self) {
        if let Some(work) = &mut self.work {
            tokio::select! {
                () = work => self.work = None,
                () = sleep_until(self.empty_at) => return,
            }
        }
        sleep_until(self.not_before.min(self.empty_at)).await;
    }
}
