//! Circuit breaker: after failures in a row nothing is sent for a while, then the other side
//! is asked whether it is there.

use crate::backoff::Backoff;
use std::time::{Duration, Instant};

/// Whether work goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Circuit {
    /// It does.
    Closed,
    /// It does not, until then.
    Open {
        /// When the other side is asked.
        until: Instant,
    },
    /// The other side is asked.
    HalfOpen,
}

impl Circuit {
    /// Its name in `connector_status` and the metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open { .. } => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// The breaker of one connector.
#[derive(Clone, Debug)]
pub struct Breaker {
    circuit: Circuit,
    /// Failures in a row.
    failures: u32,
    /// After how many it opens.
    limit: u32,
    /// How often it opened in a row.
    openings: u32,
    backoff: Backoff,
}

impl Breaker {
    /// A closed one that opens after `limit` failures in a row.
    pub fn new(limit: u32, longest: Duration) -> Self {
        let backoff = Backoff { first: Duration::from_millis(500), longest };
        Self { circuit: Circuit::Closed, failures: 0, limit: limit.max(1), openings: 0, backoff }
    }

    /// Where it stands.
    pub fn circuit(&self) -> Circuit {
        self.circuit
    }

    /// Whether work goes through.
    pub fn lets_through(&self) -> bool {
        self.circuit == Circuit::Closed
    }

    /// Whether the other side is to be asked now; it is half open then.
    pub fn asks(&mut self, now: Instant) -> bool {
        match self.circuit {
            Circuit::Open { until } if now >= until => {
                self.circuit = Circuit::HalfOpen;
                true
            }
            _ => false,
        }
    }

    /// The other side did something, or said that it is there.
    pub fn succeeded(&mut self) {
        self.failures = 0;
        if self.circuit == Circuit::HalfOpen || self.circuit == Circuit::Closed {
            self.circuit = Circuit::Closed;
            self.openings = 0;
        }
    }

    /// The other side did not answer, or was not able to.
    pub fn failed(&mut self, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        let opens = match self.circuit {
            Circuit::Closed => self.failures >= self.limit,
            Circuit::HalfOpen => true,
            // Requests that were under way when it opened.
            Circuit::Open { .. } => false,
        };
        if opens {
            self.openings = self.openings.saturating_add(1);
            self.circuit = Circuit::Open { until: now + self.backoff.pause(self.openings) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_failures_in_a_row_and_closes_when_the_other_side_is_there() {
        let now = Instant::now();
        let mut breaker = Breaker::new(3, Duration::from_secs(8));
        breaker.failed(now);
        breaker.failed(now);
        breaker.succeeded();
        breaker.failed(now);
        breaker.failed(now);
        assert!(breaker.lets_through(), "not in a row");
        breaker.failed(now);
        assert!(!breaker.lets_through() && !breaker.asks(now));
        // What was under way when it opened changes nothing.
        breaker.failed(now);
        breaker.succeeded();
        assert_eq!(breaker.circuit().name(), "open");
        let later = now + Duration::from_secs(1);
        assert!(breaker.asks(later));
        assert!(!breaker.asks(later), "it asks once");
        breaker.failed(later);
        let Circuit::Open { until } = breaker.circuit() else { panic!("it opens again") };
        assert!(until >= later + Duration::from_millis(500), "for longer");
        assert!(breaker.asks(later + Duration::from_secs(9)));
        breaker.succeeded();
        assert!(breaker.lets_through());
    }
}
