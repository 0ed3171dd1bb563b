//! Numbers for an operator's metrics.

use crate::{
    cold::{Cold, Place},
    shared::Shared,
    tables::Table,
};
use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

/// Sizes and times of the store. Counts and seconds are since it was opened.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// Number of the head.
    pub head: u32,
    /// Bytes on disk and in write buffers by column family, as
    /// RocksDB counts them.
    pub table_bytes: Vec<(&'static str, u64)>,
    /// Keys of the state, as RocksDB estimates.
    pub state_keys: u64,
    /// Bytes in RocksDB's write buffers.
    pub write_buffer_bytes: u64,
    /// Bytes in RocksDB's block cache.
    pub block_cache_bytes: u64,
    /// Operations in QMDB's log since genesis, pruned ones included.
    pub commitment_operations: u64,
    /// What it has of cold groups.
    pub cold: ColdStats,
    /// Replaced values held in memory, bytes.
    pub history_bytes: u64,
    /// Blocks before the head whose state is at hand in memory.
    pub history_blocks: u64,
    /// Entries of any table asked for, by key or one after the other.
    pub reads: u64,
    /// Blocks committed.
    pub commits: u64,
    /// Seconds spent committing, all in.
    pub commit_seconds: f64,
    /// Of these, writing and syncing RocksDB.
    pub write_seconds: f64,
    /// Seconds the last commit took.
    pub last_commit_seconds: f64,
    /// Roots asked for.
    pub speculations: u64,
    /// Seconds spent on them.
    pub speculation_seconds: f64,
}

/// Cold groups: how many there are, where they lie, and how often they were asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ColdStats {
    /// Runs; a proof of absence goes through all of them.
    pub runs: u64,
    /// Segments of the runs.
    pub segments: u64,
    /// Of these, those that lie in files.
    pub files: u64,
    /// Of these, those whose file was recorded and cannot be read.
    pub lost: u64,
    /// Groups of the segments.
    pub groups: u64,
    /// Of these, those that are still what the state says of their keys.
    pub active: u64,
    /// Whether two runs are becoming one.
    pub is_merging: bool,
    /// How often a segment was asked for a group.
    pub asked: u64,
    /// Groups that were found.
    pub found: u64,
    /// Bytes of pages, blocks and filters in memory.
    pub cache_bytes: u64,
    /// How often one of these was found there.
    pub cache_hits: u64,
    /// How often one of these had to be read.
    pub cache_misses: u64,
}

impl ColdStats {
    fn of(cold: &Cold) -> Self {
        let view = cold.view();
        let (asked, found) = cold.asked();
        let (cache_hits, cache_misses) = cold.cache.asked();
        let mut stats = Self {
            runs: view.runs.len() as u64,
            is_merging: view.list.merging.is_some(),
            asked,
            found,
            cache_bytes: cold.cache.bytes() as u64,
            cache_hits,
            cache_misses,
            ..Self::default()
        };
        for segment in view.segments() {
            stats.segments += 1;
            match segment.place() {
                Place::Table => {}
                Place::File(_) => stats.files += 1,
                Place::Lost(..) => stats.lost += 1,
            }
            segment.with(|now| {
                stats.groups += now.record.groups;
                stats.active += now.bits.active();
            });
        }
        stats
    }
}

/// Running totals.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) commits: Timer,
    pub(crate) writes: Timer,
    pub(crate) speculations: Timer,
}

/// How often something was done, and how long it took.
#[derive(Default)]
pub(crate) struct Timer {
    count: AtomicU64,
    nanoseconds: AtomicU64,
    last: AtomicU64,
}

impl Timer {
    /// Counts what began at `start` and ends now.
    pub(crate) fn record(&self, start: Instant) {
        let nanoseconds = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.count.fetch_add(1, Relaxed);
        self.nanoseconds.fetch_add(nanoseconds, Relaxed);
        self.last.store(nanoseconds, Relaxed);
    }

    fn count(&self) -> u64 {
        self.count.load(Relaxed)
    }

    fn seconds(&self) -> f64 {
        Duration::from_nanos(self.nanoseconds.load(Relaxed)).as_secs_f64()
    }
}

impl Counters {
    pub(crate) fn stats(
        &self,
        shared: &Shared,
        head: u32,
        commitment_operations: u64,
        (history_blocks, history_bytes): (usize, usize),
    ) -> Stats {
        let tables = &shared.tables;
        let buffered = |table| tables.property(table, "rocksdb.size-all-mem-tables");
        let table_bytes: Vec<_> = Table::ALL
            .into_iter()
            .map(|table| {
                let files = tables.property(table, "rocksdb.total-sst-files-size");
                (table.name(), files.saturating_add(buffered(table)))
            })
            .collect();
        Stats {
            head,
            table_bytes,
            state_keys: tables.property(Table::State, "rocksdb.estimate-num-keys"),
            write_buffer_bytes: Table::ALL.into_iter().map(buffered).sum(),
            block_cache_bytes: tables.cache_usage() as u64,
            commitment_operations,
            cold: ColdStats::of(&shared.cold),
            history_bytes: history_bytes as u64,
            history_blocks: history_blocks as u64,
            reads: tables.reads(),
            commits: self.commits.count(),
            commit_seconds: self.commits.seconds(),
            write_seconds: self.writes.seconds(),
            last_commit_seconds: Duration::from_nanos(self.commits.last.load(Relaxed))
                .as_secs_f64(),
            speculations: self.speculations.count(),
            speculation_seconds: self.speculations.seconds(),
        }
    }
}
