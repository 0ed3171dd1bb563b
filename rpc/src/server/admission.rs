//! Whether a message's requests are done for its caller.

use super::{
    envelope::{Call, Entry, Message, Refused},
    session::Session,
};
use crate::{
    access::{Admitted, Judge},
    error,
};
use std::sync::Arc;

/// The message with each request judged: one that is not done became why.
pub(super) async fn judged(session: &Session, message: Message) -> Message {
    let context = &session.methods.context;
    let caller = session.caller.clone();
    let Some(caller) = caller else { return message };
    let access = &context.access;
    let caller = match access.still(&caller) {
        Ok(None) => caller,
        Ok(Some(fresh)) => Arc::new(fresh),
        Err(denied) => {
            let error = error::denied(&denied);
            return each(message, |call| Err(Refused { id: call.id, error: error.clone() }));
        }
    };
    if access.is_open(&caller) {
        return each(message, |call| Ok(Call { admitted: Admitted::whole(), ..call }));
    }
    let judge = Judge::of(context, &caller).await;
    each(message, |call| {
        let found = session.methods.named(&call.method);
        match judge.judge(found, call.params.as_deref()) {
            Ok(admitted) => Ok(Call { admitted, ..call }),
            Err(error) => Err(Refused { id: call.id, error }),
        }
    })
}

fn each(message: Message, judge: impl Fn(Call) -> Result<Call, Refused>) -> Message {
    let one = |entry: Entry| match entry {
        Entry::Call(call) => judge(call).map_or_else(Entry::Invalid, Entry::Call),
        other => other,
    };
    match message {
        Message::Single(entry) => Message::Single(one(entry)),
        Message::Batch(entries) => Message::Batch(entries.into_iter().map(one).collect()),
    }
}
