//! Starts Malachite's actors.
//!
//! What `EngineBuilder` of the app-channel crate does, with [`crate::host`] in
//! place of its connector and [`crate::supervisor`] in place of its node actor,
//! which is kept to stop everything.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use malachitebft_app_channel::NetworkIdentity;
use malachitebft_app_channel::app::config::{ConsensusConfig as EngineConfig, ValueSyncConfig};
use malachitebft_app_channel::app::engine::consensus::ConsensusRef;
use malachitebft_app_channel::app::engine::host::HostRef;
use malachitebft_app_channel::app::engine::network::NetworkRef;
use malachitebft_app_channel::app::engine::node::NodeRef;
use malachitebft_app_channel::app::engine::sync::{
    Params as SyncParams, Sync as ValueSync, SyncRef,
};
use malachitebft_app_channel::app::engine::util::output_port::{
    OutputPort, OutputPortSubscriberTrait,
};
use malachitebft_app_channel::app::engine::wal::WalRef;
use malachitebft_app_channel::app::events::{RxEvent, TxEvent};
use malachitebft_app_channel::app::metrics::{Metrics, SharedRegistry};
use malachitebft_app_channel::app::spawn;
use malachitebft_signing::Signer;
use prometheus_client::metrics::counter::Counter;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::codec::{self, ScaleCodec};
use crate::config::{ConsensusConfig, Identity};
use crate::early::EarlyMessages;
use crate::error::ConsensusError;
use crate::gate::{Gate, Guests, Hears, Polkas};
use crate::guarded::GuardedSigner;
use crate::host::{Host, Question};
use crate::lane::HeightSetup;
use crate::memory::SigningMemory;
use crate::network::Network;
use crate::peers::AllowList;
use crate::signing::Sm2Verifier;
use crate::supervisor::{FirstCause, STOPPING, Supervisor};
use crate::types::{Address, BillContext};

/// How long the actors may take to stop.
const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// What an engine is started with.
pub(crate) struct Setup<'a> {
    pub config: &'a ConsensusConfig,
    pub identity: &'a Identity,
    /// Takes the metrics of the network and the log.
    pub registry: &'a SharedRegistry,
    /// The engine's other metrics, which go on from stage to stage.
    pub metrics: EngineMetrics,
    pub allowed: &'a AllowList,
    /// What the first height is decided with.
    pub height: &'a HeightSetup,
    /// Where the reason of a failure is kept.
    pub cause: FirstCause,
    /// Counts messages that peers send beyond their windows.
    pub left_out: Counter,
}

/// The engine's metrics. A registry takes each once, and a node whose key changes starts
/// its engine again.
#[derive(Clone)]
pub(crate) struct EngineMetrics {
    consensus: Metrics,
    sync: malachitebft_sync::Metrics,
}

impl EngineMetrics {
    pub(crate) fn register(registry: &SharedRegistry, config: &ConsensusConfig) -> Self {
        let sync = malachitebft_sync::Metrics::register(registry, config.status_interval);
        Self { consensus: Metrics::register(registry), sync }
    }

    /// For an engine that starts: nobody is connected yet.
    fn begin(&self) -> Metrics {
        self.consensus.connected_peers.set(0);
        self.consensus.clone()
    }
}

/// A running engine.
pub(crate) struct Engine {
    node: NodeRef,
    node_task: JoinHandle<()>,
    wal: PathBuf,
    port: Option<SocketAddr>,
    network: Network,
    cause: FirstCause,
    /// Events about messages received, see [`crate::driver`].
    pub events: RxEvent<BillContext>,
    /// The engine's questions.
    pub questions: mpsc::UnboundedReceiver<Question>,
    /// Certificates that peers send, unverified.
    pub polkas: Polkas,
}

/// Network, events, questions and certificates.
type Children = (Network, RxEvent<BillContext>, mpsc::UnboundedReceiver<Question>, Polkas);

fn start_error(error: impl std::fmt::Display) -> ConsensusError {
    ConsensusError::Start(error.to_string())
}

