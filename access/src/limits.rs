//! What one caller may ask: work, bytes and requests under way, of each class.
//!
//! A bucket fills with time up to its burst; a request takes its units out, or is told when
//! there will be enough. Bytes of answers are taken after they were made, so that a bucket
//! may be in debt, which delays what comes next. Buckets that are full and that nobody uses
//! are forgotten, which changes nothing; if there are too many others, strangers share one.

use crate::{class::Class, code, config::LimitConfig, denied::Denied};
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

/// Most buckets.
const MAX_BUCKETS: usize = 65_536;

/// Whose bucket it is.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Holder {
    /// An identity, by its name.
    Named(Arc<str>),
    /// An address, or a network of IPv6.
    Network(u64),
    /// All for whom there was no bucket.
    Others,
}

/// The buckets of all callers.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    buckets: Mutex<HashMap<(Holder, Class), Arc<Bucket>>>,
}

/// What one caller may ask of one class.
#[derive(Debug)]
pub struct Bucket {
    level: Mutex<Level>,
    under_way: AtomicU32,
}

#[derive(Debug)]
struct Level {
    work: f64,
    bytes: f64,
    at: Instant,
}

/// A request under way; dropping it ends it.
#[derive(Debug)]
pub struct InUse(Arc<Bucket>);

impl Drop for InUse {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Limits {
    pub(crate) fn bucket(&self, holder: Holder, class: Class, limit: &LimitConfig) -> Arc<Bucket> {
        let mut all = self.buckets.lock();
        if let Some(bucket) = all.get(&(holder.clone(), class)) {
            return bucket.clone();
        }
        let now = Instant::now();
        if all.len() >= MAX_BUCKETS {
            // Who holds one has it in its hands.
            all.retain(|_, bucket| Arc::strong_count(bucket) > 1 || !bucket.is_full(limit, now));
        }
        let holder = if all.len() >= MAX_BUCKETS { Holder::Others } else { holder };
        all.entry((holder, class)).or_insert_with(|| Arc::new(Bucket::full(limit, now))).clone()
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.buckets.lock().len()
    }
}

impl LimitConfig {
    /// Times `percent`.
    pub(crate) fn times(self, percent: u32) -> Self {
        let part = |number: u32| {
            u32::try_from(u64::from(number) * u64::from(percent) / 100).unwrap_or(u32::MAX).max(1)
        };
        Self {
            work_per_minute: part(self.work_per_minute),
            burst: part(self.burst),
            bytes_per_minute: (self.bytes_per_minute / 100)
                .saturating_mul(u64::from(percent))
                .max(1),
            concurrent: part(self.concurrent),
        }
    }
}

impl Level {
    fn fill(&mut self, limit: &LimitConfig, now: Instant) {
        let minutes = now.saturating_duration_since(self.at).as_secs_f64() / 60.0;
        let (work, bytes) = (f64::from(limit.work_per_minute), limit.bytes_per_minute as f64);
        self.work = (self.work + minutes * work).min(f64::from(limit.burst));
        self.bytes = (self.bytes + minutes * bytes).min(bytes);
        self.at = self.at.max(now);
    }
}

impl Bucket {
    fn full(limit: &LimitConfig, now: Instant) -> Self {
        let level =
            Level { work: f64::from(limit.burst), bytes: limit.bytes_per_minute as f64, at: now };
        Self { level: Mutex::new(level), under_way: AtomicU32::new(0) }
    }

    fn is_full(&self, limit: &LimitConfig, now: Instant) -> bool {
        let mut level = self.level.lock();
        level.fill(limit, now);
        level.work >= f64::from(limit.burst) && level.bytes >= limit.bytes_per_minute as f64
    }

