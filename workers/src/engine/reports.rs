//! What was decided outside and is to be put on the chain.

use super::{End, Engine};
use crate::{journal::Decided, node::NodeProblem};
use billchain_primitives::sm3;
use pallet_outbox::{Answer, MAX_OUTCOMES, Outcome};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

/// A report waits so long for more.
const GATHER: Duration = Duration::from_millis(150);

/// Outcomes to be reported, by entry.
#[derive(Default)]
pub(super) struct Reports {
    told: BTreeMap<u64, Decided>,
    refused: BTreeMap<u64, Decided>,
    /// Since when the oldest waits.
    since: Option<Instant>,
}

impl Reports {
    /// Those that an earlier process left.
    pub(super) fn new(told: BTreeMap<u64, Decided>) -> Self {
        let since = (!told.is_empty()).then(Instant::now);
        Self { told, refused: BTreeMap::new(), since }
    }

    pub(super) fn len(&self) -> usize {
        self.told.len() + self.refused.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether an entry was told.
    pub(super) fn has_told(&self, seq: u64) -> bool {
        self.told.contains_key(&seq)
    }

    pub(super) fn told(&mut self, seq: u64, decided: Decided, now: Instant) {
        self.refused.remove(&seq);
        self.told.insert(seq, decided);
        self.since.get_or_insert(now);
    }

    pub(super) fn refused(&mut self, seq: u64, answer: &[u8], attempts: u32, now: Instant) {
        self.refused.insert(seq, Decided { answer: sm3(answer), attempts });
        self.since.get_or_insert(now);
    }

    /// Whether there are enough, or one has waited long enough.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        let is_old = self.since.is_some_and(|since| now >= since + GATHER);
        !self.is_empty() && (is_old || self.len() >= MAX_OUTCOMES as usize / 2)
    }

    /// The next report: those with the lowest numbers, so that none goes past one before it.
    pub(super) fn next(&self) -> Vec<Outcome> {
        let told = self.told.iter().map(|(seq, it)| {
            let answer = Answer::Told { answer: it.answer };
            Outcome { seq: *seq, attempts: it.attempts, answer }
        });
        let refused = self.refused.iter().map(|(seq, it)| {
            let answer = Answer::Refused { answer: it.answer };
            Outcome { seq: *seq, attempts: it.attempts, answer }
        });
        let mut all: Vec<_> = told.chain(refused).collect();
        all.sort_unstable_by_key(|outcome| outcome.seq);
        all.truncate(MAX_OUTCOMES as usize);
        all
    }

    fn done(&mut self, seq: u64, now: Instant) {
        self.told.remove(&seq);
        self.refused.remove(&seq);
        self.since = (!self.is_empty()).then_some(now);
    }
}

impl Engine {
    pub(super) fn on_claimed(&mut self, result: Result<(), NodeProblem>, now: Instant) {
        self.is_sending = false;
        // The chain is looked at at once.
        self.looked = None;
        match result {
            Ok(()) => {}
            // Another one was faster.
            Err(NodeProblem::Refused { name, .. }) if name == "LeaseHeld" => {}
            Err(problem) => self.node_failed(&problem, now),
        }
    }

    pub(super) fn on_reported(
        &mut self,
        outcomes: Vec<Outcome>,
        dead: BTreeSet<u64>,
        result: Result<(), NodeProblem>,
        now: Instant,
    ) -> Result<(), End> {
        self.is_sending = false;
        self.looked = None;
        if let Err(problem) = result {
            self.node_failed(&problem, now);
            return Ok(());
        }
        let mut told = Vec::new();
        for Outcome { seq, answer, .. } in outcomes {
            self.reports.done(seq, now);
            match answer {
                Answer::Told { .. } => {
                    told.push(seq);
                    self.queue.done(seq);
                }
                Answer::Refused { .. } if dead.contains(&seq) => self.queue.died(seq),
                Answer::Refused { .. } => {
                    let backoff = self.backoff;
                    self.queue.failed(seq, |failures| now + backoff.pause(failures));
                }
            }
        }
        self.parts.journal.reported(&told)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_has_the_lowest_numbers_and_waits_for_more() {
        let now = Instant::now();
        let mut reports = Reports::default();
        let decided = Decided { answer: [1; 32], attempts: 1 };
        reports.told(9, decided, now);
        reports.refused(7, b"no", 3, now);
        assert!(!reports.is_due(now) && reports.is_due(now + GATHER));
        let seqs = |reports: &Reports| {
            reports.next().iter().map(|outcome| outcome.seq).collect::<Vec<_>>()
        };
        assert_eq!(seqs(&reports), [7, 9]);
        (100..700).for_each(|seq| reports.told(seq, decided, now));
        assert!(reports.is_due(now), "there are enough");
        assert_eq!(reports.next().len(), MAX_OUTCOMES as usize);
        // Told after all: it is not refused any more.
        reports.told(7, decided, now);
        assert!(matches!(reports.next()[0].answer, Answer::Told { .. }));
        (7..700).for_each(|seq| reports.done(seq, now));
        assert!(reports.is_empty() && !reports.is_due(now + GATHER));
    }
}
