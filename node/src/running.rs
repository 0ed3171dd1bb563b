//! A running node: all its parts, watched together and stopped in order.

use crate::{
    access,
    admission::Admission,
    application::ChainApplication,
    compact::{CompactBlocks, CompactMetrics},
    config::Config,
    disk::Disk,
    door,
    evidence::{Evidence, EvidenceMetrics},
    files::FileBudget,
    keyring::KeyRing,
    membership::Membership,
    metrics,
    node_status::{self, NodeStatus},
    peers::PeerFollower,
    settings,
    state_sync::{self, Background},
    workers,
};
use anyhow::{Context, Error, Result, anyhow};
use billchain_chain_spec::ChainSpec;
use billchain_consensus::{ChainDomain, ConsensusError, ConsensusHandle, HeldKeys, NodeIdentity};
use billchain_executor::Chain;
use billchain_rpc::{AccessReloader, NodeInfo, RpcContext, RpcServer};
use billchain_runtime::{VERSION, Validators};
use billchain_state_sync::Copies;
use billchain_txpool::{
    Journal, Pool,
    gossip::{self, GossipError, GossipHandle, Question},
};
use billchain_workers::supervisor::Supervisor;
use libp2p::{PeerId, identity::Keypair};
use prometheus_client::registry::Registry;
use std::{future::Future, sync::Arc, time::SystemTime};
use tokio::{
    runtime::Handle,
    sync::mpsc,
    task::{JoinError, JoinHandle},
};

/// What a node is started from.
pub(crate) struct Startup {
    pub(crate) config: Config,
    pub(crate) spec: ChainSpec,
    pub(crate) chain: Chain,
    pub(crate) network_key: Keypair,
    pub(crate) ring: KeyRing,
    /// Those of the ring.
    pub(crate) keys: HeldKeys,
    pub(crate) files: FileBudget,
    /// Where RPC and metrics run: what clients ask for takes nothing from
    /// consensus.
    pub(crate) front: Handle,
    /// The runtime of their dear requests.
    pub(crate) dear: Handle,
}

/// The parts of a node. Each may end by itself; the node then stops with the
/// reason of the first.
pub(crate) struct Running {
    consensus: ConsensusHandle,
    gossip: GossipHandle,
    maintenance: JoinHandle<()>,
    disk: JoinHandle<()>,
    followed: JoinHandle<Result<()>>,
    /// Looks for consensus keys in the node's files; ends at once without a directory.
    keys: JoinHandle<()>,
    rpc: RpcServer,
    metrics: JoinHandle<Result<()>>,
    door: Option<JoinHandle<()>>,
    background: Background,
    /// The processes of connectors, if there are any.
    workers: Option<Supervisor>,
    front: Handle,
}

/// The parts that the chain needs, without those that clients need.
struct Core {
    config: Config,
    files: FileBudget,
    chain: Chain,
    local_id: PeerId,
    membership: Membership,
    keys: HeldKeys,
    pool: Arc<Pool>,
    disk: Disk,
    peers: PeerFollower,
    gossip: GossipHandle,
    consensus: ConsensusHandle,
    counts: Counts,
    background: Background,
}

