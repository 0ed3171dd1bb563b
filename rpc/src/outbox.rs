//! What waits to be written to one WebSocket connection.

use crate::{
    budget::{NoRoom, Room, Share},
    lanes::{Lane, Turn, Turns},
};
use std::{sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// Keys of the state that one connection may watch.
const WATCHED_OF_ONE: usize = 2_000;
/// Keys that all connections may watch: they are read after every block.
const WATCHED_OF_ALL: usize = 40_000;
/// Subscriptions that watch keys: each has its turn after every block.
const WATCHERS: usize = 256;

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
    watched_of_all: Arc<WatchedOfAll>,
}

/// What all connections may watch.
#[derive(Debug)]
pub(crate) struct WatchedOfAll {
    keys: Arc<Semaphore>,
    watchers: Arc<Semaphore>,
}

impl Default for WatchedOfAll {
    fn default() -> Self {
        let new = |permits| Arc::new(Semaphore::new(permits));
        Self { keys: new(WATCHED_OF_ALL), watchers: new(WATCHERS) }
    }
}

/// Why keys are not watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotWatched {
    /// The connection watches as many as it may.
    #[error("a connection watches at most {WATCHED_OF_ONE} keys: end a subscription first")]
    Connection,
    /// All connections together do.
    #[error("all connections watch at most {WATCHED_OF_ALL} keys: ask again")]
    Node,
    /// There are as many such subscriptions as there may be.
    #[error("the node has at most {WATCHERS} subscriptions of the state: ask again")]
    Watchers,
}

/// Why a message was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unsent {
    /// The connection is closed.
    Closed,
    /// What was sent before was not read in time.
    Slow,
}

impl Outbox {
    /// An outbox of at most `capacity` messages, and where they come out.
    pub(crate) fn new(
        capacity: usize,
        share: Share,
        watched_of_all: Arc<WatchedOfAll>,
    ) -> (Self, mpsc::Receiver<Outgoing>) {
        let (messages, out) = mpsc::channel(capacity.max(1));
        let watched_of_one = Arc::new(Semaphore::new(WATCHED_OF_ONE));
        (Self { messages, share, watched_of_one, watched_of_all }, out)
    }

    /// Room for what stays for long, if there is some now.
    pub(crate) fn keep(&self, bytes: usize) -> Result<Room, NoRoom> {
        self.share.keep(bytes)
    }

    /// Room for a message of `bytes`, within `patience`.
    pub(crate) async fn room(&self, bytes: usize, patience: Duration) -> Result<Room, Unsent> {
        tokio::select! {
            () = self.messages.closed() => Err(Unsent::Closed),
            room = self.share.wait(bytes, patience) => room.map_err(|_| Unsent::Slow),
        }
    }

    /// A turn to work on a message of `bytes`, which has its room.
    pub(crate) async fn turn(
        &self,
        turns: &Turns,
        lane: Lane,
        bytes: usize,
    ) -> Result<(Turn, Room), Unsent> {
        tokio::select! {
            () = self.messages.closed() => Err(Unsent::Closed),
            turn = turns.with_room(lane, &self.share, bytes) => turn.map_err(|_| Unsent::Slow),
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
    pub(crate) fn watch(&self, keys: usize) -> Result<Watched, NotWatched> {
        let keys = u32::try_from(keys).unwrap_or(u32::MAX);
        let take = |semaphore: &Arc<Semaphore>, count, full| {
            semaphore.clone().try_acquire_many_owned(count).map_err(|_| full)
        };
        let all = &self.watched_of_all;
        Ok(Watched {
            _own: take(&self.watched_of_one, keys, NotWatched::Connection)?,
            _all: take(&all.keys, keys, NotWatched::Node)?,
            _watcher: take(&all.watchers, 1, NotWatched::Watchers)?,
        })
    }
}

/// The right to watch keys.
#[derive(Debug)]
pub(crate) struct Watched {
    _own: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
    _watcher: OwnedSemaphorePermit,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{budget::Budget, metrics::RpcMetrics};

    #[test]
    fn subscriptions_of_the_state_are_bounded_for_all_connections() {
        let budget = Budget::new(1 << 20, 1 << 20, RpcMetrics::default());
        let all = Arc::new(WatchedOfAll::default());
        let outbox = || Outbox::new(1, budget.share(), all.clone()).0;
        let mut open: Vec<_> = (0..WATCHERS).map(|_| outbox().watch(1).unwrap()).collect();
        let refused = outbox().watch(1).unwrap_err();
        assert_eq!(refused, NotWatched::Watchers);
        assert!(refused.to_string().contains("at most 256 subscriptions"), "{refused}");
        open.pop();
        assert!(outbox().watch(1).is_ok());
    }
}
