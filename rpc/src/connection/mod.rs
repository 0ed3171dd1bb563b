//! What one WebSocket connection has in the node beside its answers: blocks that it
//! follows and pins, operations on them, and transactions that it has sent on.
//!
//! All of it is bounded for each connection and ends with it. Nobody else can name it.

mod broadcasts;
mod follow;
mod pins;

pub(crate) use broadcasts::Broadcasts;
pub(crate) use follow::{Begun, Follow, Follows, Job, Work};
pub(crate) use pins::Unpinned;

/// What one connection has in the node.
#[derive(Debug, Default)]
pub(crate) struct Connection {
    pub(crate) follows: Follows,
    pub(crate) broadcasts: Broadcasts,
}

impl Connection {
    /// Ends all of it.
    pub(crate) fn end(&self) {
        self.follows.end_all();
        self.broadcasts.end_all();
    }
}
