//! The thread that keeps the files of cold segments: it writes those that are due, copies them
//! to the second place, and brings back those that are lost, from the second place or from
//! other members.
//!
//! Whatever fails is tried again without end, after pauses that grow to ten minutes; the node
//! goes on meanwhile with what is in its database. Nothing of it is in a root.

use super::{
    metrics::ColdMetrics,
    report::{ColdReport, Place},
    second::{Identity, Second, remove},
};
use crate::{config::Config, disk::Room};
use anyhow::{Context, Result, bail};
use billchain_state_sync::{Peers, fetch_segment};
use billchain_storage::{ColdSegment, Storage};
use parking_lot::{Condvar, Mutex};
use prometheus_client::registry::Registry;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use tokio::runtime::{Builder, Runtime};

/// Name of the thread.
const THREAD: &str = "cold";
/// How much less urgent it is to the system than consensus.
const NICENESS: i32 = 10;
/// Pause when there is nothing to do.
const LOOK: Duration = Duration::from_secs(10);
/// The first pause after a failure, doubled up to the second.
const PAUSES: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(600));
/// How long a node that stops waits for the thread. A file that is half written then is
/// written again.
const FAREWELL: Duration = Duration::from_secs(5);

/// What it is made of.
pub(crate) struct Parts<'a> {
    pub(crate) config: &'a Config,
    pub(crate) storage: Arc<Storage>,
    pub(crate) peers: Arc<dyn Peers>,
}

/// The running thread.
pub(crate) struct Keeper {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

/// What others see of the thread; cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Watch(Arc<Shared>);

#[derive(Default)]
struct Shared {
    is_over: Mutex<bool>,
    ended: Condvar,
    /// What it fails at.
    failing: Mutex<Option<String>>,
    metrics: ColdMetrics,
}

impl Shared {
    /// Waits for the end, at most so long; whether it came.
    fn wait(&self, pause: Duration) -> bool {
        let deadline = Instant::now() + pause;
        let mut is_over = self.is_over.lock();
        while !*is_over && !self.ended.wait_until(&mut is_over, deadline).timed_out() {}
        *is_over
    }
}

impl Keeper {
    /// Starts the thread. Fails for a second place that cannot be what the configuration says.
    pub(crate) fn start(parts: Parts<'_>) -> Result<Self> {
        let Parts { config, storage, peers } = parts;
        let shared = Arc::new(Shared::default());
        let directory = config.cold_directory();
        make(&directory)?;
        let work = Work {
            storage,
            peers,
            second: Second::open(&config.storage.cold, &config.name)?,
            runtime: Builder::new_current_thread().enable_all().build()?,
            directory,
            least: config.storage.min_free_bytes,
            is_low: false,
            copied: BTreeSet::new(),
            shared: shared.clone(),
        };
        let thread = thread::Builder::new()
            .name(THREAD.into())
            .spawn(move || work.run())
            .context("cannot start the thread of cold segments")?;
        Ok(Self { shared, thread })
    }

    /// Registers what is counted.
    pub(crate) fn register(&self, registry: &mut Registry) {
        self.shared.metrics.register(registry);
    }

    /// What others may see.
    pub(crate) fn watch(&self) -> Watch {
        Watch(self.shared.clone())
    }

    /// Lets the thread end.
    pub(crate) fn end(&self) {
        *self.shared.is_over.lock() = true;
        self.shared.ended.notify_all();
    }

    /// Waits a while for the thread, which is to [`end`](Self::end). Blocking.
    pub(crate) fn wait(self) {
        let deadline = Instant::now() + FAREWELL;
        while !self.thread.is_finished() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(20));
        }
        if self.thread.is_finished() && self.thread.join().is_err() {
            tracing::error!("the thread of cold segments panicked");
        }
    }
}

impl Watch {
    /// What the thread fails at; `None` if it does not.
    pub(crate) fn failing(&self) -> Option<String> {
        self.0.failing.lock().clone()
    }
}

struct Work {
    storage: Arc<Storage>,
    peers: Arc<dyn Peers>,
    second: Option<Second>,
    /// Peers are asked on it.
    runtime: Runtime,
    directory: PathBuf,
    /// Bytes that stay free on the disk.
    least: u64,
    is_low: bool,
    /// Segments of which the second place was seen to have a file.
    copied: BTreeSet<(u64, u32)>,
    shared: Arc<Shared>,
}

impl Work {
    fn run(mut self) {
        let this = rustix::thread::gettid();
        if let Err(error) = rustix::process::setpriority_process(Some(this), NICENESS) {
            tracing::debug!(%error, "the thread of cold segments keeps the node's priority");
        }
        let mut pause = PAUSES.0;
        loop {
            let wait = match self.round() {
                Ok(is_busy) => {
                    pause = PAUSES.0;
                    self.told(None);
                    if is_busy { Duration::ZERO } else { LOOK }
                }
                Err(error) => {
                    let words = format!("{error:#}");
                    tracing::warn!(again_in = ?pause, "cold segments: {words}");
                    self.shared.metrics.failures.inc();
                    self.told(Some(words));
                    let wait = pause;
                    pause = (pause * 2).min(PAUSES.1);
                    wait
                }
            };
            if self.shared.wait(wait) {
                return;
            }
        }
    }

    fn told(&self, failing: Option<String>) {
        self.shared.metrics.failing.set(failing.is_some().into());
        *self.shared.failing.lock() = failing;
    }

