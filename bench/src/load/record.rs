//! The record of load on a network.

use super::{
    book::{Accounts, Book, Entry, SeenBlock},
    certify::CertificateRecord,
    outcome::Outcome,
    reads::ReadCounts,
};
use crate::{
    measure::{Better, Figure, Machine, Percentiles, Sample, Watched, ms, rounded},
    workload::Kind,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// What was asked for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Setting {
    /// In words: the pace and what is sent.
    pub(crate) load: String,
    pub(crate) seed: u64,
    pub(crate) first_number: u64,
    pub(crate) nodes: usize,
    pub(crate) issuers: usize,
    /// Bills in a transaction.
    pub(crate) batch: usize,
    /// Seconds of sending that are not counted.
    pub(crate) warm_up: f64,
    /// Seconds that are counted.
    pub(crate) duration: f64,
    /// Transactions that may be neither final nor refused; only where the
    /// network's own pace is looked for.
    pub(crate) in_flight: usize,
    pub(crate) reads_per_write: f64,
    /// Bills registered beforehand.
    pub(crate) preloaded: u64,
    /// Transactions signed before the measurement began.
    pub(crate) signed_before: u64,
    /// Transactions signed while it ran.
    pub(crate) signed_during: u64,
    /// Processors that this took. Missing in older records.
    #[serde(default)]
    pub(crate) signing_cores: f64,
}

/// One rate of a run that steps up.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub(crate) struct Step {
    /// Transactions a second that were offered.
    pub(crate) offered: f64,
    /// Transactions a second that became final.
    pub(crate) committed: f64,
    /// Latency of those offered in it, in milliseconds.
    pub(crate) latency_ms: Percentiles,
}

/// Reads.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ReadRecord {
    pub(crate) answered: u64,
    pub(crate) per_second: f64,
    /// From when it was due to the answer.
    pub(crate) latency_ms: Percentiles,
    /// Bills that were not found though their registration is final.
    pub(crate) missed: u64,
    pub(crate) failed: BTreeMap<String, u64>,
}

/// What it cost; over the counted seconds, where not said otherwise.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Costs {
    /// Names of the nodes.
    pub(crate) nodes: Vec<String>,
    /// Processor time of each node for a committed transaction, in µs.
    pub(crate) cpu_us_per_transaction: Vec<f64>,
    /// Cores that each node kept busy.
    pub(crate) cores: Vec<f64>,
    /// Cores that this program kept busy.
    pub(crate) own_cores: f64,
    /// Processors that other programs kept busy. Missing in older records.
    #[serde(default)]
    pub(crate) other_cores: f64,
    /// Most resident memory of each node in the whole run, in MiB.
    pub(crate) rss_mib: Vec<f64>,
    /// Bytes on the loopback interface, all nodes and clients, for a bill.
    pub(crate) wire_bytes_per_bill: f64,
    /// Bytes that each node's directory grew by in the whole run, for a bill;
    /// before compaction.
    pub(crate) disk_bytes_per_bill: Vec<f64>,
}

/// One second of the run.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
pub(crate) struct Second {
    /// Transactions that were due.
    pub(crate) due: u64,
    /// Transactions that became final.
    pub(crate) committed: u64,
    /// Bills that came onto the chain.
    pub(crate) bills: u64,
    /// Latency of those that were due in it, in milliseconds.
    pub(crate) p50: f64,
    pub(crate) p95: f64,
    pub(crate) p99: f64,
}

/// A block, for the charts.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq)]
pub(crate) struct BlockPoint {
    /// Seconds from the start.
    pub(crate) at: f64,
    /// Missing in older records.
    #[serde(default)]
    pub(crate) height: u32,
    /// Transactions, without the timestamp.
    pub(crate) transactions: u64,
    /// Bytes of its transactions.
    pub(crate) bytes: u64,
}

