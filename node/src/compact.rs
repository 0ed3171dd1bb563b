//! Compact blocks: the peers hold most transactions of a block before it is
//! proposed, so that their hashes are enough.

use billchain_consensus::PeerId;
use billchain_executor::{CompactBlock, ExecutedBlock};
use billchain_primitives::Hash;
use billchain_txpool::{Pool, gossip::Fetcher};
use bytes::Bytes;
use prometheus_client::{metrics::counter::Counter, registry::Registry};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// Least bytes of a signed transaction: a signature and its sender.
const LEAST_TRANSACTION_BYTES: usize = 64 + 32;

/// What is counted of compact blocks.
#[derive(Clone, Default)]
pub(crate) struct CompactMetrics {
    /// Transactions of own proposals that went out by hash.
    references: Counter,
    /// Transactions of own proposals that went out in full.
    in_full: Counter,
    /// Bytes that own proposals were shorter than their blocks.
    bytes_saved: Counter,
    /// Others' compact blocks that arrived.
    received: Counter,
    /// Those of them that were expanded.
    expanded: Counter,
    /// Transactions by hash of others' proposals that the pool held.
    resolved: Counter,
    /// Transactions by hash of others' proposals that were fetched.
    fetched: Counter,
}

impl CompactMetrics {
    /// Registers every metric under `proposal_`.
    pub(crate) fn register(&self, registry: &mut Registry) {
        let r = registry.sub_registry_with_prefix("proposal");
        r.register(
            "references",
            "Transactions of own proposals sent by hash",
            self.references.clone(),
        );
        r.register(
            "transactions_in_full",
            "Transactions of own proposals sent in full",
            self.in_full.clone(),
        );
        r.register(
            "bytes_saved",
            "Bytes that own proposals were shorter than their blocks",
            self.bytes_saved.clone(),
        );
        r.register("received", "Others' compact blocks", self.received.clone());
        r.register("expanded", "Those of them that were expanded", self.expanded.clone());
        r.register(
            "references_resolved",
            "Transactions of others' proposals found in the pool",
            self.resolved.clone(),
        );
        r.register(
            "references_fetched",
            "Transactions of others' proposals fetched from peers",
            self.fetched.clone(),
        );
    }
}

/// Builds compact blocks of own proposals and expands those of others.
#[derive(Clone)]
pub(crate) struct CompactBlocks {
    pool: Arc<Pool>,
    fetcher: Fetcher,
    metrics: CompactMetrics,
}

impl CompactBlocks {
    pub(crate) fn new(pool: Arc<Pool>, fetcher: Fetcher) -> Self {
        Self { pool, fetcher, metrics: CompactMetrics::default() }
    }

    pub(crate) fn metrics(&self) -> &CompactMetrics {
        &self.metrics
    }

    /// The compact block: transactions that a peer is known to have by
    /// their hashes, those that were not passed on yet in full. `None` if that
    /// is no shorter than the block.
    pub(crate) fn build(&self, block: &ExecutedBlock) -> Option<Bytes> {
        let at_peers = self.pool.at_peers(block.tx_hashes());
        let compact = match CompactBlock::new(block, |hash| at_peers.contains(hash)) {
            Ok(compact) => compact,
            Err(error) => {
                tracing::error!(hash = ?block.hash(), %error, "an own block goes out whole");
                return None;
            }
        };
        let bytes = compact.encode();
        let saved = block.bytes().len().checked_sub(bytes.len()).filter(|saved| *saved > 0)?;
        self.metrics.bytes_saved.inc_by(saved as u64);
        self.metrics.references.inc_by(at_peers.len() as u64);
        self.metrics.in_full.inc_by((block.transaction_count() - at_peers.len()) as u64);
        Some(bytes.into())
    }

    /// The block whose compact block `peer` sent, in at most `max_bytes`. What
    /// the pool does not hold is fetched, from `peer` first.
    pub(crate) async fn expand(
        self,
        peer: PeerId,
        bytes: Bytes,
        max_bytes: usize,
    ) -> Result<Bytes, String> {
        self.metrics.received.inc();
        let compact = CompactBlock::decode(&bytes).map_err(|error| error.to_string())?;
        let named = compact.references().count();
        if named > max_bytes / LEAST_TRANSACTION_BYTES {
            return Err(format!("{named} transactions cannot be in a block of {max_bytes} bytes"));
        }
        let mut held: HashMap<Hash, Bytes> = self
            .pool
            .held(compact.references(), max_bytes)
            .iter()
            .map(|tx| (tx.hash, tx.bytes.clone()))
            .collect();
        self.metrics.resolved.inc_by(held.len() as u64);
        let missing: HashSet<Hash> =
            compact.references().filter(|hash| !held.contains_key(hash)).copied().collect();
        if !missing.is_empty() {
            tracing::debug!(
                %peer, missing = missing.len(), held = held.len(),
                "fetching transactions of a proposal"
            );
            let found = self.fetcher.fetch(peer, missing).await;
            self.metrics.fetched.inc_by(found.len() as u64);
            held.extend(found);
        }
        let block = compact.assemble(&held, max_bytes).map_err(|error| error.to_string())?;
        self.metrics.expanded.inc();
        Ok(block)
    }
}
