//! Running the benchmarks of a pallet.

use crate::{
    Ledger, Pallet, WeightsError,
    externalities::{BenchmarkExternalities, Observed},
};
use billchain_runtime::{AllPalletsWithSystem, Runtime};
use frame_benchmarking::{BenchmarkError, BenchmarkMetadata, BenchmarkParameter};
use frame_support::{traits::WhitelistedStorageKeys, weights::RuntimeDbWeight};
use std::time::Duration;

/// How often a benchmark is run.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Values that each component takes, from its least to its most; at least 2.
    pub steps: u32,
    /// Runs for each value.
    pub repeats: u32,
}

/// A number that a call's cost depends on, such as the bills of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// Name of the parameter, a letter.
    pub name: String,
    /// Its least value.
    pub least: u32,
    /// Its greatest value.
    pub most: u32,
}

/// One run of a benchmark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Values of the components.
    pub components: Vec<u32>,
    /// Time of the call without its reads, and what its reads took more than
    /// their price.
    pub time: Duration,
    /// Time of its reads.
    pub read_time: Duration,
    /// Time that the block of its changes took to commit.
    pub commit_time: Duration,
    /// Keys read.
    pub reads: u32,
    /// Keys written.
    pub writes: u32,
}

/// A benchmark and its runs.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Its name, which is a call's or what else the pallet weighs.
    pub name: String,
    /// What its cost depends on.
    pub components: Vec<Component>,
    /// Its runs.
    pub samples: Vec<Sample>,
}

/// Measures every benchmark of a pallet, in the order of their names.
pub fn measure(
    ledger: &Ledger,
    pallet: &Pallet,
    effort: Effort,
) -> Result<Vec<Measured>, WeightsError> {
    let mut benchmarks = pallet.benchmarks();
    benchmarks.sort_by(|one, other| one.name.cmp(&other.name));
    benchmarks.iter().map(|benchmark| measure_one(ledger, pallet, benchmark, effort)).collect()
}

/// Runs every benchmark of a pallet once at each end of its components, with
/// the benchmark's own checks of what the call did.
pub fn check(ledger: &Ledger, pallet: &Pallet) -> Result<Vec<String>, WeightsError> {
    let ends = Effort { steps: 2, repeats: 1 };
    let mut names = Vec::new();
    for benchmark in pallet.benchmarks() {
        for values in plan(&components(&benchmark), ends) {
            run_one(ledger, pallet, &benchmark, &values, Verify::Result)?;
        }
        names.push(text(&benchmark.name));
    }
    Ok(names)
}

/// Whether a benchmark checks what its call did.
#[derive(Clone, Copy, PartialEq)]
enum Verify {
    Result,
    Nothing,
}

fn measure_one(
    ledger: &Ledger,
    pallet: &Pallet,
    benchmark: &BenchmarkMetadata,
    effort: Effort,
) -> Result<Measured, WeightsError> {
    let components = components(benchmark);
    let plan = plan(&components, effort);
    for values in &plan {
        run_one(ledger, pallet, benchmark, values, Verify::Result)?;
    }
    let mut samples = Vec::new();
    // Rounds over all values, not all runs of one value: what disturbs the
    // machine for a while disturbs them alike.
    for _ in 0..effort.repeats {
        for values in &plan {
            samples.push(run_one(ledger, pallet, benchmark, values, Verify::Nothing)?);
        }
    }
    Ok(Measured { name: text(&benchmark.name), components, samples })
}

/// The values to run with: each component from its least to its most, the
/// others at their most.
fn plan(components: &[Component], effort: Effort) -> Vec<Vec<u32>> {
    let most: Vec<u32> = components.iter().map(|component| component.most).collect();
    if components.is_empty() {
        return vec![most];
    }
    let mut plan = Vec::new();
    for (index, component) in components.iter().enumerate() {
        let last = effort.steps.max(2) - 1;
        for step in 0..=last {
            let span = u64::from(component.most - component.least);
            let mut values = most.clone();
            // At most `most`, a u32.
            values[index] = component.least + (span * u64::from(step) / u64::from(last)) as u32;
            if !plan.contains(&values) {
                plan.push(values);
            }
        }
    }
    plan
}

