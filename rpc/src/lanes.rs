//! Where methods that read storage or compute run: on blocking threads, a few
//! at a time, so that no flood of them takes the processors from consensus or
//! from one another.
//!
//! A dear method waits only for dear ones. One connection has a few turns at
//! once, so that its thousand questions stand behind another's one.

use std::sync::Arc;
use tokio::{
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

/// Light requests of one connection that run or wait for their turn at once.
const LIGHT_OF_ONE: usize = 4;
/// Heavy ones.
const HEAVY_OF_ONE: usize = 1;

/// Room for requests that run at once.
#[derive(Clone, Debug)]
pub(crate) struct Lanes {
    light: Arc<Semaphore>,
    heavy: Arc<Semaphore>,
}

impl Lanes {
    /// As many as the machine's processors bear.
    pub(crate) fn of_the_machine() -> Self {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        Self::new(4 * processors, processors.div_ceil(2))
    }

    fn new(light: usize, heavy: usize) -> Self {
        Self { light: Arc::new(Semaphore::new(light)), heavy: Arc::new(Semaphore::new(heavy)) }
    }

    /// The turns of a new connection.
    pub(crate) fn of_one(&self) -> Turns {
        Turns { own: Self::new(LIGHT_OF_ONE, HEAVY_OF_ONE), all: self.clone() }
    }

    async fn take(&self, lane: Lane) -> Option<OwnedSemaphorePermit> {
        let semaphore = match lane {
            Lane::Light => &self.light,
            Lane::Heavy => &self.heavy,
        };
        semaphore.clone().acquire_owned().await.ok()
    }
}

/// What one connection may run at once.
#[derive(Clone, Debug)]
pub(crate) struct Turns {
    own: Lanes,
    all: Lanes,
}

impl Turns {
    /// Runs `work` when it is its turn. It keeps its turn until it ends, also
    /// when nobody waits for it any more.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        lane: Lane,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        let turn = (self.own.take(lane).await, self.all.take(lane).await);
        let run = move || {
            let result = work();
            drop(turn);
            result
        };
        tokio::task::spawn_blocking(run).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{sync::mpsc, time::Duration};

    #[tokio::test(flavor = "multi_thread")]
    async fn dear_work_of_many_does_not_delay_light_work() {
        let lanes = Lanes::new(2, 1);
        let (release, blocked) = mpsc::channel::<()>();
        let first = lanes.of_one();
        let dear = tokio::spawn(async move {
            first.run(Lane::Heavy, move || blocked.recv().is_err()).await.unwrap()
        });
        tokio::time::sleep(Duration::from_millis(20)).await;
        let second = lanes.of_one();
        let waits = second.run(Lane::Heavy, || ());
        assert!(tokio::time::timeout(Duration::from_millis(50), waits).await.is_err());
        assert_eq!(second.run(Lane::Light, || 7).await.unwrap(), 7);
        drop(release);
        assert!(dear.await.unwrap());
        assert!(second.run(Lane::Heavy, || ()).await.is_ok());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn work_that_nobody_waits_for_keeps_its_turn_until_it_ends() {
        let lanes = Lanes::new(1, 1);
        let (release, blocked) = mpsc::channel::<()>();
        let turns = lanes.of_one();
        let abandoned = turns.run(Lane::Light, move || blocked.recv().is_err());
        assert!(tokio::time::timeout(Duration::from_millis(20), abandoned).await.is_err());
        assert_eq!(lanes.light.available_permits(), 0);
        drop(release);
        assert!(turns.run(Lane::Light, || ()).await.is_ok());
    }
}
