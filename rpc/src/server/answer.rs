//! The answer to a message: one request's, or a batch's.

use super::{
    admission,
    answers::Reply,
    batch,
    envelope::{self, Message, Refused},
    session::Session,
};
use crate::{budget::Room, error};
use bytes::Bytes;
use std::sync::Arc;

/// The answer to a message, whose bytes have `room`; none if it wants none.
pub(super) async fn answer(session: &Session, message: Bytes, room: Room) -> Option<Reply> {
    let room = Arc::new(room);
    let message = Bytes::from_owner(Asked { message, _room: room.clone() });
    let answered = match taken_apart(session, message).await {
        Ok(Message::Single(entry)) => session.single(entry).await,
        Ok(Message::Batch(entries)) => batch::answer(session, entries).await,
        Err(refused) => Err(refused),
    };
    // Why it was refused is shorter than what it may have been told, and
    // has the message's room, which nobody else has any more.
    let room = || Arc::into_inner(room).unwrap_or_default();
    answered
        .unwrap_or_else(|refused| Some(Reply { text: refused.text(), room: room(), began: None }))
}

async fn taken_apart(session: &Session, message: Bytes) -> Result<Message, Refused> {
    let most = session.methods.context.config.max_batch as usize;
    let read = session.turns.read(message.len(), move || envelope::read(&message, most)).await;
    let read = read.map_err(|error| Refused::without_id(error::internal(error))).flatten()?;
    Ok(admission::judged(session, read).await)
}

/// A message, which keeps its room as long as anybody has a part of it.
struct Asked {
    message: Bytes,
    _room: Arc<Room>,
}

impl AsRef<[u8]> for Asked {
    fn as_ref(&self) -> &[u8] {
        &self.message
    }
}
