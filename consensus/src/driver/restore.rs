//! Proposals that come in short form: the application restores the blocks,
//! beside everything else.
//!
//! A restoration is bounded in time by the wait for a proposal, and in number
//! for each publisher and altogether, so that one that cannot succeed keeps
//! nobody's from it; and a publisher's short form of a block is restored once.
//! The result is compared with what the proposer signed.

use std::future::Future;

use bytes::Bytes;
use malachitebft_app_channel::app::net::PeerId as NetPeerId;
use malachitebft_app_channel::app::types::{PeerId, ProposedValue};
use ractor::RpcReplyPort;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tracing::{debug, warn};

use super::{Driver, Early};
use crate::parts::{PartError, is_announced};
use crate::types::{BillContext, PartInit, UnsignedInit};

/// Restorations of one publisher under way: proposals of two heights.
const PER_PUBLISHER: usize = 2;
/// Restorations of all publishers under way. Each may hold a full block and
/// what was fetched for it.
const ALTOGETHER: usize = 16;

/// A finished restoration.
pub(super) struct Restored {
    publisher: PeerId,
    /// The block, or why there is none.
    result: Result<Early, String>,
}

/// Restorations under way; dropping it ends them.
pub(super) struct Restoring {
    tasks: Vec<(PeerId, AbortHandle)>,
    results: mpsc::UnboundedSender<Restored>,
}

impl Restoring {
    /// None yet; results go to `results`.
    pub(super) fn new(results: mpsc::UnboundedSender<Restored>) -> Self {
        Self { tasks: Vec::new(), results }
    }

    /// Runs a restoration in a task of its own; `false` if too many run.
    fn start(
        &mut self,
        publisher: PeerId,
        restoration: impl Future<Output = Result<Early, String>> + Send + 'static,
    ) -> bool {
        self.tasks.retain(|(_, task)| !task.is_finished());
        let own = self.tasks.iter().filter(|(other, _)| *other == publisher).count();
        if own >= PER_PUBLISHER || self.tasks.len() >= ALTOGETHER {
            return false;
        }
        let results = self.results.clone();
        let task = tokio::spawn(async move {
            let result = restoration.await;
            // The driver is gone when consensus stops.
            let _ = results.send(Restored { publisher, result });
        });
        self.tasks.push((publisher, task.abort_handle()));
        true
    }
}

impl Drop for Restoring {
    fn drop(&mut self) {
        for (_, task) in &self.tasks {
            task.abort();
        }
    }
}

impl Driver {
    /// A proposal has come in short form.
    pub(super) fn restore(
        &mut self,
        publisher: PeerId,
        init: PartInit,
        short: Bytes,
        reply: RpcReplyPort<ProposedValue<BillContext>>,
    ) {
        let UnsignedInit { height, round, block_hash, .. } = init.init;
        let announced = self.announced.entry((height.get(), round)).or_default();
        if !announced.short.insert((publisher, block_hash)) {
            debug!(%publisher, "ignoring a short form that this peer has sent before");
            return;
        }
        let Ok(peer) = NetPeerId::from_bytes(&publisher.to_bytes()) else {
            warn!(%publisher, "a proposal from a peer whose identity is none");
            return;
        };
        let patience = self.config.timeout_propose;
        let block = self.app.restore(peer, short, init.init.size as usize);
        let restoration = async move {
            match timeout(patience, block).await {
                Ok(Ok(bytes)) if is_announced(&init, &bytes) => Ok(Early { init, bytes, reply }),
                Ok(Ok(_)) => Err(PartError::Content.to_string()),
                Ok(Err(reason)) => Err(reason),
                Err(_) => Err(format!("not complete after {patience:?}")),
            }
        };
        if !self.restoring.start(publisher, restoration) {
            self.metrics.unrestored.inc();
            warn!(%publisher, "too many proposals in short form at once, this one is left out");
        }
    }

    /// A restoration is finished. Without the block this node votes nil, as if
    /// the proposal had not come.
    pub(super) fn on_restored(&mut self, restored: Restored) {
        match restored.result {
            Ok(block) => self.on_complete(block),
            Err(reason) => {
                self.metrics.unrestored.inc();
                let publisher = restored.publisher;
                warn!(%publisher, reason, "a proposal in short form cannot be restored");
            }
        }
    }
}

#[cfg(test)]
mod tests;
