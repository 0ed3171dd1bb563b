//! What the store holds and what it costs, asked for at each scrape.

use crate::{cold::report::is_overdue, machine};
use billchain_storage::{ColdStats, Stats, Storage};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    registry::Unit,
};
use std::{fmt, sync::Arc};

/// Reads the store's numbers and the process's memory.
pub(super) struct StorageMetrics(pub(super) Arc<Storage>);

impl fmt::Debug for StorageMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StorageMetrics").finish_non_exhaustive()
    }
}

impl Collector for StorageMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let stats = self.0.stats();
        sizes(&mut encoder, &stats)?;
        costs(&mut encoder, &stats)?;
        cold(&mut encoder, &stats.cold)?;
        // A store that has failed tells nothing more; the node ends.
        let segments = self.0.cold_segments().unwrap_or_default();
        let waiting = segments
            .iter()
            .filter(|one| one.file.is_none() && is_overdue(one.ended_at, stats.head))
            .count();
        let help = "Segments that have no file for long";
        gauge(&mut encoder, "cold_segments_overdue", help, None, waiting as u64)?;
        if let Some(resident) = machine::resident_bytes() {
            gauge(
                &mut encoder,
                "resident_memory",
                "Memory of the process",
                Some(Unit::Bytes),
                resident,
            )?;
        }
        Ok(())
    }
}

fn sizes(encoder: &mut DescriptorEncoder<'_>, stats: &Stats) -> fmt::Result {
    let bytes = Some(Unit::Bytes);
    let help = "RocksDB's write buffers";
    gauge(encoder, "storage_write_buffer", help, bytes.clone(), stats.write_buffer_bytes)?;
    let help = "RocksDB's block cache";
    gauge(encoder, "storage_block_cache", help, bytes.clone(), stats.block_cache_bytes)?;
    let help = "Replaced values held in memory";
    gauge(encoder, "storage_history", help, bytes.clone(), stats.history_bytes)?;
    gauge(encoder, "storage_state_keys", "Keys of the state, estimated", None, stats.state_keys)?;
    let help = "Operations in the commitment's log since genesis";
    gauge(encoder, "storage_commitment_operations", help, None, stats.commitment_operations)?;
    let help = "Bytes on disk and in write buffers, by table";
    let mut family =
        encoder.encode_descriptor("storage_table", help, bytes.as_ref(), MetricType::Gauge)?;
    for (table, bytes) in &stats.table_bytes {
        let value = ConstGauge::new(i64::try_from(*bytes).unwrap_or(i64::MAX));
        value.encode(family.encode_family(&[("table", *table)])?)?;
    }
    Ok(())
}

fn costs(encoder: &mut DescriptorEncoder<'_>, stats: &Stats) -> fmt::Result {
    let seconds = Some(Unit::Seconds);
    let help = "Time spent committing blocks";
    counter(encoder, "storage_commit", help, seconds.as_ref(), stats.commit_seconds)?;
    let help = "Of it, writing and syncing RocksDB";
    counter(encoder, "storage_write", help, seconds.as_ref(), stats.write_seconds)?;
    let help = "Time spent computing roots of states";
    counter(encoder, "storage_root", help, seconds.as_ref(), stats.speculation_seconds)?;
    let help = "Entries read from the database since start";
    counter(encoder, "storage_reads", help, None, stats.reads)?;
    let help = "Blocks committed since start";
    counter(encoder, "storage_commits", help, None, stats.commits)?;
    let help = "Roots computed since start";
    counter(encoder, "storage_roots", help, None, stats.speculations)
}

/// Cold groups, and reads of them.
fn cold(encoder: &mut DescriptorEncoder<'_>, stats: &ColdStats) -> fmt::Result {
    let help = "Cold segments, those that grow included";
    gauge(encoder, "cold_segments", help, None, stats.segments)?;
    gauge(encoder, "cold_groups", "Groups of keys in them", None, stats.groups)?;
    let help = "Those that still are what the state says";
    gauge(encoder, "cold_groups_active", help, None, stats.active)?;
    let help = "Runs of cold segments: a proof of absence goes through all of them";
    gauge(encoder, "storage_cold_runs", help, None, stats.runs)?;
    let help = "1 while two of them become one";
    gauge(encoder, "storage_cold_merging", help, None, stats.is_merging.into())?;
    let help = "Pages, blocks and filters of cold segments in memory";
    gauge(encoder, "storage_cold_cache", help, Some(Unit::Bytes), stats.cache_bytes)?;
    let help = "How often one of them was there";
    counter(encoder, "storage_cold_cache_hits", help, None, stats.cache_hits)?;
    let help = "How often one of them had to be read";
    counter(encoder, "storage_cold_cache_misses", help, None, stats.cache_misses)?;
    let help = "How often a segment was asked for a group";
    counter(encoder, "storage_cold_lookups", help, None, stats.asked)?;
    let help = "Cold groups that were found";
    counter(encoder, "storage_cold_found", help, None, stats.found)
}

fn gauge(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    unit: Option<Unit>,
    value: u64,
) -> fmt::Result {
    let value = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
    value.encode(encoder.encode_descriptor(name, help, unit.as_ref(), value.metric_type())?)
}

fn counter<N>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    unit: Option<&Unit>,
    value: N,
) -> fmt::Result
where
    ConstCounter<N>: EncodeMetric,
{
    let value = ConstCounter::new(value);
    value.encode(encoder.encode_descriptor(name, help, unit, value.metric_type())?)
}
