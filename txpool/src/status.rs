//! What becomes of one transaction, as a stream.
//!
//! A slow reader loses the oldest of its unread states, never the last one,
//! and holds up nobody. The stream ends after a final state.

use crate::PoolError;
use billchain_primitives::Hash;
use foldhash::HashMap;
use futures::Stream;
use tokio::sync::{OwnedSemaphorePermit, broadcast};

/// States that may wait unread in one subscription.
const UNREAD: usize = 16;

/// State of a transaction. Blocks are final when committed, so `Finalized`
/// follows `InBlock` at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TxStatus {
    /// It waits for an earlier nonce of its sender.
    Future,
    /// The next proposer that has it may put it into a block.
    Ready,
    /// These peers have taken it (peer identities in their text form).
    Broadcast(Vec<String>),
    /// It is in the block with this hash.
    InBlock(Hash),
    /// The block with this hash, which holds it, is final.
    Finalized(Hash),
    /// The pool gave it up for lack of room or time; it may be sent again.
    Dropped(PoolError),
    /// It can no longer be executed.
    Invalid(PoolError),
}

impl TxStatus {
    /// Whether no state follows this one.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Finalized(_) | Self::Dropped(_) | Self::Invalid(_))
    }
}

/// States of one transaction, beginning with the current one.
#[derive(Debug)]
pub struct StatusStream {
    hash: Hash,
    first: Option<TxStatus>,
    rest: broadcast::Receiver<TxStatus>,
    ended: bool,
    _permit: OwnedSemaphorePermit,
}

impl StatusStream {
    /// Hash of the transaction.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// Next state; `None` after a final one, or when the pool is gone.
    /// May be cancelled without losing a state.
    pub async fn next(&mut self) -> Option<TxStatus> {
        if self.ended {
            return None;
        }
        let status = match self.first.take() {
            Some(first) => first,
            None => loop {
                match self.rest.recv().await {
                    Ok(status) => break status,
                    Err(broadcast::error::RecvError::Lagged(_)) => continue,
                    Err(broadcast::error::RecvError::Closed) => {
                        self.ended = true;
                        return None;
                    }
                }
            },
        };
        self.ended = status.is_final();
        Some(status)
    }

    /// The same as a [`Stream`].
    pub fn into_stream(self) -> impl Stream<Item = TxStatus> + Send {
        futures::stream::unfold(self, |mut this| async move {
            this.next().await.map(|status| (status, this))
        })
    }
}

/// Subscriptions by transaction. One entry a watched transaction in the pool.
#[derive(Debug, Default)]
pub(crate) struct Watchers {
    channels: HashMap<Hash, broadcast::Sender<TxStatus>>,
}

impl Watchers {
    /// Opens a subscription that begins with `current`.
    pub(crate) fn subscribe(
        &mut self,
        hash: Hash,
        current: TxStatus,
        permit: OwnedSemaphorePermit,
    ) -> StatusStream {
        let sender = self.channels.entry(hash).or_insert_with(|| broadcast::channel(UNREAD).0);
        StatusStream {
            hash,
            first: Some(current),
            rest: sender.subscribe(),
            ended: false,
            _permit: permit,
        }
    }

    /// Tells the subscribers of `hash`, if it has any.
    pub(crate) fn notify(&mut self, hash: &Hash, status: &TxStatus) {
        let Some(sender) = self.channels.get(hash) else { return };
        // An error means that every subscriber has gone: nobody to tell.
        let heard = sender.send(status.clone()).is_ok();
        if status.is_final() || !heard {
            self.channels.remove(hash);
        }
    }
}
