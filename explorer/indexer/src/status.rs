//! Where the indexer stands, for the page, for `/health` and for Prometheus.

use crate::node::Node;
use serde::Serialize;
use std::{
    fmt::Write as _,
    time::{SystemTime, UNIX_EPOCH},
};

/// Lag from which on it is a problem, in milliseconds.
pub const LATE_MS: i64 = 30_000;

/// Milliseconds since 1970, by this machine's clock.
pub fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    i64::try_from(now).unwrap_or(i64::MAX)
}

/// Where the indexer stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Status {
    /// Name of the chain.
    pub chain: String,
    /// Hash of its genesis.
    pub genesis: String,
    /// Newest block that the tables hold.
    pub indexed: u32,
    /// Its hash.
    pub indexed_hash: String,
    /// Its time, in milliseconds since 1970.
    pub indexed_time: u64,
    /// Newest block that a node has.
    pub head: u32,
    /// How far the tables are behind: since when they know of a newer block that they do not hold,
    /// in milliseconds; 0 if they hold the newest.
    pub lag_ms: i64,
    /// Blocks that were left out. The cursor moves with the rows, so it is 0 unless the recount
    /// found some.
    pub gaps: u64,
    /// The last block after which the state proved the totals of all bills.
    pub proved: u32,
    /// What is wrong, in words; none if nothing is.
    pub problem: Option<String>,
    /// Nodes that lied since the program began.
    pub liars: Vec<String>,
    /// The nodes, in the order given.
    pub nodes: Vec<NodeStatus>,
    /// Blocks, transactions and versions of bills that were written since the program began.
    pub blocks_written: u64,
    /// Transactions.
    pub transactions_written: u64,
    /// Versions of bills.
    pub versions_written: u64,
    /// Errors since the program began.
    pub errors: u64,
    /// Blocks a second, over the last batch.
    pub blocks_per_second: u64,
}

/// What is known of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NodeStatus {
    /// Where it is.
    pub url: String,
    /// Its newest block, as it said.
    pub head: Option<u32>,
    /// How often it lied.
    pub lies: u64,
    /// Its last lie.
    pub lie: Option<String>,
    /// What was wrong the last time; none if it was of use.
    pub failure: Option<String>,
    /// Blocks that it gave.
    pub blocks: u64,
}

impl NodeStatus {
    pub(crate) fn of(node: &Node) -> Self {
        let record = node.record();
        Self {
            url: node.url().to_owned(),
            head: record.head,
            lies: record.lies,
            lie: record.lie,
            failure: record.failure,
            blocks: record.blocks,
        }
    }
}

impl Status {
    /// Whether nothing is wrong.
    pub fn is_healthy(&self) -> bool {
        self.problem.is_none() && self.gaps == 0 && self.lag_ms < LATE_MS
    }

    /// In Prometheus' text format.
    pub fn metrics(&self) -> String {
        let mut text = String::new();
        let mut gauge = |name: &str, help: &str, kind: &str, value: i64| {
            let _ = writeln!(
                text,
                "# HELP billchain_explorer_{name} {help}\n# TYPE billchain_explorer_{name} {kind}\n\
                 billchain_explorer_{name} {value}"
            );
        };
        let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        gauge("indexed_block", "Newest block of the tables.", "gauge", self.indexed.into());
        gauge("head_block", "Newest block of the nodes.", "gauge", self.head.into());
        gauge("proved_block", "Last block whose totals were proved.", "gauge", self.proved.into());
        gauge("lag_milliseconds", "How far the tables are behind.", "gauge", self.lag_ms);
        gauge("gaps", "Blocks that were left out.", "gauge", count(self.gaps));
        gauge("healthy", "1 if nothing is wrong.", "gauge", self.is_healthy().into());
        gauge("blocks_total", "Blocks written.", "counter", count(self.blocks_written));
        let transactions = count(self.transactions_written);
        gauge("transactions_total", "Transactions written.", "counter", transactions);
        gauge("versions_total", "Versions written.", "counter", count(self.versions_written));
        gauge("errors_total", "Errors.", "counter", count(self.errors));
        for (name, help) in [
            ("node_head_block", "Newest block of a node, as it said."),
            ("node_lies_total", "Lies of a node."),
            ("node_failing", "1 if a node was of no use the last time."),
        ] {
            let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
            let _ = writeln!(text, "# HELP billchain_explorer_{name} {help}");
            let _ = writeln!(text, "# TYPE billchain_explorer_{name} {kind}");
            for node in &self.nodes {
                let value = match name {
                    "node_head_block" => i64::from(node.head.unwrap_or_default()),
                    "node_lies_total" => count(node.lies),
                    _ => node.failure.is_some().into(),
                };
                let url = node.url.replace(['\\', '"', '\n'], "_");
                let _ = writeln!(text, "billchain_explorer_{name}{{node=\"{url}\"}} {value}");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_name_nodes_and_escape_them() {
        let nodes = vec![NodeStatus { url: "http://a\"b".into(), lies: 3, ..Default::default() }];
        let status = Status { indexed: 7, nodes, ..Status::default() };
        let text = status.metrics();
        assert!(text.contains("billchain_explorer_indexed_block 7\n"), "{text}");
        assert!(text.contains("billchain_explorer_node_lies_total{node=\"http://a_b\"} 3\n"));
        assert!(text.contains("billchain_explorer_healthy 1\n"));
    }

    #[test]
    fn what_is_late_or_has_gaps_is_not_healthy() {
        assert!(Status::default().is_healthy());
        assert!(!Status { lag_ms: LATE_MS, ..Status::default() }.is_healthy());
        assert!(!Status { gaps: 1, ..Status::default() }.is_healthy());
        assert!(!Status { problem: Some("x".into()), ..Status::default() }.is_healthy());
    }
}
