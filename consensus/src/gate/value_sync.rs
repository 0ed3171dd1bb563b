//! Between the network and value sync: what it hears passes [`Claims`], and whom it
//! asks is watched.

use std::sync::Arc;
use std::time::{Duration, Instant};

use malachitebft_app_channel::app::engine::network::Subscriber;
use malachitebft_app_channel::app::types::PeerId;
use malachitebft_sync::{OutboundFailureReason, OutboundRequestId, Response};
use parking_lot::Mutex;
use tracing::debug;

use super::Event;
use super::claims::{Claims, Overdue};
use crate::types::{BillContext, Height};

/// See the module's documentation. Shared by the gate, its door, and those who
/// know of heights and peers.
#[derive(Clone)]
pub(super) struct ValueSync(Arc<Mutex<Inner>>);

struct Inner {
    claims: Claims,
    listener: Option<Box<dyn Subscriber<Event>>>,
}

impl Inner {
    /// Changes what is known of peers, and passes on what follows for value sync.
    fn change<T>(&mut self, change: impl FnOnce(&mut Claims, Instant) -> T) -> T {
        let now = Instant::now();
        let changed = change(&mut self.claims, now);
        // Before value sync listens nothing has been told: it is told later.
        if self.listener.is_some() {
            for (peer, status) in self.claims.news(now) {
                self.tell(Event::Status(peer, status));
            }
        }
        changed
    }

    fn tell(&self, event: Event) {
        if let Some(listener) = &self.listener {
            listener.send(event);
        }
    }
}

impl ValueSync {
    pub(super) fn new(claims: Claims) -> Self {
        Self(Arc::new(Mutex::new(Inner { claims, listener: None })))
    }

    /// From now on `listener` is told.
    pub(super) fn listen(&self, listener: Box<dyn Subscriber<Event>>) {
        self.0.lock().listener = Some(listener);
    }

    /// Changes what is known of peers; value sync is told what follows.
    pub(super) fn change(&self, change: impl FnOnce(&mut Claims, Instant)) {
        self.0.lock().change(change);
    }

    /// The network has an event for value sync.
    pub(super) fn hear(&self, event: Event) {
        let mut inner = self.0.lock();
        match &event {
            Event::Status(peer, status) => {
                return inner.change(|claims, _| claims.status(*peer, status.clone()));
            }
            Event::SyncResponse(id, _, response) => inner.change(|claims, now| {
                if has_blocks(response.as_ref()) {
                    claims.answered(id, now);
                } else {
                    claims.failed(id, now);
                }
            }),
            Event::SyncRequestFailed(id, ..) => {
                inner.change(|claims, now| claims.failed(id, now));
            }
            Event::PeerDisconnected(peer) => inner.change(|claims, _| claims.gone(peer)),
            _ => {}
        }
        inner.tell(event);
    }

    /// Value sync has asked a peer for blocks from `first` on: it is told when the
    /// peer is given up.
    pub(super) fn asked(&self, id: OutboundRequestId, peer: PeerId, first: Height) {
        let asked = |claims: &mut Claims, now| claims.asked(id.clone(), peer, first, now);
        let mut wait = self.0.lock().change(asked);
        let sync = self.clone();
        // Ends when it finds the request ended, of which value sync has few at a time.
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(wait).await;
                match sync.overdue(&id) {
                    Some(longer) => wait = longer,
                    None => return,
                }
            }
        });
    }

    /// How much longer a request may take, if it is still open.
    fn overdue(&self, id: &OutboundRequestId) -> Option<Duration> {
        let mut inner = self.0.lock();
        match inner.change(|claims, now| claims.overdue(id, now)) {
            Overdue::Ended => None,
            Overdue::After(longer) => Some(longer),
            Overdue::GivenUp(peer) => {
                debug!(%peer, "a peer does not send the blocks that it claims, asking another");
                let reason = OutboundFailureReason::Timeout;
                inner.tell(Event::SyncRequestFailed(id.clone(), peer, reason));
                None
            }
        }
    }
}

fn has_blocks(response: Option<&Response<BillContext>>) -> bool {
    response.is_some_and(|Response::ValueResponse(blocks)| !blocks.values.is_empty())
}
