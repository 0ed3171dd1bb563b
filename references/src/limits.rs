//! What a requester may ask: so many elements a second, so many on a day (UTC), so many
//! questions at once. What it uses up is its own: nobody else gets less for it.

use crate::auth::WINDOW_MS;
use serde::{Deserialize, Serialize};
use std::collections::{HashSet, VecDeque};

/// Questions of one requester that are answered at once.
pub const MAX_AT_ONCE: usize = 4;
/// Questions of one requester whose codes are remembered: those of two minutes.
pub const MAX_REMEMBERED: usize = 4000;

const DAY_MS: u64 = 86_400_000;

/// The bounds of a requester, in elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// In a second, in the long run.
    pub per_second: u32,
    /// At once, after a pause.
    pub burst: u32,
    /// On a day.
    pub per_day: u64,
}

/// Why a question has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// More in a short time than is allowed.
    #[error("more elements than {per_second} a second: ask again in {after_s} s")]
    Rate {
        /// What is allowed.
        per_second: u32,
        /// When it is possible, in seconds.
        after_s: u64,
    },
    /// More than ever fits.
    #[error("{found} elements at once: your bound is {burst}")]
    Burst {
        /// What is allowed.
        burst: u32,
        /// What was asked.
        found: usize,
    },
    /// More on a day than is allowed.
    #[error("more elements than {per_day} on a day: ask again in {after_s} s")]
    Day {
        /// What is allowed.
        per_day: u64,
        /// When the next day begins, in seconds.
        after_s: u64,
    },
    /// Too many questions within two minutes.
    #[error("more than {MAX_REMEMBERED} questions within two minutes: ask in larger batches")]
    Questions,
    /// Too many at once.
    #[error("more than {MAX_AT_ONCE} questions at once")]
    AtOnce,
    /// A code that was used already.
    #[error("this question was asked already: each needs a time and code of its own")]
    Replay,
}

impl Refusal {
    /// When to ask again, in seconds.
    pub fn after_s(&self) -> u64 {
        match self {
            Self::Rate { after_s, .. } | Self::Day { after_s, .. } => *after_s,
            _ => 1,
        }
    }
}

/// What a requester used.
#[derive(Debug)]
pub struct Meter {
    limits: Limits,
    /// Thousandths of elements that may be asked now.
    left_milli: u64,
    seen_ms: u64,
    day: u64,
    used: u64,
    codes: HashSet<[u8; 32]>,
    order: VecDeque<(u64, [u8; 32])>,
}

impl Meter {
    /// A requester that used `used` elements of the day of `now_ms`.
    pub fn new(limits: Limits, now_ms: u64, used: u64) -> Self {
        Self {
            limits,
            left_milli: u64::from(limits.burst) * 1000,
            seen_ms: now_ms,
            day: now_ms / DAY_MS,
            used,
            codes: HashSet::new(),
            order: VecDeque::new(),
        }
    }

    /// Remembers a code. Each is good once.
    ///
    /// # Errors
    /// [`Refusal::Replay`] and [`Refusal::Questions`].
    pub fn remember(&mut self, now_ms: u64, code: [u8; 32]) -> Result<(), Refusal> {
        // A code of the farthest future that is accepted is good until two windows later.
        while let Some((at, old)) = self.order.front().copied() {
            if at + 2 * WINDOW_MS >= now_ms {
                break;
            }
            self.codes.remove(&old);
            self.order.pop_front();
        }
        if self.codes.contains(&code) {
            return Err(Refusal::Replay);
        }
        if self.order.len() >= MAX_REMEMBERED {
            return Err(Refusal::Questions);
        }
        self.codes.insert(code);
        self.order.push_back((now_ms, code));
        Ok(())
    }

    /// Takes `elements` of what may be asked, or nothing of it.
    ///
    /// # Errors
    /// The bound that is reached.
    pub fn take(&mut self, now_ms: u64, elements: usize) -> Result<(), Refusal> {
        let Limits { per_second, burst, per_day } = self.limits;
        let asked = elements as u64;
        if asked > u64::from(burst) {
            return Err(Refusal::Burst { burst, found: elements });
        }
        // A clock that goes back gives nothing.
        let passed = now_ms.saturating_sub(self.seen_ms);
        self.seen_ms = self.seen_ms.max(now_ms);
        let gained = passed.saturating_mul(u64::from(per_second));
        self.left_milli = (self.left_milli.saturating_add(gained)).min(u64::from(burst) * 1000);
        if now_ms / DAY_MS > self.day {
            (self.day, self.used) = (now_ms / DAY_MS, 0);
        }
        if self.used.saturating_add(asked) > per_day {
            let after_s = (DAY_MS - now_ms % DAY_MS).div_ceil(1000);
            return Err(Refusal::Day { per_day, after_s });
        }
        let Some(left) = self.left_milli.checked_sub(asked * 1000) else {
            let missing = asked * 1000 - self.left_milli;
            let after_s = missing.div_ceil(u64::from(per_second.max(1)) * 1000).max(1);
            return Err(Refusal::Rate { per_second, after_s });
        };
        self.left_milli = left;
        self.used += asked;
        Ok(())
    }
}

/// Elements that entries of a log of this day used, for a service that starts again.
pub fn is_same_day(a_ms: u64, b_ms: u64) -> bool {
    a_ms / DAY_MS == b_ms / DAY_MS
}

#[cfg(test)]
mod tests;
