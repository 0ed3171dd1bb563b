//! The end of a subscription that the method has.

use super::{Args, written};
use crate::{
    budget::{NoRoom, Room},
    connection::Connection,
    error::{Answer, Refusal, internal},
    lanes::{Lane, Turns},
    outbox::{NotWatched, Outbox, Unsent, Watched},
};
use serde::Serialize;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{oneshot, watch};

/// Longest notification that takes no room before it is made, in bytes.
const SHORT: usize = 32 << 10;

/// Outcome of a subscription: an error is sent to the client as the last
/// message.
pub(crate) type Ended = Result<(), Dropped>;

/// Why the node ended a subscription, in words for the client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Dropped(pub(crate) String);

impl From<&str> for Dropped {
    fn from(words: &str) -> Self {
        Self(words.to_owned())
    }
}

impl From<String> for Dropped {
    fn from(words: String) -> Self {
        Self(words)
    }
}

/// Whether the subscriber is still there.
pub(crate) enum Sent {
    /// It is.
    Yes,
    /// It unsubscribed or disconnected.
    Gone,
}

/// Fires when an answer stands in the outbox: what its request began may follow
/// it. Dropped when the answer is lost.
pub(crate) type Answered = oneshot::Sender<()>;

/// A subscription that was asked for and not answered yet.
pub(crate) struct Pending {
    pub(crate) subscriber: Subscriber,
    /// Takes the verdict.
    pub(crate) verdict: oneshot::Sender<Result<(), Refusal>>,
    /// Fires when the answer is on its way.
    pub(crate) answered: oneshot::Receiver<()>,
}

/// A subscriber.
pub(crate) struct Subscriber {
    pub(crate) id: String,
    pub(crate) notification: &'static str,
    pub(crate) outbox: Outbox,
    /// Where work for it runs.
    pub(crate) turns: Turns,
    /// How long what was sent may stay unread.
    pub(crate) patience: Duration,
    /// What its connection has in the node.
    pub(crate) connection: Arc<Connection>,
    /// Closed when the client has unsubscribed.
    pub(crate) open: watch::Receiver<()>,
}

impl Pending {
    /// What `read` makes of its parameters, long ones in a turn.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        args: Args,
        read: impl FnOnce(&Args) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        let turns = &self.subscriber.turns;
        turns.read(args.length(), move || read(&args)).await.map_err(internal)?
    }

    /// Refuses it.
    pub(crate) fn reject(self, refusal: Refusal) {
        // Who asked may be gone.
        let _ = self.verdict.send(Err(refusal));
    }

    /// Grants it, and waits until the answer is before the notifications.
    /// `None` if the answer is lost: nobody knows the subscription.
    pub(crate) async fn accept(self) -> Option<Subscriber> {
        let _ = self.verdict.send(Ok(()));
        self.answered.await.ok().map(|()| self.subscriber)
    }
}

/// Writes a subscription's notifications.
#[derive(Clone, Debug)]
pub(crate) struct Notifications {
    method: &'static str,
    id: String,
}

#[derive(Serialize)]
struct Notification<'a, T> {
    jsonrpc: &'static str,
    method: &'a str,
    params: Params<'a, T>,
}

#[derive(Serialize)]
struct Params<'a, T> {
    subscription: &'a str,
    result: &'a T,
}

impl Notifications {
    /// One as JSON, of at most `most` bytes.
    pub(crate) fn text(&self, content: &impl Serialize, most: usize) -> Answer<String> {
        let params = Params { subscription: &self.id, result: content };
        written(&Notification { jsonrpc: "2.0", method: self.method, params }, most)
    }
}

impl Subscriber {
    /// Sends one short notification, or gives up on a subscriber that does not
    /// read.
    pub(crate) async fn send(&self, content: &impl Serialize) -> Result<Sent, Dropped> {
        let room = self.outbox.room(SHORT, self.patience).await;
        let Some(room) = unless_slow(room)? else { return Ok(Sent::Gone) };
        let text = self.notifications().text(content, SHORT).map_err(dropped)?;
        self.send_text(room, text).await
    }

    /// What writes its notifications.
    pub(crate) fn notifications(&self) -> Notifications {
        Notifications { method: self.notification, id: self.id.clone() }
    }

    /// Works on a notification of at most `bytes` when it is its turn: what
    /// comes of it, and the notification's room. `None` if the subscriber is
    /// gone.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        lane: Lane,
        bytes: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Option<(T, Room)>, Dropped> {
        let began = Instant::now();
        // Who has its turn waits briefly for room; then others have theirs.
        let (turn, room) = loop {
            match self.outbox.turn(&self.turns, lane, bytes).await {
                Err(Unsent::Slow) if began.elapsed() < self.patience => {}
                turn => match unless_slow(turn)? {
                    Some(turn) => break turn,
                    None => return Ok(None),
                },
            }
        };
        let done = turn.run(move || (work(), room)).await;
        done.map(Some).map_err(|error| dropped(internal(error)))
    }

    /// Sends a notification that has room.
    pub(crate) async fn send_text(&self, room: Room, text: String) -> Result<Sent, Dropped> {
        let sent = self.outbox.send(text, room, self.patience).await;
        Ok(unless_slow(sent)?.map_or(Sent::Gone, |()| Sent::Yes))
    }

    /// Takes room for what stays for long, if there is some now.
    pub(crate) fn keep(&self, bytes: usize) -> Result<Room, NoRoom> {
        self.outbox.keep(bytes)
    }

    /// Takes the right to watch so many keys, until it is dropped.
    pub(crate) fn watch(&self, keys: usize) -> Result<Watched, NotWatched> {
        self.outbox.watch(keys)
    }

    /// Waits until the client has unsubscribed.
    pub(crate) async fn closed(&self) {
        let mut open = self.open.clone();
        tokio::select! {
            () = async { while open.changed().await.is_ok() {} } => {}
            () = self.outbox.closed() => {}
        }
    }
}

fn dropped(refusal: Refusal) -> Dropped {
    Dropped(format!("dropped: {}", refusal.message()))
}

fn unless_slow<T>(sent: Result<T, Unsent>) -> Result<Option<T>, Dropped> {
    match sent {
        Ok(sent) => Ok(Some(sent)),
        Err(Unsent::Closed) => Ok(None),
        Err(Unsent::Slow) => Err("dropped: the subscriber reads too slowly".into()),
    }
}
