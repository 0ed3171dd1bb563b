//! What waits to be written to one WebSocket connection.

use crate::budget::{NoRoom, Room, Share};
use std::{sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// Keys of the state that one connection may watch.
const WATCHED_OF_ONE: usize = 2_000;
/// Keys that all connections may watch: they are read after every block.
const WATCHED_OF_ALL: usize = 40_000;

/// A message and what it holds until it was written.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) text: String,
    /// The bytes that it takes of its connection's share.
    pub(crate) room: Room,
    /// Its request, which counts as under way until then.
    pub(crate) under_way: Option<OwnedSemaphorePermit>,
}

/// Sends messages to the connection.
#[derive(Clone, Debug)]
pub(crate) struct Outbox {
    messages: mpsc::Sender<Outgoing>,
    share: Share,
    watched_of_one: Arc<Semaphore>,
    watched_of_all: Arc<Semaphore>,
}

/// Why a message was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unsent {
    /// The connection is closed.
    Closed,
    /// What was sent before was not read in time.
    Slow,
}

/// The keys that all connections may watch.
pub(crate) fn watched_of_all() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(WATCHED_OF_ALL))
}

impl Outbox {
    /// An outbox of at most `capacity` messages, and where they come out.
    pub(crate) fn new(
        capacity: usize,
        share: Share,
        watched_of_all: Arc<Semaphore>,
    ) -> (Self, mpsc::Receiver<Outgoing>) {
        let (messages, out) = mpsc::channel(capacity.max(1));
        let watched_of_one = Arc::new(Semaphore::new(WATCHED_OF_ONE));
        (Self { messages, share, watched_of_one, watched_of_all }, out)
    }

    /// Room for a message of `bytes`, within `patience`.
    pub(crate) async fn room(&self, bytes: usize, patience: Duration) -> Result<Room, Unsent> {
        tokio::select! {
            () = self.messages.closed() => Err(Unsent::Closed),
            room = self.share.wait(bytes, patience) => room.map_err(|_| Unsent::Slow),
        }
    }

    /// Sends a text that has its room, within `patience`.
    pub(crate) async fn send(
        &self,
        text: String,
        mut room: Room,
        patience: Duration,
    ) -> Result<(), Unsent> {
        room.shrink_to(text.len());
        let outgoing = Outgoing { text, room, under_way: None };
        match tokio::time::timeout(patience, self.messages.send(outgoing)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Unsent::Closed),
            Err(_) => Err(Unsent::Slow),
        }
    }

    /// Sends an answer.
    pub(crate) async fn answer(&self, answer: Outgoing) -> Result<(), Unsent> {
        self.messages.send(answer).await.map_err(|_| Unsent::Closed)
    }

    /// Waits until nothing can be sent any more.
    pub(crate) async fn closed(&self) {
        self.messages.closed().await;
    }

    /// Takes the right to watch so many keys, until it is dropped.
    pub(crate) fn watch(&self, keys: usize) -> Result<Watched, NoRoom> {
        let keys = u32::try_from(keys).unwrap_or(u32::MAX);
        let take = |semaphore: &Arc<Semaphore>, full| {
            semaphore.clone().try_acquire_many_owned(keys).map_err(|_| full)
        };
        let own = take(&self.watched_of_one, NoRoom::Connection)?;
        Ok(Watched { _own: own, _all: take(&self.watched_of_all, NoRoom::Node)? })
    }
}

/// The right to watch keys.
#[derive(Debug)]
pub(crate) struct Watched {
    _own: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}
