//! One connection's messages and their answers.
//!
//! The longest answer that a message may have takes its room before anything
//! is done for it, so that what nobody reads was never made.

use super::{
    envelope::{self, Call, Entry, Message, NO_ID, Refused},
    subscriptions::{Subscriptions, Work},
};
use crate::{
    budget::{Budget, NoRoom, Room, Share},
    context::Context,
    error::{self, Answer, Refusal},
    lanes::{Lane, Lanes, Turns},
    method::{Answered, Handler, Method},
    metrics::Method as Label,
    outbox::watched_of_all,
};
use billchain_rpc_types::code;
use bytes::Bytes;
use futures::{StreamExt, stream::FuturesOrdered};
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;

/// Requests of one batch that are worked on at once.
const AT_ONCE: usize = 64;
/// How long a request waits for room.
const PATIENCE: Duration = Duration::from_secs(10);
/// What an answer has around its result, and the longest refusal.
const AROUND: usize = 6 << 10;
/// Longest answer for which a light method runs first, in bytes.
const QUICK: usize = 256 << 10;
/// Longest answer of a batch's request that is refused, or of a method that
/// there is not.
const LEAST: usize = 1 << 10;

/// What the connections of a server share.
pub(super) struct Methods {
    pub(super) context: Arc<Context>,
    by_name: HashMap<&'static str, &'static Method>,
    pub(super) budget: Budget,
    lanes: Lanes,
    pub(super) watched: Arc<Semaphore>,
}

impl Methods {
    pub(super) fn new(context: Context, all: impl Iterator<Item = &'static Method>) -> Self {
        let config = &context.config;
        let (all_bytes, of_one) = (config.max_bytes_held as usize, config.max_connection_bytes());
        Self {
            budget: Budget::new(all_bytes, of_one, context.metrics.clone()),
            by_name: all.flat_map(|one| one.names().map(move |name| (name, one))).collect(),
            lanes: Lanes::of_the_machine(),
            watched: watched_of_all(),
            context: Arc::new(context),
        }
    }

    /// The session of a new connection.
    pub(super) fn session(self: &Arc<Self>) -> Session {
        Session {
            methods: self.clone(),
            share: self.budget.share(),
            turns: self.lanes.of_one(),
            subscriptions: None,
        }
    }
}

/// One connection's messages and their answers.
#[derive(Clone)]
pub(super) struct Session {
    pub(super) methods: Arc<Methods>,
    pub(super) share: Share,
    pub(super) turns: Turns,
    /// On a WebSocket.
    subscriptions: Option<Arc<Subscriptions>>,
}

/// The answer to a message, with what it holds until it was written.
pub(super) struct Reply {
    pub(super) text: String,
    pub(super) room: Room,
    pub(super) began: Option<Vec<Answered>>,
}

/// The answer to one request.
struct Part {
    text: String,
    refused: Option<i32>,
    began: Option<Answered>,
}

impl Part {
    fn is_too_long(&self) -> bool {
        self.refused == Some(code::ANSWER_TOO_LONG)
    }
}

impl Session {
    /// As a WebSocket, which can subscribe.
    pub(super) fn subscribing(self, subscriptions: Arc<Subscriptions>) -> Self {
        Self { subscriptions: Some(subscriptions), ..self }
    }

    /// The answer to a message, whose bytes have `room`; none if it wants none.
    pub(super) async fn answer(&self, message: Bytes, room: Room) -> Option<Reply> {
        let config = &self.methods.context.config;
        let message = match envelope::read(&message, config.max_batch as usize) {
            Ok(message) => message,
            Err(refused) => return Some(refusal(refused, room)),
        };
        let answered = match message {
            Message::Single(entry) => self.single(entry).await,
            Message::Batch(entries) => self.batch(entries).await,
        };
        match answered {
            Ok(reply) => reply,
            Err((id, full)) => {
                self.methods.context.metrics.refused_busy();
                Some(refusal(Refused { id, error: error::busy(&full) }, room))
            }
        }
    }

    /// The answer to one entry. Most answers of light methods are short, so
    /// that one that turns out to be long takes its room, and runs, again.
    async fn single(&self, entry: Entry) -> Result<Option<Reply>, (String, NoRoom)> {
        let longest = self.bound(&entry).min(self.longest_answer());
        let full = |full| (entry.id().to_owned(), full);
        let mut most = self.first_try(&entry).min(longest);
        loop {
            let mut room = self.share.wait(most + AROUND, PATIENCE).await.map_err(full)?;
            let Some(part) = self.entry(entry.clone(), most).await else { return Ok(None) };
            if most < longest && part.is_too_long() {
                most = longest;
                continue;
            }
            room.shrink_to(part.text.len());
            let began = part.began.map(|began| vec![began]);
            return Ok(Some(Reply { text: part.text, room, began }));
        }
    }

    fn longest_answer(&self) -> usize {
        self.methods.context.config.max_response_bytes as usize
    }

    /// The longest answer that an entry may have.
    fn bound(&self, entry: &Entry) -> usize {
        self.method(entry).map_or(LEAST, |method| method.bound.answer as usize)
    }

    /// The longest answer for which it runs first.
    fn first_try(&self, entry: &Entry) -> usize {
        match self.method(entry) {
            Some(Method { handler: Handler::Read(_), bound, .. }) if bound.lane == Lane::Light => {
                QUICK.min(bound.answer as usize)
            }
            _ => self.bound(entry),
        }
    }

