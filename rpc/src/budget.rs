//! Memory that clients use, bounded for one connection and for all together.
//!
//! Bytes are taken before they are used and given back when nobody holds them
//! any more: those of a request when it was answered, those of an answer when
//! it was written to the socket. Small answers have a part of their own, so
//! that large ones never keep them waiting.
//!
//! When a part is used up, somebody gives way: first the connection that holds
//! most among those for which the node has waited for a second (for an answer to
//! be read, for a message to come whole), and if there is none, the one that
//! holds most of all. It is closed. Who asks for little
//! never gives way for who holds much.

use crate::metrics::{Cause, RpcMetrics};
use std::{
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// Longest answer that counts as small, in bytes: a light method's.
const SMALL: usize = 272 << 10;
/// How long the node waits for a client until it may have to give way.
const STALLED: Duration = Duration::from_secs(1);
/// Less than this nobody gives way for.
const WORTH: usize = 64 << 10;

/// The bytes that all connections share.
#[derive(Clone, Debug)]
pub(crate) struct Budget(Arc<Common>);

#[derive(Debug)]
struct Common {
    small: Part,
    large: Part,
    most_of_one: usize,
    began: Instant,
    holders: Mutex<Vec<Weak<Holder>>>,
    metrics: RpcMetrics,
}

#[derive(Debug)]
struct Part {
    free: Arc<Semaphore>,
    total: usize,
}

impl Part {
    fn new(total: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(total)), total }
    }
}

/// One connection, as the others see it.
#[derive(Debug)]
struct Holder {
    /// What it may still take.
    limit: Arc<Semaphore>,
    most: usize,
    /// Since when the node waits for the client to read an answer, and to send
    /// the rest of a message, in milliseconds; 0 while it does not.
    waits_since: [AtomicU64; 2],
    closing: CancellationToken,
}

impl Holder {
    fn held(&self) -> usize {
        self.most - self.limit.available_permits()
    }
}

/// Whose turn it is to give way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gives {
    /// Who does not read.
    Stalled,
    /// Whoever holds most.
    Largest,
}

impl Budget {
    /// `all` bytes for all connections, of which one uses at most `one`.
    pub(crate) fn new(all: usize, one: usize, metrics: RpcMetrics) -> Self {
        let small = all / 4;
        Self(Arc::new(Common {
            small: Part::new(small),
            large: Part::new(all - small),
            most_of_one: one.min(all - small),
            began: Instant::now(),
            holders: Mutex::new(Vec::new()),
            metrics,
        }))
    }

    /// The part of a new connection.
    pub(crate) fn share(&self) -> Share {
        let holder = Arc::new(Holder {
            limit: Arc::new(Semaphore::new(self.0.most_of_one)),
            most: self.0.most_of_one,
            waits_since: Default::default(),
            closing: CancellationToken::new(),
        });
        self.0.lock().push(Arc::downgrade(&holder));
        Share { common: self.0.clone(), holder }
    }

    /// Bytes that are taken.
    pub(crate) fn held(&self) -> usize {
        [&self.0.small, &self.0.large]
            .iter()
            .map(|part| part.total - part.free.available_permits())
            .sum()
    }

    /// Closes each connection for which the node has waited longer than
    /// `patience`: for an answer to be read, or a message to come whole.
    pub(crate) fn close_slow(&self, patience: Duration) {
        let now = self.0.now();
        self.0.lock().retain(|holder| {
            let Some(holder) = holder.upgrade() else { return false };
            if waited(&holder, now) > patience && !holder.closing.is_cancelled() {
                self.0.close(&holder, Cause::Slow);
            }
            true
        });
        self.0.metrics.held(self.held());
    }
}

/// For how long the node has waited for a client.
fn waited(holder: &Holder, now: u64) -> Duration {
    let since = holder.waits_since.iter().map(|since| since.load(Ordering::Relaxed));
    match since.filter(|since| *since > 0).min() {
        Some(since) => Duration::from_millis(now.saturating_sub(since)),
        None => Duration::ZERO,
    }
}

impl Common {
    /// Milliseconds, never 0.
    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Weak<Holder>>> {
        self.holders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self, holder: &Holder, cause: Cause) {
        self.metrics.closed(cause);
        holder.closing.cancel();
    }

