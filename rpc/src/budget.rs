//! Memory that clients use, bounded for one connection and for all together.
//!
//! Bytes are taken before they are used and given back when nobody holds them
//! any more: those of a request when it was answered, those of an answer when
//! it was written to the socket. Small answers have a part of their own, so
//! that large ones never keep them waiting. A third part is for the first bytes of
//! each connection: one that asks little finds room there, however many others
//! leave their answers unread.
//!
//! When a part is used up, somebody gives way and is closed: first the
//! connection that holds most of this part among those for which the node has
//! waited for a second (for an answer to be read, for a message to come whole),
//! however little that is; if there is none, the one that holds most of it, if
//! that is more than who asks has. What a connection only waits for, and what
//! it holds of the other part, counts for nobody.

use crate::metrics::{Cause, RpcMetrics};
use std::{
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// Longest answer that counts as small, in bytes: a light method's.
const SMALL: usize = 272 << 10;
/// What a connection may have of the part for first bytes: room for a lookup's
/// request and its answer.
const FIRST: usize = 64 << 10;
/// How long the node waits for a client until it may have to give way.
const STALLED: Duration = Duration::from_secs(1);
/// How often what waits behind others looks for room.
const LOOK: Duration = Duration::from_millis(50);
/// Who reads and sends gives way for nobody who holds less than this.
const WORTH: usize = 64 << 10;

/// The bytes that all connections share.
#[derive(Clone, Debug)]
pub(crate) struct Budget(Arc<Common>);

#[derive(Debug)]
struct Common {
    /// What is free, by [`Part`].
    free: [Arc<Semaphore>; PARTS],
    totals: [usize; PARTS],
    most_of_one: usize,
    began: Instant,
    holders: Mutex<Vec<Weak<Holder>>>,
    metrics: RpcMetrics,
}

/// Where bytes are taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Small,
    Large,
    First,
}

/// How many parts there are.
const PARTS: usize = 3;

impl Part {
    fn of(bytes: usize) -> Self {
        if bytes <= SMALL { Self::Small } else { Self::Large }
    }
}

/// One connection, as the others see it.
#[derive(Debug)]
struct Holder {
    /// What it may still take.
    limit: Arc<Semaphore>,
    /// What it has taken, by [`Part`].
    backed: [AtomicUsize; PARTS],
    /// Since when the node waits for the client to read an answer, and to send
    /// the rest of a message, in milliseconds; 0 while it does not.
    waits_since: [AtomicU64; 2],
    closing: CancellationToken,
    /// When it was told to close.
    closed_at: AtomicU64,
}

impl Holder {
    fn backed(&self, part: Part) -> usize {
        self.backed[part as usize].load(Ordering::Relaxed)
    }

    /// Whether room of this part is about to be free.
    fn gives(&self, part: Part, now: u64) -> bool {
        let since = now.saturating_sub(self.closed_at.load(Ordering::Relaxed));
        self.closing.is_cancelled()
            && self.backed(part) > 0
            && Duration::from_millis(since) < STALLED
    }
}

/// Whose turn it is to give way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gives {
    /// Who does not read, or does not send what was begun.
    Stalled,
    /// Whoever holds most.
    Largest,
}

impl Budget {
    /// `all` bytes for all connections, of which one uses at most `one`.
    pub(crate) fn new(all: usize, one: usize, metrics: RpcMetrics) -> Self {
        let (small, first) = (all / 8, all / 8);
        let large = all - small - first;
        let totals = [small, large, first];
        Self(Arc::new(Common {
            free: totals.map(|total| Arc::new(Semaphore::new(total))),
            totals,
            most_of_one: one.min(large),
            began: Instant::now(),
            holders: Mutex::new(Vec::new()),
            metrics,
        }))
    }

    /// The part of a new connection.
    pub(crate) fn share(&self) -> Share {
        let holder = Arc::new(Holder {
            limit: Arc::new(Semaphore::new(self.0.most_of_one)),
            backed: Default::default(),
            waits_since: Default::default(),
            closing: CancellationToken::new(),
            closed_at: AtomicU64::new(0),
        });
        self.0.lock().push(Arc::downgrade(&holder));
        Share { common: self.0.clone(), holder }
    }

    /// Bytes that are taken.
    pub(crate) fn held(&self) -> usize {
        let parts = self.0.totals.iter().zip(&self.0.free);
        parts.map(|(total, free)| total - free.available_permits()).sum()
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
        holder.closed_at.store(self.now(), Ordering::Relaxed);
        holder.closing.cancel();
    }

