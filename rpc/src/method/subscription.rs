//! Sending to a subscriber without waiting for it for ever.

use jsonrpsee::{
    SubscriptionSink,
    core::{SubscriptionError, server::SendTimeoutError},
};
use serde::Serialize;
use serde_json::value::to_raw_value;
use std::time::Duration;

/// Outcome of a subscription: an error is sent to the client as the last
/// message.
pub(crate) type Ended = Result<(), SubscriptionError>;

/// Whether the subscriber is still there.
pub(crate) enum Sent {
    /// It is.
    Yes,
    /// It unsubscribed or disconnected.
    Gone,
}

/// Sends one message, or gives up on a subscriber that lets its buffer stay
/// full for `patience`.
pub(crate) async fn send(
    sink: &SubscriptionSink,
    patience: Duration,
    message: &impl Serialize,
) -> Result<Sent, SubscriptionError> {
    match sink.send_timeout(to_raw_value(message)?, patience).await {
        Ok(()) => Ok(Sent::Yes),
        Err(SendTimeoutError::Closed(_)) => Ok(Sent::Gone),
        Err(SendTimeoutError::Timeout(_)) => {
            tracing::debug!(method = sink.method_name(), "a slow subscriber was dropped");
            Err("dropped: the subscriber reads too slowly".into())
        }
    }
}
