//! Batches: many requests, and their answers in one message.
//!
//! What does not read storage is begun first and runs side by side; then light
//! reads run in one turn, for some milliseconds, and again in the next; dear
//! ones run last, one after the other. The answers stand in the order of the
//! requests.
//!
//! A batch has room for what its answers usually take. One that takes more
//! waits for that when it comes to it, up to `rpc.max_response_bytes`.

use super::{
    answers::{AROUND, LEAST, Part, Reply},
    envelope::{Entry, NO_ID, Refused},
    reads::Read,
    session::Session,
    shared::Methods,
};
use crate::{
    budget::Room,
    error,
    lanes::{Lane, PATIENCE},
};
use futures::{StreamExt, stream::FuturesOrdered};
use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

/// Requests of one batch that are worked on at once.
const AT_ONCE: usize = 64;
/// Longest answers for which a batch has room before it begins, in bytes.
const BEFORE: usize = 2 << 20;
/// How long light reads run in one turn.
const SLICE: Duration = Duration::from_millis(2);

/// The answer to a batch; none if it wants none.
pub(super) async fn answer(
    session: &Session,
    entries: Vec<Entry>,
) -> Result<Option<Reply>, Refused> {
    let longest = session.longest_answer();
    let (mut sum, mut light, mut dear, mut others) = (0, VecDeque::new(), Vec::new(), Vec::new());
    let count = entries.len();
    for (place, entry) in entries.into_iter().enumerate() {
        match Read::of(entry, &session.methods) {
            Ok(read) if read.lane(read.first_try()) == Lane::Light => {
                sum += read.first_try() + LEAST;
                light.push_back((place, read));
            }
            Ok(read) => {
                // It takes its room when it has its turn.
                sum += LEAST;
                dear.push((place, read));
            }
            Err(entry) => {
                sum += session.bound(&entry) + LEAST;
                others.push((place, entry));
            }
        }
    }
    let reads = !(light.is_empty() && dear.is_empty());
    let _turn = if reads { session.turns.batch().await } else { None };
    let free = sum.min(BEFORE).min(longest);
    let room = session.share.wait(free + AROUND, PATIENCE).await;
    let room = room.map_err(|full| session.busy(NO_ID, full))?;
    let parts = (0..count).map(|_| None).collect();
    let mut batch = Batch { session, room, total: free, free, longest, parts };
    batch.others(others).await?;
    dear.extend(batch.light(light).await?);
    batch.dear(dear).await?;
    Ok(batch.finish())
}

struct Batch<'a> {
    session: &'a Session,
    room: Room,
    /// Bytes for answers, those that there are and those that may come.
    total: usize,
    /// Bytes of them that no answer has.
    free: usize,
    longest: usize,
    /// The answers by the places of their requests.
    parts: Vec<Option<Part>>,
}

/// Light reads that one turn begins.
struct Slice {
    methods: Arc<Methods>,
    waiting: VecDeque<(usize, Read)>,
    answered: Vec<(usize, Read, Part)>,
    /// Those whose answers turned out to be long.
    dear: Vec<(usize, Read)>,
    free: usize,
}

impl Slice {
    fn run(&mut self) {
        let began = Instant::now();
        while let Some((place, read)) = self.waiting.pop_front() {
            let wants = read.first_try() + LEAST;
            if wants > self.free && !(self.answered.is_empty() && self.dear.is_empty()) {
                return self.waiting.push_front((place, read));
            }
            match self.one(&read) {
                Some(part) => {
                    self.free = self.free.saturating_sub(part.text.len() + 1);
                    self.answered.push((place, read, part));
                }
                None => self.dear.push((place, read)),
            }
            if began.elapsed() >= SLICE {
                return;
            }
        }
    }

    /// The answer, unless it is longer than what a light turn or the room
    /// allows.
    fn one(&self, read: &Read) -> Option<Part> {
        let mut most = read.first_try().min(self.free.saturating_sub(LEAST));
        loop {
            let part = read.run(&self.methods.context, most);
            if !part.is_too_long() || most >= read.bound() {
                return Some(part);
            }
            let next = read.next_try(most);
            if read.lane(next) == Lane::Heavy || next + LEAST > self.free {
                return None;
            }
            most = next;
        }
    }
}

