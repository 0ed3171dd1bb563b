//! What the thread that keeps cold segments counts. What segments there are, and which wait for
//! their files, the store is asked at each scrape: that does not depend on the thread.

use crate::disk::Room;
use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};

/// Gauges and counters; clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct ColdMetrics {
    /// Segments whose file is gone.
    pub(super) lost: Gauge,
    /// Files that the second place does not hold yet.
    pub(super) uncopied: Gauge,
    /// 1 while something fails.
    pub(super) failing: Gauge,
    free: Gauge,
    size: Gauge,
    low: Gauge,
    pub(super) written: Counter,
    pub(super) copied: Counter,
    pub(super) restored: Counter,
    pub(super) failures: Counter,
}

impl ColdMetrics {
    /// Registers them.
    pub(crate) fn register(&self, registry: &mut Registry) {
        let mut show = |name: &str, help: &str, gauge: &Gauge| {
            registry.register(name, help, gauge.clone());
        };
        show("cold_segments_lost", "Segments whose file is gone or damaged", &self.lost);
        show("cold_files_uncopied", "Files that the second path lacks", &self.uncopied);
        show("cold_failing", "1 while a file is not written, copied or restored", &self.failing);
        show("cold_disk_free_bytes", "Bytes free on the disk of cold segments", &self.free);
        show("cold_disk_size_bytes", "Bytes of that disk", &self.size);
        show("cold_disk_low", "1 while no file is written for lack of room", &self.low);
        let mut count = |name: &str, help: &str, counter: &Counter| {
            registry.register(name, help, counter.clone());
        };
        count("cold_segments_written", "Files written since start", &self.written);
        count("cold_segments_copied", "Files copied to the second path", &self.copied);
        count("cold_segments_restored", "Lost files that were brought back", &self.restored);
        count("cold_failures", "Failures to write, copy or restore a file", &self.failures);
    }

    /// Shows what room there is.
    pub(super) fn see_room(&self, room: &Room, is_low: bool) {
        self.free.set(gauged(room.free));
        self.size.set(gauged(room.total));
        self.low.set(is_low.into());
    }
}

fn gauged(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
