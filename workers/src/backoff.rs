//! How long to wait before the next attempt: twice as long each time, with jitter, so that
//! many who failed together do not come back together.

use rand::Rng;
use std::time::Duration;

/// First and longest pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The pause after the first failure.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
}

impl Backoff {
    /// The pause after so many failures in a row, from half of it on up to all of it.
    pub fn pause(&self, failures: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1).min(31));
        let whole = self.first.saturating_mul(doubled).min(self.longest);
        let half = whole / 2;
        let jitter = u64::try_from(half.as_micros()).unwrap_or(u64::MAX);
        half + Duration::from_micros(rand::rng().random_range(0..=jitter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_doubles_up_to_its_bound_and_is_never_below_its_half() {
        let backoff =
            Backoff { first: Duration::from_millis(100), longest: Duration::from_secs(10) };
        for (failures, whole_ms) in
            [(0, 100), (1, 100), (2, 200), (3, 400), (7, 6_400), (8, 10_000), (u32::MAX, 10_000)]
        {
            let whole = Duration::from_millis(whole_ms);
            let pauses: Vec<_> = (0..200).map(|_| backoff.pause(failures)).collect();
            assert!(
                pauses.iter().all(|pause| *pause >= whole / 2 && *pause <= whole),
                "{failures}"
            );
            assert!(pauses.iter().any(|pause| *pause != pauses[0]), "there is jitter");
        }
    }
}
