//! What Prometheus reads of a node, and the server it reads it from.

mod clock;
mod connectors;
mod health;
mod keys;
mod participation;
mod server;
mod storage;

pub(crate) use health::Health;
pub(crate) use server::{Few, PLACES, serve};

use crate::{application::now_ms, log, membership::Membership};
use billchain_executor::Chain;
use billchain_txpool::{GossipMetrics, Pool};
use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};
use std::sync::Arc;
use tokio::sync::broadcast::error::RecvError;

/// What the chain itself counts.
#[derive(Clone, Default)]
struct ChainMetrics {
    /// Height of the newest block.
    height: Gauge,
    /// Blocks committed since start.
    blocks: Counter,
    /// Transactions committed since start.
    transactions: Counter,
    /// Size of the newest block, in bytes.
    block_bytes: Gauge,
}

/// Registers the metrics of every part and keeps the chain's up to date.
pub(crate) fn register(
    registry: &mut Registry,
    chain: &Chain,
    pool: &Arc<Pool>,
    gossip: &GossipMetrics,
    membership: Membership,
) {
    let metrics = ChainMetrics::default();
    metrics.height.set(i64::from(chain.head().number));
    registry.register("height", "Height of the newest block", metrics.height.clone());
    registry.register("blocks", "Blocks committed since start", metrics.blocks.clone());
    registry.register(
        "transactions",
        "Transactions committed since start, inherents not counted",
        metrics.transactions.clone(),
    );
    registry.register("block_bytes", "Bytes of the newest block", metrics.block_bytes.clone());
    registry.register_collector(Box::new(storage::StorageMetrics(chain.storage().clone())));
    registry.register_collector(Box::new(participation::ParticipationMetrics(chain.clone())));
    registry.register_collector(Box::new(connectors::ConnectorMetrics(chain.clone())));
    registry.register_collector(Box::new(keys::KeyAges::new(chain.clone())));
    pool.register_metrics(registry);
    gossip.register(registry);

    membership.register(registry);
    log::register(registry);

    let mut clock = clock::ClockWatch::register(registry);
    let mut news = chain.subscribe();
    tokio::spawn(async move {
        loop {
            // A storage that fails ends the node elsewhere.
            let _ = membership.look();
            match news.recv().await {
                Ok(block) => {
                    clock.see(block.timestamp_ms, now_ms());
                    metrics.height.set(i64::from(block.header.number));
                    metrics.blocks.inc();
                    metrics.transactions.inc_by(block.transaction_count() as u64);
                    metrics.block_bytes.set(block.bytes.len() as i64);
                }
                // Counters miss what was skipped; the height catches up.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            }
        }
    });
}
