//! The two halves of a batch: what reads storage, and what does not. Each has
//! room of its own, so that neither waits for the other's.

use super::slice::Slice;
use crate::{
    budget::Room,
    error,
    lanes::{Lane, PATIENCE},
    server::{
        answers::{AROUND, LEAST, Part},
        envelope::{Entry, NO_ID, Refused},
        reads::Read,
        session::Session,
    },
};
use futures::{StreamExt, stream::FuturesOrdered};
use std::collections::VecDeque;
use tokio::sync::oneshot;

/// Requests of one batch that are worked on at once.
pub(super) const AT_ONCE: usize = 64;

/// Answers to some of a batch's requests.
pub(super) struct Half<'a> {
    session: &'a Session,
    room: Room,
    /// Bytes for answers, those that there are and those that may come.
    total: usize,
    /// Bytes of them that no answer has.
    free: usize,
    limit: Limit,
    /// The answers with the places of their requests.
    parts: Vec<(usize, Part)>,
}

/// What the answers may take in all.
pub(super) struct Limit {
    pub(super) now: usize,
    /// And what the other half leaves, when it has ended.
    pub(super) later: Option<oneshot::Receiver<usize>>,
}

impl Limit {
    pub(super) fn of(bytes: usize) -> Self {
        Self { now: bytes, later: None }
    }

    /// Waits until the other half has ended, unless it was known to have;
    /// whether it was not.
    async fn whole(&mut self) -> bool {
        let Some(later) = self.later.take() else { return false };
        // If the other half fails, the batch does.
        self.now += later.await.unwrap_or(0);
        true
    }
}

impl<'a> Half<'a> {
    /// A half with room for answers of `free` bytes.
    pub(super) async fn new(
        session: &'a Session,
        free: usize,
        limit: Limit,
    ) -> Result<Self, Refused> {
        let free = free.min(limit.now);
        let room = session.share.wait(free + AROUND, PATIENCE).await;
        let room = room.map_err(|full| session.busy(NO_ID, full))?;
        Ok(Self { session, room, total: free, free, limit, parts: Vec::new() })
    }

    /// The answers and their room.
    pub(super) fn finish(self) -> (Vec<(usize, Part)>, Room) {
        (self.parts, self.room)
    }

    /// What it leaves of what its answers might have taken.
    pub(super) fn left(&self) -> usize {
        self.limit.now - self.total
    }

    /// Makes sure that `wanted` bytes are free, as far as an answer may be long
    /// at all.
    async fn make_free(&mut self, wanted: usize) -> Result<(), Refused> {
        if wanted > self.free + self.left() {
            self.limit.whole().await;
        }
        let more = self.lacks(wanted);
        if more > 0 {
            let room = self.session.share.wait(more, PATIENCE).await;
            self.grow(room.map_err(|full| self.session.busy(NO_ID, full))?);
        }
        Ok(())
    }

    /// What is not free of `wanted` bytes and may be taken.
    fn lacks(&self, wanted: usize) -> usize {
        wanted.saturating_sub(self.free).min(self.left())
    }

    fn grow(&mut self, room: Room) {
        self.total += room.bytes();
        self.free += room.bytes();
        self.room.add(room);
    }

    /// Gives back what is free beyond `keeps`.
    pub(super) fn give_back(&mut self, keeps: usize) {
        let less = self.free.saturating_sub(keeps);
        self.free -= less;
        self.total -= less;
        self.room.shrink_to(self.total + AROUND);
    }

    async fn put(&mut self, place: usize, part: Part) -> Result<(), Refused> {
        let length = part.text.len() + 1;
        self.make_free(length).await?;
        self.free = self.free.checked_sub(length).ok_or_else(too_long)?;
        self.parts.push((place, part));
        Ok(())
    }

