//! What `billchain-bench load` is asked for.

use super::{book::Tracking, target::Target};
use crate::workload::Pace;
use anyhow::{Result, ensure};
use clap::Args;
use std::{path::PathBuf, str::FromStr, time::Duration};

/// Most transactions signed ahead: some 400 MiB of them.
const MOST_AHEAD: usize = 800_000;
/// Transactions a second that no network here takes.
const HOPED_FOR: f64 = 8_000.0;
/// Bills a second that no network here takes.
const HOPED_FOR_BILLS: f64 = 32_000.0;
/// What is signed ahead for a rate that was seen, by it: networks speed up.
const RESERVE: f64 = 1.25;

/// Options of `billchain-bench load`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Transactions a second over all nodes.
    #[arg(long, default_value_t = 400.0)]
    pub(crate) rate: f64,
    /// As fast as the network takes them, with --in-flight on their way.
    #[arg(long, conflicts_with = "steps")]
    pub(crate) saturate: bool,
    /// Rates from FIRST up by STEP every SECONDS, until the network falls
    /// behind or --duration is over.
    #[arg(long, value_name = "FIRST:STEP:SECONDS")]
    pub(crate) steps: Option<Steps>,
    /// Send the load model's mix, not registrations alone.
    #[arg(long)]
    pub(crate) mix: bool,
    /// Bills in a transaction, 1 to 500.
    #[arg(long, default_value_t = 1)]
    pub(crate) batch: usize,
    /// Seconds that are counted.
    #[arg(long, default_value_t = 60)]
    pub(crate) duration: u64,
    /// Seconds of sending before, not counted. With --saturate the same time before
    /// that is for finding how fast the network is.
    #[arg(long, default_value_t = 0)]
    pub(crate) warm_up: u64,
    /// Issuers that send, at most 51: the development chain's //hospital-1 ….
    #[arg(long, default_value_t = 51)]
    pub(crate) issuers: usize,
    /// With --saturate: transactions that are neither final nor refused.
    #[arg(long, default_value_t = 6_000)]
    pub(crate) in_flight: usize,
    /// Most transactions signed before the start; without it what the pace needs,
    /// with --saturate and --warm-up by the rate seen, at most 800,000.
    #[arg(long)]
    pub(crate) prepare: Option<usize>,
    /// Reads for each write; 5 with --mix, else 0.
    #[arg(long)]
    pub(crate) reads_per_write: Option<f64>,
    /// Connections that ask the last node for certificates of bills, each as fast as it answers;
    /// every certificate is checked, most after the counted seconds. With --node for each --rpc, in
    /// their order, the result says what a certificate costs the node.
    #[arg(long, default_value_t = 0, value_name = "CONNECTIONS")]
    pub(crate) certificates: usize,
    /// Bills to register beforehand: the old ones that a tenth of reads are of.
    #[arg(long, default_value_t = 0)]
    pub(crate) preload: usize,
    /// Most bills to read back at the end of those that were only registered.
    #[arg(long, default_value_t = 20_000)]
    pub(crate) check_bills: usize,
    /// Write when each transaction was due and final, and in which block, to this
    /// file as comma-separated values.
    #[arg(long)]
    pub(crate) times: Option<PathBuf>,
}

/// Rates that grow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Steps {
    first: f64,
    step: f64,
    seconds: f64,
}

impl FromStr for Steps {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Vec<f64> = text.split(':').filter_map(|part| part.parse().ok()).collect();
        match numbers[..] {
            [first, step, seconds] if first > 0.0 && step > 0.0 && seconds >= 1.0 => {
                Ok(Self { first, step, seconds })
            }
            _ => Err(format!("expected FIRST:STEP:SECONDS, all above 0, found {text}")),
        }
    }
}

