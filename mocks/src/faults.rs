//! Faults on demand: which share of requests goes wrong, and how.

use rand::{Rng, SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Which faults happen. Rates are in 1,000 requests; 0 is never, 1,000 always.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// How often an answer waits for `slow_ms`.
    pub slow: u16,
    /// How long it waits, in milliseconds.
    pub slow_ms: u64,
    /// How often the answer is a 500, without an effect.
    pub error: u16,
    /// How often the answer is nonsense: half of them before the effect, half after it.
    pub wrong: u16,
    /// How often the effect happens and the connection ends without an answer.
    pub lost: u16,
    /// How often a request arrives twice.
    pub duplicated: u16,
    /// How often a request is held back, so that later ones overtake it.
    pub out_of_order: u16,
    /// How long it is held back at most, in milliseconds.
    pub out_of_order_ms: u64,
    /// Whether new connections see the certificate that has expired.
    pub certificate_expired: bool,
    /// Whether the line is cut: connections end at once.
    pub cut: bool,
}

impl Faults {
    /// What is wrong with it; none: nothing.
    pub fn problem(&self) -> Option<String> {
        let rates = [
            ("slow", self.slow),
            ("error", self.error),
            ("wrong", self.wrong),
            ("lost", self.lost),
            ("duplicated", self.duplicated),
            ("out_of_order", self.out_of_order),
        ];
        let found = rates.into_iter().find(|(_, rate)| *rate > 1_000)?;
        Some(format!("{}: expected at most 1000 in 1,000, found {}", found.0, found.1))
    }
}

/// What becomes of one request.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Fate {
    /// How long it waits before anything happens.
    pub wait: Duration,
    /// It is answered with a 500, and nothing else happens.
    pub error: bool,
    /// It is answered with nonsense, before or after the effect.
    pub wrong: Option<Wrong>,
    /// It has its effect and no answer.
    pub lost: bool,
    /// It arrives twice.
    pub duplicated: bool,
}

/// When an answer goes wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wrong {
    /// Before the effect: there is none.
    Before,
    /// After the effect.
    After,
}

/// Draws fates.
pub struct Dice(StdRng);

impl Dice {
    /// Dice that fall as the seed says.
    pub fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    /// The fate of the next request.
    pub fn fate(&mut self, faults: &Faults) -> Fate {
        let mut falls = |rate: u16| rate > 0 && self.0.random_range(0..1_000u16) < rate;
        let mut fate = Fate {
            error: falls(faults.error),
            lost: falls(faults.lost),
            duplicated: falls(faults.duplicated),
            ..Fate::default()
        };
        let (slow, held, wrong) =
            (falls(faults.slow), falls(faults.out_of_order), falls(faults.wrong));
        if wrong {
            fate.wrong = Some(if self.0.random() { Wrong::Before } else { Wrong::After });
        }
        if slow {
            fate.wait += Duration::from_millis(faults.slow_ms);
        }
        if held && faults.out_of_order_ms > 0 {
            fate.wait += Duration::from_millis(self.0.random_range(0..=faults.out_of_order_ms));
        }
        fate
    }

    /// One of the nonsensical answers: what broken systems and boxes on the way send.
    pub fn nonsense(&mut self) -> (u16, &'static str, &'static [u8]) {
        let all: [(u16, &'static str, &'static [u8]); 6] = [
            (200, "application/json", b"{\"code\":\"00"),
            (200, "text/html", b"<html><body>gateway maintenance</body></html>"),
            (200, "application/json", b"{\"code\":\"0000\",\"message\":{},\"sign\":\"00\"}"),
            (200, "application/json", b"[]"),
            (200, "application/json", b""),
            (302, "text/plain", b"moved"),
        ];
        all[self.0.random_range(0..all.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_kept_and_equal_seeds_fall_alike() {
        let faults = Faults { error: 100, lost: 500, wrong: 1_000, ..Faults::default() };
        let fates = |seed| {
            let mut dice = Dice::new(seed);
            (0..10_000).map(|_| dice.fate(&faults)).collect::<Vec<_>>()
        };
        let seen = fates(1);
        let count = |of: fn(&Fate) -> bool| seen.iter().filter(|fate| of(fate)).count();
        assert!((800..1_200).contains(&count(|fate| fate.error)), "a tenth");
        assert!((4_700..5_300).contains(&count(|fate| fate.lost)), "half");
        assert_eq!(count(|fate| fate.wrong.is_some()), 10_000);
        assert_eq!(count(|fate| fate.duplicated), 0);
        assert_eq!(seen, fates(1));
        assert_ne!(seen, fates(2));
    }

    #[test]
    fn a_rate_above_all_is_refused() {
        assert_eq!(Faults { lost: 1_000, ..Faults::default() }.problem(), None);
        let problem = Faults { lost: 1_001, ..Faults::default() }.problem().unwrap();
        assert!(problem.contains("lost") && problem.contains("1001"), "{problem}");
    }
}
