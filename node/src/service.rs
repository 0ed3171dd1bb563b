//! The composition root: opens, connects and runs the parts of a node, and
//! stops them in order.

use crate::{
    admission::Admission,
    application::{ChainApplication, Limits, allowed_peer_ids},
    commands::{keys, reindex},
    compact::CompactBlocks,
    config::{self, Config},
    metrics, ports,
};
use anyhow::{Context, Result, bail};
use billchain_chain_spec::ChainSpec;
use billchain_consensus::{ChainDomain, ConsensusConfig, NodeIdentity, PeerId};
use billchain_executor::Chain;
use billchain_rpc::{NodeInfo, RpcConfig, RpcContext};
use billchain_runtime::limits::MAX_TRANSACTION_BYTES;
use billchain_storage::{OpenMode, Storage, StorageOptions};
use billchain_txpool::{
    Pool, PoolConfig,
    gossip::{self, GossipHandle},
};
use prometheus_client::registry::Registry;
use std::{
    collections::BTreeSet,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::signal::unix::{SignalKind, signal};

/// Reads a chain specification.
pub(crate) fn load_spec(file: &Path) -> Result<ChainSpec> {
    let text = fs::read_to_string(file)
        .with_context(|| format!("cannot read the chain specification {}", file.display()))?;
    ChainSpec::from_json(&text).with_context(|| format!("chain specification {}", file.display()))
}

/// Where the database of the chain lies.
pub(crate) fn chain_directory(config: &Config) -> PathBuf {
    config.data_dir.join("chain")
}

/// How the database is opened.
pub(crate) fn storage_options(config: &Config, mode: OpenMode) -> StorageOptions {
    StorageOptions {
        mode,
        block_cache_bytes: config.storage.cache_mib << 20,
        history_blocks: config.storage.state_window,
        ..StorageOptions::default()
    }
}

/// Opens the database and the chain in it.
pub(crate) fn open_chain(config: &Config, mode: OpenMode) -> Result<(ChainSpec, Chain)> {
    let spec = load_spec(&config.chain_spec)?;
    let directory = chain_directory(config);
    reindex::ensure_no_swap(&directory)?;
    if mode == OpenMode::CreateIfMissing {
        fs::create_dir_all(&directory)
            .with_context(|| format!("cannot make data_dir {}", config.data_dir.display()))?;
    }
    let storage = Storage::open(&directory, storage_options(config, mode))
        .with_context(|| format!("cannot open the database in {}", directory.display()))?;
    let chain = Chain::open(Arc::new(storage), &spec.genesis_state()?)?;
    Ok((spec, chain))
}

/// Runs a node until it is told to stop or a part of it fails.
pub(crate) async fn run(config: Config) -> Result<()> {
    let (spec, chain) = open_chain(&config, OpenMode::CreateIfMissing)?;
    let network_key = keys::load_network(&config.keys.network)?;
    let validator_key = match &config.keys.consensus {
        None => None,
        Some(file) => {
            let password = keys::Password { password_file: config.keys.password_file.clone() };
            Some(keys::load_sm2(file, &password.read(&file.display().to_string())?)?)
        }
    };
    let local_id = network_key.public().to_peer_id();
    let allowed = allowed_peer_ids(&chain)?;
    if !allowed.contains(&local_id) {
        bail!(
            "the network key {} is peer {local_id}, which is no validator or observer of chain {}",
            config.keys.network.display(),
            spec.id
        );
    }
    ports::check(&config)?;
    let head = chain.head();
    tracing::info!(
        chain = %spec.id, genesis = %chain.genesis_hash(), height = head.number, peer = %local_id,
        "starting"
    );

    let pool =
        Pool::new(pool_config(&config), head.number, Arc::new(Admission::new(chain.clone())))?;
    let maintenance = tokio::spawn(pool.clone().maintain());
    let gossip = gossip::start(
        gossip::GossipConfig {
            keypair: network_key.clone(),
            listen: multiaddr(config.network.listen, "udp", "/quic-v1")?,
            peers: gossip_peers(&config, local_id, &allowed),
            genesis: chain.genesis_hash(),
            limits: gossip::GossipLimits::default(),
        },
        pool.clone(),
    )
    .await
    .context("transaction gossip")?;

    let limits = Limits {
        max_ahead: config.consensus.max_clock_drift,
        // A locked proposal may come again some rounds later.
        max_behind: config.consensus.max_clock_drift + 8 * config.consensus.propose_timeout,
    };
    let compact = CompactBlocks::new(pool.clone(), gossip.fetcher());
    let proposals = compact.metrics().clone();
    let application = Arc::new(ChainApplication::new(
        chain.clone(),
        pool.clone(),
        compact,
        limits,
        config.network.peers.clone(),
    ));
    let identity =
        NodeIdentity { domain: ChainDomain::new(chain.genesis_hash()), network_key, validator_key };
    let mut consensus =
        billchain_consensus::spawn(consensus_config(&config)?, identity, application).await?;

    let rpc = billchain_rpc::serve(
        rpc_config(&config),
        RpcContext {
            chain: chain.clone(),
            pool: pool.clone(),
            node: NodeInfo {
                name: config.name.clone(),
                chain_name: spec.name.to_string(),
                chain_type: spec.chain_type,
                peer_id: local_id.to_string(),
                is_validator: config.keys.consensus.is_some(),
                peers: gossip.connected(),
            },
        },
    )
    .await
    .with_context(|| format!("rpc.listen {}", config.rpc.listen))?;

    let mut registry = Registry::with_prefix("billchain");
    metrics::register(&mut registry, &chain, &pool, gossip.metrics());
    proposals.register(&mut registry);
    rpc.metrics().register(registry.sub_registry_with_prefix("rpc"));
    let metrics = metrics::serve(config.metrics_listen, registry)
        .await
        .with_context(|| format!("metrics.listen {}", config.metrics_listen))?;
    tracing::info!(rpc = %config.rpc.listen, metrics = %config.metrics_listen, "ready");

    let mut terminate = signal(SignalKind::terminate())?;
    let mut commits = chain.subscribe();
    let mut allowed = allowed;
    let outcome = loop {
        tokio::select! {
            _ = terminate.recv() => break Ok(()),
            _ = tokio::signal::ctrl_c() => break Ok(()),
            failure = consensus.ended() => break failure.context("consensus stopped"),
            // Missed blocks do not matter: the head's state is what counts.
            _ = commits.recv() => {
                let followed = follow_peers(&config, &chain, &gossip, &mut allowed).await;
                if followed.is_err() {
                    break followed.context("the peers of the chain's head");
                }
            }
        }
    };
    tracing::info!("stopping");
    rpc.stop().await;
    metrics.abort();
    let stopped = consensus.stop().await.context("stopping consensus");
    gossip.stop().await.context("stopping gossip")?;
    maintenance.abort();
    outcome.and(stopped)
}

/// Whom transactions are exchanged with: all validators and observers but this
/// node. The configuration knows where to reach them; who is not in it has to
/// connect by itself.
fn gossip_peers(config: &Config, local: PeerId, allowed: &BTreeSet<PeerId>) -> Vec<gossip::Peer> {
    let addresses = |id: &PeerId| {
        config.network.peers.iter().filter(|peer| peer.id == *id).map(config::Peer::quic).collect()
    };
    allowed
        .iter()
        .filter(|id| **id != local)
        .map(|id| gossip::Peer { id: *id, addresses: addresses(id) })
        .collect()
}

/// Lets gossip follow the validators and observers of the head, as consensus
/// does by itself.
async fn follow_peers(
    config: &Config,
    chain: &Chain,
    gossip: &GossipHandle,
    known: &mut BTreeSet<PeerId>,
) -> Result<()> {
    let allowed = allowed_peer_ids(chain)?;
    if allowed == *known {
        return Ok(());
    }
    tracing::info!(before = known.len(), now = allowed.len(), "the chain's peers changed");
    gossip.update_peers(gossip_peers(config, gossip.local_peer_id(), &allowed)).await?;
    *known = allowed;
    Ok(())
}

fn multiaddr(
    address: SocketAddr,
    transport: &str,
    suffix: &str,
) -> Result<billchain_consensus::Multiaddr> {
    let family = if address.is_ipv4() { "ip4" } else { "ip6" };
    Ok(format!("/{family}/{}/{transport}/{}{suffix}", address.ip(), address.port()).parse()?)
}

fn pool_config(config: &Config) -> PoolConfig {
    let default = PoolConfig::default();
    PoolConfig {
        max_count: config.pool.max_transactions,
        max_bytes: config.pool.max_bytes,
        max_per_sender: config.pool.max_per_sender,
        max_future: default.max_future.min(config.pool.max_transactions),
        // The chain takes no longer one.
        max_transaction_bytes: (MAX_TRANSACTION_BYTES as usize).min(config.pool.max_bytes),
        ..default
    }
}

fn consensus_config(config: &Config) -> Result<ConsensusConfig> {
    let settings = &config.consensus;
    let quarter = settings.vote_timeout / 4;
    Ok(ConsensusConfig {
        name: config.name.clone(),
        directory: config.data_dir.join("consensus"),
        listen: multiaddr(config.network.listen, "tcp", "")?,
        timeout_propose: settings.propose_timeout,
        timeout_prevote: settings.vote_timeout,
        timeout_prevote_delta: quarter,
        timeout_precommit: settings.vote_timeout,
        timeout_precommit_delta: quarter,
        build_time: settings.build_time,
        empty_interval: settings.empty_block_interval,
        min_block_interval: settings.min_block_interval,
        max_block_bytes: settings.max_block_bytes,
        ..ConsensusConfig::default()
    })
}

fn rpc_config(config: &Config) -> RpcConfig {
    let settings = &config.rpc;
    RpcConfig {
        listen: settings.listen,
        max_request_bytes: settings.max_request_bytes,
        max_response_bytes: settings.max_response_bytes,
        max_connections: settings.max_connections,
        max_batch: settings.max_batch,
        max_subscriptions_per_connection: settings.max_subscriptions,
        ..RpcConfig::default()
    }
}
