//! Time that a thread spent itself. Measuring machines do other things, too,
//! and on a busy one a call of milliseconds mostly waits for its turn.

use std::time::{Duration, Instant};

/// How long this thread has waited for a processor in its life; zero where the
/// system does not say.
pub(crate) fn waited() -> Duration {
    // Three numbers: nanoseconds run, nanoseconds waited, time slices.
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split_whitespace().nth(1).and_then(|number| number.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

/// Measures from its making on.
pub(crate) struct Stopwatch {
    waited: Duration,
    start: Instant,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self { waited: waited(), start: Instant::now() }
    }

    /// Time since then without what this thread waited for a processor.
    pub(crate) fn elapsed(&self) -> Duration {
        let elapsed = self.start.elapsed();
        elapsed.saturating_sub(waited().saturating_sub(self.waited))
    }
}
