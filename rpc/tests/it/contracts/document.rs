//! `docs/contracts.md`: what it names exists.

use super::{contracts, root, sources::test_names};
use crate::openrpc::registered;
use std::{collections::BTreeSet, fs};

/// A row that fulfils a sentence of the tender.
struct Row {
    line: usize,
    /// `billRegister.register`.
    calls: Vec<String>,
    /// `bill_get`.
    methods: Vec<String>,
    /// `pallets/…/tests.rs::function`.
    tests: Vec<String>,
}

/// What stands in backquotes in one cell.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn rows(text: &str) -> Vec<Row> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| line.starts_with("| 「"))
        .map(|(index, line)| {
            let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
            let line = index + 1;
            assert_eq!(cells.len(), 4, "docs/contracts.md:{line}: sentence, call, read, test");
            let [calls, methods, tests] = [1, 2, 3].map(|cell| quoted(cells[cell]));
            assert!(!tests.is_empty(), "docs/contracts.md:{line}: no test");
            assert!(
                !calls.is_empty() || !methods.is_empty(),
                "docs/contracts.md:{line}: neither a call nor a method"
            );
            Row { line, calls, methods, tests }
        })
        .collect()
}

/// `billRegister.register` for `BillRegister` and `register`.
fn calls() -> BTreeSet<String> {
    let all = contracts();
    let named = all.values().flat_map(|(name, interface)| {
        let (first, rest) = name.split_at(1);
        let contract = format!("{}{rest}", first.to_lowercase());
        interface.calls.iter().map(move |call| format!("{contract}.{call}"))
    });
    named.collect()
}

fn has_test(place: &str) -> bool {
    let Some((file, function)) = place.split_once("::") else { return false };
    let path = root().join(file);
    path.is_file() && test_names(&path).contains(function)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_method_and_test_that_the_contracts_manual_names_exists() {
    let text = fs::read_to_string(root().join("docs/contracts.md")).unwrap();
    let rows = rows(&text);
    let (calls, methods) = (calls(), registered().await);
    let mut wrong = Vec::new();
    for row in &rows {
        let mut check = |what: &str, names: &[String], exists: &dyn Fn(&str) -> bool| {
            for name in names.iter().filter(|name| !exists(name)) {
                wrong.push(format!("docs/contracts.md:{}: there is no {what} {name}", row.line));
            }
        };
        check("call", &row.calls, &|name| calls.contains(name));
        check("method", &row.methods, &|name| methods.contains(name));
        check("test", &row.tests, &has_test);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for number in 216..=233 {
        assert!(
            text.contains(&format!("## {number} ")),
            "docs/contracts.md has no section of row {number}"
        );
    }
    assert!(rows.len() >= 18, "{} rows", rows.len());
}

#[test]
fn what_does_not_exist_is_noticed() {
    assert!(has_test("rpc/tests/it/contracts/document.rs::what_does_not_exist_is_noticed"));
    assert!(!has_test("rpc/tests/it/contracts/document.rs::what_does_not"));
    assert!(!has_test("rpc/tests/it/nowhere.rs::what_does_not_exist_is_noticed"));
    // A helper is no test.
    assert!(!has_test("rpc/tests/it/contracts/document.rs::has_test"));
    assert!(calls().contains("billRegister.register"));
    assert!(!calls().contains("billRegister.registered"));
    let row = &rows("| 「登记」 | `a.b` | `c_d`, `e_f` | `g::h` |\n| x | y |")[0];
    assert_eq!((row.line, row.methods.len(), row.tests.len()), (1, 2, 1));
}
