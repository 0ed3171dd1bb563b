//! The record of a ledger that grew.

use crate::measure::{Better, Figure, Machine, Percentiles, rounded};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU64;

/// What was asked for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct GrowthSetting {
    pub(crate) seed: u64,
    pub(crate) batch: usize,
    pub(crate) block_bills: usize,
    pub(crate) issuers: usize,
    pub(crate) cache_mib: usize,
    pub(crate) window: u64,
    /// Bills of a day of the chain; none if its time is the machine's.
    #[serde(default)]
    pub(crate) bills_a_day: Option<NonZeroU64>,
}

/// A ledger of so many bills.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Milestone {
    pub(crate) bills: u64,
    pub(crate) height: u32,
    /// Microseconds a bill: decoding, verifying, executing, state root.
    pub(crate) build_us: f64,
    /// Microseconds a bill: writing and syncing.
    pub(crate) commit_us: f64,
    /// Whole cost of a block, in milliseconds.
    pub(crate) block_ms: Percentiles,
    /// Bills that the costs were measured over.
    pub(crate) measured_over: u64,
    /// Resident memory of the process, generator included.
    pub(crate) rss_mib: f64,
    /// Bytes on disk, everything.
    pub(crate) disk_bytes: u64,
    /// The same after compaction.
    pub(crate) compacted_bytes: Option<u64>,
    /// Seconds to open the database and the chain again.
    pub(crate) open_seconds: f64,
    /// Keys of the hot state, as the database estimates them.
    #[serde(default)]
    pub(crate) hot_keys: u64,
    /// Groups of keys that are cold.
    #[serde(default)]
    pub(crate) cold_groups: u64,
    /// Cold segments that lie in files.
    #[serde(default)]
    pub(crate) cold_files: u64,
    /// Bytes of these files, which `disk_bytes` holds.
    #[serde(default)]
    pub(crate) cold_bytes: u64,
}

/// A point on the way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Point {
    pub(crate) bills: u64,
    pub(crate) build_us: f64,
    pub(crate) commit_us: f64,
    pub(crate) rss_mib: f64,
    pub(crate) disk: u64,
    /// Groups of keys that are cold.
    #[serde(default)]
    pub(crate) cold_groups: u64,
}

/// The record of a ledger that grew.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct GrowthRecord {
    /// `growth`.
    pub(crate) record: String,
    pub(crate) case: String,
    pub(crate) side: String,
    pub(crate) commit: String,
    pub(crate) machine: Machine,
    pub(crate) setting: GrowthSetting,
    pub(crate) milestones: Vec<Milestone>,
    pub(crate) points: Vec<Point>,
}

impl Milestone {
    /// Microseconds a bill, all in.
    pub(crate) fn cost_us(&self) -> f64 {
        rounded(self.build_us + self.commit_us, 2)
    }

    /// Bytes on disk a bill, after compaction where that was done.
    pub(crate) fn bytes_per_bill(&self) -> f64 {
        let bytes = self.compacted_bytes.unwrap_or(self.disk_bytes);
        rounded(bytes as f64 / self.bills.max(1) as f64, 1)
    }
}

impl GrowthRecord {
    /// The figures to compare.
    pub(crate) fn figures(&self) -> Vec<Figure> {
        use Better::Lower;
        let mut figures = Vec::new();
        for milestone in &self.milestones {
            let at = format!("at {} bills", millions(milestone.bills));
            let named = |what: &str| format!("{what}, {at}");
            figures.extend([
                Figure::new(&named("cost a bill"), "µs", Lower, milestone.cost_us()),
                Figure::new(&named("disk a bill"), "B", Lower, milestone.bytes_per_bill()),
                Figure::new(&named("memory"), "MiB", Lower, milestone.rss_mib),
                Figure::new(&named("opened again"), "s", Lower, milestone.open_seconds),
            ]);
            if milestone.cold_groups > 0 {
                let hot = milestone.hot_keys as f64 / 1e6;
                let (files, groups) = (milestone.cold_bytes as f64, milestone.cold_groups as f64);
                figures.extend([
                    Figure::new(&named("keys that are hot"), "M", Lower, rounded(hot, 2)),
                    Figure::new(
                        &named("files a cold group"),
                        "B",
                        Lower,
                        rounded(files / groups, 1),
                    ),
                ]);
            }
        }
        if let [first, .., last] = &self.milestones[..] {
            let ratio = rounded(last.cost_us() / first.cost_us(), 3);
            figures.push(Figure::new("cost a bill, last over first", "", Lower, ratio));
        }
        figures
    }
}

/// `2 M`, `250 k`.
pub(crate) fn millions(bills: u64) -> String {
    match bills {
        0..1_000 => bills.to_string(),
        1_000..1_000_000 => format!("{} k", rounded(bills as f64 / 1e3, 1)),
        _ => format!("{} M", rounded(bills as f64 / 1e6, 2)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_bills_are_short() {
        assert_eq!(millions(999), "999");
        assert_eq!(millions(250_000), "250 k");
        assert_eq!(millions(2_500_000), "2.5 M");
    }
}
