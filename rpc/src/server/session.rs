//! One connection's requests and their answers.
//!
//! An answer has its room before it is made, so that what nobody reads was never
//! made: a light method's before its turn, a dear one's when it has its turn.

use super::{
    accept::Peer,
    answers::{AROUND, LEAST, Part, Reply},
    envelope::{Call, Entry, Refused},
    reads::Read,
    shared::Methods,
    subscriptions::{Subscriptions, Work},
};
use crate::{
    access::Admitted,
    budget::{NoRoom, Share},
    error::{self, Answer},
    lanes::{PATIENCE, Turns},
    method::{Answered, Args, Caller as Connected, Handler, Method, Waiting},
    metrics::Method as Label,
};
use billchain_access::Caller;
use bytes::Bytes;
use std::{sync::Arc, time::Instant};

/// One connection's requests and their answers.
#[derive(Clone)]
pub(super) struct Session {
    pub(super) methods: Arc<Methods>,
    pub(super) share: Share,
    pub(super) turns: Turns,
    pub(super) peer: Peer,
    /// Who asks, once that is known.
    pub(super) caller: Option<Arc<Caller>>,
    /// On a WebSocket.
    subscriptions: Option<Arc<Subscriptions>>,
}

impl Session {
    /// The session of a new connection.
    pub(super) fn of(methods: Arc<Methods>, peer: Peer) -> Self {
        let (share, turns) = (methods.budget.share(), methods.lanes.of_one());
        Self { methods, share, turns, peer, caller: None, subscriptions: None }
    }

    /// As one of this caller.
    pub(super) fn called_by(self, caller: Caller) -> Self {
        Self { caller: Some(Arc::new(caller)), ..self }
    }

