//! The report as one HTML file that needs nothing else.

use super::{
    chart::{Chart, Series, escaped},
    figures::CaseSummary,
    record::Record,
    table::number,
};
use crate::{
    growth::GrowthRecord,
    load::{BlockPoint, LoadRecord},
    measure::{Machine, Sample},
};
use std::fmt::Write;

const STYLE: &str = "
body { font: 15px/1.45 system-ui, sans-serif; max-width: 1180px; margin: 2em auto; padding: 0 1em;
  color: #1b1b1b; background: #fff; }
h1 { font-size: 1.5em; } h2 { margin-top: 2em; border-top: 1px solid #ccc; padding-top: .8em; }
table { border-collapse: collapse; margin: .6em 0; }
th, td { text-align: right; padding: .15em .9em; border-bottom: 1px solid #e4e4e4; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
td small { color: #666; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(460px, 1fr)); gap: 12px; }
svg text { font: 11px system-ui, sans-serif; fill: #333; }
svg .title { font-size: 13px; font-weight: 600; }
svg .grid { stroke: #e6e6e6; } svg .axis { stroke: #888; }
svg polyline { stroke-width: 1.6; stroke-linejoin: round; }
.setting { color: #444; }
";

/// The report of all records.
pub(crate) fn page(records: &[Record], summary: &[CaseSummary]) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\
         <title>BillChain measurements</title><style>{STYLE}</style>\n\
         <h1>BillChain measurements</h1>\n"
    );
    if let Some((machine, commit)) = records.iter().find_map(machine_of) {
        let _ = writeln!(
            page,
            "<p>{} · {} cores · {} MiB · Linux {} · {} · {} build · revision {}</p>",
            escaped(&machine.cpu),
            machine.cores,
            machine.memory_mib,
            escaped(&machine.kernel),
            escaped(&machine.file_system),
            escaped(&machine.profile),
            escaped(commit),
        );
    }
    page.push_str(
        "<p>Nodes and load generator share the machine. Latency counts from the intended time of \
         sending. Medians over runs; the charts are of each measurement's last run.</p>\n",
    );
    for case in summary {
        let _ = writeln!(page, "<h2>{}</h2>", escaped(&case.case));
        for side in &case.sides {
            let last =
                records.iter().rfind(|record| record.case() == case.case && record.side() == side);
            if let Some(setting) = last.and_then(setting) {
                let _ = writeln!(
                    page,
                    "<p class=\"setting\">{}: {}</p>",
                    escaped(side),
                    escaped(&setting)
                );
            }
        }
        table(&mut page, case);
        for side in &case.sides {
            let last =
                records.iter().rfind(|record| record.case() == case.case && record.side() == side);
            let drawn = last.map(charts).unwrap_or_default();
            let drawn: Vec<&Chart> = drawn.iter().filter(|chart| !chart.is_empty()).collect();
            if drawn.is_empty() {
                continue;
            }
            if case.sides.len() > 1 {
                let _ = writeln!(page, "<h3>{}</h3>", escaped(side));
            }
            page.push_str("<div class=\"charts\">\n");
            for chart in drawn {
                let _ = writeln!(page, "{}", chart.svg());
            }
            page.push_str("</div>\n");
        }
    }
    page.push_str("</html>\n");
    page
}

fn machine_of(record: &Record) -> Option<(&Machine, &str)> {
    let (machine, commit) = match record {
        Record::Load(record) => (&record.machine, &record.commit),
        Record::Growth(record) => (&record.machine, &record.commit),
        Record::Values(record) => (&record.machine, &record.commit),
    };
    (machine.cores > 0).then_some((machine, commit.as_str()))
}

fn setting(record: &Record) -> Option<String> {
    match record {
        Record::Load(record) => {
            let setting = &record.setting;
            let mut text = format!(
                "{}; {} s after {} s of warming up, {} nodes, {} issuers, seed {}",
                setting.load,
                setting.duration,
                number(setting.warm_up),
                setting.nodes,
                setting.issuers,
                setting.seed
            );
            if setting.signed_before > 0 {
                let _ = write!(
                    text,
                    "; {} transactions signed before, {} while it ran",
                    setting.signed_before, setting.signed_during
                );
            }
            for what in &record.disturbed {
                let _ = write!(text, "; DISTURBED: {what}");
            }
            if setting.reads_per_write > 0.0 {
                let _ = write!(text, "; {} reads for each write", setting.reads_per_write);
            }
            Some(text)
        }
        Record::Growth(record) => Some(format!(
            "batches of {} bills, blocks of {}, {} MiB of block cache, costs over the last {} \
             bills before each milestone, seed {}",
            record.setting.batch,
            record.setting.block_bills,
            record.setting.cache_mib,
            number(record.setting.window as f64),
            record.setting.seed
        )),
        Record::Values(_) => None,
    }
}

fn table(page: &mut String, case: &CaseSummary) {
    page.push_str("<table><tr><th></th>");
    for (side, runs) in case.sides.iter().zip(&case.runs) {
        let plural = if *runs == 1 { "" } else { "s" };
        let _ = write!(page, "<th>{} ({runs} run{plural})</th>", escaped(side));
    }
    let compares = case.sides.len() == 2;
    page.push_str(if compares { "<th>ratio</th></tr>\n" } else { "</tr>\n" });
    for figure in &case.figures {
        let _ = write!(page, "<tr><td>{}</td>", escaped(&figure.name));
        for (median, (least, most)) in figure.medians.iter().zip(&figure.ranges) {
            let _ = write!(page, "<td>{} {}", number(*median), escaped(&figure.unit));
            if least != most {
                let _ = write!(page, " <small>{}–{}</small>", number(*least), number(*most));
            }
            page.push_str("</td>");
        }
        if compares {
            match figure.ratio {
                Some(ratio) => {
                    let _ = write!(page, "<td>{ratio:.2}</td>");
                }
                None => page.push_str("<td></td>"),
            }
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</table>\n");
}

fn charts(record: &Record) -> Vec<Chart> {
    match record {
        Record::Load(record) => load_charts(record),
        Record::Growth(record) => growth_charts(record),
        Record::Values(_) => Vec::new(),
    }
}

const ACROSS_LOAD: &str = "seconds from the start";

fn load_charts(record: &LoadRecord) -> Vec<Chart> {
    let mut charts = speed_charts(record);
    charts.extend(block_charts(record));
    charts.extend(cost_charts(record));
    charts
}

/// Throughput and latency.
fn speed_charts(record: &LoadRecord) -> Vec<Chart> {
    // The last second is not whole.
    let whole = record.seconds.len().saturating_sub(1);
    let seconds = || (0..whole).map(|at| (at as f64, &record.seconds[at]));
    let due = || seconds().filter(|(_, second)| second.due > 0);
    let (what, throughput) = if record.setting.batch > 1 {
        let bills = Series::new("bills", seconds().map(|(at, second)| (at, second.bills as f64)));
        ("Bills a second", vec![bills])
    } else {
        let committed = seconds().map(|(at, second)| (at, second.committed as f64));
        let lines = vec![
            Series::new("due", due().map(|(at, second)| (at, second.due as f64))),
            Series::new("committed", committed),
        ];
        ("Transactions a second", lines)
    };
    let steps = record.steps.iter().map(|step| (step.offered, step.committed));
    vec![
        Chart::new(what, ACROSS_LOAD, throughput),
        Chart::new(
            "Submit to final, ms, by the second in which it was due",
            ACROSS_LOAD,
            vec![
                Series::new("p50", due().map(|(at, second)| (at, second.p50))),
                Series::new("p95", due().map(|(at, second)| (at, second.p95))),
                Series::new("p99", due().map(|(at, second)| (at, second.p99))),
            ],
        ),
        Chart::new(
            "Committed a second, by what was offered",
            "transactions offered a second",
            vec![Series::new("committed", steps)],
        ),
    ]
}

fn block_charts(record: &LoadRecord) -> Vec<Chart> {
    let blocks =
        |of: fn(&BlockPoint) -> f64| record.blocks.iter().map(move |block| (block.at, of(block)));
    let transactions = blocks(|block| block.transactions as f64);
    let size = blocks(|block| block.bytes as f64 / 1024.0);
    let intervals = record.blocks.windows(2).map(|two| (two[1].at, (two[1].at - two[0].at) * 1e3));
    [
        ("Transactions of a block", Series::new("transactions", transactions)),
        ("Size of a block, KiB", Series::new("KiB", size)),
        ("Block interval, ms", Series::new("interval", intervals)),
    ]
    .map(|(title, series)| Chart::new(title, ACROSS_LOAD, vec![series]))
    .to_vec()
}

/// Processor, memory and disk of each node.
fn cost_charts(record: &LoadRecord) -> Vec<Chart> {
    let samples = &record.samples;
    let of_nodes = |of: &dyn Fn(usize) -> Vec<(f64, f64)>| {
        let names = record.costs.nodes.iter().enumerate();
        names.map(|(node, name)| Series::new(name, of(node))).collect::<Vec<_>>()
    };
    let memory = of_nodes(&|node| {
        samples.iter().map(|sample| (sample.at, sample.nodes[node].rss_mib)).collect()
    });
    let cores = of_nodes(&|node| {
        let spent = |two: &[Sample]| {
            (two[1].nodes[node].cpu - two[0].nodes[node].cpu) / (two[1].at - two[0].at)
        };
        // The last look comes soon after the one before it.
        let whole = samples.windows(2).filter(|two| two[1].at - two[0].at > 0.5);
        whole.map(|two| (two[1].at, spent(two))).collect()
    });
    let disk = of_nodes(&|node| {
        let counted = samples.iter().filter(|sample| sample.nodes[node].disk > 0);
        counted.map(|sample| (sample.at, sample.nodes[node].disk as f64 / 1_048_576.0)).collect()
    });
    vec![
        Chart::new("Cores in use", ACROSS_LOAD, cores),
        Chart::new("Resident memory, MiB", ACROSS_LOAD, memory),
        Chart::new("Disk, MiB", ACROSS_LOAD, disk),
    ]
}

fn growth_charts(record: &GrowthRecord) -> Vec<Chart> {
    const ACROSS: &str = "million bills";
    let points = |of: &dyn Fn(&crate::growth::Point) -> f64| -> Vec<(f64, f64)> {
        record.points.iter().map(|point| (point.bills as f64 / 1e6, of(point))).collect()
    };
    let milestones = |of: &dyn Fn(&crate::growth::Milestone) -> f64| -> Vec<(f64, f64)> {
        record.milestones.iter().map(|one| (one.bills as f64 / 1e6, of(one))).collect()
    };
    vec![
        Chart::new(
            "Cost of a bill, µs",
            ACROSS,
            vec![
                Series::new("build", points(&|point| point.build_us)),
                Series::new("commit", points(&|point| point.commit_us)),
                Series::new("all", points(&|point| point.build_us + point.commit_us)),
            ],
        ),
        Chart::new(
            "Bytes on disk a bill",
            ACROSS,
            vec![
                Series::new("growing", points(&|p| p.disk as f64 / p.bills.max(1) as f64)),
                Series::new("milestones", milestones(&|one| one.bytes_per_bill())),
            ],
        ),
        Chart::new(
            "Resident memory, MiB",
            ACROSS,
            vec![Series::new("process", points(&|point| point.rss_mib))],
        ),
        Chart::new(
            "Opened again, s",
            ACROSS,
            vec![Series::new("seconds", milestones(&|one| one.open_seconds))],
        ),
    ]
}

#[cfg(test)]
mod tests;