    /// Takes the units of a request, or says when to come back.
    pub fn take(
        self: &Arc<Self>,
        limit: &LimitConfig,
        work: u32,
        now: Instant,
    ) -> Result<InUse, Denied> {
        // One that is dearer than all that may be at once takes all.
        let wants = f64::from(work.clamp(1, limit.burst));
        let mut level = self.level.lock();
        level.fill(limit, now);
        let lacks = (wants - level.work) / f64::from(limit.work_per_minute);
        let owes = -level.bytes / limit.bytes_per_minute as f64;
        let minutes = lacks.max(owes);
        if minutes > 0.0 {
            let wait = Duration::from_secs_f64((minutes * 60.0).min(3_600.0));
            let what = if lacks >= owes { "work" } else { "bytes" };
            let words =
                format!("more {what} than the caller's limit: wait {} ms", wait.as_millis() + 1);
            return Err(Denied::until(code::TOO_MANY, words, wait));
        }
        if self.under_way.load(Ordering::Relaxed) >= limit.concurrent {
            let words =
                format!("more requests at once than the caller's limit of {}", limit.concurrent);
            return Err(Denied::until(code::TOO_MANY, words, Duration::from_millis(50)));
        }
        level.work -= wants;
        self.under_way.fetch_add(1, Ordering::Relaxed);
        Ok(InUse(self.clone()))
    }

    /// Gives units back that turned out to cost nothing.
    pub(crate) fn give_back(&self, work: u32) {
        self.level.lock().work += f64::from(work);
    }

    /// Takes bytes that were sent or received.
    pub fn transferred(&self, bytes: usize) {
        self.level.lock().bytes -= bytes as f64;
    }
}

impl InUse {
    /// Takes bytes that were sent or received for it.
    pub fn transferred(&self, bytes: usize) {
        self.0.transferred(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: LimitConfig =
        LimitConfig { work_per_minute: 60, burst: 10, bytes_per_minute: 6_000, concurrent: 3 };

    #[test]
    fn a_caller_has_its_burst_and_then_its_rate_and_is_told_when() {
        let (limits, now) = (Limits::default(), Instant::now());
        let bucket = limits.bucket(Holder::Network(1), Class::Read, &LIMIT);
        for _ in 0..10 {
            drop(bucket.take(&LIMIT, 1, now).unwrap());
        }
        let denied = bucket.take(&LIMIT, 5, now).unwrap_err();
        assert_eq!(denied.code, code::TOO_MANY);
        let wait = denied.retry_after.unwrap();
        assert!((4_900..=5_100).contains(&(wait.as_millis() as u64)), "{wait:?}");
        assert!(bucket.take(&LIMIT, 5, now + wait + Duration::from_millis(1)).is_ok());
        // Another one has a bucket of its own.
        let other = limits.bucket(Holder::Network(2), Class::Read, &LIMIT);
        assert!(other.take(&LIMIT, 10, now).is_ok());
    }

    #[test]
    fn requests_under_way_and_bytes_are_bounded() {
        let (limits, now) = (Limits::default(), Instant::now());
        let bucket = limits.bucket(Holder::Network(1), Class::Read, &LIMIT);
        let held: Vec<_> = (0..3).map(|_| bucket.take(&LIMIT, 1, now).unwrap()).collect();
        assert_eq!(bucket.take(&LIMIT, 1, now).unwrap_err().code, code::TOO_MANY);
        held[0].transferred(9_000);
        drop(held);
        let denied = bucket.take(&LIMIT, 1, now).unwrap_err();
        assert!(denied.words.contains("bytes"), "{denied}");
        let wait = denied.retry_after.unwrap();
        assert!((29_000..=31_000).contains(&(wait.as_millis() as u64)), "{wait:?}");
        assert!(bucket.take(&LIMIT, 1, now + wait + Duration::from_millis(1)).is_ok());
    }

    #[test]
    fn what_is_dearer_than_the_burst_takes_all_of_it() {
        let (limits, now) = (Limits::default(), Instant::now());
        let bucket = limits.bucket(Holder::Others, Class::Read, &LIMIT);
        assert!(bucket.take(&LIMIT, 1_000, now).is_ok());
        assert!(bucket.take(&LIMIT, 1, now).is_err());
    }

    #[test]
    fn buckets_are_bounded_and_a_used_one_is_not_forgotten() {
        let (limits, now) = (Limits::default(), Instant::now());
        let used = limits.bucket(Holder::Network(0), Class::Read, &LIMIT);
        drop(used.take(&LIMIT, 10, now).unwrap());
        drop(used);
        for number in 1..=(2 * MAX_BUCKETS as u64) {
            limits.bucket(Holder::Network(number), Class::Read, &LIMIT);
        }
        assert!(limits.len() <= MAX_BUCKETS);
        let again = limits.bucket(Holder::Network(0), Class::Read, &LIMIT);
        assert!(again.take(&LIMIT, 10, now).is_err());
    }
}
