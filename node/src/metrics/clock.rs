//! Tells when the chain's time is ahead of this node's clock: clocks were set back, or
//! this one is wrong. The chain goes on by its own time, up to a bound.

use billchain_runtime::limits::{MAX_AHEAD_MS, MAX_CLOCK_BACK_MS};
use prometheus_client::{metrics::gauge::Gauge, registry::Registry};
use std::time::{Duration, Instant};

/// Shortest time between two lines about it.
const BETWEEN_LINES: Duration = Duration::from_secs(60);

/// Compares blocks' times with the clock.
#[derive(Default)]
pub(super) struct ClockWatch {
    ahead: Gauge,
    said: Option<Instant>,
}

impl ClockWatch {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let watch = Self::default();
        registry.register(
            "chain_time_ahead_milliseconds",
            "How far the newest block's time was ahead of this node's clock; 0 if it was not",
            watch.ahead.clone(),
        );
        watch
    }

    /// A block was committed.
    pub(super) fn see(&mut self, block_ms: u64, now_ms: u64) {
        let ahead = block_ms.saturating_sub(now_ms);
        self.ahead.set(i64::try_from(ahead).unwrap_or(i64::MAX));
        let said_lately = self.said.is_some_and(|said| said.elapsed() < BETWEEN_LINES);
        if ahead > MAX_AHEAD_MS && !said_lately {
            self.said = Some(Instant::now());
            tracing::warn!(
                ahead_ms = ahead,
                bound_ms = MAX_CLOCK_BACK_MS,
                "the chain's time is ahead of this node's clock: clocks were set back, or this \
                 one is wrong; blocks take the least time after their parents, up to the bound"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_behind_the_chain_is_told_once_a_minute() {
        let mut watch = ClockWatch::default();
        watch.see(5_000, 10_000);
        assert_eq!((watch.ahead.get(), watch.said), (0, None));
        watch.see(15_000, 10_000);
        assert_eq!((watch.ahead.get(), watch.said), (5_000, None), "within what clocks may differ");
        watch.see(15_001, 10_000);
        let said = watch.said;
        assert!(said.is_some());
        watch.see(80_000, 10_000);
        assert_eq!((watch.ahead.get(), watch.said), (70_000, said));
    }
}