/// The record of load on a network; durations in milliseconds where the name
/// says so, else in seconds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct LoadRecord {
    /// `load`.
    pub(crate) record: String,
    pub(crate) case: String,
    pub(crate) side: String,
    pub(crate) commit: String,
    pub(crate) machine: Machine,
    pub(crate) setting: Setting,
    /// Whole run.
    pub(crate) sent: u64,
    pub(crate) accepted: u64,
    pub(crate) committed: u64,
    /// Accepted and in no final block: must be 0.
    pub(crate) lost: u64,
    pub(crate) unanswered: u64,
    pub(crate) rejected: BTreeMap<String, u64>,
    /// Answers that asked to come back later, which was done.
    pub(crate) deferred: u64,
    /// Sent more than 50 ms after the intended time.
    pub(crate) late: u64,
    /// Counted seconds only.
    pub(crate) transactions_per_second: f64,
    pub(crate) bills_per_second: f64,
    /// From the intended time of sending to the final block.
    pub(crate) latency_ms: Percentiles,
    /// By sort: number of committed ones, and their latency.
    pub(crate) kinds: BTreeMap<String, (u64, Percentiles)>,
    pub(crate) block_interval_ms: Percentiles,
    pub(crate) block_transactions: Percentiles,
    pub(crate) block_bytes: Percentiles,
    pub(crate) reads: Option<ReadRecord>,
    /// Missing in older records.
    #[serde(default)]
    pub(crate) certificates: Option<CertificateRecord>,
    /// WebSocket connections: asked for, and refused by reason.
    pub(crate) clients: Option<(u64, BTreeMap<String, u64>)>,
    pub(crate) outcome: Outcome,
    pub(crate) costs: Costs,
    /// What took processors from the nodes, so that the figures understate them.
    /// Missing in older records.
    #[serde(default)]
    pub(crate) disturbed: Vec<String>,
    pub(crate) steps: Vec<Step>,
    /// Whole run.
    pub(crate) seconds: Vec<Second>,
    pub(crate) blocks: Vec<BlockPoint>,
    pub(crate) samples: Vec<Sample>,
}

/// What a run left behind, to be summed up.
pub(crate) struct Raw<'a> {
    pub(crate) accounts: Accounts,
    pub(crate) entries: Vec<&'a Entry>,
    pub(crate) blocks: &'a [SeenBlock],
    pub(crate) samples: Vec<Sample>,
    pub(crate) names: Vec<String>,
    pub(crate) reads: Option<ReadCounts>,
}

impl<'a> Raw<'a> {
    /// What a run left behind.
    pub(super) fn new(
        book: &'a Book,
        samples: Vec<Sample>,
        watched: &[Watched],
        reads: Option<ReadCounts>,
    ) -> Self {
        Self {
            accounts: book.accounts(),
            entries: book.entries().collect(),
            blocks: &book.blocks,
            samples,
            names: watched.iter().map(|node| node.name.clone()).collect(),
            reads,
        }
    }
}

impl LoadRecord {
    /// Sums up a run; counted are `warm_up` to `warm_up + duration`.
    pub(crate) fn fill(mut self, raw: Raw<'_>) -> Self {
        let window = Window { from: self.setting.warm_up, length: self.setting.duration };
        let Accounts { sent, accepted, committed, lost, unanswered, rejected } = raw.accounts;
        (self.sent, self.accepted, self.committed) = (sent, accepted, committed);
        (self.lost, self.unanswered, self.rejected) = (lost, unanswered, rejected);

        let finals: Vec<(&Entry, Duration)> =
            raw.entries.iter().filter_map(|entry| Some((*entry, entry.final_at?))).collect();
        let within = finals.iter().filter(|(_, at)| window.holds(*at));
        let (mut transactions, mut bills) = (0_u64, 0_u64);
        for (entry, _) in within {
            transactions += 1;
            bills += u64::from(entry.bills);
        }
        self.transactions_per_second = rounded(transactions as f64 / window.length, 1);
        self.bills_per_second = rounded(bills as f64 / window.length, 1);

        let mut by_kind: BTreeMap<Kind, Vec<f64>> = BTreeMap::new();
        for (entry, at) in finals.iter().filter(|(entry, _)| window.holds(entry.intended)) {
            by_kind.entry(entry.kind).or_default().push(latency(entry, *at));
        }
        self.latency_ms = Percentiles::of(by_kind.values().flatten().copied().collect());
        self.kinds = by_kind
            .into_iter()
            .map(|(kind, values)| {
                let count = values.len() as u64;
                (format!("{kind:?}"), (count, Percentiles::of(values)))
            })
            .collect();
        self.blocks(raw.blocks, &window);
        self.seconds = seconds(&raw.entries);
        self.reads = raw.reads.map(|reads| read_record(reads, &window));
        let counted = (transactions, bills);
        let all: u64 = finals.iter().map(|(entry, _)| u64::from(entry.bills)).sum();
        self.costs = costs(&raw.samples, raw.names, &window, counted, all);
        self.disturbed = disturbances(self.setting.signing_cores, self.costs.other_cores);
        self.samples = raw.samples;
        self
    }

