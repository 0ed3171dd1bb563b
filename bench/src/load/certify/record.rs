//! The record of certificates.

use super::{
    asked::Sort,
    check::{Checked, Checks},
};
use crate::measure::{Better, Figure, Percentiles, ms, rounded};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// How certificates went; over the counted seconds, where not said otherwise.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct CertificateRecord {
    /// Connections that asked one node, each as fast as it answered.
    pub(crate) connections: usize,
    /// Of bills and numbers without a bill, a second.
    pub(crate) per_second: f64,
    /// All of those.
    pub(crate) singles: SortRecord,
    /// By what was asked for.
    pub(crate) sorts: BTreeMap<String, SortRecord>,
    /// Processor time that the node which was asked took more than those that were not, in µs for
    /// a certificate; none if that is not known.
    pub(crate) node_us: Option<f64>,
    /// Processor time of a check in the mean of the whole run, in milliseconds.
    pub(crate) check_processor_ms: f64,
    /// Whole run: certificates that hold and answer what was asked.
    pub(crate) checked: u64,
    /// Of these, checked while the network was measured.
    pub(crate) checked_before: u64,
    /// Whole run: certificates that do not hold, by reason; must be none.
    pub(crate) refused: BTreeMap<String, u64>,
    /// Whole run: questions without a certificate, by reason.
    pub(crate) failed: BTreeMap<String, u64>,
}

/// One sort of certificates.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct SortRecord {
    pub(crate) count: u64,
    /// From the question to the answer.
    pub(crate) latency_ms: Percentiles,
    /// Length.
    pub(crate) bytes: Percentiles,
    /// How long the verifier took.
    pub(crate) check_ms: Percentiles,
}

impl SortRecord {
    fn of(checked: &[Checked]) -> Self {
        let all = |value: fn(&Checked) -> f64| Percentiles::of(checked.iter().map(value).collect());
        Self {
            count: checked.len() as u64,
            latency_ms: all(|one| ms(one.latency)),
            bytes: all(|one| one.bytes as f64),
            check_ms: all(|one| rounded(one.took.as_secs_f64() * 1_000.0, 3)),
        }
    }
}

impl CertificateRecord {
    /// Sums up; counted are `length` seconds from `from` on.
    pub(super) fn new(checks: &Checks, (from, length): (f64, f64)) -> Self {
        let end = from + length;
        let is_counted = |at: Duration| (from..end).contains(&at.as_secs_f64());
        let counted = checks.checked.iter().copied().filter(|one| is_counted(one.at));
        let mut of_sort: BTreeMap<Sort, Vec<Checked>> = BTreeMap::new();
        counted.for_each(|one| of_sort.entry(one.sort).or_default().push(one));
        let of_singles = of_sort.iter().filter(|(sort, _)| sort.is_single());
        let singles: Vec<Checked> = of_singles.flat_map(|(_, all)| all).copied().collect();
        let checked = checks.checked.len() + checks.refused.values().sum::<u64>() as usize;
        let processor = checks.processor.as_secs_f64() * 1_000.0;
        Self {
            per_second: rounded(singles.len() as f64 / length, 1),
            singles: SortRecord::of(&singles),
            sorts: of_sort
                .iter()
                .map(|(sort, all)| (sort.name().to_owned(), SortRecord::of(all)))
                .collect(),
            check_processor_ms: rounded(processor / checked.max(1) as f64, 3),
            checked: checks.checked.len() as u64,
            checked_before: checks.before,
            refused: checks.refused.clone(),
            ..Self::default()
        }
    }

    /// Adds what the last node, which was asked, took beside what the nodes took that were neither
    /// asked nor followed: all but the first and the last. `cores` are what each of them kept
    /// busy that was watched.
    pub(crate) fn with_cores(mut self, cores: &[f64], nodes: usize) -> Self {
        if let [_, others @ .., asked] = cores
            && cores.len() == nodes
            && !others.is_empty()
            && self.per_second > 0.0
        {
            let other = others.iter().sum::<f64>() / others.len() as f64;
            self.node_us = Some(rounded((asked - other) * 1e6 / self.per_second, 1));
        }
        self
    }

    /// Whether there were some, and all hold.
    pub(crate) fn is_whole(&self) -> bool {
        self.singles.count > 0 && self.refused.is_empty()
    }