impl Core {
    /// Starts them. If one does not start, those before it are stopped.
    async fn start(
        (config, files, spec): (Config, FileBudget, &ChainSpec),
        (network_key, keys): (Keypair, HeldKeys),
        chain: Chain,
    ) -> Result<Self> {
        let local_id = network_key.public().to_peer_id();
        let membership = Membership::new(chain.clone(), local_id, keys.clone());
        let pool = open_pool(&config, &chain)?;
        let disk = Disk::new(&config);
        disk.tell(&pool);
        let peers = PeerFollower::new(config.network.peers.clone(), local_id);
        let copies = state_sync::copies(&config)?;
        let (asked, questions) = mpsc::channel(state_sync::QUESTIONS);
        let gossip = start_gossip(&config, &network_key, &peers, &chain, &pool, asked).await?;
        let (application, counts) = application(&config, &chain, &pool, &gossip, &disk, &copies)?;
        let background = Background::start(state_sync::Parts {
            config: &config,
            spec,
            chain: &chain,
            copies,
            asker: gossip.asker(),
            questions,
        })?;
        let domain = ChainDomain::new(chain.genesis_hash());
        let identity = NodeIdentity { domain, network_key, keys: keys.clone() };
        let consensus = match start_consensus(&config, &files, identity, application).await {
            Ok(consensus) => consensus,
            Err(error) => {
                background.abort();
                stop_quietly("gossip", gossip.stop()).await;
                return Err(error);
            }
        };
        Ok(Self {
            config,
            files,
            chain,
            local_id,
            membership,
            keys,
            pool,
            disk,
            peers,
            gossip,
            consensus,
            counts,
            background,
        })
    }

    /// All that is counted.
    fn registry(&self) -> Registry {
        let mut registry = Registry::with_prefix("billchain");
        let membership = self.membership.clone();
        metrics::register(
            &mut registry,
            &self.chain,
            &self.pool,
            self.gossip.metrics(),
            membership,
        );
        self.disk.register(&mut registry);
        self.files.register(&mut registry);
        self.counts.register(&mut registry);
        self.background.register(&mut registry);
        registry
    }

    fn status(&self) -> NodeStatus {
        NodeStatus::new(node_status::Parts {
            chain: self.chain.clone(),
            membership: self.membership.clone(),
            consensus: self.consensus.report_reader(),
            gossip: self.gossip.connected(),
            disk: self.disk.clone(),
            name: self.config.name.clone(),
            peer: self.local_id,
            keys: self.keys.clone(),
            signing_memory: self.config.signing_memory(),
            empty_interval: self.config.consensus.empty_block_interval,
            started: SystemTime::now(),
        })
    }
}

impl Running {
    /// Starts all parts. If one does not start, those before it are stopped.
    pub(crate) async fn start(startup: Startup) -> Result<Self> {
        let Startup { config, spec, chain, network_key, ring, keys, files, front, dear } = startup;
        let core = Core::start((config, files, &spec), (network_key, keys), chain).await?;
        let mut registry = core.registry();
        let door = door::start(&core.config, &core.chain, core.background.cold(), &mut registry);
        // They try until the node answers; if it does not start, they end with it.
        let workers = workers::start(&core.config, &front)?;
        let told = workers.as_ref().map(workers::Told::of);
        if let Some(told) = &told {
            told.register(&mut registry);
        }
        let node = node_info(&spec, core.status(), told.as_ref());
        let Core { config, files, chain, membership, pool, disk, peers, .. } = core;
        let Core { gossip, consensus, background, .. } = core;
        let reader = consensus.report_reader();
        let health = metrics::Health::new(&chain, &membership, &disk, reader, &config);
        let context = RpcContext { chain: chain.clone(), pool: pool.clone(), node, dear };
        let served = front.spawn(serve(config, files, context, health, registry)).await;
        let (rpc, metrics) = match served.map_err(Error::from).and_then(|served| served) {
            Ok(served) => served,
            Err(error) => {
                background.abort();
                stop_quietly("consensus", consensus.stop()).await;
                stop_quietly("gossip", gossip.stop()).await;
                return Err(error);
            }
        };
        let followed = tokio::spawn(peers.follow(chain, gossip.peer_updates()));
        let disk = disk.follow(pool.clone());
        let maintenance = tokio::spawn(pool.maintain());
        let keys = tokio::spawn(ring.follow());
        Ok(Self {
            consensus,
            gossip,
            maintenance,
            disk,
            followed,
            keys,
            rpc,
            metrics,
            door,
            background,
            workers,
            front,
        })
    }

