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

/// The message with each request judged: one that is not done became why. Refusals of who has
/// had many wait.
pub(super) async fn judged(session: &Session, message: Message) -> Message {
    let Some(caller) = session.caller.clone() else { return message };
    let context = &session.methods.context;
    let access = &context.access;
    let caller = match access.still(&caller) {
        Ok(None) => caller,
        Ok(Some(fresh)) => Arc::new(fresh),
        Err(denied) => {
            let error = error::denied(&denied);
            session.penalty().await;
            return each(message, |call| Err(Refused { id: call.id, error: error.clone() })).0;
        }
    };
    if access.is_open(&caller) {
        return each(message, |call| Ok(Call { admitted: Admitted::whole(), ..call })).0;
    }
    let judge = Judge::of(context, &caller).await;
    let (message, is_refused) = each(message, |call| {
        let found = session.methods.named(&call.method);
        match judge.judge(found, call.params.as_deref()) {
            Ok(admitted) => Ok(Call { admitted, ..call }),
            Err(error) => Err(Refused { id: call.id, error }),
        }
    });
    if is_refused {
        session.penalty().await;
    }
    message
}

/// The message with each request judged, and whether one was refused.
fn each(message: Message, judge: impl Fn(Call) -> Result<Call, Refused>) -> (Message, bool) {
    let mut is_refused = false;
    let mut one = |entry: Entry| match entry {
        Entry::Call(call) => judge(call).map_or_else(
            |refused| {
                is_refused = true;
                Entry::Invalid(refused)
            },
            Entry::Call,
        ),
        other => other,
    };
    let message = match message {
        Message::Single(entry) => Message::Single(one(entry)),
        Message::Batch(entries) => Message::Batch(entries.into_iter().map(one).collect()),
    };
    (message, is_refused)
}
