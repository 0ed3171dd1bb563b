//! What the driver says of itself: metrics, status, and lines that others cause.

use std::time::{Duration, Instant, SystemTime};

use tokio::sync::watch;

use super::lines::{Lines, Whose};
use crate::metrics::Metrics;
use crate::status::{Phase, Status};
use crate::types::{Height, Round};

/// See the module's documentation.
pub(super) struct Reports {
    pub metrics: Metrics,
    status: watch::Sender<Status>,
    lines: Lines,
}

impl Reports {
    pub(super) fn new(metrics: Metrics, status: watch::Sender<Status>) -> Self {
        let lines = Lines::new(metrics.omitted_lines.clone());
        Self { metrics, status, lines }
    }

    /// Whether a line that `whose` causes may be written: then how many like it
    /// were left out before.
    pub(super) fn may_log(&mut self, whose: Whose) -> Option<u64> {
        self.lines.pass(whose, Instant::now())
    }

    /// The engine is in this round; `votes` says whether this node votes in it.
    pub(super) fn round_began(&self, height: Height, round: Round, votes: bool) {
        self.stands(height, round, Phase::Deciding);
        self.status.send_if_modified(|status| {
            let changed = status.is_validator != votes;
            status.is_validator = votes;
            changed
        });
    }

    /// Where the driver stands; told when it has changed.
    pub(super) fn stands(&self, height: Height, round: Round, phase: Phase) {
        self.status.send_if_modified(|status| {
            let changed = (height, round, phase) != (status.height, status.round, status.phase)
                || status.since.is_none();
            if changed {
                (status.height, status.round, status.phase) = (height, round, phase);
                status.since = Some(SystemTime::now());
            }
            changed
        });
    }

    /// A height was committed, so long after the one before, with a block from
    /// value sync or not.
    pub(super) fn committed(&self, height: Height, interval: Option<Duration>, synced: bool) {
        self.metrics.height.set(i64::try_from(height.get()).unwrap_or(i64::MAX));
        self.metrics.blocks.inc();
        if let Some(interval) = interval {
            self.metrics.block_interval.observe(interval.as_secs_f64());
        }
        if synced {
            self.metrics.synced.inc();
        }
        self.status.send_modify(|status| {
            status.committed = height;
            status.catching_up = synced;
            status.committed_at = Some(Instant::now());
        });
    }
}
