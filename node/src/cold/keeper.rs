//! The thread that keeps the files of cold segments: it writes those that are due, copies them
//! to the second place, and brings back those that are lost, from the second place or from
//! other members.
//!
//! Each of the three is tried again without end, after pauses of its own that grow to ten
//! minutes; the node goes on meanwhile with what is in its database. Nothing of it is in a root.

use super::{
    copies::{Copies, Key, Next, behind},
    fetching::Fetcher,
    metrics::ColdMetrics,
    report::{ColdReport, Place, SegmentView},
    second::Second,
    trial::Trial,
};
use crate::{config::Config, disk::Room};
use anyhow::{Context, Result, bail};
use billchain_state_sync::Peers;
use billchain_storage::{ColdSegment, Storage};
use parking_lot::{Condvar, Mutex};
use prometheus_client::registry::Registry;
use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
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
const LOOK: Duration = Duration::from_secs(20);
/// Pause after a panic.
const FRIGHT: Duration = Duration::from_secs(600);
/// Lost segments that are asked for in one round: a place that is away takes its time to say so.
const LOST_AT_ONCE: usize = 4;
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
        let work = Work {
            storage,
            peers,
            fetcher: Fetcher::new(config.cold_directory(), config)?,
            second: Second::open(&config.storage.cold, &config.name)?,
            runtime: Builder::new_current_thread().enable_all().build()?,
            least: config.storage.min_free_bytes,
            is_low: false,
            copies: Copies::default(),
            restored: None,
            shared: shared.clone(),
        };
        let thread = thread::Builder::new()
            .name(THREAD.into())
            .spawn(move || run(work))
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
    fetcher: Fetcher,
    second: Option<Second>,
    /// Peers are asked on it.
    runtime: Runtime,
    /// Bytes that stay free on the disk.
    least: u64,
    is_low: bool,
    copies: Copies,
    /// The lost segment that was asked for last.
    restored: Option<Key>,
    shared: Arc<Shared>,
}

/// What is tried, each with its pauses.
#[derive(Default)]
struct Trials {
    restoring: Trial,
    writing: Trial,
    copying: Trial,
}

fn run(mut work: Work) {
    let this = rustix::thread::gettid();
    if let Err(error) = rustix::process::setpriority_process(Some(this), NICENESS) {
        tracing::debug!(%error, "the thread of cold segments keeps the node's priority");
    }
    let mut trials = Trials::default();
    loop {
        // A store's answers go through much code that is not ours.
        let pause = match catch_unwind(AssertUnwindSafe(|| work.round(&mut trials))) {
            Ok(Ok(true)) => Duration::ZERO,
            Ok(Ok(false)) => LOOK,
            Ok(Err(error)) => {
                work.told(Some(format!("{error:#}")));
                LOOK
            }
            Err(_) => {
                work.told(Some("the thread panicked: the log says where".into()));
                FRIGHT
            }
        };
        if work.shared.wait(pause) {
            return;
        }
    }
}

impl Work {
    /// Brings one file back, writes one and copies one. Whatever of it fails, the others are
    /// tried. Whether something was done.
    fn round(&mut self, trials: &mut Trials) -> Result<bool> {
        let report = ColdReport::of(&self.storage)?;
        self.shared.metrics.lost.set(gauged(report.at(Place::Lost).count()));
        let (now, failures) = (Instant::now(), self.shared.metrics.failures.clone());
        let counted = |outcome: Result<bool>| {
            outcome.inspect_err(|_| {
                failures.inc();
            })
        };
        let is_busy = [
            trials.writing.run(now, || counted(self.write(&report))),
            trials.copying.run(now, || counted(self.copy(&report))),
            trials.restoring.run(now, || counted(self.restore(&report))),
        ];
        let Trials { restoring, writing, copying } = &*trials;
        let failing: Vec<&str> =
            [writing, copying, restoring].into_iter().filter_map(Trial::failing).collect();
        self.told((!failing.is_empty()).then(|| failing.join("; ")));
        Ok(is_busy.contains(&true))
    }

    /// Tells what fails.
    fn told(&self, failing: Option<String>) {
        self.shared.metrics.failing.set(failing.is_some().into());
        *self.shared.failing.lock() = failing;
    }