    /// What has RPC read its configuration of access again.
    pub(crate) fn access(&self) -> AccessReloader {
        self.rpc.reloader()
    }

    /// Resolves when a part has ended by itself, with the part and its reason.
    pub(crate) async fn first_failure(&mut self) -> Error {
        let ends = Ends {
            consensus: self.consensus.ended(),
            gossip: self.gossip.ended(),
            maintenance: &mut self.maintenance,
            followed: &mut self.followed,
            rpc: self.rpc.ended(),
            metrics: &mut self.metrics,
        };
        first_end(ends).await
    }

    /// Stops every part, in order: first what lets new work in. May be called at
    /// any time; the first error is returned, later ones are logged.
    pub(crate) async fn stop(self) -> Result<()> {
        // Their leases end by themselves: another node's workers go on.
        drop(self.workers);
        // Of the runtime that it was started on.
        let rpc = self.rpc;
        let stopped = self.front.spawn(async move { rpc.stop().await }).await;
        let mut first = stopped.context("stopping RPC").err();
        self.metrics.abort();
        if let Some(door) = &self.door {
            door.abort();
        }
        self.background.abort();
        let mut note = |what: &'static str, result: Result<()>| {
            let Err(error) = result else { return };
            let error = error.context(what);
            match &first {
                None => first = Some(error),
                Some(_) => tracing::error!("{error:#}"),
            }
        };
        note("stopping consensus", self.consensus.stop().await.map_err(Error::from));
        self.followed.abort();
        self.keys.abort();
        note("stopping gossip", self.gossip.stop().await.map_err(Error::from));
        self.maintenance.abort();
        self.disk.abort();
        self.background.ended().await;
        first.map_or(Ok(()), Err)
    }
}

/// The ends of the parts: each resolves when its part has ended by itself.
struct Ends<C, G, M, F, R, P> {
    consensus: C,
    gossip: G,
    maintenance: M,
    followed: F,
    rpc: R,
    metrics: P,
}

/// The part that ends first, with its reason.
async fn first_end<C, G, M, F, R, P>(ends: Ends<C, G, M, F, R, P>) -> Error
where
    C: Future<Output = Result<(), ConsensusError>>,
    G: Future<Output = GossipError>,
    M: Future<Output = Result<(), JoinError>>,
    F: Future<Output = Result<Result<()>, JoinError>>,
    R: Future<Output = ()>,
    P: Future<Output = Result<Result<()>, JoinError>>,
{
    tokio::select! {
        // Consensus first: the others often end because of it.
        biased;
        ended = ends.consensus => match ended {
            Ok(()) => anyhow!("consensus ended without a reason"),
            Err(error) => Error::from(error).context("consensus stopped"),
        },
        ended = ends.gossip => Error::from(ended).context("transaction gossip stopped"),
        ended = ends.maintenance => failed("pool maintenance", ended.map(Ok)),
        ended = ends.followed => failed("following the chain's peers", ended),
        () = ends.rpc => anyhow!("the RPC server stopped"),
        ended = ends.metrics => failed("the metrics server", ended),
    }
}

/// The pool, with what this node accepted and no block has.
fn open_pool(config: &Config, chain: &Chain) -> Result<Arc<Pool>> {
    let admission = Arc::new(Admission::new(chain.clone()));
    let journal = Journal::open(settings::journal(config))?;
    let head = chain.head().number;
    Ok(Pool::with_journal(settings::pool(config), head, admission, journal)?)
}

/// The chain as consensus drives it, and what it counts.
fn application(
    config: &Config,
    chain: &Chain,
    pool: &Arc<Pool>,
    gossip: &GossipHandle,
    disk: &Disk,
    copies: &Arc<Copies>,
) -> Result<(ChainApplication, Counts)> {
    let evidence = Evidence::open(config.evidence())?;
    let equivocations = evidence.metrics().clone();
    equivocations.set_recorded(chain.read(Validators::equivocations)?.len());
    let compact = CompactBlocks::new(pool.clone(), gossip.fetcher());
    let counts = Counts { proposals: compact.metrics().clone(), equivocations };
    let application = ChainApplication::new(
        chain.clone(),
        pool.clone(),
        compact,
        evidence,
        (disk.clone(), copies.clone()),
        config.consensus.max_block_bytes,
        config.network.peers.clone(),
    );
    Ok((application, counts))
}

