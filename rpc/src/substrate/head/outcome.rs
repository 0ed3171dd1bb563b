//! How operations end.

use crate::{
    budget::Room,
    error::{self, Refusal},
    method::{Ended, Sent, Subscriber},
};
use billchain_rpc_types::{HeadEventView as Event, code};

/// How an operation ended.
pub(super) enum Done {
    /// With this event.
    Say(Event),
    /// With a long one, which is made.
    Long(Long),
    /// With no event: nobody is there for it.
    Told,
}

/// A notification that has its room.
pub(super) struct Long {
    pub(super) text: String,
    pub(super) room: Room,
}

impl Long {
    /// Sends it.
    pub(super) async fn send(self, sink: &Subscriber) -> Ended {
        sink.send_text(self.room, self.text).await.map(|_| ())
    }
}

/// What is told of a failure: what the node has not got now, or what cannot be done.
pub(super) fn failed(operation_id: String, refusal: &Refusal) -> Event {
    match refusal.code() {
        code::RUNTIME_CALL | code::ANSWER_TOO_LONG | code::INVALID_PARAMS => {
            let error = error::short(refusal).message().to_owned();
            Event::OperationError { operation_id, error }
        }
        _ => Event::OperationInaccessible { operation_id },
    }
}

/// Whether a notification reached somebody.
pub(super) fn is_there(sent: &Sent) -> bool {
    matches!(sent, Sent::Yes)
}
