//! How often somebody may ask: a bucket of requests each session or address has, which fills
//! again with time.

use parking_lot::Mutex;
use std::{collections::HashMap, time::Instant};

/// Who has a bucket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Whose {
    /// A session, by the name of its user: several sessions share it.
    User(String),
    /// An address without a session.
    Address(String),
    /// An address that signs in.
    Login(String),
}

/// Buckets that are remembered; a full one is forgotten first.
const MOST: usize = 50_000;

#[derive(Clone, Copy)]
struct Bucket {
    left: f64,
    at: Instant,
}

/// The buckets.
pub struct Rates {
    buckets: Mutex<HashMap<Whose, Bucket>>,
    user: f64,
    address: f64,
}

impl Rates {
    /// With so many requests a second for a user and for an address.
    pub fn new(user: u32, address: u32) -> Self {
        Self { buckets: Mutex::default(), user: user.into(), address: address.into() }
    }

    /// Requests a second, and how many at once.
    fn bound(&self, whose: &Whose) -> (f64, f64) {
        match whose {
            Whose::User(_) => (self.user, 3.0 * self.user),
            Whose::Address(_) => (self.address, 4.0 * self.address),
            // Logins are dear; those who share an address are several.
            Whose::Login(_) => (0.5_f64.max(self.address / 20.0), self.address.max(10.0)),
        }
    }

    /// Takes one request out of a bucket; if it is empty, the seconds to wait.
    ///
    /// # Errors
    /// The seconds to wait.
    pub fn take(&self, whose: Whose, now: Instant) -> Result<(), u64> {
        let (rate, burst) = self.bound(&whose);
        let mut buckets = self.buckets.lock();
        if buckets.len() >= MOST && !buckets.contains_key(&whose) {
            let full = |whose: &Whose, bucket: &Bucket| {
                let (rate, burst) = self.bound(whose);
                bucket.left + now.saturating_duration_since(bucket.at).as_secs_f64() * rate >= burst
            };
            buckets.retain(|whose, bucket| !full(whose, bucket));
            if buckets.len() >= MOST {
                return Err(1);
            }
        }
        let bucket = buckets.entry(whose).or_insert(Bucket { left: burst, at: now });
        let since = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.left = (bucket.left + since * rate).min(burst);
        bucket.at = now;
        if bucket.left >= 1.0 {
            bucket.left -= 1.0;
            return Ok(());
        }
        // At most a few seconds: the rate is at least half a request a second.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let wait = ((1.0 - bucket.left) / rate).ceil() as u64;
        Err(wait.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let (rates, now) = (Rates::new(20, 10), Instant::now());
        let one = || Whose::Address("a".into());
        for _ in 0..40 {
            rates.take(one(), now).unwrap();
        }
        assert_eq!(rates.take(one(), now), Err(1));
        // Another address has its own, and so has a user.
        rates.take(Whose::Address("b".into()), now).unwrap();
        rates.take(Whose::User("a".into()), now).unwrap();
        let later = now + Duration::from_secs(1);
        for _ in 0..10 {
            rates.take(one(), later).unwrap();
        }
        assert!(rates.take(one(), later).is_err());
    }

    #[test]
    fn buckets_are_bounded_and_full_ones_give_way() {
        let (rates, now) = (Rates::new(20, 10), Instant::now());
        for at in 0..MOST {
            rates.take(Whose::Address(at.to_string()), now).unwrap();
        }
        assert_eq!(rates.take(Whose::Address("new".into()), now), Err(1));
        let later = now + Duration::from_secs(1);
        rates.take(Whose::Address("new".into()), later).unwrap();
        assert_eq!(rates.buckets.lock().len(), 1);
    }
}