impl Batch<'_> {
    /// Makes sure that `wanted` bytes are free, as far as an answer may be long
    /// at all.
    async fn make_free(&mut self, wanted: usize) -> Result<(), Refused> {
        let more = self.lacks(wanted);
        if more > 0 {
            let room = self.session.share.wait(more, PATIENCE).await;
            self.grow(room.map_err(|full| self.session.busy(NO_ID, full))?);
        }
        Ok(())
    }

    /// What is not free of `wanted` bytes and may be taken.
    fn lacks(&self, wanted: usize) -> usize {
        wanted.saturating_sub(self.free).min(self.longest - self.total)
    }

    fn grow(&mut self, room: Room) {
        self.total += room.bytes();
        self.free += room.bytes();
        self.room.add(room);
    }

    /// Puts an answer where it belongs.
    async fn put(&mut self, place: usize, part: Part) -> Result<(), Refused> {
        let length = part.text.len() + 1;
        self.make_free(length).await?;
        self.free = self.free.checked_sub(length).ok_or_else(too_long)?;
        self.parts[place] = Some(part);
        Ok(())
    }

    /// What does not read storage, side by side as far as there is room for
    /// what it may answer.
    async fn others(&mut self, entries: Vec<(usize, Entry)>) -> Result<(), Refused> {
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
    async fn light(
        &mut self,
        mut waiting: VecDeque<(usize, Read)>,
    ) -> Result<Vec<(usize, Read)>, Refused> {
        let session = self.session;
        let mut dear = Vec::new();
        if waiting.is_empty() {
            return Ok(dear);
        }
        let own = session.turns.place(Lane::Light).await;
        while let Some((_, read)) = waiting.front() {
            self.make_free(read.first_try() + LEAST).await?;
            let turn = session.turns.turn(&own).await;
            let room = std::mem::take(&mut self.room);
            let methods = session.methods.clone();
            let free = self.free;
            let work = move || {
                let mut slice =
                    Slice { methods, waiting, answered: Vec::new(), dear: Vec::new(), free };
                slice.run();
                (slice, room)
            };
            let (slice, room) = turn.run(work).await.map_err(failed)?;
            self.room = room;
            waiting = slice.waiting;
            dear.extend(slice.dear);
            for (place, read, part) in slice.answered {
                session.count(read.name, read.began, &part);
                self.put(place, part).await?;
            }
        }
        Ok(dear)
    }

    /// Dear reads, one after the other: who waits for a turn keeps no room but
    /// that of the answers that there are.
    async fn dear(&mut self, reads: Vec<(usize, Read)>) -> Result<(), Refused> {
        let session = self.session;
        let mut left = reads.len();
        for (place, read) in reads {
            self.give_back(left * LEAST);
            left -= 1;
            let longest = read.bound().min(self.longest);
            let lane = read.lane(longest);
            let more = self.lacks(longest + LEAST);
            let taken = session.turns.with_room(lane, &session.share, more).await;
            let (turn, room) = taken.map_err(|full| session.busy(NO_ID, full))?;
            self.grow(room);
            let most = longest.min(self.free.saturating_sub(LEAST));
            let room = std::mem::take(&mut self.room);
            let methods = session.methods.clone();
            let work = move || (read.run(&methods.context, most), read, room);
            let (part, read, room) = turn.run(work).await.map_err(failed)?;
            self.room = room;
            if part.is_too_long() && most < read.bound() {
                return Err(too_long());
            }
            session.count(read.name, read.began, &part);
            self.put(place, part).await?;
        }
        Ok(())
    }

    /// Gives back what is free beyond `keeps`.
    fn give_back(&mut self, keeps: usize) {
        let less = self.free.saturating_sub(keeps);
        self.free -= less;
        self.total -= less;
        self.room.shrink_to(self.total + AROUND);
    }

    fn finish(mut self) -> Option<Reply> {
        let parts = || self.parts.iter().flatten();
        let length: usize = parts().map(|part| part.text.len() + 1).sum();
        // Nothing but notifications has no answer.
        if length == 0 {
            return None;
        }
        let (mut text, mut began) = (String::with_capacity(length + 1), Vec::new());
        for part in self.parts.into_iter().flatten() {
            text.push(if text.is_empty() { '[' } else { ',' });
            text.push_str(&part.text);
            began.extend(part.began);
        }
        text.push(']');
        self.room.shrink_to(text.len());
        Some(Reply { text, room: self.room, began: Some(began) })
    }
}

fn too_long() -> Refused {
    Refused { id: NO_ID.into(), error: error::batch_answer() }
}

fn failed(error: tokio::task::JoinError) -> Refused {
    Refused { id: NO_ID.into(), error: error::internal(error) }
}