    /// The figures to compare.
    pub(crate) fn figures(&self) -> Vec<Figure> {
        use Better::{Higher, Lower};
        let SortRecord { latency_ms, bytes, check_ms, .. } = self.singles;
        let sum = |counts: &BTreeMap<String, u64>| counts.values().sum::<u64>() as f64;
        let mut figures = vec![
            Figure::new("certificates", "1/s", Higher, self.per_second),
            Figure::new("certificate, p50", "ms", Lower, latency_ms.p50),
            Figure::new("certificate, p95", "ms", Lower, latency_ms.p95),
            Figure::new("certificate, p99", "ms", Lower, latency_ms.p99),
            Figure::new("certificate's length, p50", "B", Lower, bytes.p50),
            Figure::new("certificate's length, longest", "B", Lower, bytes.max),
            Figure::new("verification, p50", "ms", Lower, check_ms.p50),
            Figure::new("verification, p99", "ms", Lower, check_ms.p99),
            Figure::new("verification, processor, mean", "ms", Lower, self.check_processor_ms),
            Figure::new("certificates refused", "", Lower, sum(&self.refused)),
            Figure::new("certificates not given", "", Lower, sum(&self.failed)),
        ];
        if let Some(node_us) = self.node_us {
            let name = "node's processor time a certificate";
            figures.push(Figure::new(name, "µs", Lower, node_us));
        }
        for sort in [Sort::Numbers, Sort::Month].map(Sort::name) {
            let Some(of) = self.sorts.get(sort) else { continue };
            let name = |what: &str| format!("{sort}, {what}");
            figures.push(Figure::new(&name("length, p50"), "B", Lower, of.bytes.p50));
            figures.push(Figure::new(&name("p50"), "ms", Lower, of.latency_ms.p50));
            figures.push(Figure::new(&name("verification, p50"), "ms", Lower, of.check_ms.p50));
        }
        figures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(sort: Sort, at: u64, latency: u64) -> Checked {
        let [at, latency, took] = [at, latency, latency / 10].map(Duration::from_millis);
        Checked { sort, at, latency, bytes: 1_000 * latency.as_millis() as usize, took }
    }

    #[test]
    fn counted_is_what_was_asked_in_the_counted_seconds_and_is_about_one_bill() {
        let checks = Checks {
            checked: vec![
                checked(Sort::Bill, 1_999, 70),
                checked(Sort::Bill, 2_000, 10),
                checked(Sort::Absent, 3_000, 30),
                checked(Sort::Numbers, 3_500, 90),
                checked(Sort::Bill, 4_000, 80),
            ],
            refused: BTreeMap::new(),
            before: 2,
            processor: Duration::from_millis(20),
        };
        let record = CertificateRecord::new(&checks, (2.0, 2.0));
        assert_eq!((record.per_second, record.singles.count, record.checked), (1.0, 2, 5));
        let SortRecord { latency_ms, bytes, check_ms, .. } = record.singles;
        assert_eq!((latency_ms.p50, latency_ms.max), (10.0, 30.0));
        assert_eq!((bytes.max, check_ms.max), (30_000.0, 3.0));
        assert_eq!(record.sorts["100,000 numbers"].bytes.p50, 90_000.0);
        assert_eq!(record.check_processor_ms, 4.0);
        assert!(record.is_whole());
        let figures = record.figures();
        let value = |name: &str| figures.iter().find(|one| one.name == name).map(|one| one.value);
        assert_eq!(value("certificate, p99"), Some(30.0));
        assert_eq!(value("100,000 numbers, p50"), Some(90.0));
        assert_eq!(value("an issuer's month, p50"), None);
    }

    #[test]
    fn one_that_does_not_hold_or_none_at_all_spoils_a_run() {
        let mut checks = Checks::default();
        assert!(!CertificateRecord::new(&checks, (0.0, 2.0)).is_whole());
        checks.checked.push(checked(Sort::Bill, 1_000, 10));
        assert!(CertificateRecord::new(&checks, (0.0, 2.0)).is_whole());
        checks.refused.insert("the last bit".to_owned(), 1);
        assert!(!CertificateRecord::new(&checks, (0.0, 2.0)).is_whole());
    }

    #[test]
    fn a_nodes_time_is_what_it_took_more_than_those_that_were_not_asked() {
        let record = CertificateRecord { per_second: 500.0, ..CertificateRecord::default() };
        let with = |cores: &[f64], nodes| record.clone().with_cores(cores, nodes).node_us;
        assert_eq!(with(&[0.9, 0.2, 0.3, 0.5], 4), Some(500.0));
        assert_eq!(
            (with(&[0.9, 0.2, 0.5], 4), with(&[0.9, 0.2], 2), with(&[], 0)),
            (None, None, None)
        );
    }
}
