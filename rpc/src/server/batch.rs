//! Batches: many requests, and their answers in one message.
//!
//! What does not read storage (submissions above all) runs side by side. Beside
//! it run the reads: light ones in one turn, for some milliseconds, and again in
//! the next; then dear ones, one after the other. The answers stand in the order
//! of the requests; there is no order between what these do (JSON-RPC 2.0,
//! section 6).
//!
//! A batch has room for what its answers usually take. One that takes more
//! waits for that when it comes to it, up to `rpc.max_response_bytes`.

mod half;
mod slice;
#[cfg(test)]
mod tests;

use super::{
    answers::{LEAST, Reply},
    envelope::{Entry, Refused},
    reads::Read,
    session::Session,
};
use crate::{budget::Room, lanes::Lane};
use futures::try_join;
use half::{AT_ONCE, Half, Limit};
use std::collections::VecDeque;
use tokio::sync::oneshot;

/// Longest answers for which a batch has room before it begins, in bytes.
const BEFORE: usize = 2 << 20;

/// The answer to a batch; none if it wants none.
pub(super) async fn answer(
    session: &Session,
    entries: Vec<Entry>,
) -> Result<Option<Reply>, Refused> {
    let Sorted { others, light, dear, sums } = Sorted::of(session, entries);
    let is_mixed = !others.is_empty();
    let reads = !(light.is_empty() && dear.is_empty());
    let _turn = if reads { session.turns.batch().await } else { None };
    let longest = session.longest_answer();
    // What the others may answer is theirs until they have ended.
    let theirs = sums.others.min(longest);
    let first = sums.first.min(BEFORE / 2).min(theirs);
    let (tell, left) = oneshot::channel();
    let others = async {
        if others.is_empty() {
            return Ok(None);
        }
        let mut half = Half::new(session, first, Limit::of(theirs)).await?;
        half.others(others).await?;
        half.give_back(0);
        // Nobody asks if nothing is read.
        let _ = tell.send(half.left());
        Ok::<_, Refused>(Some(half))
    };
    let reads = async {
        if !reads {
            return Ok(None);
        }
        let limit = Limit { now: longest - theirs, later: is_mixed.then_some(left) };
        let mut half = Half::new(session, sums.reads.min(BEFORE - first), limit).await?;
        let mut dear = dear;
        dear.extend(half.light(light).await?);
        half.dear(dear).await?;
        Ok::<_, Refused>(Some(half))
    };
    let (others, reads) = try_join!(others, reads)?;
    Ok(joined(others.into_iter().chain(reads)))
}

/// A batch's requests by how they run, with their places.
#[derive(Default)]
struct Sorted {
    /// What does not read storage.
    others: Vec<(usize, Entry)>,
    light: VecDeque<(usize, Read)>,
    dear: Vec<(usize, Read)>,
    sums: Sums,
}

/// What answers may take, in bytes.
#[derive(Default)]
struct Sums {
    others: usize,
    /// Those of the others that begin at once.
    first: usize,
    /// What reads usually take.
    reads: usize,
}

impl Sorted {
    fn of(session: &Session, entries: Vec<Entry>) -> Self {
        let mut sorted = Self::default();
        let sums = &mut sorted.sums;
        for (place, entry) in entries.into_iter().enumerate() {
            match Read::of(entry, &session.methods) {
                Ok(read) if read.lane(read.first_try()) == Lane::Light => {
                    sums.reads += read.first_try() + LEAST;
                    sorted.light.push_back((place, read));
                }
                Ok(read) => {
                    // It takes its room when it has its turn.
                    sums.reads += LEAST;
                    sorted.dear.push((place, read));
                }
                Err(entry) => {
                    sums.others += session.bound(&entry) + LEAST;
                    if sorted.others.len() < AT_ONCE {
                        sums.first = sums.others;
                    }
                    sorted.others.push((place, entry));
                }
            }
        }
        sorted
    }
}

/// The answers of all halves in one, in the order of the requests.
fn joined<'a>(halves: impl Iterator<Item = Half<'a>>) -> Option<Reply> {
    let (mut parts, mut room) = (Vec::new(), Room::default());
    for half in halves {
        let (more, held) = half.finish();
        parts.extend(more);
        room.add(held);
    }
    // Nothing but notifications has no answer.
    if parts.is_empty() {
        return None;
    }
    parts.sort_unstable_by_key(|(place, _)| *place);
    let length: usize = parts.iter().map(|(_, part)| part.text.len() + 1).sum();
    let (mut text, mut began) = (String::with_capacity(length + 1), Vec::new());
    for (_, part) in parts {
        text.push(if text.is_empty() { '[' } else { ',' });
        text.push_str(&part.text);
        began.extend(part.began);
    }
    text.push(']');
    room.shrink_to(text.len());
    Some(Reply { text, room, began: Some(began) })
}
