//! Rate limit: a bucket of tokens that fills evenly.

use std::time::Instant;

/// So many things a second, and so many at once.
#[derive(Clone, Debug)]
pub struct Rate {
    per_second: f64,
    tokens: f64,
    last: Instant,
}

impl Rate {
    /// A full bucket of one second's things.
    pub fn new(per_second: u32, now: Instant) -> Self {
        let per_second = f64::from(per_second.max(1));
        Self { per_second, tokens: per_second, last: now }
    }

    /// How many of `wanted` things may be done now; they are taken.
    pub fn take(&mut self, wanted: usize, now: Instant) -> usize {
        let gained = now.saturating_duration_since(self.last).as_secs_f64() * self.per_second;
        self.tokens = (self.tokens + gained).min(self.per_second);
        self.last = now;
        let given = wanted.min(self.tokens as usize);
        self.tokens -= given as f64;
        given
    }

    /// Puts things back that were not done.
    pub fn give_back(&mut self, count: usize) {
        self.tokens = (self.tokens + count as f64).min(self.per_second);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn no_more_than_the_rate_goes_through() {
        let start = Instant::now();
        let mut rate = Rate::new(100, start);
        assert_eq!(rate.take(250, start), 100, "a second's worth at once");
        assert_eq!(rate.take(1, start), 0);
        assert_eq!(rate.take(250, start + Duration::from_millis(500)), 50);
        rate.give_back(10);
        assert_eq!(rate.take(250, start + Duration::from_millis(500)), 10);
        assert_eq!(rate.take(250, start + Duration::from_secs(60)), 100, "no more is saved up");
    }
}
