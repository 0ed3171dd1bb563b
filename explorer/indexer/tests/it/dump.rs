//! All that tables hold of the chain, to compare.

use billchain_explorer_indexer::Tables;
use sqlx::{AssertSqlSafe, Column, Row, TypeInfo, ValueRef, any::AnyRow};
use std::collections::BTreeMap;

/// The tables, by the columns that order them. Those that tell of nodes differ from indexer to
/// indexer: `provenance` and `incidents`. What a tally was proved at differs, too.
const TABLES: [(&str, &str); 35] = [
    ("ledger", "genesis, block, hash, time, deciders, deciders_block, validator_set, rules"),
    ("dids", "*"),
    ("blocks", "*"),
    ("transactions", "*"),
    ("events", "*"),
    ("subjects", "*"),
    ("bills", "*"),
    ("versions", "*"),
    ("holdings", "*"),
    ("reimbursements", "*"),
    ("links", "*"),
    ("mismatches", "*"),
    ("refusals", "*"),
    // How a sum stands in two columns, and rows of nothing, depend on where batches end.
    (
        "rollup_bills WHERE bills <> 0",
        "day, issuer, region, class, sort, scene, kind, status, bills, \
         total_high * 1000000000 + total_low AS total, \
         reimbursed_high * 1000000000 + reimbursed_low AS reimbursed",
    ),
    (
        "rollup_operations",
        "day, cause, operator, region, class, scene, kind, operations, \
         amount_high * 1000000000 + amount_low AS amount",
    ),
    ("rollup_days", "*"),
    ("tallies", "sort, name, tally, changed"),
    ("participants", "*"),
    ("access_nodes", "*"),
    ("access_links", "*"),
    ("grants", "*"),
    ("grant_uses", "*"),
    ("scenes", "*"),
    ("scene_proposals", "*"),
    ("policies", "*"),
    ("rule_changes", "*"),
    ("cases", "*"),
    ("contentions", "*"),
    ("motions", "*"),
    ("motion_votes", "*"),
    ("validator_sets", "*"),
    ("validators", "*"),
    ("observers", "*"),
    ("participation", "*"),
    ("allotments", "*"),
];

fn text(row: &AnyRow) -> String {
    let mut columns = Vec::new();
    for column in row.columns() {
        let at = column.ordinal();
        let raw = row.try_get_raw(at).unwrap();
        let value = if raw.is_null() {
            "-".to_owned()
        } else if let Ok(number) = row.try_get::<i64, _>(at) {
            number.to_string()
        } else if let Ok(text) = row.try_get::<String, _>(at) {
            text
        } else if let Ok(bytes) = row.try_get::<Vec<u8>, _>(at) {
            bytes.iter().map(|byte| format!("{byte:02x}")).collect()
        } else {
            panic!("column {} is {}", column.name(), column.type_info().name())
        };
        columns.push(format!("{}={value}", column.name()));
    }
    columns.join(" ")
}

/// Rows by table, sorted.
pub async fn dump(tables: &Tables) -> BTreeMap<&'static str, Vec<String>> {
    let mut all = BTreeMap::new();
    for (table, columns) in TABLES {
        let sql = format!("SELECT {columns} FROM {table}");
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(tables.pool()).await.unwrap();
        let mut rows: Vec<String> = rows.iter().map(text).collect();
        rows.sort();
        all.insert(table, rows);
    }
    all
}

/// That two sets of tables hold the same.
pub async fn assert_equal(one: &Tables, other: &Tables) {
    let (one, other) = (dump(one).await, dump(other).await);
    for (table, rows) in &one {
        let others = &other[table];
        for (a, b) in rows.iter().zip(others) {
            assert_eq!(a, b, "a row of {table}");
        }
        assert_eq!(rows.len(), others.len(), "rows of {table}");
    }
    assert!(
        one["versions"].len() > 60 && one["subjects"].len() > 3,
        "there is something to compare"
    );
}
