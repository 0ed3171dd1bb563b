//! The configuration file's settings as the parts take them.

use crate::{config::Config, files::FileBudget};
use anyhow::Result;
use billchain_consensus::{ConsensusConfig, Multiaddr};
use billchain_rpc::RpcConfig;
use billchain_runtime::limits::{MAX_BLOCK_BYTES, MAX_TRANSACTION_BYTES};
use billchain_txpool::{JournalConfig, PoolConfig};
use std::net::SocketAddr;

pub(crate) fn multiaddr(address: SocketAddr, transport: &str, suffix: &str) -> Result<Multiaddr> {
    let family = if address.is_ipv4() { "ip4" } else { "ip6" };
    Ok(format!("/{family}/{}/{transport}/{}{suffix}", address.ip(), address.port()).parse()?)
}

pub(crate) fn pool(config: &Config) -> PoolConfig {
    let default = PoolConfig::default();
    PoolConfig {
        max_count: config.pool.max_transactions,
        max_bytes: config.pool.max_bytes,
        max_per_sender: config.pool.max_per_sender,
        max_sender_bytes: config.pool.max_sender_bytes,
        max_future: default.max_future.min(config.pool.max_transactions),
        // The chain takes no longer one.
        max_transaction_bytes: MAX_TRANSACTION_BYTES as usize,
        ..default
    }
}

pub(crate) fn journal(config: &Config) -> JournalConfig {
    JournalConfig::new(config.journal(), config.pool.max_journal_bytes)
}

pub(crate) fn consensus(config: &Config, files: &FileBudget) -> Result<ConsensusConfig> {
    let settings = &config.consensus;
    let quarter = settings.vote_timeout / 4;
    Ok(ConsensusConfig {
        name: config.name.clone(),
        directory: config.consensus_directory(),
        listen: multiaddr(config.network.listen, "tcp", "")?,
        timeout_propose: settings.propose_timeout,
        timeout_prevote: settings.vote_timeout,
        timeout_prevote_delta: quarter,
        timeout_precommit: settings.vote_timeout,
        timeout_precommit_delta: quarter,
        build_time: settings.build_time,
        empty_interval: settings.empty_block_interval,
        min_block_interval: settings.min_block_interval,
        // What the code can bear. The chain says what is valid within it, and the
        // configuration what this node builds.
        max_block_bytes: MAX_BLOCK_BYTES as usize,
        max_connections: usize::try_from(files.peers).unwrap_or(usize::MAX),
        ..ConsensusConfig::default()
    })
}

pub(crate) fn rpc(config: &Config, files: &FileBudget) -> RpcConfig {
    let settings = &config.rpc;
    RpcConfig {
        listen: settings.listen,
        max_request_bytes: settings.max_request_bytes,
        max_response_bytes: settings.max_response_bytes,
        max_connections: files.rpc,
        max_batch: settings.max_batch,
        max_subscriptions_per_connection: settings.max_subscriptions,
        max_requests_under_way: settings.max_requests_under_way,
        max_bytes_held: settings.max_bytes_held,
        transfer_timeout: settings.transfer_timeout,
        ping_interval: settings.ping_interval,
    }
}
