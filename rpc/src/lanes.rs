//! Where methods that read storage or compute run: on blocking threads, a few
//! at a time, so that no flood of them takes the processors from consensus or
//! from one another.
//!
//! A dear method waits only for dear ones, which have threads of their own. One
//! connection has one turn at once, and turns are fair between connections by
//! the time that they use ([`fair`]), so that a thousand questions of one stand
//! behind another's one. A light method has its room before its turn, which is
//! short; a dear one first its turn and then its room, so that those that wait
//! hold nothing.

mod fair;

use crate::budget::{NoRoom, Room, Share};
use fair::{Line, Taken, Used};
use std::{sync::Arc, time::Duration};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinError,
};

/// Which requests wait for which: a dear method waits only for dear ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// A few lookups.
    Light,
    /// What reads or computes much.
    Heavy,
}

impl Lane {
    /// Its name in `rpc.discover`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Heavy => "heavy",
        }
    }
}

/// What is longer, in bytes, is read in a turn, on a thread that may block.
pub(crate) const LONG: usize = 64 << 10;
/// How long a request waits for room.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// How long one that has its turn does: others wait for that.
pub(crate) const BRIEF: Duration = Duration::from_secs(2);

/// Room for requests that run at once.
#[derive(Clone, Debug)]
pub(crate) struct Lanes {
    light: Arc<Line>,
    heavy: Arc<Line>,
    /// Where heavy ones run.
    dear: Handle,
}

#[derive(Clone, Debug)]
struct Places {
    light: Arc<Semaphore>,
    heavy: Arc<Semaphore>,
}

impl Places {
    fn new(light: usize, heavy: usize) -> Self {
        Self { light: Arc::new(Semaphore::new(light)), heavy: Arc::new(Semaphore::new(heavy)) }
    }

    async fn take(&self, lane: Lane) -> Option<OwnedSemaphorePermit> {
        let semaphore = match lane {
            Lane::Light => &self.light,
            Lane::Heavy => &self.heavy,
        };
        semaphore.clone().acquire_owned().await.ok()
    }
}

impl Lanes {
    /// As many as the machine's processors bear. Heavy work runs on the
    /// blocking threads of `dear`.
    pub(crate) fn of_the_machine(dear: Handle) -> Self {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        Self::new(2 * processors, processors.div_ceil(2), dear)
    }

    fn new(light: usize, heavy: usize, dear: Handle) -> Self {
        Self { light: Line::new(light), heavy: Line::new(heavy), dear }
    }

    /// The turns of a new connection.
    pub(crate) fn of_one(&self) -> Turns {
        Turns {
            own: Places::new(1, 1),
            used: Default::default(),
            batches: Arc::new(Semaphore::new(1)),
            lanes: self.clone(),
        }
    }
}

/// What one connection may run at once: one request of each lane.
#[derive(Clone, Debug)]
pub(crate) struct Turns {
    own: Places,
    /// What it used of the light lane, and of the heavy one.
    used: (Used, Used),
    batches: Arc<Semaphore>,
    lanes: Lanes,
}

/// One of the connection's places in a lane.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    lane: Lane,
    _own: Arc<Option<OwnedSemaphorePermit>>,
}

/// A turn to run.
#[derive(Debug)]
pub(crate) struct Turn {
    place: Place,
    common: Option<Taken>,
    dear: Handle,
}

impl Turns {
    /// Runs `work` when it is its turn. It keeps its turn until it ends, also
    /// when nobody waits for it any more.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        lane: Lane,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        let place = self.place(lane).await;
        self.turn(&place).await.run(work).await
    }

    /// Reads what is `length` bytes long: at once, or in a light turn if it is long. It
    /// waits for no place of the connection: who has one may wait for the room that
    /// this message has.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        length: usize,
        read: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        if length <= LONG {
            return Ok(read());
        }
        let place = Place { lane: Lane::Light, _own: Arc::new(None) };
        self.turn(&place).await.run(read).await
    }

    /// The connection's own place, when it has one.
    pub(crate) async fn place(&self, lane: Lane) -> Place {
        Place { lane, _own: Arc::new(self.own.take(lane).await) }
    }

    /// A turn among those of all connections.
    pub(crate) async fn turn(&self, place: &Place) -> Turn {
        let common = match place.lane {
            Lane::Light => self.lanes.light.take(&self.used.0).await,
            Lane::Heavy => self.lanes.heavy.take(&self.used.1).await,
        };
        Turn { place: place.clone(), common, dear: self.lanes.dear.clone() }
    }

    /// The right of a batch that reads: one of a connection's at a time.
    pub(crate) async fn batch(&self) -> Option<OwnedSemaphorePermit> {
        self.batches.clone().acquire_owned().await.ok()
    }

    /// A turn with room for an answer of `bytes`.
    pub(crate) async fn with_room(
        &self,
        lane: Lane,
        share: &Share,
        bytes: usize,
    ) -> Result<(Turn, Room), NoRoom> {
        let place = self.place(lane).await;
        let claim = share.claim(bytes, PATIENCE).await?;
        match lane {
            Lane::Light => {
                let room = claim.back(PATIENCE).await?;
                Ok((self.turn(&place).await, room))
            }
            Lane::Heavy => {
                let turn = self.turn(&place).await;
                Ok((turn, claim.back(BRIEF).await?))
            }
        }
    }
}