    /// Closes the connection that has to give way for `asks`, if there is one
    /// and none is giving way already.
    fn give_way(&self, asks: &Arc<Holder>, part: Part, gives: Gives) {
        let now = self.now();
        let holders = self.lock();
        let live = || holders.iter().filter_map(Weak::upgrade);
        if live().any(|holder| holder.gives(part, now)) {
            return;
        }
        let may = |holder: &Arc<Holder>| {
            let (found, own) = (holder.backed(part), asks.backed(part));
            !Arc::ptr_eq(holder, asks)
                && !holder.closing.is_cancelled()
                && match gives {
                    Gives::Stalled => found > 0 && waited(holder, now) >= STALLED,
                    Gives::Largest => found >= WORTH && found > own,
                }
        };
        if let Some(holder) = live().filter(may).max_by_key(|holder| holder.backed(part)) {
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

/// The connection's right to bytes that it has not got yet.
#[derive(Debug)]
pub(crate) struct Claim {
    share: Share,
    limit: OwnedSemaphorePermit,
    count: u32,
}

#[derive(Debug)]
struct Permit {
    limit: OwnedSemaphorePermit,
    backing: OwnedSemaphorePermit,
    holder: Arc<Holder>,
    part: Part,
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
        let began = tokio::time::Instant::now();
        let claim = self.claim(bytes, patience).await?;
        claim.back(patience.saturating_sub(began.elapsed())).await
    }

    /// Room for `bytes` more of a message that comes and has `held` already. A long
    /// one stands behind all who wait by [`Self::wait`], and nobody who reads and sends
    /// gives way for it.
    pub(crate) async fn wait_for_message(
        &self,
        held: usize,
        bytes: usize,
        patience: Duration,
    ) -> Result<Room, NoRoom> {
        let length = held.saturating_add(bytes);
        if length <= FIRST {
            return self.wait(bytes, patience).await;
        }
        let until = tokio::time::Instant::now() + patience;
        let Claim { limit, count, .. } = self.claim(bytes, patience).await?;
        let part = Part::of(length);
        loop {
            let free = self.common.free[part as usize].clone();
            if let Ok(backing) = free.try_acquire_many_owned(count) {
                return Ok(Room::of(Permit::new(&self.holder, part, limit, backing)));
            }
            if tokio::time::Instant::now() >= until {
                return Err(NoRoom::Node);
            }
            self.common.give_way(&self.holder, part, Gives::Stalled);
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until the connection itself holds little enough for `bytes` more.
    pub(crate) async fn claim(&self, bytes: usize, patience: Duration) -> Result<Claim, NoRoom> {
        let count = permits(bytes);
        let limit = tokio::time::timeout(patience, acquire(&self.holder.limit, count));
        let limit = limit.await.ok().flatten().ok_or(NoRoom::Connection)?;
        Ok(Claim { share: self.clone(), limit, count })
    }

    /// Takes room for `bytes` more, if there is some now.
    pub(crate) fn grow(&self, room: &mut Room, bytes: usize) -> Result<(), NoRoom> {
        self.grow_in(Part::of(room.bytes() + bytes), room, bytes)
    }

    /// Takes room for what stays for long, if there is some now: what many
    /// connections keep must leave small answers their part.
    pub(crate) fn keep(&self, bytes: usize) -> Result<Room, NoRoom> {
        let mut room = Room::default();
        self.grow_in(Part::Large, &mut room, bytes)?;
        Ok(room)
    }

    fn grow_in(&self, part: Part, room: &mut Room, bytes: usize) -> Result<(), NoRoom> {
        let count = permits(bytes);
        let take = |semaphore: &Arc<Semaphore>, full| {
            semaphore.clone().try_acquire_many_owned(count).map_err(|_| full)
        };
        let limit = take(&self.holder.limit, NoRoom::Connection)?;
        let free = &self.common.free[part as usize];
        let backing = take(free, NoRoom::Node).inspect_err(|_| {
            self.common.give_way(&self.holder, part, Gives::Stalled);
        })?;
        room.push(Permit::new(&self.holder, part, limit, backing));
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

impl Claim {
    /// Waits until all connections together hold little enough, at most
    /// `patience`. At first only who does not read gives way, after a second
    /// once whoever holds most.
    pub(crate) async fn back(self, patience: Duration) -> Result<Room, NoRoom> {
        let Self { share: Share { common, holder }, limit, count } = self;
        let until = tokio::time::Instant::now() + patience;
        let bytes = count as usize;
        let take = |part: Part| common.free[part as usize].clone().try_acquire_many_owned(count);
        let room = |part, backing| Room::of(Permit::new(&holder, part, limit, backing));
        if holder.backed(Part::First).saturating_add(bytes) <= FIRST {
            if let Ok(backing) = take(Part::First) {
                return Ok(room(Part::First, backing));
            }
            // For who asks next: this one looks in the other part.
            common.give_way(&holder, Part::First, Gives::Stalled);
        }
        let part = Part::of(bytes);
        if let Ok(backing) = take(part) {
            return Ok(room(part, backing));
        }
        let free = &common.free[part as usize];
        let mut backing = std::pin::pin!(acquire(free, count));
        for second in 0.. {
            let gives = if second == 1 { Gives::Largest } else { Gives::Stalled };
            common.give_way(&holder, part, gives);
            let pause = (tokio::time::Instant::now() + STALLED).min(until);
            if let Ok(backing) = tokio::time::timeout_at(pause, &mut backing).await {
                return backing.map(|backing| room(part, backing)).ok_or(NoRoom::Node);
            }
            if pause == until {
                break;
            }
        }
        Err(NoRoom::Node)
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

impl Permit {
    fn new(
        holder: &Arc<Holder>,
        part: Part,
        limit: OwnedSemaphorePermit,
        backing: OwnedSemaphorePermit,
    ) -> Self {
        holder.backed[part as usize].fetch_add(backing.num_permits(), Ordering::Relaxed);
        Self { limit, backing, holder: holder.clone(), part }
    }

    fn bytes(&self) -> usize {
        self.backing.num_permits()
    }

    /// Takes over the bytes of another.
    fn merge(&mut self, other: &mut Self) {
        let bytes = other.bytes();
        let (limit, backing) = (other.limit.split(bytes), other.backing.split(bytes));
        limit.into_iter().for_each(|limit| self.limit.merge(limit));
        backing.into_iter().for_each(|backing| self.backing.merge(backing));
    }

    /// Takes `bytes` of it.
    fn split(&mut self, bytes: usize) -> Option<Self> {
        let (limit, backing) = (self.limit.split(bytes)?, self.backing.split(bytes)?);
        Some(Self { limit, backing, holder: self.holder.clone(), part: self.part })
    }

    fn give_back(&mut self, bytes: usize) {
        self.holder.backed[self.part as usize].fetch_sub(bytes, Ordering::Relaxed);
        drop((self.backing.split(bytes), self.limit.split(bytes)));
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.give_back(self.bytes());
    }
}

impl Room {
    /// How much it is.
    pub(crate) fn bytes(&self) -> usize {
        self.permits.iter().map(Permit::bytes).sum()
    }

    /// Takes `bytes` of it as room of their own.
    pub(crate) fn split(&mut self, bytes: usize) -> Self {
        let mut more = bytes;
        let split = self.permits.iter_mut().filter_map(|permit| {
            let part = more.min(permit.bytes());
            more -= part;
            permit.split(part)
        });
        Self { permits: split.collect() }
    }

    /// With the bytes of another.
    pub(crate) fn add(&mut self, other: Self) {
        other.permits.into_iter().for_each(|permit| self.push(permit));
    }

    fn of(permit: Permit) -> Self {
        Self { permits: vec![permit] }
    }

    /// Adds bytes to those of the same connection and part, of which there is one
    /// permit however often it grew.
    fn push(&mut self, mut permit: Permit) {
        let same = |held: &&mut Permit| {
            held.part == permit.part && Arc::ptr_eq(&held.holder, &permit.holder)
        };
        match self.permits.iter_mut().find(same) {
            Some(held) => held.merge(&mut permit),
            None => self.permits.push(permit),
        }
    }

    /// Gives back what is more than `bytes`.
    pub(crate) fn shrink_to(&mut self, bytes: usize) {
        let mut more = self.bytes().saturating_sub(bytes);
        for permit in self.permits.iter_mut().rev() {
            let less = more.min(permit.bytes());
            permit.give_back(less);
            more -= less;
        }
        self.permits.retain(|permit| permit.bytes() > 0);
    }
}

fn permits(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

async fn acquire(semaphore: &Arc<Semaphore>, count: u32) -> Option<OwnedSemaphorePermit> {
    semaphore.clone().acquire_many_owned(count).await.ok()
}

#[cfg(test)]
mod tests;