    /// Closes the connection that has to give way for `asks`, if there is one
    /// and none is giving way already.
    fn give_way(&self, asks: &Arc<Holder>, gives: Gives) {
        let now = self.now();
        let holders = self.lock();
        let live = || holders.iter().filter_map(Weak::upgrade);
        if live().any(|holder| holder.closing.is_cancelled() && holder.held() > 0) {
            return;
        }
        let may = |holder: &Arc<Holder>| {
            !Arc::ptr_eq(holder, asks)
                && holder.held() >= WORTH.max(asks.held())
                && (gives == Gives::Largest || waited(holder, now) >= STALLED)
        };
        if let Some(holder) = live().filter(may).max_by_key(|holder| holder.held()) {
            self.close(&holder, Cause::GaveWay);
        }
    }
}

/// What one connection may use.
#[derive(Clone, Debug)]
pub(crate) struct Share {
    common: Arc<Common>,
    holder: Arc<Holder>,
}

/// Bytes that are used until this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Room {
    permits: Vec<Permit>,
}

#[derive(Debug)]
struct Permit {
    limit: OwnedSemaphorePermit,
    backing: OwnedSemaphorePermit,
}

/// There is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoRoom {
    /// The connection holds what it may.
    #[error("this connection holds as much as it may: read the answers first")]
    Connection,
    /// All connections together do.
    #[error("the node holds as much for its clients as it may: ask again")]
    Node,
}

impl Share {
    /// Waits until there is room for `bytes`, at most `patience`.
    pub(crate) async fn wait(&self, bytes: usize, patience: Duration) -> Result<Room, NoRoom> {
        let count = permits(bytes);
        let limit = tokio::time::timeout(patience, acquire(&self.holder.limit, count));
        let limit = limit.await.ok().flatten().ok_or(NoRoom::Connection)?;
        let part = self.part(bytes);
        let backing = match part.free.clone().try_acquire_many_owned(count) {
            Ok(backing) => backing,
            Err(_) => self.wait_for_others(part, count, patience).await.ok_or(NoRoom::Node)?,
        };
        Ok(Room { permits: vec![Permit { limit, backing }] })
    }

    async fn wait_for_others(
        &self,
        part: &Part,
        count: u32,
        patience: Duration,
    ) -> Option<OwnedSemaphorePermit> {
        let mut room = std::pin::pin!(acquire(&part.free, count));
        let until = tokio::time::Instant::now() + patience;
        // At first only who does not read gives way.
        for gives in [Gives::Stalled, Gives::Largest] {
            self.common.give_way(&self.holder, gives);
            let pause = (tokio::time::Instant::now() + STALLED).min(until);
            if let Ok(permit) = tokio::time::timeout_at(pause, &mut room).await {
                return permit;
            }
        }
        tokio::time::timeout_at(until, room).await.ok().flatten()
    }

    fn part(&self, bytes: usize) -> &Part {
        if bytes <= SMALL { &self.common.small } else { &self.common.large }
    }

    /// Takes room for `bytes` more, if there is some now.
    pub(crate) fn grow(&self, room: &mut Room, bytes: usize) -> Result<(), NoRoom> {
        let count = permits(bytes);
        let take = |semaphore: &Arc<Semaphore>, full| {
            semaphore.clone().try_acquire_many_owned(count).map_err(|_| full)
        };
        let limit = take(&self.holder.limit, NoRoom::Connection)?;
        let part = self.part(room.bytes() + bytes);
        let backing = take(&part.free, NoRoom::Node).inspect_err(|_| {
            self.common.give_way(&self.holder, Gives::Stalled);
        })?;
        room.permits.push(Permit { limit, backing });
        Ok(())
    }

    /// Notes that an answer is being written, until the guard is dropped.
    pub(crate) fn waits_for_reader(&self) -> Waits {
        self.waits(0)
    }

    /// Notes that a message has begun to come, until the guard is dropped.
    pub(crate) fn waits_for_rest(&self) -> Waits {
        self.waits(1)
    }

    fn waits(&self, index: usize) -> Waits {
        self.holder.waits_since[index].store(self.common.now(), Ordering::Relaxed);
        Waits { holder: self.holder.clone(), index }
    }

    /// Fires when the connection has to close.
    pub(crate) fn closing(&self) -> CancellationToken {
        self.holder.closing.clone()
    }

    /// Closes the connection.
    pub(crate) fn close(&self, cause: Cause) {
        self.common.close(&self.holder, cause);
    }
}

/// The node waits for the client.
#[derive(Debug)]
pub(crate) struct Waits {
    holder: Arc<Holder>,
    index: usize,
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.holder.waits_since[self.index].store(0, Ordering::Relaxed);
    }
}

