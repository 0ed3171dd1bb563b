//! Who failed too often waits: by name, by key, by address.

use parking_lot::Mutex;
use std::collections::HashMap;

/// Who is counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Whose {
    /// A user's name, or a participant's account.
    Name(String),
    /// An address.
    Address(String),
    /// An address that asks for verdicts with codes that fit no bill.
    Guesses(String),
}

impl Whose {
    /// Failures that are allowed, within how many ms, and the first wait in ms.
    fn bound(&self) -> (u32, u64, u64) {
        match self {
            Self::Name(_) => (5, 15 * MINUTE, 15 * MINUTE),
            Self::Address(_) => (20, 15 * MINUTE, 15 * MINUTE),
            Self::Guesses(_) => (5, 10 * MINUTE, 10_000),
        }
    }
}

const MINUTE: u64 = 60_000;
/// Longest wait.
const LONGEST: u64 = 60 * MINUTE;
/// Names and addresses that are remembered; the one that failed longest ago gives way.
const MOST: usize = 50_000;

#[derive(Clone, Copy)]
struct Count {
    failures: u32,
    first: u64,
    last: u64,
    /// Until when it waits, and how long that was.
    until: u64,
    wait: u64,
}

/// Counts failures.
#[derive(Default)]
pub struct Lockouts(Mutex<HashMap<Whose, Count>>);

impl Lockouts {
    /// Milliseconds that one of these still waits; 0 if they may try.
    pub fn waits(&self, whose: &[Whose], now: u64) -> u64 {
        let counts = self.0.lock();
        let waits = whose.iter().filter_map(|one| counts.get(one));
        waits.map(|count| count.until.saturating_sub(now)).max().unwrap_or(0)
    }

    /// One of these failed.
    pub fn failed(&self, whose: &Whose, now: u64) {
        let (allowed, window, first_wait) = whose.bound();
        let mut counts = self.0.lock();
        if counts.len() >= MOST && !counts.contains_key(whose) {
            make_room(&mut counts, now);
        }
        let new = Count { failures: 0, first: now, last: now, until: 0, wait: 0 };
        let count = counts.entry(whose.clone()).or_insert(new);
        if now.saturating_sub(count.first) > window && count.until <= now {
            *count = Count {
                wait: if now.saturating_sub(count.last) > LONGEST { 0 } else { count.wait },
                ..new
            };
        }
        count.failures += 1;
        count.last = now;
        if count.failures >= allowed {
            count.wait = (count.wait * 2).clamp(first_wait, LONGEST);
            count.until = now + count.wait;
            // Those who guess have one guess after each wait.
            count.failures = if matches!(whose, Whose::Guesses(_)) { allowed - 1 } else { 0 };
            count.first = now;
        }
    }

    /// It is right now, and what failed before is forgotten.
    pub fn succeeded(&self, whose: &Whose) {
        self.0.lock().remove(whose);
    }

    /// Until when a name waits; none if it does not.
    pub fn until(&self, whose: &Whose, now: u64) -> Option<u64> {
        self.0.lock().get(whose).map(|count| count.until).filter(|until| *until > now)
    }
}

fn make_room(counts: &mut HashMap<Whose, Count>, now: u64) {
    counts.retain(|_, count| count.until > now || now.saturating_sub(count.last) < 15 * MINUTE);
    if counts.len() < MOST {
        return;
    }
    let mut ages: Vec<u64> = counts.values().map(|count| count.last).collect();
    let (_, middle, _) = ages.select_nth_unstable(MOST / 10);
    let middle = *middle;
    counts.retain(|_, count| count.last > middle);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_failures_lock_a_name_for_a_quarter_of_an_hour() {
        let (locks, name) = (Lockouts::default(), Whose::Name("a".into()));
        for at in 0..4 {
            locks.failed(&name, at);
            assert_eq!(locks.waits(std::slice::from_ref(&name), at), 0);
        }
        locks.failed(&name, 4);
        assert_eq!(locks.waits(std::slice::from_ref(&name), 4), 15 * MINUTE);
        assert_eq!(locks.waits(&[Whose::Name("b".into())], 4), 0);
        assert_eq!(locks.waits(&[name], 4 + 15 * MINUTE), 0);
    }

    #[test]
    fn failures_that_lie_apart_lock_nobody_and_success_forgets() {
        let (locks, name) = (Lockouts::default(), Whose::Name("a".into()));
        for at in 0..20 {
            locks.failed(&name, at * 8 * MINUTE);
            assert_eq!(locks.waits(std::slice::from_ref(&name), at * 8 * MINUTE), 0);
        }
        for _ in 0..10 {
            for _ in 0..4 {
                locks.failed(&name, 0);
            }
            locks.succeeded(&name);
        }
        assert_eq!(locks.waits(&[name], 0), 0);
    }

    #[test]
    fn who_guesses_waits_twice_as_long_each_time() {
        let (locks, guess) = (Lockouts::default(), Whose::Guesses("a".into()));
        let (mut now, mut waits) = (0, Vec::new());
        for _ in 0..9 {
            locks.failed(&guess, now);
            let wait = locks.waits(std::slice::from_ref(&guess), now);
            waits.push(wait / 1000);
            now += wait + 1;
        }
        assert_eq!(waits, [0, 0, 0, 0, 10, 20, 40, 80, 160]);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let locks = Lockouts::default();
        for at in 0..2 * MOST as u64 {
            locks.failed(&Whose::Address(at.to_string()), at);
        }
        assert!(locks.0.lock().len() <= MOST);
    }
}
