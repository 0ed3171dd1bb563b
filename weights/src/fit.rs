//! From samples to a cost: a fixed part and a part for each component.
//!
//! Times are noisy upwards, so their line is the median of slopes, which a
//! tenth of wild samples does not move; counts are exact, so their line is the
//! least squares' and then raised until no sample lies above it.

use crate::{Measured, Sample, WeightsError};
use frame_benchmarking::{Analysis, BenchmarkParameter, BenchmarkResult, BenchmarkSelector};

/// What a call costs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Picoseconds, whatever the components are.
    pub time: u64,
    /// Keys read.
    pub reads: u64,
    /// Keys written.
    pub writes: u64,
    /// What each component adds, for each unit of it.
    pub each: Vec<Each>,
}

/// What one unit of a component adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Each {
    /// Name of the component.
    pub component: String,
    /// Picoseconds.
    pub time: u64,
    /// Keys read.
    pub reads: u64,
    /// Keys written.
    pub writes: u64,
}

/// Letters that stand for components in FRAME's analysis, by their place.
const PARAMETERS: [BenchmarkParameter; 4] = {
    use BenchmarkParameter::{a, b, c, d};
    [a, b, c, d]
};

/// The cost that the samples of a benchmark show.
pub fn fit(measured: &Measured) -> Result<Cost, WeightsError> {
    let Measured { name, components, samples } = measured;
    if components.len() > PARAMETERS.len() {
        let most = PARAMETERS.len();
        return Err(WeightsError::Fit(format!("{name} has more than {most} components")));
    }
    let results: Vec<BenchmarkResult> = samples.iter().map(result).collect();
    let line = |selector| {
        let analysis = match selector {
            BenchmarkSelector::ExtrinsicTime => Analysis::median_slopes(&results, selector),
            // Too few for least squares, which also estimate their error.
            _ if results.len() < components.len() + 3 => {
                Analysis::median_slopes(&results, selector)
            }
            _ => Analysis::min_squares_iqr(&results, selector),
        };
        analysis.map(Line::of).map_err(|error| WeightsError::Fit(format!("{name}: {error}")))
    };
    let time = line(BenchmarkSelector::ExtrinsicTime)?;
    let reads = line(BenchmarkSelector::Reads)?.above(samples, |sample| sample.reads);
    let writes = line(BenchmarkSelector::Writes)?.above(samples, |sample| sample.writes);
    let each = components
        .iter()
        .enumerate()
        .map(|(at, component)| Each {
            component: component.name.clone(),
            time: time.slope(at),
            reads: reads.slope(at),
            writes: writes.slope(at),
        })
        .collect();
    Ok(Cost { time: time.base, reads: reads.base, writes: writes.base, each })
}

/// A line through samples.
struct Line {
    base: u64,
    slopes: Vec<u64>,
}

impl Line {
    fn of(analysis: Analysis) -> Self {
        let short = |value: u128| u64::try_from(value).unwrap_or(u64::MAX);
        Self {
            base: short(analysis.base),
            slopes: analysis.slopes.into_iter().map(short).collect(),
        }
    }

    /// Slope of the component at this place; none if nothing depends on it.
    fn slope(&self, at: usize) -> u64 {
        self.slopes.get(at).copied().unwrap_or(0)
    }

    /// The line, raised until no sample lies above it.
    fn above(mut self, samples: &[Sample], value: impl Fn(&Sample) -> u32) -> Self {
        let missing = samples.iter().map(|sample| {
            let slopes = sample.components.iter().enumerate();
            let varying: u64 = slopes.map(|(at, n)| self.slope(at) * u64::from(*n)).sum();
            u64::from(value(sample)).saturating_sub(self.base + varying)
        });
        self.base += missing.max().unwrap_or(0);
        self
    }
}