fn run_one(
    ledger: &Ledger,
    pallet: &Pallet,
    benchmark: &BenchmarkMetadata,
    values: &[u32],
    verify: Verify,
) -> Result<Sample, WeightsError> {
    let failed = |reason: String| WeightsError::Benchmark {
        pallet: pallet.directory,
        benchmark: text(&benchmark.name),
        reason,
    };
    let named: Vec<(BenchmarkParameter, u32)> = benchmark
        .components
        .iter()
        .zip(values)
        .map(|((parameter, ..), value)| (*parameter, *value))
        .collect();
    let whitelist = AllPalletsWithSystem::whitelisted_storage_keys();
    let (result, observed) = BenchmarkExternalities::new(ledger.store.clone())
        .run(|| pallet.run(&benchmark.name, &named, &whitelist, verify == Verify::Result))?;
    let results = result.map_err(|error| match error {
        BenchmarkError::Stop(reason) => failed(reason.to_owned()),
        other => failed(format!("{other:?}")),
    })?;
    let [result] = results.as_slice() else {
        return Err(failed(format!("expected one result, found {}", results.len())));
    };
    let elapsed = u64::try_from(result.extrinsic_time).unwrap_or(u64::MAX);
    Ok(sample(values, Duration::from_nanos(elapsed), &observed))
}

fn sample(values: &[u32], elapsed: Duration, observed: &Observed) -> Sample {
    let RuntimeDbWeight { read, .. } = <Runtime as frame_system::Config>::DbWeight::get();
    let Observed { reads, writes, waited, commit_time } = observed;
    let price = Duration::from_nanos(read / 1_000).saturating_mul(reads.reads());
    let own = Own { elapsed, waited: *waited };
    let read_time = own.part(reads.time);
    Sample {
        components: values.to_vec(),
        time: own
            .part(elapsed.saturating_sub(reads.time))
            .saturating_add(read_time.saturating_sub(price)),
        read_time,
        commit_time: *commit_time,
        reads: reads.reads(),
        writes: *writes,
    }
}

/// Takes out of times what the thread waited for a processor.
struct Own {
    elapsed: Duration,
    waited: Duration,
}

impl Own {
    /// What is left of a part of the time, which waited as much as the rest.
    fn part(&self, part: Duration) -> Duration {
        let nanos = |duration: Duration| duration.as_nanos().min(u64::MAX.into());
        let (elapsed, waited) = (nanos(self.elapsed).max(1), nanos(self.waited));
        let left = nanos(part) * elapsed.saturating_sub(waited) / elapsed;
        Duration::from_nanos(u64::try_from(left).unwrap_or(u64::MAX))
    }
}

fn components(benchmark: &BenchmarkMetadata) -> Vec<Component> {
    benchmark
        .components
        .iter()
        .map(|(parameter, least, most)| Component {
            name: parameter.to_string(),
            least: *least,
            most: *most,
        })
        .collect()
}

fn text(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(least: u32, most: u32) -> Component {
        Component { name: "n".into(), least, most }
    }

    #[test]
    fn waiting_is_taken_out_of_every_part_alike() {
        let micros = Duration::from_micros;
        for (elapsed, waited, part, left) in [
            (100, 0, 40, 40),
            (100, 25, 40, 30),
            (100, 25, 100, 75),
            (100, 150, 40, 0),
            (0, 0, 0, 0),
        ] {
            let own = Own { elapsed: micros(elapsed), waited: micros(waited) };
            assert_eq!(
                own.part(micros(part)),
                micros(left),
                "{part} of {elapsed}, {waited} waited"
            );
        }
    }

    #[test]
    fn a_plan_reaches_both_ends_and_varies_one_component_at_a_time() {
        let cases: [(&[Component], u32, &[&[u32]]); 5] = [
            (&[], 5, &[&[]]),
            (&[component(1, 500)], 2, &[&[1], &[500]]),
            (&[component(0, 3)], 7, &[&[0], &[1], &[2], &[3]]),
            (
                &[component(1, 5), component(0, 2)],
                3,
                &[&[1, 2], &[3, 2], &[5, 2], &[5, 0], &[5, 1]],
            ),
            (&[component(4, 4)], 3, &[&[4]]),
        ];
        for (components, steps, expected) in cases {
            let found = plan(components, Effort { steps, repeats: 1 });
            assert_eq!(found, expected, "{components:?} in {steps} steps");
        }
    }
}
