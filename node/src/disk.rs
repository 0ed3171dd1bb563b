//! Room on the disks that a node's data lies on.
//!
//! A database that finds no room ends the node, and a chain whose nodes all end takes
//! nobody's votes. So a node stops to take work while there still is room: it refuses
//! transactions, and its own blocks are empty. It votes on, and commits what others
//! decide. When there is room again it takes up by itself.
//!
//! It begins again only with an eighth more than it stopped at, so that it does not
//! change its mind with each file that the database removes.

use crate::config::Config;
use billchain_rpc_types::DiskView;
use billchain_txpool::{Pool, PoolError};
use parking_lot::Mutex;
use prometheus_client::{metrics::gauge::Gauge, registry::Registry};
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{sync::watch, task::JoinHandle};

/// How often the system is asked.
const PAUSE: Duration = Duration::from_secs(1);
/// Files that can still be made at least, where a disk bounds their number.
const LEAST_FILES: u64 = 256;
/// Part of the least room that has to be free beside it before work is taken again.
const MARGIN: u64 = 8;

/// Room on a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    /// Bytes that this process can still write.
    pub(crate) free: u64,
    /// Bytes of the disk.
    pub(crate) total: u64,
    /// Files that it can still make; `None` where the disk does not say.
    files: Option<u64>,
}

impl Room {
    /// Of the disk that a path lies on.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let found = rustix::fs::statvfs(path)?;
        Ok(Self {
            free: found.f_bavail.saturating_mul(found.f_frsize),
            total: found.f_blocks.saturating_mul(found.f_frsize),
            files: (found.f_files > 0).then_some(found.f_favail),
        })
    }

    /// Whether it is too little, for a node that found too little before or not.
    pub(crate) fn is_low(&self, least: u64, was_low: bool) -> bool {
        let (bytes, files) = match was_low {
            true => (least.saturating_add(least / MARGIN), 2 * LEAST_FILES),
            false => (least, LEAST_FILES),
        };
        self.free < bytes || self.files.is_some_and(|free| free < files)
    }

    /// The tighter one of two.
    fn tighter(self, other: Self) -> Self {
        let files = match (self.files, other.files) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        let tight = if other.free < self.free { other } else { self };
        Self { files, ..tight }
    }
}

/// Watches the disks of a node. Cheap to clone; clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Disk {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// Everything that is written lies in these.
    directories: Vec<PathBuf>,
    /// Bytes below which there is too little.
    least: u64,
    low: watch::Sender<bool>,
    last: Mutex<Last>,
    metrics: Metrics,
}

#[derive(Debug, Default)]
struct Last {
    room: Option<Room>,
    /// Whether the log says already that the system does not tell.
    failed: bool,
}

#[derive(Debug, Default)]
struct Metrics {
    free: Gauge,
    size: Gauge,
    least: Gauge,
    low: Gauge,
}

impl Disk {
    /// Of a node whose directories exist. Looks at once.
    pub(crate) fn new(config: &Config) -> Self {
        // Each may be a disk of its own.
        let directories = vec![
            config.data_dir.clone(),
            config.chain_directory(),
            config.consensus_directory(),
            config.journal(),
        ];
        let disk = Self::of(directories, config.storage.min_free_bytes);
        disk.look();
        disk
    }

    fn of(directories: Vec<PathBuf>, least: u64) -> Self {
        let metrics = Metrics::default();
        metrics.least.set(gauged(least));
        let low = watch::Sender::new(false);
        Self { inner: Arc::new(Inner { directories, least, low, last: Mutex::default(), metrics }) }
    }

    /// Registers the metrics.
    pub(crate) fn register(&self, registry: &mut Registry) {
        let metrics = &self.inner.metrics;
        let mut show = |name: &str, help: &str, gauge: &Gauge| {
            registry.register(name, help, gauge.clone());
        };
        show("disk_free_bytes", "Bytes free on the fullest disk of the data", &metrics.free);
        show("disk_size_bytes", "Bytes of that disk", &metrics.size);
        show("disk_least_bytes", "Bytes below which no work is taken", &metrics.least);
        show("disk_low", "1 while no work is taken for lack of room", &metrics.low);
    }

    /// Whether there is too little room to take work.
    pub(crate) fn is_low(&self) -> bool {
        *self.inner.low.borrow()
    }

    /// Resolves when there is room to take work, at once if there is.
    pub(crate) fn room(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut low = self.inner.low.subscribe();
        async move {
            if low.wait_for(|low| !low).await.is_err() {
                // The node is gone.
                std::future::pending::<()>().await;
            }
        }
    }

    /// What was found last; `None` if the system does not tell.
    pub(crate) fn view(&self) -> Option<DiskView> {
        let Room { free, total, .. } = self.inner.last.lock().room?;
        Some(DiskView { free, total, least: self.inner.least, is_low: self.is_low() })
    }

    /// Why no work is taken, in words; `None` while it is.
    pub(crate) fn words(&self) -> Option<String> {
        if !self.is_low() {
            return None;
        }
        let room = self.inner.last.lock().room?;
        Some(words(&room, self.inner.least))
    }

