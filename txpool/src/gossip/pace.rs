//! How often something may be done: a delay that doubles, a budget of bytes that fills
//! up again, and batches that a slow line has room beside. Pure; time is a parameter.

use std::time::{Duration, Instant};

const NANOS: u128 = 1_000_000_000;

/// A delay that doubles.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    min: Duration,
    max: Duration,
    next: Duration,
}

impl Backoff {
    pub(super) fn new(min: Duration, max: Duration) -> Self {
        Self { min, max, next: min }
    }

    /// The next delay, up to a quarter longer so that two nodes that lost
    /// each other do not meet in the same instant again and again.
    pub(super) fn advance(&mut self) -> Duration {
        let delay = self.next;
        self.next = (self.next * 2).min(self.max);
        delay + delay.mul_f64(rand::random_range(0.0..0.25))
    }

    pub(super) fn reset(&mut self) {
        self.next = self.min;
    }
}

/// A budget of bytes that fills up by `rate` a second, to `burst` at most.
///
/// Whoever finds anything in it may take more than there is, once, so that the
/// longest message passes whatever the budget; the debt is paid off before the
/// next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    rate: u64,
    burst: u64,
    level: i128,
    filled_at: Instant,
}

impl Budget {
    /// A full budget; `rate` is more than nothing.
    pub(super) fn new(rate: u64, burst: u64, now: Instant) -> Self {
        Self { rate: rate.max(1), burst, level: i128::from(burst), filled_at: now }
    }

    fn fill(&mut self, now: Instant) {
        let rate = u128::from(self.rate);
        let passed = now.saturating_duration_since(self.filled_at).as_nanos();
        let gained = passed * rate / NANOS;
        self.level = self.level.saturating_add(gained as i128);
        if self.level >= i128::from(self.burst) {
            self.level = i128::from(self.burst);
            self.filled_at = self.filled_at.max(now);
        } else {
            // Only the time that gave whole bytes is used up.
            let used = gained * NANOS / rate;
            self.filled_at += Duration::from_nanos(u64::try_from(used).unwrap_or(u64::MAX));
        }
    }

    /// Bytes that may be taken; none while a debt is being paid off.
    pub(super) fn available(&mut self, now: Instant) -> u64 {
        self.fill(now);
        u64::try_from(self.level.max(0)).unwrap_or(u64::MAX)
    }

    pub(super) fn take(&mut self, bytes: usize) {
        self.level = self.level.saturating_sub(bytes as i128);
    }

    /// How long until `bytes` may be taken, or all that it ever holds.
    pub(super) fn time_until(&mut self, bytes: u64, now: Instant) -> Duration {
        self.fill(now);
        let missing = i128::from(bytes.min(self.burst)) - self.level;
        let nanos = missing.max(0).unsigned_abs() * NANOS / u128::from(self.rate);
        // Rounded up, so that it has it then.
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX).saturating_add(1_000))
    }
}

/// A line that carries less than this is slow: what waits in it delays votes and
/// proposals. Bytes a second.
const SLOW_RATE: u128 = 64 << 10;
/// An answer that comes sooner says nothing of the line.
const SOON: Duration = Duration::from_millis(250);
/// Smallest bound of a batch: 0.13 s at 1 Mbit/s.
const LEAST_BATCH: usize = 16 << 10;

/// How large the next batch to a peer may be. On a slow line batches become small, and
/// the line is free for as long after each as it took, so that consensus has half of
/// it and never waits for much.
#[derive(Clone, Copy, Debug)]
pub(super) struct Batches {
    most: usize,
    bytes: usize,
}

impl Batches {
    /// Batches of `most` bytes, until a line shows that it is slow.
    pub(super) fn new(most: usize) -> Self {
        Self { most, bytes: most }
    }

    /// Most bytes of the next batch.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// A batch of so many bytes was answered; how long to rest.
    pub(super) fn answered(&mut self, bytes: usize, took: Duration) -> Duration {
        let rate = bytes as u128 * NANOS / took.as_nanos().max(1);
        if took > SOON && rate < SLOW_RATE && bytes >= LEAST_BATCH.min(self.bytes) / 2 {
            self.bytes = (self.bytes / 2).max(LEAST_BATCH).min(self.most);
            return took;
        }
        self.bytes = self.bytes.saturating_add(self.bytes / 4).min(self.most);
        Duration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_slow_line_gets_small_batches_and_rests() {
        let (most, millis) = (256 << 10, Duration::from_millis);
        let mut batches = Batches::new(most);
        assert_eq!(batches.answered(most, millis(900)), Duration::ZERO, "a busy peer");
        assert_eq!(batches.bytes(), most);
        assert_eq!(batches.answered(most, millis(6_000)), millis(6_000));
        assert_eq!(batches.bytes(), most / 2);
        for _ in 0..10 {
            batches.answered(batches.bytes(), 10 * SECOND);
        }
        assert_eq!(batches.bytes(), LEAST_BATCH);
        assert_eq!(batches.answered(300, SECOND), Duration::ZERO, "too little to tell");
        for _ in 0..20 {
            assert_eq!(batches.answered(LEAST_BATCH, millis(20)), Duration::ZERO);
        }
        assert_eq!(batches.bytes(), most);
    }

    #[test]
    fn a_budget_gives_its_burst_and_then_its_rate() {
        let now = Instant::now();
        let mut budget = Budget::new(1_000, 5_000, now);
        assert_eq!(budget.available(now), 5_000);
        budget.take(5_000);
        for (what, after, expected) in [
            ("nothing is left", Duration::ZERO, 0),
            ("half a second of it", SECOND / 2, 500),
            ("a second", SECOND, 1_000),
            ("never more than the burst", 3_600 * SECOND, 5_000),
        ] {
            assert_eq!(budget.clone().available(now + after), expected, "{what}");
        }
    }

    #[test]
    fn many_small_steps_lose_nothing() {
        let now = Instant::now();
        let mut budget = Budget::new(1_000, 5_000, now);
        budget.take(5_000);
        for step in 1..=1_000u32 {
            budget.available(now + SECOND * step / 1_000);
        }
        assert_eq!(budget.available(now + SECOND), 1_000);
    }

    #[test]
    fn a_debt_is_paid_off_first() {
        let now = Instant::now();
        let mut budget = Budget::new(1_000, 5_000, now);
        budget.take(7_000);
        assert_eq!(budget.available(now + SECOND), 0);
        assert_eq!(budget.available(now + 2 * SECOND), 0);
        assert_eq!(budget.available(now + 3 * SECOND), 1_000);
        let wait = budget.time_until(2_000, now + 3 * SECOND);
        assert!(wait >= SECOND && wait < SECOND + SECOND / 10, "{wait:?}");
        let all = budget.time_until(u64::MAX, now + 3 * SECOND);
        assert!(all >= 4 * SECOND && all < 5 * SECOND, "all that it ever holds: {all:?}");
    }
}
