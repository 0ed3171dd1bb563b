//! What Prometheus reads of a node, and the server it reads it from.

mod storage;

use anyhow::Result;
use axum::{Router, http::header, routing::get};
use billchain_executor::Chain;
use billchain_txpool::{GossipMetrics, Pool};
use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};
use std::{net::SocketAddr, sync::Arc};
use tokio::{net::TcpListener, sync::broadcast::error::RecvError, task::JoinHandle};

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
    pool.metrics().register(registry);
    gossip.register(registry);

    let mut news = chain.subscribe();
    tokio::spawn(async move {
        loop {
            match news.recv().await {
                Ok(block) => {
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

/// Serves `/metrics`, and `/health` for load balancers.
pub(crate) async fn serve(
    listen: SocketAddr,
    registry: Registry,
) -> Result<JoinHandle<Result<()>>> {
    let registry = Arc::new(registry);
    let metrics = move || async move {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &registry);
        // Consensus has a registry of its own, which ends the text again.
        text.truncate(text.trim_end_matches("# EOF\n").len());
        billchain_consensus::metrics::export(&mut text);
        (
            [(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")],
            text,
        )
    };
    let router =
        Router::new().route("/metrics", get(metrics)).route("/health", get(|| async { "ok\n" }));
    let listener = TcpListener::bind(listen).await?;
    Ok(tokio::spawn(async move { Ok(axum::serve(listener, router).await?) }))
}
