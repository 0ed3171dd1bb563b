//! Where chance comes from: one seed, printed with every result, and the
//! distributions of the load model.

use rand::{Rng, SeedableRng, rngs::StdRng};
use std::f64::consts::TAU;

/// Numbers that follow from a seed.
pub(crate) struct Chance(StdRng);

impl Chance {
    /// The numbers of `seed` for one `purpose`: what one purpose draws does not
    /// shift what another finds.
    pub(crate) fn new(seed: u64, purpose: &str) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(&billchain_crypto::sm3::sm3(
            &[&seed.to_le_bytes()[..], purpose.as_bytes()].concat(),
        ));
        Self(StdRng::from_seed(bytes))
    }

    /// Whether something of this probability happens.
    pub(crate) fn happens(&mut self, probability: f64) -> bool {
        self.0.random::<f64>() < probability
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0.random_range(0..end.max(1))
    }

    /// At least 0, below 1.
    pub(crate) fn unit(&mut self) -> f64 {
        self.0.random()
    }

    /// An exponentially distributed number with this mean.
    pub(crate) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }

    /// A lognormal number with this median; `sigma` is the deviation of its
    /// logarithm.
    pub(crate) fn lognormal(&mut self, median: f64, sigma: f64) -> f64 {
        // Box and Muller's transformation of two uniform numbers.
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        median * (sigma * radius * (TAU * self.unit()).cos()).exp()
    }

    /// Bytes that no other bill has.
    pub(crate) fn hash(&mut self) -> [u8; 32] {
        self.0.random()
    }
}

/// Zipf's law with exponent 1 over the numbers below `count`: 0 is the most
/// frequent, n comes 1/(n + 1) times as often.
pub(crate) struct Zipf {
    /// Sums of the shares, the last one 1.
    sums: Vec<f64>,
}

impl Zipf {
    pub(crate) fn new(count: usize) -> Self {
        let weights = (1..=count.max(1)).map(|rank| 1.0 / rank as f64);
        let total: f64 = weights.clone().sum();
        let mut sum = 0.0;
        let sums = weights
            .map(|weight| {
                sum += weight / total;
                sum
            })
            .collect();
        Self { sums }
    }

    pub(crate) fn draw(&self, chance: &mut Chance) -> usize {
        let at = chance.unit();
        self.sums.partition_point(|sum| *sum <= at).min(self.sums.len() - 1)
    }

    /// How often a number comes, of 1.
    pub(crate) fn share(&self, number: usize) -> f64 {
        let before = number.checked_sub(1).map_or(0.0, |before| self.sums[before]);
        self.sums[number] - before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: u64 = 20_260_101;

    fn median(mut values: Vec<f64>) -> f64 {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    }

    #[test]
    fn a_seed_gives_the_same_numbers_and_a_purpose_its_own() {
        let draw = |seed, purpose| {
            let mut chance = Chance::new(seed, purpose);
            (0..32).map(|_| chance.below(1_000_000)).collect::<Vec<_>>()
        };
        assert_eq!(draw(SEED, "a"), draw(SEED, "a"));
        assert_ne!(draw(SEED, "a"), draw(SEED, "b"));
        assert_ne!(draw(SEED, "a"), draw(SEED + 1, "a"));
    }

    #[test]
    fn lognormal_numbers_have_the_median_and_the_deviation() {
        let mut chance = Chance::new(SEED, "lognormal");
        let values: Vec<f64> = (0..100_000).map(|_| chance.lognormal(110.0, 1.2)).collect();
        assert!((median(values.clone()) / 110.0 - 1.0).abs() < 0.03);
        // One deviation up is the 84.13th percentile.
        let above = values.iter().filter(|v| **v > 110.0 * 1.2_f64.exp()).count();
        assert!((above as f64 / 100_000.0 - 0.1587).abs() < 0.005, "{above}");
        assert!(values.iter().all(|value| value.is_finite() && *value > 0.0));
    }

    #[test]
    fn exponential_numbers_have_the_mean() {
        let mut chance = Chance::new(SEED, "exponential");
        let sum: f64 = (0..100_000).map(|_| chance.exponential(3.0)).sum();
        assert!((sum / 100_000.0 - 3.0).abs() < 0.05, "{sum}");
    }

    #[test]
    fn zipf_gives_the_first_twice_as_often_as_the_second() {
        let zipf = Zipf::new(51);
        let mut chance = Chance::new(SEED, "zipf");
        let mut counts = [0_u32; 51];
        for _ in 0..200_000 {
            counts[zipf.draw(&mut chance)] += 1;
        }
        assert!(counts.iter().all(|count| *count > 0));
        assert!((f64::from(counts[0]) / f64::from(counts[1]) - 2.0).abs() < 0.1, "{counts:?}");
        // The harmonic number of 51 is 4.5188.
        assert!((zipf.share(0) - 1.0 / 4.518_8).abs() < 1e-4);
        assert!((f64::from(counts[0]) / 200_000.0 - zipf.share(0)).abs() < 0.005);
        let total: f64 = (0..51).map(|n| zipf.share(n)).sum();
        assert!((total - 1.0).abs() < 1e-9);
    }
}