impl Engine {
    /// Starts all actors. The first question comes once the port is open. Without
    /// a `memory` of what the validator has signed the node follows.
    pub(crate) async fn start(
        setup: Setup<'_>,
        memory: Option<SigningMemory>,
    ) -> Result<Self, ConsensusError> {
        let metrics = setup.metrics.begin();
        let (wal, port) = (setup.config.wal_path(), setup.config.socket_address());
        let cause = setup.cause.clone();
        let events = TxEvent::new();
        let supervisor =
            Supervisor::new(cause.clone(), wal.clone(), metrics.clone(), events.subscribe());
        let (node, node_task) = supervisor.spawn().await.map_err(start_error)?;
        match setup.start_children(setup.signer(memory), metrics, events, &node).await {
            Ok((network, events, questions, polkas)) => {
                Ok(Self { node, node_task, wal, port, network, cause, events, questions, polkas })
            }
            Err(error) => {
                stop_node(&node).await;
                Err(error)
            }
        }
    }

    /// Access to the peer network.
    pub(crate) fn network(&self) -> Network {
        self.network.clone()
    }

    /// Consensus was told to stop: what the actors say from now on is no cause.
    pub(crate) fn expect_end(&self) {
        self.cause.stopping();
    }

    /// Stops all actors and waits until the port and the log are closed.
    pub(crate) async fn stop(self) {
        // By itself and first: the node ends when any of its actors has ended,
        // and then kills the others, which would leave the network's task and
        // its port behind.
        let reason = Some(STOPPING.to_owned());
        if let Err(error) = self.network.actor().stop_and_wait(reason, Some(STOP_PATIENCE)).await {
            tracing::warn!(%error, "the network did not stop in time");
        }
        if self.cause.is_set() {
            // An actor that hangs on purpose after a failed log write never ends.
            for actor in self.node.get_cell().get_children() {
                actor.kill();
            }
        }
        stop_node(&self.node).await;
        let _ = tokio::time::timeout(STOP_PATIENCE, self.node_task).await;
        // The log's thread and the network's task are told to end, not waited for.
        if tokio::time::timeout(STOP_PATIENCE, released(&self.wal, self.port)).await.is_err() {
            tracing::warn!(file = %self.wal.display(), "log and port were not closed in time");
        }
    }
}

impl Setup<'_> {
    /// Starts the actors in the order in which each needs the last, and links them
    /// to `node`.
    async fn start_children(
        &self,
        signer: Option<Box<dyn Signer<BillContext>>>,
        metrics: Metrics,
        events: TxEvent<BillContext>,
        node: &NodeRef,
    ) -> Result<Children, ConsensusError> {
        let receiver = events.subscribe();
        let (engine_config, sync_config) = (self.engine_config(), self.config.value_sync());
        let network = self.start_network(&engine_config, &sync_config, node).await?;
        let polkas = Polkas::default();
        let guests = self.guests(polkas.clone());
        let gate = |hears| start_gate(&network, &guests, hears, node);
        let consensus_gate = gate(Hears::Consensus).await?;
        let sync_gate = gate(Hears::Sync).await?;
        let answers_gate = gate(Hears::Answers).await?;
        let wal = self.start_log(node).await?;
        let (host, questions) = Host::spawn().await.map_err(start_error)?;
        host.link(node.get_cell());
        let sync_port = Arc::new(OutputPort::new());
        let consensus = spawn::spawn_consensus_actor(
            BillContext,
            own_address(self.identity),
            engine_config,
            Box::new(Sm2Verifier::new(self.identity.domain)),
            signer,
            consensus_gate,
            host.clone(),
            wal,
            sync_port.clone(),
            metrics,
            events,
            node.clone(),
        )
        .await
        .map_err(start_error)?;
        consensus.link(node.get_cell());
        guests.engine(consensus.clone());
        let sync = self.start_sync(sync_gate, host, consensus.clone(), &sync_config).await?;
        sync.link(node.get_cell());
        sync.subscribe_to_port(&sync_port);
        let network = Network::new(network, answers_gate, consensus, guests);
        Ok((network, receiver, questions, polkas))
    }

    fn engine_config(&self) -> EngineConfig {
        self.config.engine(&self.identity.domain, self.allowed.addresses())
    }

    /// Signs as the memory allows; without one the node has no vote.
    fn signer(&self, memory: Option<SigningMemory>) -> Option<Box<dyn Signer<BillContext>>> {
        let (signer, memory) = self.identity.signer().zip(memory)?;
        Some(Box::new(GuardedSigner::new(signer, memory, self.cause.clone())))
    }

    /// Whom the gates let in.
    fn guests(&self, polkas: Polkas) -> Guests {
        let verifier = Sm2Verifier::new(self.identity.domain);
        let HeightSetup { height, validators, .. } = self.height;
        let early = EarlyMessages::new(verifier, *height, validators.clone());
        Guests::new(self.allowed.clone(), early, polkas, self.left_out.clone())
    }

    async fn start_network(
        &self,
        engine: &EngineConfig,
        sync: &ValueSyncConfig,
        node: &NodeRef,
    ) -> Result<NetworkRef<BillContext>, ConsensusError> {
        let identity = network_identity(self.config, self.identity)?;
        let network = spawn::spawn_network_actor(engine, sync, identity, self.registry, ScaleCodec)
            .await
            .map_err(start_error)?;
        network.link(node.get_cell());
        Ok(network)
    }

    /// What the app-channel crate does, with metrics that were registered before.
    async fn start_sync(
        &self,
        network: NetworkRef<BillContext>,
        host: HostRef<BillContext>,
        consensus: ConsensusRef<BillContext>,
        config: &ValueSyncConfig,
    ) -> Result<SyncRef<BillContext>, ConsensusError> {
        let params = SyncParams {
            status_update_interval: config.status_update_interval,
            request_timeout: config.request_timeout,
        };
        ValueSync::spawn(
            BillContext,
            network,
            host,
            consensus,
            params,
            ScaleCodec,
            crate::config::engine_sync(config),
            self.metrics.sync.clone(),
            tracing::Span::current(),
        )
        .await
        .map_err(start_error)
    }

    async fn start_log(&self, node: &NodeRef) -> Result<WalRef<BillContext>, ConsensusError> {
        let path = self.config.wal_path();
        let spawned =
            spawn::spawn_wal_actor(&BillContext, ScaleCodec, &path, self.registry, node.clone());
        let wal = spawned.await.map_err(|error| {
            let reason = format!("cannot be opened: {error:#}");
            ConsensusError::Log { log: path.clone(), reason }
        })?;
        wal.link(node.get_cell());
        Ok(wal)
    }
}

