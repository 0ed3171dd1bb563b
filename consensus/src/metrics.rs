//! Metrics of consensus, in Malachite's registry.
//!
//! [`export`] writes everything: Malachite's own (rounds, timeouts, peers, sync)
//! and the ones below, each labelled with the node's name.

use malachitebft_app_channel::app::metrics::SharedRegistry;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};

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
        let seconds = || Histogram::new(exponential_buckets(0.001, 2.0, 15));
        let metrics = Self {
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
        };
        registry.with_prefix("billchain_consensus", |registry| {
            registry.register("height", "Height committed last", metrics.height.clone());
            registry.register("blocks", "Blocks committed", metrics.blocks.clone());
            registry.register("synced_blocks", "Blocks from value sync", metrics.synced.clone());
            registry.register("proposed_blocks", "Blocks proposed here", metrics.proposed.clone());
            registry.register("invalid_blocks", "Invalid proposals", metrics.invalid.clone());
            registry.register("refused_parts", "Parts refused", metrics.refused_parts.clone());
            registry.register(
                "unexpanded_proposals",
                "Compact blocks that could not be expanded",
                metrics.unexpanded.clone(),
            );
            registry.register(
                "untimely_blocks",
                "Proposed blocks whose time did not agree with the clock",
                metrics.untimely.clone(),
            );
            registry.register(
                "missing_blocks",
                "Decided blocks that were missing here",
                metrics.missing.clone(),
            );
            registry.register(
                "left_out_messages",
                "Messages of peers that sent more than the engine got done",
                metrics.left_out.clone(),
            );
            registry.register(
                "equivocations",
                "Offences of validators that signed twice: one for each validator, height and kind",
                metrics.equivocations.clone(),
            );
            registry.register(
                "omitted_log_lines",
                "Log lines about peers left out",
                metrics.omitted_lines.clone(),
            );
            registry.register(
                "abstaining",
                "1 while a validator follows without its vote",
                metrics.abstaining.clone(),
            );
            registry.register("propose_seconds", "Time to build", metrics.propose_time.clone());
            registry.register("check_seconds", "Time to check", metrics.check_time.clone());
            registry.register("commit_seconds", "Time to commit", metrics.commit_time.clone());
            registry.register("block_bytes", "Block size", metrics.block_bytes.clone());
            registry.register(
                "block_interval_seconds",
                "Time between commits",
                metrics.block_interval.clone(),
            );
        });
        metrics
    }
}