/// The sample as FRAME's analysis takes it.
fn result(sample: &Sample) -> BenchmarkResult {
    BenchmarkResult {
        components: PARAMETERS.into_iter().zip(sample.components.iter().copied()).collect(),
        extrinsic_time: sample.time.as_nanos(),
        reads: sample.reads,
        writes: sample.writes,
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Component;
    use std::time::Duration;

    fn sample(components: &[u32], nanos: u64, reads: u32, writes: u32) -> Sample {
        Sample {
            components: components.to_vec(),
            time: Duration::from_nanos(nanos),
            read_time: Duration::ZERO,
            commit_time: Duration::ZERO,
            reads,
            writes,
        }
    }

    fn measured(components: &[(&str, u32, u32)], samples: Vec<Sample>) -> Measured {
        let component =
            |&(name, least, most): &(&str, u32, u32)| Component { name: name.into(), least, most };
        let components = components.iter().map(component).collect();
        Measured { name: "call".into(), components, samples }
    }

    #[test]
    fn without_components_the_median_time_and_the_greatest_counts_stand() {
        let times = [(50, 3), (900, 3), (51, 4), (49, 3), (50, 3)];
        let samples = times.map(|(nanos, reads)| sample(&[], nanos, reads, 1)).to_vec();
        let cost = fit(&measured(&[], samples)).unwrap();
        assert_eq!(cost, Cost { time: 50_000, reads: 4, writes: 1, each: Vec::new() });
    }

    #[test]
    fn a_line_is_found_under_noise_that_only_slows() {
        let mut samples = Vec::new();
        for round in 0..5_u32 {
            for n in (0..=100).step_by(10) {
                // Every seventh run is disturbed.
                let noise = if (round * 11 + n / 10) % 7 == 0 { 40_000 } else { 0 };
                samples.push(sample(&[n], 1_000 + 70 * u64::from(n) + noise, 5 + 2 * n, 1 + n));
            }
        }
        let cost = fit(&measured(&[("n", 0, 100)], samples)).unwrap();
        let each = Each { component: "n".into(), time: 70_000, reads: 2, writes: 1 };
        assert_eq!(cost, Cost { time: 1_000_000, reads: 5, writes: 1, each: vec![each] });
    }

    #[test]
    fn components_are_told_apart() {
        let mut samples = Vec::new();
        for (n, k) in [(0, 8), (5, 8), (10, 8), (10, 0), (10, 4)] {
            let nanos = 100 + 7 * u64::from(n) + 3 * u64::from(k);
            samples.push(sample(&[n, k], nanos, 1 + n, k));
        }
        let cost = fit(&measured(&[("n", 0, 10), ("k", 0, 8)], samples)).unwrap();
        let each = |component: &str, time, reads, writes| Each {
            component: component.into(),
            time,
            reads,
            writes,
        };
        assert_eq!(cost.each, [each("n", 7_000, 1, 0), each("k", 3_000, 0, 1)]);
        assert_eq!((cost.time, cost.reads, cost.writes), (100_000, 1, 0));
    }

    #[test]
    fn counts_that_are_no_line_are_never_too_low() {
        let samples: Vec<Sample> =
            [(0, 2), (1, 9), (2, 3), (3, 4)].map(|(n, reads)| sample(&[n], 10, reads, 0)).to_vec();
        let Cost { reads, each, .. } = fit(&measured(&[("n", 0, 3)], samples.clone())).unwrap();
        for Sample { components, reads: found, .. } in samples {
            let cost = reads + each[0].reads * u64::from(components[0]);
            assert!(cost >= u64::from(found), "{found} reads at {components:?}, cost {cost}");
        }
    }

    #[test]
    fn a_component_of_one_value_is_refused() {
        let samples = vec![sample(&[4], 10, 1, 1), sample(&[4], 11, 1, 1)];
        let error = fit(&measured(&[("n", 4, 4)], samples)).unwrap_err();
        assert!(error.to_string().starts_with("no line fits the samples: call"), "{error}");
    }
}