    /// Asks the system. Blocking.
    fn look(&self) {
        let Inner { directories, least, low, last, metrics } = &*self.inner;
        // One that is not made yet has no disk of its own.
        let is_missing = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
        let found = directories.iter().map(|directory| Room::of(directory));
        let found = found.filter(|room| !room.as_ref().is_err_and(is_missing));
        let found = found.collect::<io::Result<Vec<_>>>();
        let mut last = last.lock();
        let room = match found.map(|rooms| rooms.into_iter().reduce(Room::tighter)) {
            Ok(Some(room)) => room,
            Ok(None) => return,
            Err(error) => {
                if !std::mem::replace(&mut last.failed, true) {
                    tracing::warn!(%error, "the system does not tell how full the disk is");
                }
                return;
            }
        };
        (last.failed, last.room) = (false, Some(room));
        metrics.free.set(gauged(room.free));
        metrics.size.set(gauged(room.total));
        drop(last);
        let was_low = *low.borrow();
        let is_low = room.is_low(*least, was_low);
        metrics.low.set(is_low.into());
        if is_low != was_low {
            low.send_replace(is_low);
            match is_low {
                true => tracing::warn!("no work is taken: {}", words(&room, *least)),
                false => tracing::info!(
                    free_mib = room.free >> 20,
                    "there is room on the disk again: work is taken"
                ),
            }
        }
    }

    /// Looks every second and tells the pool. Runs until it is aborted.
    pub(crate) fn follow(self, pool: Arc<Pool>) -> JoinHandle<()> {
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(PAUSE).await;
                let (disk, pool) = (self.clone(), pool.clone());
                // A network's disk may hang.
                let looked = tokio::task::spawn_blocking(move || {
                    disk.look();
                    disk.tell(&pool);
                });
                if looked.await.is_err_and(|error| error.is_cancelled()) {
                    return;
                }
            }
        })
    }

    /// Lets the pool take work, or not.
    pub(crate) fn tell(&self, pool: &Pool) {
        let refusal = self.view().filter(|disk| disk.is_low).map(|disk| PoolError::DiskLow {
            free_mib: disk.free >> 20,
            least_mib: disk.least >> 20,
        });
        pool.refuse(refusal);
    }
}

/// What an operator is told.
fn words(room: &Room, least: u64) -> String {
    let (free, least) = (room.free >> 20, least >> 20);
    match room.files {
        Some(files) if files < 2 * LEAST_FILES => {
            format!("the disk of data_dir takes {files} more files only")
        }
        _ => format!(
            "the disk of data_dir has {free} MiB free, and work is taken from {least} MiB on \
             (storage.min_free_mib)"
        ),
    }
}

fn gauged(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn room(free: u64) -> Room {
        Room { free: free * MIB, total: 1_000 * MIB, files: None }
    }

    #[test]
    fn work_is_taken_again_with_an_eighth_more_than_it_was_refused_at() {
        let mut low = false;
        let states: Vec<bool> = [80, 63, 64, 71, 72, 64, 63]
            .into_iter()
            .map(|free| {
                low = room(free).is_low(64 * MIB, low);
                low
            })
            .collect();
        assert_eq!(states, [false, true, true, true, false, false, true]);
    }

    #[test]
    fn a_disk_that_takes_no_more_files_is_full() {
        let with = |files| Room { files: Some(files), ..room(500) };
        assert!(!with(256).is_low(MIB, false));
        assert!(with(255).is_low(MIB, false));
        assert!(with(511).is_low(MIB, true));
        assert!(words(&with(255), MIB).contains("255 more files"));
        let tight = with(3).tighter(room(2));
        assert_eq!((tight.free, tight.files), (2 * MIB, Some(3)));
    }

    #[test]
    fn the_system_tells_of_a_real_disk() {
        let place = tempfile::tempdir().unwrap();
        let roomy = Disk::of(vec![place.path().into()], 1);
        roomy.look();
        let view = roomy.view().unwrap();
        assert!(view.free > 0 && view.total >= view.free && !view.is_low, "{view:?}");
        assert_eq!(roomy.words(), None);
        let tight = Disk::of(vec![place.path().into()], u64::MAX);
        tight.look();
        assert!(tight.view().unwrap().is_low);
        assert!(tight.words().unwrap().contains("storage.min_free_mib"));
    }

    #[test]
    fn what_the_system_does_not_tell_changes_nothing() {
        let disk = Disk::of(vec!["/nowhere/at/all".into()], u64::MAX);
        disk.look();
        assert_eq!((disk.view(), disk.is_low()), (None, false));
    }

    #[tokio::test]
    async fn who_waits_for_room_is_told_when_there_is() {
        let place = tempfile::tempdir().unwrap();
        let disk = Disk::of(vec![place.path().into()], u64::MAX);
        disk.look();
        let waiting = tokio::spawn(disk.room());
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        disk.inner.low.send_replace(false);
        tokio::time::timeout(Duration::from_secs(5), waiting).await.unwrap().unwrap();
    }
}
