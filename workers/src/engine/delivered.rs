//! What became of deliveries: told, to be tried again, or refused.

use super::{Engine, short};
use crate::connector::{Failure, Notice, Told};
use std::time::Instant;

impl Engine {
    pub(super) fn on_delivered(
        &mut self,
        notices: &[Notice],
        outcomes: Vec<Result<Told, Failure>>,
        told: &mut Vec<(u64, u32, Vec<u8>)>,
        now: Instant,
    ) {
        let in_order = self.parts.connector.keeps_order();
        let mut has_failed = false;
        for (notice, outcome) in notices.iter().zip(outcomes) {
            if in_order && has_failed {
                // It may have arrived all the same: it comes again behind what failed.
                self.queue.put_back(notice.seq, now);
                continue;
            }
            match outcome {
                Ok(Told { answer }) => {
                    self.breaker.succeeded();
                    told.push((notice.seq, self.queue.attempts(notice.seq).max(1), answer));
                }
                Err(failure) => {
                    has_failed = true;
                    self.on_failed_notice(notice.seq, &failure, now);
                }
            }
        }
    }

    fn on_failed_notice(&mut self, seq: u64, failure: &Failure, now: Instant) {
        match failure {
            Failure::Passing { .. } => {
                let backoff = self.backoff;
                self.queue.failed(seq, |failures| now + backoff.pause(failures));
                self.on_failure(failure, now);
            }
            Failure::Refused { what, answer } => {
                // It answers: the circuit is closed.
                self.breaker.succeeded();
                self.pulse.refused += 1;
                self.pulse.last_error = Some(format!("entry {seq}: {}", short(what)));
                self.reports.refused(seq, answer, self.queue.attempts(seq).max(1), now);
                self.queue.refused(seq);
            }
        }
    }

    pub(super) fn on_failure(&mut self, failure: &Failure, now: Instant) {
        self.breaker.failed(now);
        self.pulse.failed += 1;
        self.pulse.last_error = Some(short(&failure.to_string()));
    }
}