impl Turn {
    /// Runs `work`. What it holds it holds until it ends, also when nobody
    /// waits for it any more.
    pub(crate) async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        let Self { place, common, dear } = self;
        let lane = place.lane;
        let run = move || {
            let result = work();
            drop((place, common));
            result
        };
        match lane {
            Lane::Light => tokio::task::spawn_blocking(run).await,
            Lane::Heavy => dear.spawn_blocking(run).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{budget::Budget, metrics::RpcMetrics};
    use std::sync::mpsc;

    const SOON: Duration = Duration::from_millis(50);
    const MIB: usize = 1 << 20;

    fn lanes(light: usize, heavy: usize) -> Lanes {
        Lanes::new(light, heavy, Handle::current())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn dear_work_of_many_does_not_delay_light_work() {
        let lanes = lanes(2, 1);
        let (release, blocked) = mpsc::channel::<()>();
        let first = lanes.of_one();
        let dear = tokio::spawn(async move {
            first.run(Lane::Heavy, move || blocked.recv().is_err()).await.unwrap()
        });
        tokio::time::sleep(Duration::from_millis(20)).await;
        let second = lanes.of_one();
        let waits = second.run(Lane::Heavy, || ());
        assert!(tokio::time::timeout(SOON, waits).await.is_err());
        assert_eq!(second.run(Lane::Light, || 7).await.unwrap(), 7);
        drop(release);
        assert!(dear.await.unwrap());
        assert!(second.run(Lane::Heavy, || ()).await.is_ok());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn work_that_nobody_waits_for_keeps_its_turn_until_it_ends() {
        let lanes = lanes(1, 1);
        let (release, blocked) = mpsc::channel::<()>();
        let turns = lanes.of_one();
        let abandoned = turns.run(Lane::Light, move || blocked.recv().is_err());
        assert!(tokio::time::timeout(Duration::from_millis(20), abandoned).await.is_err());
        assert_eq!(lanes.light.free(), 0);
        drop(release);
        assert!(turns.run(Lane::Light, || ()).await.is_ok());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn heavy_work_runs_on_threads_of_its_own() {
        let threads = || std::thread::current().name().map(str::to_owned);
        let dear = std::thread::spawn(|| {
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            builder.worker_threads(1).thread_name("dear").build().unwrap()
        });
        let dear = dear.join().unwrap();
        let turns = Lanes::new(1, 1, dear.handle().clone()).of_one();
        assert_eq!(turns.run(Lane::Heavy, threads).await.unwrap().as_deref(), Some("dear"));
        assert_ne!(turns.run(Lane::Light, threads).await.unwrap().as_deref(), Some("dear"));
        dear.shutdown_background();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn requests_that_wait_for_their_turn_hold_no_room() {
        let lanes = lanes(1, 1);
        let budget = Budget::new(64 * MIB, 16 * MIB, RpcMetrics::default());
        let (release, blocked) = mpsc::channel::<()>();
        let first = lanes.of_one();
        let runs = tokio::spawn(async move {
            first.run(Lane::Heavy, move || blocked.recv().is_err()).await.unwrap()
        });
        tokio::time::sleep(Duration::from_millis(20)).await;
        // Dear ones of others, and many light ones of one connection.
        let mut waiting = Vec::new();
        for _ in 0..4 {
            let (turns, share) = (lanes.of_one(), budget.share());
            waiting.push(tokio::spawn(async move {
                turns.with_room(Lane::Heavy, &share, 16 * MIB - 1).await.is_ok()
            }));
        }
        let (turns, share) = (lanes.of_one(), budget.share());
        let _has_turn = turns.with_room(Lane::Light, &share, 256 << 10).await.unwrap();
        for _ in 0..64 {
            let (turns, share) = (turns.clone(), share.clone());
            waiting.push(tokio::spawn(async move {
                turns.with_room(Lane::Light, &share, 256 << 10).await.is_ok()
            }));
        }
        tokio::time::sleep(SOON).await;
        assert_eq!(budget.held(), 256 << 10);
        drop(release);
        assert!(runs.await.unwrap());
        waiting.iter().for_each(tokio::task::JoinHandle::abort);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_turn_is_not_kept_long_for_want_of_room() {
        let lanes = lanes(1, 1);
        let budget = Budget::new(64 * MIB, 48 * MIB, RpcMetrics::default());
        let (full, asks) = (budget.share(), budget.share());
        let _all = full.wait(48 * MIB, SOON).await.unwrap();
        let turns = lanes.of_one();
        let waits = turns.with_room(Lane::Heavy, &asks, 16 * MIB);
        let began = std::time::Instant::now();
        assert!(matches!(waits.await, Err(NoRoom::Node)));
        assert!(began.elapsed() < BRIEF + SOON * 10);
        assert_eq!(lanes.heavy.free(), 1);
    }
}
