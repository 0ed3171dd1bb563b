//! Subscriptions that tell of a state's entries and end: a step at a time, each a dear
//! turn of bounded work, whose notifications have their room before they are made.
//!
//! A step takes the state anew. The walk of a slow reader keeps none in memory, and
//! ends with an error when its state is not kept any more.

use crate::{
    context::Context,
    error::{self, Answer, invalid},
    lanes::Lane,
    method::{Args, Ended, Notifications, Pending, Sent, Subscriber},
};
use billchain_rpc_types::code;
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;

/// Most items of one subscription.
pub(super) const MAX_ITEMS: usize = 1_000;
/// Most entries that one subscription looks at; an item counts as one in each step.
pub(in crate::substrate) const MAX_ENTRIES: u32 = 10_000;
/// Most entries of a step.
const STEP: u32 = 500;
/// The same of a step for one long entry: its item and it.
const ONE: u32 = 2;
/// Notifications of a step, in bytes: a longer one has a step for itself.
const SHORT: usize = 256 << 10;

/// What is told.
pub(super) trait Walk: Send + Sync + 'static {
    /// A notification.
    type Event: Serialize + Send + Sync;

    /// How many items there are.
    fn items(&self) -> usize;

    /// Goes on from the place of the step, as far as it may; whether it is through.
    fn step(&self, context: &Context, step: &mut Step) -> Answer<bool>;

    /// How to ask for what comes from a place on, in words.
    fn rest(&self, at: &Place) -> String;

    /// The last notification: all was told, or why not.
    fn last(failure: Option<String>) -> Self::Event;
}

/// How far a walk has come.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    /// The item.
    pub(super) item: usize,
    /// The last key of it that is done with.
    pub(super) after: Option<Vec<u8>>,
}

/// A step of a walk.
pub(super) struct Step {
    /// How far it has come.
    pub(super) at: Place,
    /// How many entries it may look at still.
    pub(super) left: u32,
    notifications: Notifications,
    texts: Vec<String>,
    /// Bytes that they may still have.
    room: usize,
    /// An entry found no room.
    is_full: bool,
}

impl Step {
    fn new(notifications: Notifications, at: Place, left: u32, room: usize) -> Self {
        Self { at, left, notifications, texts: Vec::new(), room, is_full: false }
    }

    /// Counts an entry; whether it may be looked at.
    pub(super) fn look(&mut self) -> bool {
        let left = self.left.checked_sub(1);
        self.left = left.unwrap_or_default();
        left.is_some()
    }

    /// Tells of an entry of which `shown` bytes are shown in hex, if there is room.
    pub(super) fn tell<E: Serialize>(
        &mut self,
        shown: usize,
        event: impl FnOnce() -> E,
    ) -> Answer<bool> {
        let text = match shown.saturating_mul(2) > self.room {
            true => Err(error::answer_too_long(self.room)),
            false => self.notifications.text(&event(), self.room),
        };
        match text {
            Ok(text) => {
                self.room -= text.len();
                self.texts.push(text);
                Ok(true)
            }
            Err(refusal) if refusal.code() == code::ANSWER_TOO_LONG => {
                self.is_full = true;
                Ok(false)
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// Goes to the next item.
    pub(super) fn next_item(&mut self) {
        self.at = Place { item: self.at.item + 1, after: None };
    }
}

/// The parameter `items`: a list, of which `read` reads each.
pub(super) fn items<T>(args: &Args, read: impl Fn(&str, &Value) -> Answer<T>) -> Answer<Vec<T>> {
    match args.value(1) {
        Value::Array(list) if list.len() <= MAX_ITEMS => {
            let items = list.iter().enumerate();
            items.map(|(at, value)| read(&format!("items[{at}]"), value)).collect()
        }
        Value::Array(list) => {
            Err(invalid("items", &format!("at most {MAX_ITEMS}"), &list.len().to_string()))
        }
        other => Err(invalid("items", "a list of items", &other.to_string())),
    }
}

/// Tells all that was asked for, and ends.
pub(super) async fn tell<W: Walk>(
    context: Arc<Context>,
    asked: Answer<W>,
    pending: Pending,
) -> Ended {
    let granted = asked.and_then(|walk| {
        let right = pending.subscriber.watch(walk.items()).map_err(|full| error::busy(&full))?;
        Ok((walk, right))
    });
    let (walk, _right) = match granted {
        Ok(granted) => granted,
        Err(error) => {
            pending.reject(error);
            return Ok(());
        }
    };
    let Some(sink) = pending.accept().await else { return Ok(()) };
    let walk = Arc::new(walk);
    tokio::select! {
        () = sink.closed() => Ok(()),
        ended = all(&context, &walk, &sink) => ended,
    }
}

/// Step by step. An entry for which a step has no room begins the next one; one for which
/// that has none gets the longest room there is.
async fn all<W: Walk>(context: &Arc<Context>, walk: &Arc<W>, sink: &Subscriber) -> Ended {
    let longest = (context.config.max_response_bytes as usize).max(SHORT);
    let (mut at, mut left, mut room) = (Place::default(), MAX_ENTRIES, SHORT);
    let failure = loop {
        let given = left.min(if room > SHORT { ONE } else { STEP });
        let mut step = Step::new(sink.notifications(), at, given, room);
        let (context, walks) = (context.clone(), walk.clone());
        let work = move || (walks.step(&context, &mut step), step);
        let worked = sink.work(Lane::Heavy, room, work).await?;
        let Some(((done, step), mut taken)) = worked else { return Ok(()) };
        let has_told = !step.texts.is_empty();
        for text in step.texts {
            let own = taken.split(text.len());
            if let Sent::Gone = sink.send_text(own, text).await? {
                return Ok(());
            }
        }
        drop(taken);
        at = step.at;
        left -= given - step.left;
        room = match done {
            Ok(true) => break None,
            Err(refusal) => break Some(refusal.message().to_owned()),
            Ok(false) if left == 0 => {
                break Some(format!("more than {MAX_ENTRIES} entries: {}", walk.rest(&at)));
            }
            Ok(false) if has_told || !step.is_full => SHORT,
            Ok(false) if room < longest => longest,
            Ok(false) => {
                let words = "(rpc.max_response_bytes) has no room for the next entry";
                let rest = walk.rest(&at);
                break Some(format!("a notification of {longest} bytes {words}: {rest}"));
            }
        };
    };
    sink.send(&W::last(failure)).await.map(|_| ())
}
