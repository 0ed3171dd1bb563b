//! What a run came to.

use crate::{Options, load::Sent, observe::Seen};
use serde::Serialize;
use std::{collections::BTreeMap, fmt, time::Duration};

/// Result of a run; durations in milliseconds.
#[derive(Serialize)]
pub(crate) struct Result {
    /// Registrations a second that were asked for; 0: as fast as possible.
    offered_rate: u32,
    /// Seconds of sending.
    send_seconds: f64,
    /// Transactions that a node accepted.
    accepted: usize,
    /// Accepted transactions found in final blocks.
    pub(crate) committed: usize,
    /// Accepted transactions not found: must be 0.
    pub(crate) lost: usize,
    /// Refused transactions by reason.
    rejected: BTreeMap<String, u64>,
    /// Sends that a full window delayed.
    late: u64,
    /// Committed transactions a second, from the first send to the last block
    /// that holds one.
    committed_per_second: f64,
    /// From the intended time of sending to the final block.
    latency_ms: Percentiles,
    /// Between blocks.
    block_interval_ms: Percentiles,
    /// Transactions of a block.
    block_transactions: Percentiles,
    /// Bytes of a block's transactions.
    block_bytes: Percentiles,
}

/// Percentiles by the nearest rank; zeros if there is nothing.
#[derive(Serialize, Clone, Copy, Default)]
struct Percentiles {
    p50: f64,
    p95: f64,
    p99: f64,
    max: f64,
}

impl Percentiles {
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let rank = |percent: usize| {
            let rank = (values.len() * percent).div_ceil(100).max(1);
            values.get(rank - 1).copied().unwrap_or_default()
        };
        Self { p50: rank(50), p95: rank(95), p99: rank(99), max: rank(100) }
    }
}

fn ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 100_000.0).round() / 100.0
}

impl Result {
    pub(crate) fn new(options: &Options, sent: &Sent, seen: &Seen) -> Self {
        let found: Vec<_> = sent
            .accepted
            .iter()
            .filter_map(|(hash, intended)| Some((*intended, *seen.transactions.get(hash)?)))
            .collect();
        let first = found.iter().map(|(intended, _)| *intended).min();
        let last = found.iter().map(|(_, final_at)| *final_at).max();
        let span = first.zip(last).map_or(0.0, |(first, last)| (last - first).as_secs_f64());
        let blocks = &seen.blocks;
        Self {
            offered_rate: options.rate,
            send_seconds: (sent.elapsed.as_secs_f64() * 100.0).round() / 100.0,
            accepted: sent.accepted.len(),
            committed: found.len(),
            lost: sent.accepted.len() - found.len(),
            rejected: sent.rejected.clone().into_iter().collect(),
            late: sent.late,
            committed_per_second: if span > 0.0 {
                (found.len() as f64 / span * 10.0).round() / 10.0
            } else {
                0.0
            },
            latency_ms: Percentiles::of(
                found.iter().map(|(intended, at)| ms(at.duration_since(*intended))).collect(),
            ),
            block_interval_ms: Percentiles::of(
                blocks.windows(2).map(|pair| ms(pair[1].at - pair[0].at)).collect(),
            ),
            block_transactions: Percentiles::of(
                blocks.iter().map(|b| b.transactions.saturating_sub(1) as f64).collect(),
            ),
            block_bytes: Percentiles::of(blocks.iter().map(|b| b.bytes as f64).collect()),
        }
    }
}

impl fmt::Display for Result {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = match self.offered_rate {
            0 => "as fast as possible".to_owned(),
            rate => format!("{rate}/s"),
        };
        writeln!(f, "offered               {rate} for {} s", self.send_seconds)?;
        writeln!(f, "accepted              {}", self.accepted)?;
        writeln!(f, "committed             {} ({}/s)", self.committed, self.committed_per_second)?;
        writeln!(f, "lost                  {}", self.lost)?;
        writeln!(f, "delayed by the window {}", self.late)?;
        for (reason, count) in &self.rejected {
            writeln!(f, "rejected              {count}: {reason}")?;
        }
        writeln!(f, "{:22}{:>12}{:>12}{:>12}{:>12}", "", "p50", "p95", "p99", "max")?;
        for (name, p) in [
            ("latency, ms", self.latency_ms),
            ("block interval, ms", self.block_interval_ms),
            ("block transactions", self.block_transactions),
            ("block bytes", self.block_bytes),
        ] {
            writeln!(f, "{name:22}{:>12}{:>12}{:>12}{:>12}", p.p50, p.p95, p.p99, p.max)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let p = Percentiles::of((1..=200).rev().map(f64::from).collect());
        assert_eq!((p.p50, p.p95, p.p99, p.max), (100.0, 190.0, 198.0, 200.0));
        let one = Percentiles::of(vec![7.0]);
        assert_eq!((one.p50, one.max), (7.0, 7.0));
        assert_eq!(Percentiles::of(Vec::new()).p99, 0.0);
    }
}
