//! The subscriptions of one WebSocket connection.

use crate::{
    budget::Share,
    connection::Connection,
    context::Context,
    error::{self, Answer},
    lanes::Turns,
    method::{Answered, Args, Dropped, Pending, Subscriber, Subscription},
    outbox::Outbox,
};
use serde_json::json;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{oneshot, watch};
use tracing::Instrument;

/// Memory that an open subscription is counted as, in bytes.
const EACH: usize = 4 << 10;
/// Longest notification of why a subscription ended.
const LAST: usize = 2 << 10;

/// What a subscription works on and with.
pub(super) struct Work {
    pub(super) context: Arc<Context>,
    pub(super) args: Args,
    pub(super) turns: Turns,
}

/// The subscriptions of one WebSocket connection.
pub(super) struct Subscriptions {
    outbox: Outbox,
    most: usize,
    open: Arc<Open>,
    connection: Arc<Connection>,
}

/// The open ones: dropping the sender ends one.
#[derive(Default)]
struct Open(Mutex<HashMap<String, watch::Sender<()>>>);

impl Open {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, watch::Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subscriptions {
    pub(super) fn new(outbox: Outbox, most: u32) -> Self {
        Self { outbox, most: most as usize, open: Arc::default(), connection: Arc::default() }
    }

    /// Starts one: its id, and what to fire when the answer is on its way.
    pub(super) async fn start(
        &self,
        subscription: &Subscription,
        work: Work,
        share: &Share,
    ) -> Answer<(String, Answered)> {
        let Work { context, args, turns } = work;
        let room = share.keep(EACH).map_err(|full| error::busy(&full))?;
        let id = format!("{:032x}", rand::random::<u128>());
        let (ends, open) = watch::channel(());
        {
            let mut all = self.open.lock();
            if all.len() >= self.most {
                return Err(error::too_many_subscriptions(self.most));
            }
            all.insert(id.clone(), ends);
        }
        let (verdict, judged) = oneshot::channel();
        let (answered, answer) = oneshot::channel();
        let subscriber = Subscriber {
            id: id.clone(),
            notification: subscription.notification,
            outbox: self.outbox.clone(),
            turns,
            patience: context.config.transfer_timeout,
            connection: self.connection.clone(),
            open,
        };
        let metrics = context.metrics.clone();
        let work =
            (subscription.start)(context, args, Pending { subscriber, verdict, answered: answer });
        let last = Last {
            open: self.open.clone(),
            outbox: self.outbox.clone(),
            id: id.clone(),
            notification: subscription.notification,
        };
        let whole = async move {
            let _open = metrics.subscription();
            let ended = work.await;
            last.say(ended.err()).await;
            drop(room);
        };
        tokio::spawn(whole.in_current_span());
        match judged.await {
            Ok(Ok(())) => Ok((id, answered)),
            Ok(Err(refusal)) => Err(refusal),
            Err(_) => Err(error::internal("the subscription ended before it began")),
        }
    }

    /// What its connection has in the node.
    pub(super) fn connection(&self) -> Arc<Connection> {
        self.connection.clone()
    }

    /// Ends one; whether there was one.
    pub(super) fn end(&self, id: &str) -> bool {
        self.connection.follows.end(id);
        self.open.lock().remove(id).is_some()
    }

    /// Ends all.
    pub(super) fn end_all(&self) {
        self.connection.end();
        self.open.lock().clear();
    }
}

/// What is said last.
struct Last {
    open: Arc<Open>,
    outbox: Outbox,
    id: String,
    notification: &'static str,
}

impl Last {
    async fn say(self, dropped: Option<Dropped>) {
        let was_open = self.open.lock().remove(&self.id).is_some();
        let Some(Dropped(words)) = dropped.filter(|_| was_open) else { return };
        tracing::debug!(notification = self.notification, %words, "a subscription was ended");
        let text = json!({
            "jsonrpc": "2.0",
            "method": self.notification,
            "params": { "subscription": self.id, "error": words },
        })
        .to_string();
        // Without waiting: who has no room for it does not read.
        let soon = std::time::Duration::from_millis(100);
        if let Ok(room) = self.outbox.room(text.len().min(LAST), soon).await {
            let _ = self.outbox.send(text, room, soon).await;
        }
    }
}