    fn method(&self, entry: &Entry) -> Option<&'static Method> {
        let Entry::Call(call) = entry else { return None };
        self.methods.by_name.get(call.method.as_str()).copied()
    }

    /// The answers to a batch's requests, which run side by side as far as
    /// there is room for what they may answer; begun in their order.
    async fn batch(&self, entries: Vec<Entry>) -> Result<Option<Reply>, (String, NoRoom)> {
        let sum: usize = entries.iter().map(|entry| self.bound(entry) + LEAST).sum();
        let mut free = sum.min(self.longest_answer());
        let room = self.share.wait(free + AROUND, PATIENCE).await;
        let mut room = room.map_err(|full| (NO_ID.to_owned(), full))?;
        let (mut text, mut began) = (String::new(), Vec::new());
        let mut entries = entries.into_iter().peekable();
        let mut running = FuturesOrdered::new();
        loop {
            while let Some(entry) = entries.peek() {
                let wants = self.first_try(entry) + LEAST;
                if running.len() == AT_ONCE || (wants > free && !running.is_empty()) {
                    break;
                }
                let given = wants.min(free);
                free -= given;
                let Some(entry) = entries.next() else { break };
                running.push_back(async move {
                    let part = self.entry(entry.clone(), given.saturating_sub(LEAST)).await;
                    (entry, given, part)
                });
            }
            let Some((entry, given, mut part)) = running.next().await else { break };
            free += given;
            let (bound, mut most) = (self.bound(&entry), given.saturating_sub(LEAST));
            if part.as_ref().is_some_and(Part::is_too_long) && most < bound {
                // Again, with all the room that there is.
                most = free.saturating_sub(LEAST);
                part = self.entry(entry, most).await;
            }
            let Some(part) = part else { continue };
            let is_cut = part.is_too_long() && most < bound;
            began.extend(part.began);
            if is_cut || part.text.len() + 1 > free {
                let refused = Refused { id: NO_ID.into(), error: error::batch_answer() };
                return Ok(Some(refusal(refused, room)));
            }
            free -= part.text.len() + 1;
            text.push(if text.is_empty() { '[' } else { ',' });
            text.push_str(&part.text);
        }
        // Nothing but notifications has no answer.
        if text.is_empty() {
            return Ok(None);
        }
        text.push(']');
        room.shrink_to(text.len());
        Ok(Some(Reply { text, room, began: Some(began) }))
    }

    async fn entry(&self, entry: Entry, most: usize) -> Option<Part> {
        match entry {
            Entry::Call(call) => Some(self.call(call, most).await),
            Entry::Notification => None,
            Entry::Invalid(refused) => {
                let refused_with = Some(refused.error.code());
                Some(Part { text: refused.text(), refused: refused_with, began: None })
            }
        }
    }

    async fn call(&self, call: Call, most: usize) -> Part {
        let began_at = Instant::now();
        let Call { id, method, params } = call;
        let found = self.methods.by_name.get_key_value(method.as_str());
        let mut began = None;
        let answer = match found {
            Some((_, method)) => self.run(method, params, most, &mut began).await,
            None => Err(error::no_method(&method)),
        };
        let metrics = &self.methods.context.metrics;
        let label = Label { method: found.map_or("unknown", |(name, _)| name).into() };
        metrics.seconds.observe(began_at.elapsed().as_secs_f64());
        metrics.requests.get_or_create(&label).inc();
        match answer {
            Ok(result) => {
                let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#);
                Part { text, refused: None, began }
            }
            Err(error) => {
                metrics.errors.get_or_create(&label).inc();
                let code = error.code();
                Part { text: Refused { id, error }.text(), refused: Some(code), began: None }
            }
        }
    }

    /// The result as JSON.
    async fn run(
        &self,
        method: &'static Method,
        params: Option<Bytes>,
        most: usize,
        began: &mut Option<Answered>,
    ) -> Answer<String> {
        let context = self.methods.context.clone();
        let args = move || {
            // The message is text, of which they are a part.
            let text = params.as_deref().map(std::str::from_utf8).transpose();
            method.args(text.map_err(error::internal)?, most)
        };
        match method.handler {
            Handler::Memory(answer) => answer(&context, &args()?),
            Handler::Read(answer) => {
                let work = move || answer(&context, &args()?);
                self.turns.run(method.bound.lane, work).await.map_err(error::internal)?
            }
            Handler::Wait(answer) => answer(context, args()?).await,
            Handler::Subscribe(subscription) => {
                let subscriptions = self.subscriptions()?;
                let work = Work { context, args: args()?, turns: self.turns.clone() };
                let (id, answered) = subscriptions.start(&subscription, work, &self.share).await?;
                *began = Some(answered);
                Ok(format!("\"{id}\""))
            }
            Handler::Unsubscribe => {
                let args = args()?;
                let id = args.text(0, "subscription")?;
                Ok(self.subscriptions()?.end(id).to_string())
            }
        }
    }

    fn subscriptions(&self) -> Answer<&Subscriptions> {
        self.subscriptions.as_deref().ok_or_else(error::no_subscriptions)
    }
}

fn refusal(refused: Refused, room: Room) -> Reply {
    Reply { text: refused.text(), room, began: None }
}

impl Refused {
    /// As JSON.
    pub(super) fn text(&self) -> String {
        error_text(&self.id, &self.error)
    }
}

pub(super) fn error_text(id: &str, error: &Refusal) -> String {
    let error = serde_json::to_string(&error::short(error)).unwrap_or_else(|_| "null".into());
    format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#)
}
