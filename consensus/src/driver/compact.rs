//! Proposals that come as compact blocks: the application expands them, beside
//! everything else.
//!
//! An expansion lasts at most the proposal timeout. Each publisher has a bound of
//! expansions of its own, and each of its compact blocks is expanded once. Only
//! nodes of validators publish, so the whole is bounded by their number. The result is
//! compared with what the proposer signed.

use std::collections::HashMap;
use std::future::Future;

use bytes::Bytes;
use malachitebft_app_channel::app::net::PeerId as NetPeerId;
use malachitebft_app_channel::app::types::{PeerId, ProposedValue};
use ractor::RpcReplyPort;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tracing::{debug, warn};

use super::{Driver, Whose};
use crate::lane::{Proposed, Received};
use crate::parts::{PartError, is_announced};
use crate::types::{BillContext, SignedAnnouncement};

/// Expansions of one publisher under way: proposals of two heights. Each may hold
/// a full block and what was fetched for it.
const PER_PUBLISHER: usize = 2;

/// A finished expansion.
pub(super) struct Expanded {
    publisher: PeerId,
    /// The block, or why there is none.
    result: Result<Proposed, String>,
}

/// Expansions under way; dropping it ends them.
pub(super) struct Expansions {
    tasks: HashMap<PeerId, Vec<AbortHandle>>,
    results: mpsc::UnboundedSender<Expanded>,
}

impl Expansions {
    /// None yet; results go to `results`.
    pub(super) fn new(results: mpsc::UnboundedSender<Expanded>) -> Self {
        Self { tasks: HashMap::new(), results }
    }

    /// Runs an expansion in a task of its own; `false` if its publisher has too
    /// many.
    fn start(
        &mut self,
        publisher: PeerId,
        expansion: impl Future<Output = Result<Proposed, String>> + Send + 'static,
    ) -> bool {
        self.tasks.retain(|_, tasks| {
            tasks.retain(|task| !task.is_finished());
            !tasks.is_empty()
        });
        let own = self.tasks.entry(publisher).or_default();
        if own.len() >= PER_PUBLISHER {
            return false;
        }
        let results = self.results.clone();
        let task = tokio::spawn(async move {
            let result = expansion.await;
            // The driver is gone when consensus stops.
            let _ = results.send(Expanded { publisher, result });
        });
        own.push(task.abort_handle());
        true
    }
}

impl Drop for Expansions {
    fn drop(&mut self) {
        for task in self.tasks.values().flatten() {
            task.abort();
        }
    }
}

impl Driver {
    /// A proposal has come as a compact block.
    pub(super) fn expand(
        &mut self,
        publisher: PeerId,
        announced: SignedAnnouncement,
        compact: Bytes,
        reply: RpcReplyPort<ProposedValue<BillContext>>,
    ) {
        if !self.proposals.first_compact(publisher, &announced) {
            debug!(%publisher, "ignoring a compact block that this peer has sent before");
            return;
        }
        let Ok(peer) = NetPeerId::from_bytes(&publisher.to_bytes()) else {
            debug!(%publisher, "a proposal from a peer whose identity is none");
            return;
        };
        let patience = self.timeouts().propose.max(self.config.timeout_propose);
        let block = self.app.expand(peer, compact, announced.size as usize);
        let expansion = async move {
            match timeout(patience, block).await {
                Ok(Ok(bytes)) if is_announced(&announced, &bytes) => {
                    Ok(Received { announced, bytes, reply })
                }
                Ok(Ok(_)) => Err(PartError::Content.to_string()),
                Ok(Err(reason)) => Err(reason),
                Err(_) => Err(format!("not complete after {patience:?}")),
            }
        };
        if !self.expansions.start(publisher, expansion) {
            self.on_not_expanded(publisher, "too many of this peer at once");
        }
    }

    /// An expansion is finished. Without the block this node votes nil, as if the
    /// proposal had not come.
    pub(super) fn on_expanded(&mut self, expanded: Expanded) {
        match expanded.result {
            Ok(block) => self.on_complete(block),
            Err(reason) => self.on_not_expanded(expanded.publisher, &reason),
        }
    }

    fn on_not_expanded(&mut self, publisher: PeerId, reason: &str) {
        self.reports.metrics.unexpanded.inc();
        if let Some(omitted) = self.reports.may_log(Whose::Peer(publisher)) {
            warn!(%publisher, reason, omitted, "a compact block cannot be expanded");
        }
    }
}

#[cfg(test)]
mod tests;
