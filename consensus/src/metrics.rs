//! Metrics of consensus, in Malachite's registry.
//!
//! [`export`] writes everything: Malachite's own (rounds, timeouts, peers, sync)
//! and the ones below, each labelled with the node's name.

use malachitebft_app_channel::app::metrics::SharedRegistry;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// Appends all metrics of consensus in Prometheus' text format.
pub fn export(text: &mut String) {
    malachitebft_app_channel::app::metrics::export(text);
}

/// The driver's metrics.
#[derive(Clone)]
pub(crate) struct Metrics {
    /// Height committed last.
    pub height: Gauge,
    /// Blocks committed by this process.
    pub blocks: Counter,
    /// Blocks committed from value sync, not from votes.
    pub synced: Counter,
    /// Blocks this node proposed.
    pub proposed: Counter,
    /// Proposed blocks found invalid.
    pub invalid: Counter,
    /// Proposal parts refused: garbage, oversized, wrong proposer.
    pub refused_parts: Counter,
    /// Compact blocks that could not be expanded.
    pub unexpanded: Counter,
    /// Proposed blocks whose time did not agree with the clock.
    pub untimely: Counter,
    /// Decided blocks that were missing here and asked from peers.
    pub missing: Counter,
    /// Messages of peers that sent more than the engine got done.
    pub left_out: Counter,
    /// Offences of validators that signed two statements that exclude each other.
    pub equivocations: Counter,
    /// Log lines about peers that were left out because there were too many.
    pub omitted_lines: Counter,
    /// 1 while a validator follows without its vote, because it may have signed
    /// at the height at hand.
    pub abstaining: Gauge,
    /// Seconds to build a block.
    pub propose_time: Histogram,
    /// Seconds to execute and check a block.
    pub check_time: Histogram,
    /// Seconds to commit a block.
    pub commit_time: Histogram,
    /// Encoded size of committed blocks, bytes.
    pub block_bytes: Histogram,
    /// Seconds between commits.
    pub block_interval: Histogram,
}

impl Metrics {
    pub(crate) fn register(registry: &SharedRegistry) -> Self {
        let metrics = Self::new();
        registry.with_prefix("billchain_consensus", |registry| {
            metrics.register_blocks(registry);
            metrics.register_refusals(registry);
            metrics.register_sizes_and_times(registry);
        });
        metrics
    }

    fn new() -> Self {
        let seconds = || Histogram::new(exponential_buckets(0.001, 2.0, 15));
        Self {
            height: Gauge::default(),
            blocks: Counter::default(),
            synced: Counter::default(),
            proposed: Counter::default(),
            invalid: Counter::default(),
            refused_parts: Counter::default(),
            unexpanded: Counter::default(),
            untimely: Counter::default(),
            missing: Counter::default(),
            left_out: Counter::default(),
            equivocations: Counter::default(),
            omitted_lines: Counter::default(),
            abstaining: Gauge::default(),
            propose_time: seconds(),
            check_time: seconds(),
            commit_time: seconds(),
            block_bytes: Histogram::new(exponential_buckets(1024.0, 2.0, 14)),
            block_interval: seconds(),
        }
    }

    /// What this node decided, and how it takes part.
    fn register_blocks(&self, registry: &mut Registry) {
        registry.register("height", "Height committed last", self.height.clone());
        registry.register("blocks", "Blocks committed", self.blocks.clone());
        registry.register("synced_blocks", "Blocks from value sync", self.synced.clone());
        registry.register("proposed_blocks", "Blocks proposed here", self.proposed.clone());
        let help = "Decided blocks that were missing here";
        registry.register("missing_blocks", help, self.missing.clone());
        let help = "1 while a validator follows without its vote";
        registry.register("abstaining", help, self.abstaining.clone());
    }

    /// What peers did that was refused, left out or held against them.
    fn register_refusals(&self, registry: &mut Registry) {
        registry.register("invalid_blocks", "Invalid proposals", self.invalid.clone());
        registry.register("refused_parts", "Parts refused", self.refused_parts.clone());
        let help = "Compact blocks that could not be expanded";
        registry.register("unexpanded_proposals", help, self.unexpanded.clone());
        let help = "Proposed blocks whose time did not agree with the clock";
        registry.register("untimely_blocks", help, self.untimely.clone());
        let help = "Messages of peers that sent more than the engine got done";
        registry.register("left_out_messages", help, self.left_out.clone());
        let help =
            "Offences of validators that signed twice: one for each validator, height and kind";
        registry.register("equivocations", help, self.equivocations.clone());
        let help = "Log lines about peers left out";
        registry.register("omitted_log_lines", help, self.omitted_lines.clone());
    }

    fn register_sizes_and_times(&self, registry: &mut Registry) {
        registry.register("propose_seconds", "Time to build", self.propose_time.clone());
        registry.register("check_seconds", "Time to check", self.check_time.clone());
        registry.register("commit_seconds", "Time to commit", self.commit_time.clone());
        registry.register("block_bytes", "Block size", self.block_bytes.clone());
        let help = "Time between commits";
        registry.register("block_interval_seconds", help, self.block_interval.clone());
    }
}
