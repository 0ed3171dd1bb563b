//! Results as text.

use super::{
    chart::written,
    figures::{CaseSummary, FigureSummary},
};
use crate::{
    growth::GrowthRecord,
    load::{CertificateRecord, LoadRecord},
    measure::Percentiles,
};
use std::fmt::{self, Write};

/// Medians of every measurement.
pub(crate) fn summary(cases: &[CaseSummary]) -> String {
    let mut text = String::new();
    for case in cases {
        let runs: Vec<String> = case
            .sides
            .iter()
            .zip(&case.runs)
            .map(|(side, runs)| format!("{side}: {runs} run{}", if *runs == 1 { "" } else { "s" }))
            .collect();
        let _ = writeln!(text, "\n{} ({})", case.case, runs.join(", "));
        for figure in &case.figures {
            let _ = writeln!(text, "  {:42}{}", figure.name, values(figure));
        }
    }
    text
}

/// The medians of a figure, and their ratio.
fn values(figure: &FigureSummary) -> String {
    let mut text = String::new();
    for median in &figure.medians {
        let value = format!("{} {}", number(*median), figure.unit);
        let _ = write!(text, "{:>18}", value.trim_end());
    }
    if let Some(ratio) = figure.ratio {
        let _ = write!(text, "{:>10}", format!("{ratio:.2} x"));
    }
    text
}

/// A number with as many decimals as it can use.
pub(crate) fn number(value: f64) -> String {
    let decimals = match value.abs() {
        large if large >= 100.0 || value.fract() == 0.0 => 0,
        medium if medium >= 1.0 => 1,
        _ => 3,
    };
    written(value, decimals)
}

impl fmt::Display for LoadRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let setting = &self.setting;
        writeln!(f, "load                  {}", setting.load)?;
        writeln!(
            f,
            "seed                  {}, bills from number {}",
            setting.seed, setting.first_number
        )?;
        writeln!(
            f,
            "signed                {} before, {} while it ran",
            setting.signed_before, setting.signed_during
        )?;
        for what in &self.disturbed {
            writeln!(f, "DISTURBED             {what}")?;
        }
        accounts(self, f)?;
        speed(self, f)?;
        costs(self, f)
    }
}

/// What became of the transactions and of their bills.
fn accounts(record: &LoadRecord, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    writeln!(f, "sent                  {}, {} of them late", record.sent, record.late)?;
    writeln!(f, "accepted              {}", record.accepted)?;
    writeln!(f, "committed             {}", record.committed)?;
    writeln!(f, "lost                  {}", record.lost)?;
    writeln!(f, "unanswered            {}", record.unanswered)?;
    for (reason, count) in &record.rejected {
        writeln!(f, "rejected              {count}: {reason}")?;
    }
    if record.deferred > 0 {
        writeln!(f, "sent again            {}", record.deferred)?;
    }
    let outcome = &record.outcome;
    writeln!(
        f,
        "bills read back       {} of {}: {} as expected, {} missing",
        outcome.checked, outcome.bills, outcome.as_expected, outcome.missing
    )?;
    for (what, count) in &outcome.otherwise {
        writeln!(f, "expected, found       {count}: {what}")?;
    }
    if let Some((asked, refused)) = &record.clients {
        writeln!(f, "connections           {asked}")?;
        for (reason, count) in refused {
            writeln!(f, "refused               {count}: {reason}")?;
        }
    }
    Ok(())
}

/// Throughput and percentiles.
fn speed(record: &LoadRecord, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    writeln!(
        f,
        "throughput            {}/s transactions, {}/s bills",
        record.transactions_per_second, record.bills_per_second
    )?;
    for step in &record.steps {
        writeln!(
            f,
            "offered {:>8}/s     {}/s committed, p50 {} ms, p99 {} ms",
            step.offered, step.committed, step.latency_ms.p50, step.latency_ms.p99
        )?;
    }
    writeln!(f, "{:22}{:>12}{:>12}{:>12}{:>12}", "", "p50", "p95", "p99", "max")?;
    percentiles(f, "latency, ms", record.latency_ms)?;
    for (kind, (count, latency)) in &record.kinds {
        percentiles(f, &format!("  {kind} {count}"), *latency)?;
    }
    percentiles(f, "block interval, ms", record.block_interval_ms)?;
    percentiles(f, "block transactions", record.block_transactions)?;
    percentiles(f, "block bytes", record.block_bytes)?;
    if let Some(reads) = &record.reads {
        percentiles(f, &format!("reads, {}/s, ms", reads.per_second), reads.latency_ms)?;
        writeln!(f, "reads not found       {}", reads.missed)?;
        for (reason, count) in &reads.failed {
            writeln!(f, "reads failed          {count}: {reason}")?;
        }
    }
    record.certificates.iter().try_for_each(|found| certificates(found, f))
}

fn certificates(record: &CertificateRecord, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    writeln!(
        f,
        "certificates          {}/s to {} connections; {} hold, {} of them checked meanwhile",
        record.per_second, record.connections, record.checked, record.checked_before
    )?;
    for (sort, of) in &record.sorts {
        writeln!(f, "  {sort} {}", of.count)?;
        percentiles(f, "    latency, ms", of.latency_ms)?;
        percentiles(f, "    bytes", of.bytes)?;
        percentiles(f, "    verification, ms", of.check_ms)?;
    }
    writeln!(f, "verification          {} ms of a processor", record.check_processor_ms)?;
    if let Some(node_us) = record.node_us {
        writeln!(f, "a certificate costs   {node_us} µs of the node's processor time")?;
    }
    for (reason, count) in &record.refused {
        writeln!(f, "CERTIFICATE REFUSED   {count}: {reason}")?;
    }
    for (reason, count) in &record.failed {
        writeln!(f, "no certificate        {count}: {reason}")?;
    }
    Ok(())
}

fn costs(record: &LoadRecord, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let costs = &record.costs;
    for (at, name) in costs.nodes.iter().enumerate() {
        writeln!(
            f,
            "{name:22}{} µs a transaction, {} cores, {} MiB, {} B on disk a bill",
            costs.cpu_us_per_transaction[at],
            costs.cores[at],
            costs.rss_mib[at],
            costs.disk_bytes_per_bill[at]
        )?;
    }
    writeln!(f, "generator             {} cores", costs.own_cores)?;
    writeln!(f, "wire                  {} B a bill", costs.wire_bytes_per_bill)
}

fn percentiles(f: &mut fmt::Formatter<'_>, name: &str, p: Percentiles) -> fmt::Result {
    writeln!(f, "{name:22}{:>12}{:>12}{:>12}{:>12}", p.p50, p.p95, p.p99, p.max)
}

impl fmt::Display for GrowthRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "batches of {}, blocks of {} bills, seed {}",
            self.setting.batch, self.setting.block_bills, self.setting.seed
        )?;
        writeln!(
            f,
            "{:>12}{:>10}{:>10}{:>10}{:>12}{:>10}{:>10}{:>10}",
            "bills", "build µs", "commit µs", "block ms", "block p99", "B a bill", "MiB", "open s"
        )?;
        for one in &self.milestones {
            writeln!(
                f,
                "{:>12}{:>10}{:>10}{:>10}{:>12}{:>10}{:>10}{:>10}",
                written(one.bills as f64, 0),
                one.build_us,
                one.commit_us,
                one.block_ms.p50,
                one.block_ms.p99,
                one.bytes_per_bill(),
                one.rss_mib,
                one.open_seconds
            )?;
        }
        Ok(())
    }
}
