//! What is counted, and in which seconds.

use super::*;
use crate::{measure::Use, workload::Transaction};
use billchain_primitives::Hash;
use bytes::Bytes;

fn transaction(number: u64, kind: Kind, bills: u32) -> Transaction {
    Transaction {
        at: Duration::ZERO,
        node: 0,
        kind,
        bills,
        hash: Hash::from_low_u64_be(number),
        bytes: Bytes::new(),
        effect: None,
    }
}

fn at(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// Ten transactions a second for ten seconds, each final after 200 ms, but
/// those of the eighth second after 1,200.
fn book() -> Book {
    let mut book = Book::default();
    for number in 0..100 {
        let intended = number as f64 / 10.0;
        book.enter(&transaction(number, Kind::Batch, 5), at(intended));
        let latency = if (8.0..9.0).contains(&intended) { 1.2 } else { 0.2 };
        book.block(SeenBlock {
            height: number as u32,
            at: at(intended + latency),
            hashes: vec![Hash::repeat_byte(0xff), Hash::from_low_u64_be(number)],
            bytes: 400,
        });
    }
    book
}

fn record(book: &Book, samples: Vec<Sample>, names: &[&str]) -> LoadRecord {
    let setting = Setting { warm_up: 2.0, duration: 8.0, batch: 5, ..Setting::default() };
    LoadRecord { setting, ..LoadRecord::default() }.fill(Raw {
        accounts: book.accounts(),
        entries: book.entries().collect(),
        blocks: &book.blocks,
        samples,
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        reads: None,
    })
}

#[test]
fn rates_and_latencies_are_of_the_counted_seconds() {
    let record = record(&book(), Vec::new(), &[]);
    assert_eq!((record.committed, record.lost), (100, 0));
    // Final from 2 s to 10 s: 62 that were due from 1.8 s on, eight of the late
    // ones, and eight after these.
    assert_eq!(record.transactions_per_second, 9.8);
    assert_eq!(record.bills_per_second, 48.8);
    assert_eq!((record.latency_ms.p50, record.latency_ms.p99), (200.0, 1_200.0));
    assert_eq!(record.kinds["Batch"].0, 80);
    assert_eq!(record.block_transactions.p50, 1.0);
    assert_eq!(record.blocks.len(), 100);
}

#[test]
fn each_second_knows_what_was_due_and_what_became_final() {
    let seconds = record(&book(), Vec::new(), &[]).seconds;
    assert_eq!((seconds[4].due, seconds[4].committed, seconds[4].bills), (10, 10, 50));
    assert_eq!((seconds[4].p50, seconds[8].p50), (200.0, 1_200.0));
    // Of its own ten none yet, of the second before the last two.
    assert_eq!(seconds[8].committed, 2);
    let due: u64 = seconds.iter().map(|second| second.due).sum();
    assert_eq!(due, 100);
}

#[test]
fn costs_are_spread_over_what_was_committed() {
    let sample = |at: f64, cpu: f64, disk: u64, wire: u64| Sample {
        at,
        nodes: vec![Use { cpu, rss_mib: 100.0 + at, disk }],
        own_cpu: cpu / 10.0,
        all_cpu: cpu * 1.2,
        wire,
    };
    let samples = vec![
        sample(0.0, 1.0, 1_000, 0),
        sample(2.0, 2.0, 0, 10_000),
        sample(10.0, 6.0, 0, 400_000),
        sample(12.0, 7.0, 51_000, 500_000),
    ];
    let costs = record(&book(), samples, &["node-1"]).costs;
    // 4 s of processor time for 78 transactions of 5 bills.
    assert_eq!(costs.cpu_us_per_transaction, [51_282.1]);
    assert_eq!((costs.cores[0], costs.own_cores), (0.5, 0.05));
    // 0.2 of 4 s, of which this program's are half.
    assert_eq!(costs.other_cores, 0.05);
    assert_eq!(costs.rss_mib, [112.0]);
    assert_eq!(costs.wire_bytes_per_bill, 1_000.0);
    assert_eq!(costs.disk_bytes_per_bill, [100.0]);
}

#[test]
fn a_run_says_what_took_processors_from_the_nodes() {
    assert!(disturbances(0.05, 0.05).is_empty());
    let [signing, others] = &disturbances(0.31, 0.06)[..] else { panic!("two") };
    assert!(signing.contains("signing while it ran took 0.31"), "{signing}");
    assert!(others.contains("other programs took 0.06"), "{others}");
}

#[test]
fn a_step_is_what_was_due_and_what_became_final_in_it() {
    let book = book();
    let entries: Vec<&Entry> = book.entries().collect();
    let calm = step(&entries, 10.0, at(4.0), at(2.0));
    assert_eq!((calm.committed, calm.latency_ms.p50), (10.0, 200.0));
    let late = step(&entries, 10.0, at(8.0), at(1.0));
    assert_eq!((late.committed, late.latency_ms.p50), (2.0, 1_200.0));
}

#[test]
fn a_record_can_be_written_and_read() {
    let record = record(&book(), Vec::new(), &[]);
    let text = serde_json::to_string(&LoadRecord { record: "load".into(), ..record }).unwrap();
    let read: LoadRecord = serde_json::from_str(&text).unwrap();
    assert_eq!((read.committed, read.latency_ms.p99), (100, 1_200.0));
    assert_eq!(read.seconds.len(), 11);
}