    /// Waits before a refusal is told, if its address was told many.
    pub(super) async fn penalty(&self) {
        let wait = self.methods.context.access.penalty(self.peer.address);
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    /// Whether its caller may ask no more: its time is over, or the configuration changed.
    pub(super) fn is_over(&self) -> bool {
        let access = &self.methods.context.access;
        self.caller.as_ref().is_some_and(|caller| access.still(caller).is_err())
    }

    /// As a WebSocket, which can subscribe.
    pub(super) fn subscribing(self, subscriptions: Arc<Subscriptions>) -> Self {
        Self { subscriptions: Some(subscriptions), ..self }
    }

    /// The answer to one entry.
    pub(super) async fn single(&self, entry: Entry) -> Result<Option<Reply>, Refused> {
        let entry = match Read::of(entry, &self.methods) {
            Ok(read) => return self.read(read).await.map(Some),
            Err(entry) => entry,
        };
        let most = self.bound(&entry).min(self.longest_answer());
        let room = self.share.wait(most + AROUND, PATIENCE).await;
        let mut room = room.map_err(|full| self.busy(entry.id(), full))?;
        let Some(part) = self.entry(entry, most).await else { return Ok(None) };
        room.shrink_to(part.text.len());
        Ok(Some(Reply { text: part.text, room, began: part.began.map(|began| vec![began]) }))
    }

    /// The answer of a method that reads storage. Most are short, so that one
    /// that turns out to be long takes its room, and runs, again.
    async fn read(&self, read: Read) -> Result<Reply, Refused> {
        let longest = read.bound().min(self.longest_answer());
        let mut most = read.first_try().min(longest);
        let read = Arc::new(read);
        loop {
            let taken = self.turns.with_room(read.lane(most), &self.share, most + AROUND).await;
            let (turn, room) = taken.map_err(|full| self.busy(read.id(), full))?;
            let (methods, runs) = (self.methods.clone(), read.clone());
            let ran = turn.run(move || (runs.run(&methods.context, most), room)).await;
            let (part, mut room) = ran.map_err(|error| read.refused(error::internal(error)))?;
            if part.is_too_long() && most < longest {
                most = read.next_try(most).min(longest);
                continue;
            }
            self.count(read.name, read.began, read.admitted(), &part);
            room.shrink_to(part.text.len());
            return Ok(Reply { text: part.text, room, began: None });
        }
    }

    pub(super) fn longest_answer(&self) -> usize {
        self.methods.context.config.max_response_bytes as usize
    }

    /// The longest answer that an entry may have.
    pub(super) fn bound(&self, entry: &Entry) -> usize {
        let Entry::Call(call) = entry else { return LEAST };
        self.methods.named(&call.method).map_or(LEAST, |(_, method)| method.bound.answer as usize)
    }

    /// The refusal of what finds no room.
    pub(super) fn busy(&self, id: &str, full: NoRoom) -> Refused {
        self.methods.context.metrics.refused_busy();
        Refused { id: id.to_owned(), error: error::busy(&full) }
    }

    /// Counts an answer.
    pub(super) fn count(
        &self,
        name: &'static str,
        began: Instant,
        admitted: &Admitted,
        part: &Part,
    ) {
        admitted.ended(part.code(), part.text.len(), began.elapsed());
        let metrics = &self.methods.context.metrics;
        let label = Label { method: name.into() };
        metrics.seconds.observe(began.elapsed().as_secs_f64());
        metrics.requests.get_or_create(&label).inc();
        if part.is_refusal() {
            metrics.errors.get_or_create(&label).inc();
        }
    }

    /// The answer to what does not read storage.
    pub(super) async fn entry(&self, entry: Entry, most: usize) -> Option<Part> {
        match entry {
            Entry::Call(call) => Some(self.call(call, most).await),
            Entry::Notification => None,
            Entry::Invalid(refused) => Some(Part::refused(&refused)),
        }
    }

    async fn call(&self, call: Call, most: usize) -> Part {
        let began_at = Instant::now();
        let Call { id, method, params, admitted } = call;
        let found = self.methods.named(&method);
        let mut began = None;
        let answer = match found {
            Some((_, method)) => self.run(method, (params, &admitted), most, &mut began).await,
            None => Err(error::no_method(&method)),
        };
        let mut part = Part::of(id, answer);
        part.began = began;
        self.count(found.map_or("unknown", |(name, _)| name), began_at, &admitted, &part);
        part
    }

    /// The result as JSON.
    async fn run(
        &self,
        method: &'static Method,
        (params, admitted): (Option<Bytes>, &Arc<Admitted>),
        most: usize,
        began: &mut Option<Answered>,
    ) -> Answer<String> {
        let context = self.methods.context.clone();
        let length = params.as_ref().map_or(0, Bytes::len);
        let (judges, admitted) = (context.clone(), admitted.clone());
        let args = move || admitted.args(&judges, method, params.as_deref(), most);
        match method.handler {
            Handler::Memory(answer) => answer(&context, &args()?),
            Handler::Read(answer) => {
                let work = move || answer(&context, &args()?);
                self.turns.run(method.bound.lane, work).await.map_err(error::internal)?
            }
            Handler::Wait(Waiting { read, answer }) => {
                let read = self.turns.read(length, move || read(&args()?)).await;
                answer(context, read.map_err(error::internal)??, most).await
            }
            Handler::Subscribe(subscription) => {
                let subscriptions = self.subscriptions()?;
                let args = self.turns.read(length, args).await.map_err(error::internal)??;
                let work = Work { context, args, turns: self.turns.clone() };
                let (id, answered) = subscriptions.start(&subscription, work, &self.share).await?;
                *began = Some(answered);
                Ok(format!("\"{id}\""))
            }
            Handler::Own(answer) => {
                let connection = self.subscriptions()?.connection();
                let caller = Connected { context, connection, share: self.share.clone() };
                let work = move || answer(&caller, &args()?);
                let made = self.turns.run(method.bound.lane, work).await;
                let made = made.map_err(error::internal)??;
                *began = made.begins;
                Ok(made.text)
            }
            Handler::Unsubscribe => self.end(&args()?).map(|had| had.to_string()),
            Handler::Stop => self.end(&args()?).map(|_| "null".into()),
            Handler::End => match self.end(&args()?)? {
                true => Ok("null".into()),
                false => Err(error::no_subscription()),
            },
        }
    }

    /// Ends a subscription; whether there was one.
    fn end(&self, args: &Args) -> Answer<bool> {
        Ok(self.subscriptions()?.end(args.text(0, "subscription")?))
    }

    fn subscriptions(&self) -> Answer<&Subscriptions> {
        self.subscriptions.as_deref().ok_or_else(error::no_subscriptions)
    }
}
