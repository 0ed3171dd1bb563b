//! The end of a subscription that the method has.

use crate::{
    budget::{NoRoom, Room},
    error::Refusal,
    lanes::Turns,
    outbox::{Outbox, Unsent, Watched},
};
use serde::Serialize;
use serde_json::json;
use std::time::Duration;
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

/// Fires when an answer stands in the outbox, or is lost: what its request
/// began may follow it.
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
    /// Closed when the client has unsubscribed.
    pub(crate) open: watch::Receiver<()>,
}

impl Pending {
    /// Refuses it.
    pub(crate) fn reject(self, refusal: Refusal) {
        // Who asked may be gone.
        let _ = self.verdict.send(Err(refusal));
    }

    /// Grants it, and waits until the answer is before the notifications.
    pub(crate) async fn accept(self) -> Subscriber {
        let _ = self.verdict.send(Ok(()));
        let _ = self.answered.await;
        self.subscriber
    }
}

impl Subscriber {
    /// Sends one short notification, or gives up on a subscriber that does not
    /// read.
    pub(crate) async fn send(&self, content: &impl Serialize) -> Result<Sent, Dropped> {
        match self.room(SHORT).await? {
            Some(room) => self.send_in(room, content).await,
            None => Ok(Sent::Gone),
        }
    }

    /// Room for a notification of `bytes`; `None` if the subscriber is gone.
    pub(crate) async fn room(&self, bytes: usize) -> Result<Option<Room>, Dropped> {
        unless_slow(self.outbox.room(bytes, self.patience).await)
    }

    /// Sends a notification that has room.
    pub(crate) async fn send_in(
        &self,
        room: Room,
        content: &impl Serialize,
    ) -> Result<Sent, Dropped> {
        let text = json!({
            "jsonrpc": "2.0",
            "method": self.notification,
            "params": { "subscription": self.id, "result": content },
        })
        .to_string();
        let (found, most) = (text.len(), room.bytes());
        if found > most {
            return Err(format!("dropped: a notification of {found} bytes, over {most}").into());
        }
        let sent = self.outbox.send(text, room, self.patience).await;
        Ok(unless_slow(sent)?.map_or(Sent::Gone, |()| Sent::Yes))
    }

    /// Takes the right to watch so many keys, until it is dropped.
    pub(crate) fn watch(&self, keys: usize) -> Result<Watched, NoRoom> {
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

fn unless_slow<T>(sent: Result<T, Unsent>) -> Result<Option<T>, Dropped> {
    match sent {
        Ok(sent) => Ok(Some(sent)),
        Err(Unsent::Closed) => Ok(None),
        Err(Unsent::Slow) => Err("dropped: the subscriber reads too slowly".into()),
    }
}