    fn blocks(&mut self, blocks: &[SeenBlock], window: &Window) {
        let counted: Vec<&SeenBlock> =
            blocks.iter().filter(|block| window.holds(block.at)).collect();
        let transactions = |block: &SeenBlock| block.hashes.len().saturating_sub(1) as f64;
        self.block_interval_ms = Percentiles::of(
            counted.windows(2).map(|pair| ms(pair[1].at.saturating_sub(pair[0].at))).collect(),
        );
        self.block_transactions =
            Percentiles::of(counted.iter().map(|block| transactions(block)).collect());
        self.block_bytes =
            Percentiles::of(counted.iter().map(|block| block.bytes as f64).collect());
        self.blocks = blocks
            .iter()
            .map(|block| BlockPoint {
                at: rounded(block.at.as_secs_f64(), 3),
                height: block.height,
                transactions: transactions(block) as u64,
                bytes: block.bytes as u64,
            })
            .collect();
    }

    /// The figures to compare.
    pub(crate) fn figures(&self) -> Vec<Figure> {
        use Better::{Higher, Lower, Neither};
        let mut figures = vec![
            Figure::new("transactions", "1/s", Higher, self.transactions_per_second),
            Figure::new("bills", "1/s", Higher, self.bills_per_second),
            Figure::new("submit to final, p50", "ms", Lower, self.latency_ms.p50),
            Figure::new("submit to final, p95", "ms", Lower, self.latency_ms.p95),
            Figure::new("submit to final, p99", "ms", Lower, self.latency_ms.p99),
            Figure::new("block interval, p50", "ms", Lower, self.block_interval_ms.p50),
            Figure::new("block interval, p99", "ms", Lower, self.block_interval_ms.p99),
            Figure::new("transactions of a block, p50", "", Neither, self.block_transactions.p50),
            Figure::new("lost", "", Lower, self.lost as f64),
            Figure::new("rejected", "", Lower, self.rejected.values().sum::<u64>() as f64),
            Figure::new("bills missing", "", Lower, self.outcome.missing as f64),
            Figure::new(
                "bills otherwise than expected",
                "",
                Lower,
                self.outcome.otherwise.values().sum::<u64>() as f64,
            ),
        ];
        if let Some(reads) = &self.reads {
            figures.push(Figure::new("reads", "1/s", Higher, reads.per_second));
            figures.push(Figure::new("read, p50", "ms", Lower, reads.latency_ms.p50));
            figures.push(Figure::new("read, p99", "ms", Lower, reads.latency_ms.p99));
            let failed = reads.failed.values().sum::<u64>() + reads.missed;
            figures.push(Figure::new("reads failed", "", Lower, failed as f64));
        }
        figures.extend(self.certificates.iter().flat_map(CertificateRecord::figures));
        if let Some((asked, refused)) = &self.clients {
            figures.push(Figure::new("connections", "", Neither, *asked as f64));
            let refused = refused.values().sum::<u64>();
            figures.push(Figure::new("connections refused", "", Lower, refused as f64));
        }
        if let Some(best) = self.steps.iter().map(|step| step.committed).reduce(f64::max) {
            figures.push(Figure::new("most in a step", "1/s", Higher, best));
        }
        if !self.costs.nodes.is_empty() {
            let costs = &self.costs;
            let most = costs.rss_mib.iter().copied().fold(0.0, f64::max);
            figures.extend([
                Figure::new(
                    "node's processor time a transaction",
                    "µs",
                    Lower,
                    rounded(mean(&costs.cpu_us_per_transaction), 1),
                ),
                Figure::new("generator's cores", "", Neither, costs.own_cores),
                Figure::new("memory of the largest node", "MiB", Lower, most),
                Figure::new("bytes on the wire a bill", "B", Lower, costs.wire_bytes_per_bill),
                Figure::new(
                    "bytes on a node's disk a bill",
                    "B",
                    Lower,
                    rounded(mean(&costs.disk_bytes_per_bill), 0),
                ),
            ]);
        }
        figures
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// The counted seconds.
struct Window {
    from: f64,
    length: f64,
}

impl Window {
    fn holds(&self, at: Duration) -> bool {
        (self.from..self.from + self.length).contains(&at.as_secs_f64())
    }
}

fn latency(entry: &Entry, at: Duration) -> f64 {
    ms(at.saturating_sub(entry.intended))
}

/// Latency of what was due in a span, committed a second, for one step.
pub(crate) fn step(entries: &[&Entry], offered: f64, from: Duration, length: Duration) -> Step {
    let window = Window { from: from.as_secs_f64(), length: length.as_secs_f64() };
    let finals = || entries.iter().filter_map(|entry| Some((*entry, entry.final_at?)));
    let committed = finals().filter(|(_, at)| window.holds(*at)).count();
    let due = finals().filter(|(entry, _)| window.holds(entry.intended));
    Step {
        offered,
        committed: rounded(committed as f64 / window.length, 1),
        latency_ms: Percentiles::of(due.map(|(entry, at)| latency(entry, at)).collect()),
    }
}

/// Part of a processor that something else than nodes and sending may take.
const UNDISTURBED: f64 = 0.05;

/// What took more of a processor than it may, in words.
fn disturbances(signing: f64, others: f64) -> Vec<String> {
    [("signing while it ran", signing), ("other programs", others)]
        .into_iter()
        .filter(|(_, cores)| *cores > UNDISTURBED)
        .map(|(what, cores)| {
            format!("{what} took {cores} of a processor, expected at most {UNDISTURBED}")
        })
        .collect()
}

fn seconds(entries: &[&Entry]) -> Vec<Second> {
    let mut seconds: Vec<(Second, Vec<f64>)> = Vec::new();
    let second = |seconds: &mut Vec<(Second, Vec<f64>)>, at: Duration| {
        let index = at.as_secs() as usize;
        if seconds.len() <= index {
            seconds.resize(index + 1, Default::default());
        }
        index
    };
    for entry in entries {
        let due = second(&mut seconds, entry.intended);
        seconds[due].0.due += 1;
        let Some(at) = entry.final_at else { continue };
        seconds[due].1.push(latency(entry, at));
        let final_in = second(&mut seconds, at);
        seconds[final_in].0.committed += 1;
        seconds[final_in].0.bills += u64::from(entry.bills);
    }
    let summed = |(second, latencies)| {
        let Percentiles { p50, p95, p99, .. } = Percentiles::of(latencies);
        Second { p50, p95, p99, ..second }
    };
    seconds.into_iter().map(summed).collect()
}

fn read_record(reads: ReadCounts, window: &Window) -> ReadRecord {
    let counted: Vec<f64> = reads
        .latencies
        .iter()
        .filter(|(due, _)| window.holds(*due))
        .map(|(_, latency)| ms(*latency))
        .collect();
    ReadRecord {
        answered: reads.latencies.len() as u64,
        per_second: rounded(counted.len() as f64 / window.length, 1),
        latency_ms: Percentiles::of(counted),
        missed: reads.missed,
        failed: reads.failed,
    }
}

/// `counted` are transactions and bills in the counted seconds, `all` the bills
/// of the whole run.
fn costs(
    samples: &[Sample],
    names: Vec<String>,
    window: &Window,
    counted: (u64, u64),
    all: u64,
) -> Costs {
    let nearest = |at: f64| {
        samples.iter().min_by(|a, b| f64::total_cmp(&(a.at - at).abs(), &(b.at - at).abs()))
    };
    let (Some(from), Some(to)) = (nearest(window.from), nearest(window.from + window.length))
    else {
        return Costs::default();
    };
    let seconds = (to.at - from.at).max(f64::MIN_POSITIVE);
    let per = |total: f64, count: u64| total / count.max(1) as f64;
    // A look takes place near the window's ends, not at them.
    let scale = window.length / seconds;
    let used = |node: usize| (to.nodes[node].cpu - from.nodes[node].cpu).max(0.0);
    let nodes = 0..names.len();
    let grown = |node: usize| {
        let counted = || samples.iter().map(move |sample| sample.nodes[node].disk);
        let first = counted().find(|disk| *disk > 0).unwrap_or(0);
        let last = counted().rfind(|disk| *disk > 0).unwrap_or(0);
        last.saturating_sub(first) as f64
    };
    let known = nodes.clone().map(used).sum::<f64>() + to.own_cpu - from.own_cpu;
    let others = (to.all_cpu - from.all_cpu - known).max(0.0);
    let most =
        |node: usize| samples.iter().map(|sample| sample.nodes[node].rss_mib).fold(0.0, f64::max);
    Costs {
        cpu_us_per_transaction: nodes
            .clone()
            .map(|node| rounded(per(used(node) * scale * 1e6, counted.0), 1))
            .collect(),
        cores: nodes.clone().map(|node| rounded(used(node) / seconds, 3)).collect(),
        own_cores: rounded((to.own_cpu - from.own_cpu) / seconds, 3),
        other_cores: if names.is_empty() { 0.0 } else { rounded(others / seconds, 3) },
        rss_mib: nodes.clone().map(|node| rounded(most(node), 1)).collect(),
        wire_bytes_per_bill: rounded(
            per(to.wire.saturating_sub(from.wire) as f64 * scale, counted.1),
            0,
        ),
        disk_bytes_per_bill: nodes.map(|node| rounded(per(grown(node), all), 0)).collect(),
        nodes: names,
    }
}

#[cfg(test)]
mod tests;