impl Room {
    /// How much it is.
    pub(crate) fn bytes(&self) -> usize {
        self.permits.iter().map(|permit| permit.limit.num_permits()).sum()
    }

    /// Gives back what is more than `bytes`.
    pub(crate) fn shrink_to(&mut self, bytes: usize) {
        let mut more = self.bytes().saturating_sub(bytes);
        for permit in self.permits.iter_mut().rev() {
            let less = more.min(permit.limit.num_permits());
            drop(permit.limit.split(less));
            drop(permit.backing.split(less));
            more -= less;
        }
        self.permits.retain(|permit| permit.limit.num_permits() > 0);
    }
}

fn permits(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

async fn acquire(semaphore: &Arc<Semaphore>, count: u32) -> Option<OwnedSemaphorePermit> {
    semaphore.clone().acquire_many_owned(count).await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(10);
    const MIB: usize = 1 << 20;

    fn budget(all: usize, one: usize) -> Budget {
        Budget::new(all, one, RpcMetrics::default())
    }

    #[tokio::test]
    async fn one_connection_takes_no_more_than_its_share_and_gives_it_back() {
        let budget = budget(4 * MIB, 100_000);
        let share = budget.share();
        let mut room = share.wait(60_000, SOON).await.unwrap();
        assert_eq!(share.grow(&mut room, 50_000), Err(NoRoom::Connection));
        assert_eq!(share.grow(&mut room, 40_000), Ok(()));
        assert_eq!((room.bytes(), budget.held()), (100_000, 100_000));
        assert_eq!(share.wait(1, SOON).await.unwrap_err(), NoRoom::Connection);
        room.shrink_to(10);
        assert_eq!((room.bytes(), budget.held()), (10, 10));
        assert!(share.wait(90_000, SOON).await.is_ok());
        drop(room);
        assert_eq!(budget.held(), 0);
    }

    #[tokio::test]
    async fn small_answers_do_not_wait_for_large_ones() {
        let budget = budget(4 * MIB, 4 * MIB);
        let greedy = budget.share();
        let _all_large = greedy.wait(3 * MIB, SOON).await.unwrap();
        let modest = budget.share();
        assert_eq!(modest.wait(MIB, SOON).await.unwrap_err(), NoRoom::Node);
        assert!(modest.wait(SMALL, SOON).await.is_ok());
    }

    #[tokio::test]
    async fn who_does_not_read_gives_way_and_nobody_else() {
        let budget = budget(4 * MIB, 2 * MIB);
        let (silent, reads, asks) = (budget.share(), budget.share(), budget.share());
        let held = silent.wait(MIB, SOON).await.unwrap();
        let _unread = silent.waits_for_reader();
        let _more = reads.wait(2 * MIB, SOON).await.unwrap();
        std::thread::sleep(STALLED + SOON);
        let waits = asks.wait(MIB, LONG);
        let closes = async {
            silent.closing().cancelled().await;
            drop(held);
        };
        let (room, ()) = tokio::join!(waits, closes);
        assert!(room.is_ok());
        assert!(!reads.closing().is_cancelled());
    }

    #[tokio::test]
    async fn whoever_holds_most_gives_way_when_all_read() {
        let budget = budget(4 * MIB, 2 * MIB);
        let (most, less, asks) = (budget.share(), budget.share(), budget.share());
        let held = most.wait(2 * MIB, SOON).await.unwrap();
        let _less = less.wait(MIB, SOON).await.unwrap();
        let closes = async {
            most.closing().cancelled().await;
            drop(held);
        };
        let (room, ()) = tokio::join!(asks.wait(MIB, LONG), closes);
        assert!(room.is_ok());
        assert!(!less.closing().is_cancelled() && !asks.closing().is_cancelled());
    }

    #[tokio::test]
    async fn an_answer_that_lies_unread_too_long_closes_its_connection() {
        let budget = budget(4 * MIB, MIB);
        let (slow, quick) = (budget.share(), budget.share());
        let _unread = slow.waits_for_reader();
        drop(quick.waits_for_reader());
        std::thread::sleep(Duration::from_millis(60));
        budget.close_slow(Duration::from_secs(5));
        assert!(!slow.closing().is_cancelled());
        budget.close_slow(SOON);
        assert!(slow.closing().is_cancelled() && !quick.closing().is_cancelled());
    }
}