    /// Brings one file back, writes one and copies one. Whatever of it fails, the others are
    /// tried. Whether something was done.
    fn round(&mut self) -> Result<bool> {
        let report = ColdReport::of(&self.storage)?;
        self.shared.metrics.see(&report);
        let done = [self.restore(&report), self.write(), self.copy(&report)];
        let is_busy = done.iter().any(|one| matches!(one, Ok(true)));
        for one in done {
            one?;
        }
        Ok(is_busy)
    }

    /// Brings a lost file back: of several the first that somebody has.
    fn restore(&self, report: &ColdReport) -> Result<bool> {
        if report.at(Place::Lost).next().is_none() {
            return Ok(false);
        }
        let mut first = None;
        for segment in self.storage.missing_segments()? {
            match self.restore_one(&segment) {
                Ok(()) => {
                    self.shared.metrics.restored.inc();
                    return Ok(true);
                }
                Err(error) => first = first.or(Some(error)),
            }
        }
        first.map_or(Ok(false), Err)
    }

    fn restore_one(&self, segment: &ColdSegment) -> Result<()> {
        let lost = || format!("segment {}/{} is lost", segment.run, segment.index);
        let from_second = restored(&self.storage, self.second.as_ref(), &self.directory, segment);
        if matches!(from_second, Ok(true)) {
            return Ok(());
        }
        let scratch = scratch(&self.directory)?;
        let fetching = fetch_segment(&self.storage, &*self.peers, segment, &scratch);
        match (self.runtime.block_on(fetching), from_second) {
            (Ok(peer), _) => {
                let (run, index) = (segment.run, segment.index);
                tracing::info!(run, index, %peer, "a lost cold segment came from a member");
                Ok(())
            }
            // What the second place, which is the operator's own, fails at is told first.
            (Err(_), Err(error)) => Err(error).with_context(lost),
            (Err(error), Ok(_)) => Err(error).with_context(lost),
        }
    }

    /// Writes a file that is due, and copies it before the database lets its groups go.
    fn write(&mut self) -> Result<bool> {
        self.look_for_room()?;
        let second = self.second.as_ref();
        let keep = |segment: &ColdSegment| match (second, &segment.file) {
            (Some(second), Some(file)) => second.keep(&segment.into(), file),
            _ => Ok(()),
        };
        let Some(segment) = self.storage.write_due_segment_with(keep)? else { return Ok(false) };
        let ColdSegment { run, index, groups, .. } = segment;
        tracing::info!(run, index, groups, "a cold segment was written");
        self.shared.metrics.written.inc();
        if second.is_some() {
            self.shared.metrics.copied.inc();
            self.copied.insert((run, index));
        }
        Ok(true)
    }

    /// Whether there is room for a file.
    fn look_for_room(&mut self) -> Result<()> {
        let shown = self.directory.display();
        let room = Room::of(&self.directory)
            .with_context(|| format!("the system does not tell what room {shown} has"))?;
        self.is_low = room.is_low(self.least, self.is_low);
        self.shared.metrics.see_room(&room, self.is_low);
        if self.is_low {
            bail!(
                "the disk of {shown} has {} MiB free: no file is written below {} MiB \
                 (storage.min_free_mib)",
                room.free >> 20,
                self.least >> 20
            );
        }
        Ok(())
    }

    /// Copies a file that the second place lacks.
    fn copy(&mut self, report: &ColdReport) -> Result<bool> {
        let Some(second) = &self.second else { return Ok(false) };
        let files: BTreeSet<(u64, u32)> =
            report.at(Place::File).map(|one| (one.run, one.index)).collect();
        self.copied.retain(|known| files.contains(known));
        let mut left = files.difference(&self.copied).count();
        self.shared.metrics.uncopied.set(i64::try_from(left).unwrap_or(i64::MAX));
        for segment in self.storage.cold_segments()? {
            let key = (segment.run, segment.index);
            let Some(file) = segment.file.as_ref().filter(|_| files.contains(&key)) else {
                continue;
            };
            if self.copied.contains(&key) {
                continue;
            }
            let identity = Identity::from(&segment);
            let was_there = second.holds(&identity)?;
            second.keep(&identity, file)?;
            self.copied.insert(key);
            left = left.saturating_sub(1);
            self.shared.metrics.uncopied.set(i64::try_from(left).unwrap_or(i64::MAX));
            if !was_there {
                tracing::info!(run = key.0, index = key.1, "a cold segment has a second copy");
                self.shared.metrics.copied.inc();
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Where a file lies until it was verified, in the directory of segments, which is made.
pub(crate) fn scratch(directory: &Path) -> Result<PathBuf> {
    make(directory)?;
    Ok(directory.join("fetched.partial"))
}

/// Makes the directory of segments beside a database. One that the configuration names was
/// looked for when the database was opened.
fn make(directory: &Path) -> Result<()> {
    fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))
}

/// Brings a lost file back from the second place; whether that has it.
pub(crate) fn restored(
    storage: &Storage,
    second: Option<&Second>,
    directory: &Path,
    segment: &ColdSegment,
) -> Result<bool> {
    let Some(second) = second else { return Ok(false) };
    let scratch = scratch(directory)?;
    remove(&scratch).with_context(|| format!("cannot remove {}", scratch.display()))?;
    let fetched = second.fetch(&segment.into(), &scratch).and_then(|is_there| {
        if is_there {
            storage.adopt_segment(&scratch)?;
        }
        Ok(is_there)
    });
    // The store has a copy, or what is there is worth nothing.
    let _ = remove(&scratch);
    if matches!(fetched, Ok(true)) {
        let (run, index, from) = (segment.run, segment.index, second.shown());
        tracing::info!(run, index, %from, "a lost cold segment came from the second path");
    }
    fetched.with_context(|| format!("segment {}/{}", segment.run, segment.index))
}
