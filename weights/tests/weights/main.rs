//! Every benchmark runs over the node's own storage, and what it says can be
//! written down.

use billchain_weights::{
    Effort, Ledger, Measured, Origin, Pallet, check, fit, measure, measure_prices, pallets,
    weights_rs,
};
use std::{fs, path::PathBuf, time::Duration};

fn ledger(bills: u32) -> Ledger {
    Ledger::fill(&std::env::temp_dir(), bills, |_| {}).unwrap()
}

fn pallet(directory: &str) -> Pallet {
    pallets().into_iter().find(|pallet| pallet.directory == directory).unwrap()
}

/// The functions that a text declares, as they stand there.
fn declarations(text: &str) -> Vec<String> {
    let mut found: Vec<String> = text
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("fn ") && line.ends_with("-> Weight;"))
        .map(str::to_owned)
        .collect();
    found.sort();
    found
}

#[test]
fn every_benchmark_does_what_it_measures_and_takes_it_back() {
    let ledger = ledger(1_000);
    let before = ledger.state().unwrap();
    for pallet in pallets() {
        let names = check(&ledger, &pallet).unwrap();
        assert!(!names.is_empty(), "{} has no benchmark", pallet.directory);
        assert!(ledger.state().unwrap() == before, "{} left something", pallet.directory);
    }
}

#[test]
fn the_weights_in_the_tree_are_those_of_the_benchmarks() {
    let ledger = ledger(10);
    for pallet in pallets() {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("../pallets")
            .join(pallet.directory)
            .join("src/weights.rs");
        let measured = measure(&ledger, &pallet, Effort { steps: 2, repeats: 1 }).unwrap();
        let origin = Origin {
            command: "test".into(),
            date: "today".into(),
            machine: "here".into(),
            bills: ledger.bills(),
            effort: Effort { steps: 2, repeats: 1 },
        };
        let fresh = weights_rs(&origin, &measured).unwrap();
        let tree = fs::read_to_string(&path).unwrap();
        assert_eq!(
            declarations(&tree),
            declarations(&fresh),
            "{}: run scripts/weights {}",
            path.display(),
            pallet.directory
        );
    }
}

#[test]
fn a_batch_reads_its_sender_once_and_each_bill_for_itself() {
    let ledger = ledger(1_000);
    let register = pallet("bill-register");
    let measured = measure(&ledger, &register, Effort { steps: 3, repeats: 1 }).unwrap();
    let batch = measured.iter().find(|one| one.name == "register_batch").unwrap();
    let cost = fit(batch).unwrap();
    // The bill itself is looked for and written, and the hundred numbers that it
    // counts in are read and written; participant, the scene's own rule and the
    // general one, time, scene, field rules, access nodes, policies and the
    // issuer's range of numbers are read once, and the range is written. So are
    // the totals of the month, the million and a ten thousand of each range.
    assert_eq!((cost.each[0].reads, cost.each[0].writes), (2, 2), "{cost:?}");
    let totals = 1 + 1 + 16;
    assert_eq!((cost.reads, cost.writes), (11 + totals, 1 + totals), "{cost:?}");
    let most = batch.samples.iter().find(|sample| sample.components == [500]).unwrap();
    assert_eq!(u64::from(most.writes), 2 * 500 + 1 + totals);
    assert!(most.commit_time > Duration::ZERO && most.read_time > Duration::ZERO);
}

#[test]
fn samples_cover_every_component_from_end_to_end() {
    let ledger = ledger(10);
    let effort = Effort { steps: 3, repeats: 2 };
    let measured = measure(&ledger, &pallet("dispute"), effort).unwrap();
    let Measured { samples, .. } = measured.iter().find(|one| one.name == "open_case").unwrap();
    let values: Vec<u32> = samples.iter().map(|sample| sample.components[0]).collect();
    assert_eq!(values, [1, 8, 16, 1, 8, 16]);
}

#[test]
fn prices_are_those_of_a_ledger_with_bills() {
    assert!(measure_prices(&ledger(0), 1).is_err());
    let prices = measure_prices(&ledger(2_000), 1).unwrap();
    for (name, price) in [
        ("read", prices.read),
        ("write", prices.write),
        ("block", prices.block),
        ("transaction", prices.transaction),
    ] {
        assert!(price > Duration::ZERO, "{name} is free");
    }
}