    /// Brings a lost file back: of some the first that somebody has.
    fn restore(&mut self, report: &ColdReport) -> Result<bool> {
        if report.at(Place::Lost).next().is_none() {
            return Ok(false);
        }
        let missing = self.storage.missing_segments()?;
        let keys: BTreeSet<Key> = missing.iter().map(|one| (one.run, one.index)).collect();
        let mut failed = None;
        for _ in 0..keys.len().min(LOST_AT_ONCE) {
            self.restored = behind(keys.iter(), self.restored);
            let is_next = |one: &&ColdSegment| Some((one.run, one.index)) == self.restored;
            let Some(segment) = missing.iter().find(is_next) else { break };
            match self.restore_one(segment) {
                Ok(()) => {
                    self.shared.metrics.restored.inc();
                    return Ok(true);
                }
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(false), Err)
    }

    fn restore_one(&mut self, segment: &ColdSegment) -> Result<()> {
        let lost = || format!("segment {}/{} is lost", segment.run, segment.index);
        let own = self.fetcher.bring_from_second(&self.storage, self.second.as_ref(), segment);
        if matches!(own, Ok(true)) {
            return Ok(());
        }
        let fetching = self.fetcher.bring_from_members(&self.storage, &*self.peers, segment);
        match (self.runtime.block_on(fetching), own) {
            (Ok(_), _) => Ok(()),
            // What the second place, which is the operator's own, fails at is told first.
            (Err(_), Err(error)) | (Err(error), Ok(_)) => Err(error).with_context(lost),
        }
    }

    /// Writes a file that is due, and copies it before the database lets its groups go.
    fn write(&mut self, report: &ColdReport) -> Result<bool> {
        // What was merged away makes room.
        self.storage.tidy_segments()?;
        let is_there = |one: &SegmentView| self.storage.segment_path(one.run, one.index).exists();
        // A file that the second place did not take takes no more room.
        if !report.at(Place::Database).any(is_there) {
            self.look_for_room(report)?;
        }
        let second = self.second.as_ref();
        let keep = |segment: &ColdSegment| match (second, &segment.file) {
            (Some(second), Some(file)) => second.keep(&segment.into(), file).map(|_| ()),
            _ => Ok(()),
        };
        let Some(segment) = self.storage.write_due_segment_with(keep)? else { return Ok(false) };
        let ColdSegment { run, index, groups, .. } = segment;
        tracing::info!(run, index, groups, "a cold segment was written");
        self.shared.metrics.written.inc();
        if self.second.is_some() {
            self.shared.metrics.copied.inc();
            self.copies.saw((run, index), Instant::now());
        }
        Ok(true)
    }

    /// Whether there is room for the file of a segment that has ended.
    fn look_for_room(&mut self, report: &ColdReport) -> Result<()> {
        let directory = self.fetcher.directory();
        let shown = directory.display();
        let room = Room::of(directory)
            .with_context(|| format!("the system does not tell what room {shown} has"))?;
        let needed = report.next_file_bytes();
        let least = self.least.saturating_add(needed.unwrap_or_default());
        self.is_low = room.is_low(least, self.is_low);
        self.shared.metrics.see_room(&room, self.is_low);
        match needed {
            Some(needed) if self.is_low => bail!(
                "the disk of {shown} has {} MiB free: a file of {} MiB is not written, as {} MiB \
                 stay free (storage.min_free_mib)",
                room.free >> 20,
                needed >> 20,
                self.least >> 20
            ),
            _ => Ok(()),
        }
    }

    /// Copies a file that the second place lacks, and looks at one that was copied long ago.
    fn copy(&mut self, report: &ColdReport) -> Result<bool> {
        let Some(second) = &self.second else { return Ok(false) };
        let of_file = report.at(Place::File).map(|one| (one.run, one.index));
        let files: BTreeSet<Key> = of_file.collect();
        let see = |left: usize| self.shared.metrics.uncopied.set(gauged(left));
        see(self.copies.left(&files));
        while let Some(next) = self.copies.next(&files, Instant::now()) {
            let (Next::New(key) | Next::Again(key)) = next;
            let found = report.at(Place::File).find(|one| (one.run, one.index) == key);
            let Some((segment, file)) = found.and_then(|one| Some((one, one.file.as_ref()?)))
            else {
                break;
            };
            let kept = second.keep(&segment.into(), file);
            if kept.is_err() {
                self.copies.forget(key);
            } else {
                self.copies.saw(key, Instant::now());
            }
            see(self.copies.left(&files));
            if kept? {
                tracing::info!(run = key.0, index = key.1, "a cold segment has a second copy");
                self.shared.metrics.copied.inc();
                return Ok(true);
            }
            // One a round: nothing waits for it.
            if matches!(next, Next::Again(_)) || *self.shared.is_over.lock() {
                break;
            }
        }
        Ok(false)
    }
}

fn gauged(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