impl Options {
    pub(super) fn check(&self) -> Result<()> {
        ensure!((1..=51).contains(&self.issuers), "--issuers: expected 1 to 51");
        ensure!((1..=500).contains(&self.batch), "--batch: expected 1 to 500");
        ensure!(!self.mix || self.batch == 1, "--batch: the mix is of single transactions");
        ensure!(self.duration > 0, "--duration: expected at least 1");
        ensure!(self.in_flight > 0, "--in-flight: expected at least 1");
        ensure!(self.certificates <= 256, "--certificates: expected at most 256");
        ensure!(
            self.rate.is_finite() && self.rate > 0.0,
            "--rate: expected more than 0; --saturate sends as fast as the network takes it"
        );
        Ok(())
    }

    pub(super) fn pace(&self) -> Pace {
        match (self.saturate, self.steps) {
            (true, _) => Pace::Saturate,
            (_, Some(Steps { first, step, seconds })) => Pace::Steps { first, step, seconds },
            _ => Pace::Fixed(self.rate),
        }
    }

    /// In words.
    pub(super) fn describe(&self) -> String {
        let pace = match self.pace() {
            Pace::Saturate => format!("as fast as possible, {} on their way", self.in_flight),
            Pace::Steps { first, step, seconds } => {
                format!("from {first}/s up by {step}/s every {seconds} s")
            }
            Pace::Fixed(rate) => format!("{rate}/s"),
        };
        let what = match (self.mix, self.batch) {
            (true, _) => "the load model's mix".to_owned(),
            (false, 1) => "registrations".to_owned(),
            (false, batch) => format!("registrations, {batch} bills in a transaction"),
        };
        let beside = match self.certificates {
            0 => String::new(),
            count => format!(", {count} connections that ask for certificates"),
        };
        format!("{what}, {pace}{beside}")
    }

    pub(super) fn length(&self) -> Duration {
        Duration::from_secs(self.warm_up + self.duration)
    }

    /// Whether the warm-up tells how much is to be signed ahead.
    pub(super) fn is_probed(&self) -> bool {
        self.saturate && self.warm_up > 0 && self.prepare.is_none()
    }

    /// How much to sign ahead of the probe.
    pub(super) fn probe_capacity(&self) -> usize {
        ((self.hoped_for() * self.warm_up as f64) as usize).clamp(64, MOST_AHEAD)
    }

    /// Transactions a second that no network takes.
    fn hoped_for(&self) -> f64 {
        HOPED_FOR.min(HOPED_FOR_BILLS / self.batch as f64)
    }

    /// How much to sign ahead, if the network was seen to take so many a second.
    pub(super) fn capacity(&self, seen: Option<f64>) -> usize {
        let seconds = self.length().as_secs_f64();
        let needed = match self.pace() {
            Pace::Fixed(rate) => rate * seconds,
            // Up to a rate beyond what is hoped for.
            Pace::Steps { first, step, seconds: length } => {
                let steps = (seconds / length).min((HOPED_FOR - first) / step).max(0.0).ceil();
                length * (steps + 1.0) * (first + step * steps / 2.0)
            }
            Pace::Saturate => {
                let rate = seen.map_or_else(|| self.hoped_for(), |seen| seen * RESERVE);
                rate * seconds + self.in_flight as f64
            }
        };
        self.prepare.unwrap_or((needed * 1.01) as usize + 64).min(MOST_AHEAD)
    }

    /// Claimants wait for the bills they lock.
    pub(super) fn tracking(&self) -> Tracking {
        if self.mix { Tracking::Bills } else { Tracking::Nothing }
    }

    pub(super) fn reads_per_write(&self) -> f64 {
        self.reads_per_write.unwrap_or(if self.mix { 5.0 } else { 0.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_three_positive_numbers() {
        let steps: Steps = "500:250:10".parse().unwrap();
        assert_eq!(steps, Steps { first: 500.0, step: 250.0, seconds: 10.0 });
        for wrong in ["500", "500:0:10", "500:x:10", "1:2:3:4", "-1:2:3"] {
            assert!(wrong.parse::<Steps>().is_err(), "{wrong}");
        }
    }
}