/// What a running chain counts.
struct Counts {
    proposals: CompactMetrics,
    equivocations: EvidenceMetrics,
}

impl Counts {
    fn register(&self, registry: &mut Registry) {
        self.proposals.register(registry);
        self.equivocations.register(registry);
    }
}

/// What RPC says of the node.
fn node_info(spec: &ChainSpec, status: NodeStatus, told: Option<&workers::Told>) -> NodeInfo {
    let parts = &status.parts;
    NodeInfo {
        name: parts.name.clone(),
        chain_name: spec.name.to_string(),
        chain_type: spec.chain_type,
        peer_id: parts.peer.to_string(),
        is_validator: !parts.keys.public_keys().is_empty(),
        peers: parts.gossip.clone(),
        status: Some(Arc::new(status)),
        workers: told.map(workers::Told::source),
    }
}

/// Transaction gossip with the peers of the chain and of the settings.
async fn start_gossip(
    config: &Config,
    key: &Keypair,
    peers: &PeerFollower,
    chain: &Chain,
    pool: &Arc<Pool>,
    asked: mpsc::Sender<Question>,
) -> Result<GossipHandle> {
    let gossip_config = gossip::GossipConfig {
        keypair: key.clone(),
        listen: settings::multiaddr(config.network.listen, "udp", "/quic-v1")?,
        peers: peers.gossip_peers(chain)?,
        genesis: chain.genesis_hash(),
        rules: VERSION.spec_version,
        limits: gossip::GossipLimits::default(),
        questions: Some(asked),
    };
    gossip::start(gossip_config, pool.clone()).await.context("transaction gossip")
}

async fn start_consensus(
    config: &Config,
    files: &FileBudget,
    identity: NodeIdentity,
    application: ChainApplication,
) -> Result<ConsensusHandle> {
    let settings = settings::consensus(config, files)?;
    Ok(billchain_consensus::spawn(settings, identity, Arc::new(application)).await?)
}

/// RPC and metrics, on the runtime of clients.
async fn serve(
    config: Config,
    files: FileBudget,
    context: RpcContext,
    health: metrics::Health,
    mut registry: Registry,
) -> Result<(RpcServer, JoinHandle<Result<()>>)> {
    let settings = settings::rpc(&config, &files);
    let access = access::open(&config, settings.max_connections)?;
    access.metrics().register(&mut registry);
    let rpc = billchain_rpc::serve_with(settings, context, access)
        .await
        .with_context(|| format!("rpc.listen {}", config.rpc.listen))?;
    rpc.metrics().register(registry.sub_registry_with_prefix("rpc"));
    let metrics = metrics::serve(config.metrics_listen, registry, health)
        .await
        .with_context(|| format!("metrics.listen {}", config.metrics_listen))?;
    Ok((rpc, metrics))
}

/// The reason why a task has ended.
fn failed(what: &'static str, ended: Result<Result<()>, JoinError>) -> Error {
    match ended {
        Ok(Ok(())) => anyhow!("{what} ended without a reason"),
        Ok(Err(error)) => error.context(what),
        Err(error) => Error::from(error).context(what),
    }
}

/// For a start that has failed already, whose reason counts.
async fn stop_quietly<E: std::fmt::Display>(
    what: &str,
    stopping: impl Future<Output = Result<(), E>>,
) {
    if let Err(error) = stopping.await {
        tracing::error!("stopping {what}: {error}");
    }
}

#[cfg(test)]
mod tests;
