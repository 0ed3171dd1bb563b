//! Rate limits for log lines that a peer or a client can cause.
//!
//! Whoever can make a node write a line can make it write a million. A
//! [`LineLimit`] lets a few lines of each key through and counts the rest; the
//! next line that passes says how many were left out, so nothing is hidden. The
//! key is whose doing the line is, a peer or an address: one peer's lines never
//! take the room of another's.
//!
//! It bounds lines, not work: what a message costs beside its line is for the
//! caller to bound, and to count in a metric of its own.
//!
//! ```
//! use billchain_logging::LineLimit;
//! use std::time::Instant;
//!
//! let mut limit = LineLimit::default();
//! if let Some(omitted) = limit.pass("peer 1", Instant::now()) {
//!     println!("refused a message, {omitted} more lines like this were left out");
//! }
//! ```

#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

/// Lines of one key that may follow each other at once.
const BURST: u32 = 5;
/// Time after which one more line of a key may pass.
const INTERVAL: Duration = Duration::from_secs(10);
/// Keys remembered. The one that was silent longest gives way; its next line
/// passes as a new key's does.
const MAX_KEYS: usize = 1024;

/// A limit on one kind of line, by key.
#[derive(Debug)]
pub struct LineLimit<K> {
    burst: u32,
    interval: Duration,
    keys: HashMap<K, Key>,
}

#[derive(Debug)]
struct Key {
    /// Lines that may pass now.
    left: u32,
    /// When `left` was last raised.
    raised: Instant,
    /// Last line, passed or not.
    last: Instant,
    /// Lines left out since the last that passed.
    omitted: u64,
}

impl<K: Clone + Eq + Hash> Default for LineLimit<K> {
    fn default() -> Self {
        Self::new(BURST, INTERVAL)
    }
}

impl<K: Clone + Eq + Hash> LineLimit<K> {
    /// `burst` lines at once, and one more after each `interval`.
    pub fn new(burst: u32, interval: Duration) -> Self {
        Self { burst: burst.max(1), interval, keys: HashMap::new() }
    }

    /// Whether a line of this key may be written at `now`: then how many of its
    /// lines were left out since the last one that was.
    pub fn pass(&mut self, key: K, now: Instant) -> Option<u64> {
        if !self.keys.contains_key(&key) && self.keys.len() >= MAX_KEYS {
            let stalest = self.keys.iter().min_by_key(|(_, state)| state.last);
            if let Some(stalest) = stalest.map(|(key, _)| key.clone()) {
                self.keys.remove(&stalest);
            }
        }
        let fresh = Key { left: self.burst, raised: now, last: now, omitted: 0 };
        let state = self.keys.entry(key).or_insert(fresh);
        state.last = now;
        let intervals = if self.interval.is_zero() {
            u128::from(self.burst)
        } else {
            now.saturating_duration_since(state.raised).as_nanos() / self.interval.as_nanos()
        };
        if intervals > 0 {
            let gained = u32::try_from(intervals).unwrap_or(u32::MAX);
            state.left = state.left.saturating_add(gained).min(self.burst);
            state.raised = now;
        }
        if state.left == 0 {
            state.omitted = state.omitted.saturating_add(1);
            return None;
        }
        state.left -= 1;
        Some(std::mem::take(&mut state.omitted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_flood_of_one_key_passes_a_few_lines_and_says_how_many_were_left_out() {
        let mut limit = LineLimit::new(3, 10 * SECOND);
        let begin = Instant::now();
        let passed = (0..1000).filter(|_| limit.pass("liar", begin).is_some()).count();
        assert_eq!(passed, 3);
        assert_eq!(limit.pass("liar", begin + 9 * SECOND), None);
        assert_eq!(limit.pass("liar", begin + 10 * SECOND), Some(998));
        assert_eq!(limit.pass("liar", begin + 10 * SECOND), None);
    }

    #[test]
    fn one_keys_flood_takes_no_line_of_another() {
        let mut limit = LineLimit::new(2, SECOND);
        let now = Instant::now();
        for _ in 0..1000 {
            limit.pass("liar", now);
        }
        assert_eq!(limit.pass("honest", now), Some(0));
    }

    #[test]
    fn a_pause_gives_back_no_more_than_the_burst() {
        let mut limit = LineLimit::new(2, SECOND);
        let begin = Instant::now();
        assert!(limit.pass(1, begin).is_some());
        let later = begin + 3600 * SECOND;
        let passed = (0..10).filter(|_| limit.pass(1, later).is_some()).count();
        assert_eq!(passed, 2);
    }

    #[test]
    fn the_keys_remembered_are_bounded_and_the_stalest_gives_way() {
        let mut limit = LineLimit::new(1, 3600 * SECOND);
        let begin = Instant::now();
        for key in 0..=MAX_KEYS as u32 {
            assert!(limit.pass(key, begin + Duration::from_millis(u64::from(key))).is_some());
        }
        assert_eq!(limit.keys.len(), MAX_KEYS);
        let now = begin + 3 * SECOND;
        assert_eq!(limit.pass(MAX_KEYS as u32, now), None, "the newest is remembered");
        assert!(limit.pass(0, now).is_some(), "the stalest was forgotten");
    }
}
