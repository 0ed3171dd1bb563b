//! What the report contains, and what it does not.

use super::*;
use crate::{
    growth::{Milestone, Point},
    load::{Costs, Second, Setting},
    measure::Use,
    report::figures::summarise,
};

fn load(side: &str) -> Record {
    let node = |cpu, disk| Use { cpu, rss_mib: 120.0, disk };
    let sample = |at: f64, disk| Sample {
        at,
        nodes: vec![node(at / 2.0, disk)],
        own_cpu: 0.0,
        all_cpu: 0.0,
        wire: 0,
    };
    Record::Load(Box::new(LoadRecord {
        record: "load".into(),
        case: "mix <1200>".into(),
        side: side.into(),
        commit: "abc".into(),
        machine: Machine { cpu: "A & B".into(), cores: 2, ..Machine::default() },
        setting: Setting { load: "the mix".into(), batch: 1, ..Setting::default() },
        transactions_per_second: 1_198.5,
        seconds: vec![Second { due: 1_200, committed: 1_000, p50: 310.0, ..Second::default() }; 4],
        blocks: (1..5)
            .map(|n| BlockPoint { at: f64::from(n), height: n, transactions: 400, bytes: 200_000 })
            .collect(),
        samples: vec![sample(0.0, 0), sample(1.0, 5 << 20), sample(2.0, 0), sample(3.0, 9 << 20)],
        costs: Costs {
            nodes: vec!["node-1".into()],
            cpu_us_per_transaction: vec![300.0],
            cores: vec![0.5],
            rss_mib: vec![120.0],
            disk_bytes_per_bill: vec![900.0],
            ..Costs::default()
        },
        ..LoadRecord::default()
    }))
}

fn growth() -> Record {
    let milestone = |bills| Milestone {
        bills,
        height: 9,
        build_us: 30.0,
        commit_us: 10.0,
        measured_over: 1_000,
        rss_mib: 200.0,
        disk_bytes: bills * 900,
        open_seconds: 0.5,
        ..Milestone::default()
    };
    let point = |bills| Point {
        bills,
        build_us: 30.0,
        commit_us: 9.0,
        rss_mib: 180.0,
        disk: bills * 950,
        ..Point::default()
    };
    Record::Growth(Box::new(GrowthRecord {
        record: "growth".into(),
        case: "growth".into(),
        side: "this".into(),
        milestones: vec![milestone(1_000_000), milestone(2_000_000)],
        points: (1..20).map(|n| point(n * 100_000)).collect(),
        ..GrowthRecord::default()
    }))
}

fn made(records: &[Record]) -> String {
    page(records, &summarise(records))
}

#[test]
fn the_page_needs_nothing_from_anywhere() {
    let html = made(&[load("this"), growth()]);
    for outside in ["http:", "https:", "src=", "href=", "url(", "@import", "<script", "<link"] {
        assert!(!html.contains(outside), "{outside}");
    }
}

#[test]
fn every_quantity_that_was_measured_has_a_chart() {
    let html = made(&[load("this"), growth()]);
    for title in [
        "Transactions a second",
        "Submit to final, ms",
        "Transactions of a block",
        "Size of a block, KiB",
        "Block interval, ms",
        "Cores in use",
        "Resident memory, MiB",
        "Disk, MiB",
        "Cost of a bill",
        "Bytes on disk a bill",
        "Opened again",
    ] {
        assert!(html.contains(&format!("class=\"title\" x=\"66\" y=\"16\">{title}")), "{title}");
    }
    // No steps, no chart of them.
    assert!(!html.contains("transactions offered a second"));
    assert_eq!(html.matches("<svg").count(), html.matches("</svg>").count());
    assert!(html.contains("1,199") || html.contains("1,198"), "the throughput stands in the table");
}

#[test]
fn names_cannot_break_the_page_and_two_sides_have_a_ratio() {
    let html = made(&[load("this"), load("v<0>")]);
    assert!(html.contains("mix &lt;1200&gt;") && html.contains("v&lt;0&gt;"));
    assert!(html.contains("A &amp; B"));
    assert!(html.contains("<th>ratio</th>") && html.contains("<td>1.00</td>"));
    assert!(!made(&[load("this")]).contains("<th>ratio</th>"));
}
