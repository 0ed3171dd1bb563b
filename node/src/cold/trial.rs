//! Something that is tried again and again, after pauses that grow while it fails.

use crate::shown;
use anyhow::{Error, Result};
use std::time::{Duration, Instant};

/// The first pause after a failure, doubled up to the second.
const PAUSES: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(600));
/// Characters of the words about a failure: a store may have a part in them.
const MAX_WORDS: usize = 1_000;

/// How it goes.
#[derive(Debug)]
pub(super) struct Trial {
    pause: Duration,
    /// Not before.
    again: Option<Instant>,
    failing: Option<String>,
}

impl Default for Trial {
    fn default() -> Self {
        Self { pause: PAUSES.0, again: None, failing: None }
    }
}

impl Trial {
    /// Tries it, if its pause is over; whether something was done.
    pub(super) fn run(&mut self, now: Instant, attempt: impl FnOnce() -> Result<bool>) -> bool {
        if self.waits(now) {
            return false;
        }
        match attempt() {
            Ok(is_busy) => {
                *self = Self::default();
                is_busy
            }
            Err(error) => {
                self.failed(&error);
                false
            }
        }
    }

    fn failed(&mut self, error: &Error) {
        let words = shown::clean(&format!("{error:#}"), MAX_WORDS);
        tracing::warn!(again_in = ?self.pause, "cold segments: {words}");
        self.again = Some(Instant::now() + self.pause);
        self.pause = (self.pause * 2).min(PAUSES.1);
        self.failing = Some(words);
    }

    /// What it fails at; `None` if it does not.
    pub(super) fn failing(&self) -> Option<&str> {
        self.failing.as_deref()
    }

    /// Whether it fails, and its pause is not over.
    fn waits(&self, now: Instant) -> bool {
        self.again.is_some_and(|again| now < again)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;

    #[test]
    fn pauses_grow_while_it_fails_and_what_it_fails_at_is_short() {
        let mut trial = Trial::default();
        let mut now = Instant::now();
        assert!(trial.run(now, || Ok(true)) && trial.failing().is_none() && !trial.waits(now));
        for expected in [20, 40, 80, 160, 320, 600, 600] {
            let long = "é\n".repeat(9_999);
            assert!(!trial.run(now, || Err(anyhow!("the store says {long}"))));
            let words = trial.failing().unwrap();
            assert!(words.starts_with("the store says é é ") && words.chars().count() == 1_001);
            assert!(!trial.run(now, || panic!("it is too early")));
            let pause = Duration::from_secs(expected);
            assert!(trial.waits(Instant::now() + pause - Duration::from_secs(5)));
            now = Instant::now() + pause;
            assert!(!trial.waits(now));
        }
        assert!(!trial.run(now, || Ok(false)));
        assert!(trial.failing().is_none() && !trial.waits(now));
        assert!(trial.run(now, || Ok(true)));
    }
}