    /// What does not read storage, side by side as far as there is room for
    /// what it may answer.
    pub(super) async fn others(&mut self, entries: Vec<(usize, Entry)>) -> Result<(), Refused> {
        let session = self.session;
        let mut entries = entries.into_iter().peekable();
        let mut running = FuturesOrdered::new();
        loop {
            while let Some((_, entry)) = entries.peek() {
                let wants = session.bound(entry) + LEAST;
                if running.len() == AT_ONCE || (wants > self.free && !running.is_empty()) {
                    break;
                }
                self.make_free(wants).await?;
                let given = wants.min(self.free);
                self.free -= given;
                let Some((place, entry)) = entries.next() else { break };
                running.push_back(async move {
                    let is_cut = given < wants;
                    let part = session.entry(entry, given.saturating_sub(LEAST)).await;
                    (place, given, is_cut, part)
                });
            }
            let Some((place, given, is_cut, part)) = running.next().await else { return Ok(()) };
            self.free += given;
            let Some(part) = part else { continue };
            if is_cut && part.is_too_long() {
                return Err(too_long());
            }
            self.put(place, part).await?;
        }
    }

    /// Light reads, as many in a turn as it bears. Gives those that are not
    /// light.
    pub(super) async fn light(
        &mut self,
        mut waiting: VecDeque<(usize, Read)>,
    ) -> Result<Vec<(usize, Read)>, Refused> {
        let session = self.session;
        let mut dear = Vec::new();
        while let Some((_, read)) = waiting.front() {
            self.make_free(read.first_try() + LEAST).await?;
            // Not for longer than its turn: the other half may wait for it.
            let own = session.turns.place(Lane::Light).await;
            let turn = session.turns.turn(&own).await;
            drop(own);
            let room = std::mem::take(&mut self.room);
            let mut slice = Slice::new(session.methods.clone(), waiting, self.free);
            let work = move || {
                slice.run();
                (slice, room)
            };
            let (slice, room) = turn.run(work).await.map_err(failed)?;
            self.room = room;
            waiting = slice.waiting;
            dear.extend(slice.dear);
            for (place, read, part) in slice.answered {
                session.count(read.name, read.began, read.admitted(), &part);
                self.put(place, part).await?;
            }
        }
        Ok(dear)
    }

    /// Dear reads, one after the other: who waits for a turn keeps no room but
    /// that of the answers that there are.
    pub(super) async fn dear(&mut self, reads: Vec<(usize, Read)>) -> Result<(), Refused> {
        let mut left = reads.len();
        for (place, read) in reads {
            self.give_back(left * LEAST);
            left -= 1;
            let (name, began, admitted) = (read.name, read.began, read.admitted().clone());
            let part = self.long(read).await?;
            self.session.count(name, began, &admitted, &part);
            self.put(place, part).await?;
        }
        Ok(())
    }

    /// The answer of a dear read. One that does not fit beside what the other
    /// half may take is read again when that has ended.
    async fn long(&mut self, mut read: Read) -> Result<Part, Refused> {
        let session = self.session;
        loop {
            let longest = read.bound().min(self.limit.now);
            let lane = read.lane(longest);
            let more = self.lacks(longest + LEAST);
            let taken = session.turns.with_room(lane, &session.share, more).await;
            let (turn, room) = taken.map_err(|full| session.busy(NO_ID, full))?;
            self.grow(room);
            let most = longest.min(self.free.saturating_sub(LEAST));
            let room = std::mem::take(&mut self.room);
            let methods = session.methods.clone();
            let work = move || (read.run(&methods.context, most), read, room);
            let (part, again, room) = turn.run(work).await.map_err(failed)?;
            self.room = room;
            if !part.is_too_long() || most >= again.bound() {
                return Ok(part);
            }
            if !self.limit.whole().await {
                return Err(too_long());
            }
            read = again;
        }
    }
}

fn too_long() -> Refused {
    Refused { id: NO_ID.into(), error: error::batch_answer() }
}

fn failed(error: tokio::task::JoinError) -> Refused {
    Refused { id: NO_ID.into(), error: error::internal(error) }
}
