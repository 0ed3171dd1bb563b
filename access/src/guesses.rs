//! Guessing of codes, slowed.
//!
//! A wrong answer is noted for the bill and for the address it came from. The first ones are
//! free; each after doubles how long the next must wait, up to an hour. While it waits, a
//! right answer is not told either. So a bill bears
//! [`GuessConfig::most_in_a_day`](crate::GuessConfig::most_in_a_day) guesses a day, from
//! however many addresses: of 62⁶ check codes.
//!
//! The places are a table of a fixed length, found by a hash that nobody outside can
//! predict: no flood evicts an entry. Two keys in one place slow each other, which is rare
//! and never lets more pass. A level falls by one for each longest wait without a guess.

use crate::{code, config::GuessConfig, denied::Denied};
use parking_lot::Mutex;
use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hash},
    net::IpAddr,
    time::{Duration, Instant},
};

const PLACES: usize = 1 << 16;

/// Wrong answers, by bill and by address.
#[derive(Debug)]
pub struct Guesses {
    places: Mutex<Box<[Place]>>,
    hash: RandomState,
}

#[derive(Clone, Copy, Debug, Default)]
struct Place {
    wrong: u32,
    last: Option<Instant>,
}

impl Default for Guesses {
    fn default() -> Self {
        Self { places: Mutex::new(vec![Place::default(); PLACES].into()), hash: RandomState::new() }
    }
}

impl Place {
    /// Until when it waits.
    fn until(&self, config: &GuessConfig) -> Option<Instant> {
        let over = self.wrong.checked_sub(config.free)?;
        let wait = config.first.checked_mul(1_u32.checked_shl(over).unwrap_or(u32::MAX));
        Some(self.last? + wait.unwrap_or(config.longest).min(config.longest))
    }

    fn calm(&mut self, config: &GuessConfig, now: Instant) {
        let Some(last) = self.last else { return };
        let quiet = now.saturating_duration_since(last).as_secs() / config.longest.as_secs().max(1);
        // The first longest wait is the guess's own.
        let quiet = u32::try_from(quiet.saturating_sub(1)).unwrap_or(u32::MAX);
        if quiet > 0 {
            self.wrong = self.wrong.saturating_sub(quiet);
            self.last = Some(now);
        }
    }
}

impl Guesses {
    /// Takes a guess before it is answered: counts it as wrong, which [`Self::right`] takes
    /// back. So guesses that run side by side count each other.
    pub fn take(
        &self,
        config: &GuessConfig,
        bill: &[u8],
        address: IpAddr,
        now: Instant,
    ) -> Result<(), Denied> {
        let places = [self.place(&(0_u8, bill)), self.place(&(1_u8, network(address)))];
        let mut all = self.places.lock();
        for at in places {
            all[at].calm(config, now);
        }
        let until = places.iter().filter_map(|at| all[*at].until(config)).max();
        if let Some(until) = until.filter(|until| *until > now) {
            let wait = until - now;
            let words = format!("too many wrong codes were tried: wait {} s", wait.as_secs() + 1);
            return Err(Denied::until(code::GUESSING, words, wait));
        }
        for at in places {
            // More would double nothing any more.
            all[at].wrong = all[at].wrong.saturating_add(1).min(config.free + 32);
            all[at].last = Some(now);
        }
        Ok(())
    }

    /// Takes a guess back that was right.
    pub fn right(&self, bill: &[u8], address: IpAddr) {
        let places = [self.place(&(0_u8, bill)), self.place(&(1_u8, network(address)))];
        let mut all = self.places.lock();
        for at in places {
            all[at].wrong = all[at].wrong.saturating_sub(1);
        }
    }

    fn place(&self, key: &impl Hash) -> usize {
        self.hash.hash_one(key) as usize % PLACES
    }
}

/// What one holder of addresses has: an IPv4 address, or a /64.
pub(crate) fn network(address: IpAddr) -> u64 {
    match address.to_canonical() {
        IpAddr::V4(v4) => u64::from(v4.to_bits()),
        IpAddr::V6(v6) => (v6.to_bits() >> 64) as u64,
    }
}

/// The pause after which a caller who was told nothing may ask again.
pub(crate) const A_MOMENT: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        [10, 0, 0, last].into()
    }

    /// How many guesses of a bill pass in `span`, by an attacker who tries each second from
    /// an address of its own.
    fn passed(config: &GuessConfig, span: u64) -> u64 {
        let (guesses, start) = (Guesses::default(), Instant::now());
        let tries = (0..span).filter(|second| {
            let address = IpAddr::from((*second as u32 + (11 << 24)).to_be_bytes());
            guesses.take(config, b"bill", address, start + Duration::from_secs(*second)).is_ok()
        });
        tries.count() as u64
    }

    #[test]
    fn a_day_of_guesses_from_everywhere_stays_within_the_stated_bound() {
        let config = GuessConfig::default();
        let (found, bound) = (passed(&config, 86_400), config.most_in_a_day());
        assert!(found <= bound, "{found} passed, the bound is {bound}");
        assert!(bound <= 42, "{bound}");
        assert!(found >= u64::from(config.free));
    }

    #[test]
    fn a_right_answer_costs_nothing_and_a_wrong_one_slows_its_bill_and_its_address() {
        let (config, guesses, now) = (GuessConfig::default(), Guesses::default(), Instant::now());
        for _ in 0..1_000 {
            guesses.take(&config, b"a", address(1), now).unwrap();
            guesses.right(b"a", address(1));
        }
        for _ in 0..config.free {
            guesses.take(&config, b"a", address(1), now).unwrap();
        }
        let other_address = guesses.take(&config, b"a", address(2), now).unwrap_err();
        assert_eq!(other_address.code, code::GUESSING);
        assert_eq!(other_address.retry_after, Some(config.first));
        let other_bill = guesses.take(&config, b"b", address(1), now).unwrap_err();
        assert_eq!(other_bill.code, code::GUESSING);
        assert_eq!(guesses.take(&config, b"b", address(2), now), Ok(()));
        assert_eq!(guesses.take(&config, b"a", address(3), now + config.first), Ok(()));
    }

    #[test]
    fn an_owner_of_a_network_of_ipv6_is_one() {
        let all = ["2001:db8::1", "2001:db8::ffff:1"].map(|text| network(text.parse().unwrap()));
        assert_eq!(all[0], all[1]);
        assert_ne!(all[0], network("2001:db8:0:1::1".parse().unwrap()));
        assert_eq!(network("::ffff:10.0.0.1".parse().unwrap()), network(address(1)));
    }
}