async fn start_gate(
    network: &NetworkRef<BillContext>,
    guests: &Guests,
    hears: Hears,
    node: &NodeRef,
) -> Result<NetworkRef<BillContext>, ConsensusError> {
    let gate = Gate::spawn(network.clone(), guests.clone(), hears).await.map_err(start_error)?;
    gate.link(node.get_cell());
    Ok(gate)
}

/// Waits until nobody holds the lock of the write-ahead log, nor the port.
async fn released(wal: &Path, port: Option<SocketAddr>) {
    let locked = || {
        File::open(wal).is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
    };
    let taken = || {
        let bound = port.map(TcpListener::bind);
        bound.is_some_and(|bound| bound.is_err_and(|error| error.kind() == ErrorKind::AddrInUse))
    };
    while locked() || taken() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Children first and gently, so that each closes what it holds.
async fn stop_node(node: &NodeRef) {
    let reason = Some(STOPPING.to_owned());
    node.get_cell().stop_children_and_wait(reason.clone(), Some(STOP_PATIENCE)).await;
    // An error means that it has ended by itself, with the first of them.
    let _ = node.stop_and_wait(reason, Some(STOP_PATIENCE)).await;
}

/// Address of this node among validators. A node without a validator key gets
/// one that no key hashes to in practice: the SM3 of its peer id.
pub(crate) fn own_address(identity: &Identity) -> Address {
    match &identity.validator_key {
        Some(key) => Address::from_public_key(&key.public()),
        None => {
            let peer = identity.network_key.public().to_peer_id().to_bytes();
            billchain_crypto::sm3::sm3(&peer).into()
        }
    }
}

fn network_identity(
    config: &ConsensusConfig,
    identity: &Identity,
) -> Result<NetworkIdentity, ConsensusError> {
    let name = config.name.clone();
    let keypair = identity.network_key.clone();
    let Some(signer) = identity.signer() else {
        return Ok(NetworkIdentity::new(name, keypair, None));
    };
    let proof = signer.prove_validator(keypair.public().to_peer_id().to_bytes());
    let address = own_address(identity).to_string();
    let proof = codec::encode(&proof).map_err(start_error)?;
    Ok(NetworkIdentity::new_validator(name, keypair, address, proof))
}
