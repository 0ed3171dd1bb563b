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
use malachitebft_app_channel::app::engine::node::NodeRef;
use malachitebft_app_channel::app::engine::util::output_port::{
    OutputPort, OutputPortSubscriberTrait,
};
use malachitebft_app_channel::app::events::{RxEvent, TxEvent};
use malachitebft_app_channel::app::metrics::{Metrics, SharedRegistry};
use malachitebft_app_channel::app::spawn;
use malachitebft_signing::{Signer, Verifier};
use prometheus_client::metrics::counter::Counter;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::codec::{self, ScaleCodec};
use crate::config::{ConsensusConfig, NodeIdentity};
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
    pub identity: &'a NodeIdentity,
    pub registry: &'a SharedRegistry,
    pub allowed: &'a AllowList,
    /// What the first height is decided with.
    pub height: &'a HeightSetup,
    /// What the validator has signed; without it the node follows.
    pub memory: Option<SigningMemory>,
    /// Where the reason of a failure is kept.
    pub cause: FirstCause,
    /// Counts messages that peers send beyond their windows.
    pub left_out: Counter,
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
    /// Starts all actors. The first question comes once the port is open.
    pub(crate) async fn start(setup: Setup<'_>) -> Result<Self, ConsensusError> {
        let metrics = Metrics::register(setup.registry);
        let (wal, port) = (setup.config.wal_path(), setup.config.socket_address());
        let cause = setup.cause.clone();
        let events = TxEvent::new();
        let supervisor =
            Supervisor::new(cause.clone(), wal.clone(), metrics.clone(), events.subscribe());
        let (node, node_task) = supervisor.spawn().await.map_err(start_error)?;
        match Self::start_children(setup, metrics, events, &node).await {
            Ok((network, events, questions, polkas)) => {
                Ok(Self { node, node_task, wal, port, network, cause, events, questions, polkas })
            }
            Err(error) => {
                stop_node(&node).await;
                Err(error)
            }
        }
    }

    async fn start_children(
        setup: Setup<'_>,
        metrics: Metrics,
        events: TxEvent<BillContext>,
        node: &NodeRef,
    ) -> Result<Children, ConsensusError> {
        let Setup { config, identity, registry, allowed, height, memory, cause, left_out } = setup;
        let engine_config = config.engine(&identity.domain, allowed.addresses());
        let sync_config = config.value_sync();
        let supervisor = || node.get_cell();

        let network = spawn::spawn_network_actor(
            &engine_config,
            &sync_config,
            network_identity(config, identity),
            registry,
            ScaleCodec,
        )
        .await
        .map_err(start_error)?;
        network.link(supervisor());
        let verifier = Sm2Verifier::new(identity.domain);
        let early = EarlyMessages::new(verifier, height.height, height.validators.clone());
        let polkas = Polkas::default();
        let guests = Guests::new(allowed.clone(), early, polkas.clone(), left_out);
        let spawn_gate = |hears| Gate::spawn(network.clone(), guests.clone(), hears);
        let gate = spawn_gate(Hears::Consensus).await.map_err(start_error)?;
        gate.link(supervisor());
        let sync_gate = spawn_gate(Hears::Sync).await.map_err(start_error)?;
        sync_gate.link(supervisor());
        let answers_gate = spawn_gate(Hears::Answers).await.map_err(start_error)?;
        answers_gate.link(supervisor());

        let wal = spawn::spawn_wal_actor(
            &BillContext,
            ScaleCodec,
            &config.wal_path(),
            registry,
            node.clone(),
        )
        .await
        .map_err(|error| ConsensusError::Log {
            log: config.wal_path(),
            reason: format!("cannot be opened: {error:#}"),
        })?;
        wal.link(supervisor());

        let (host, questions) = Host::spawn().await.map_err(start_error)?;
        host.link(supervisor());

        let receiver = events.subscribe();
        let sync_port = Arc::new(OutputPort::new());
        let verifier: Box<dyn Verifier<BillContext>> = Box::new(Sm2Verifier::new(identity.domain));
        let signer = identity.signer().zip(memory).map(|(signer, memory)| {
            let guarded = GuardedSigner::new(signer, memory, cause);
            Box::new(guarded) as Box<dyn Signer<BillContext>>
        });
        let consensus = spawn::spawn_consensus_actor(
            BillContext,
            own_address(identity),
            engine_config,
            verifier,
            signer,
            gate,
            host.clone(),
            wal,
            sync_port.clone(),
            metrics,
            events,
            node.clone(),
        )
        .await
        .map_err(start_error)?;
        consensus.link(supervisor());
        guests.engine(consensus.clone());

        let sync = spawn::spawn_sync_actor(
            BillContext,
            sync_gate,
            host,
            consensus.clone(),
            ScaleCodec,
            &sync_config,
            registry,
        )
        .await
        .map_err(start_error)?;
        if let Some(sync) = sync {
            sync.link(supervisor());
            sync.subscribe_to_port(&sync_port);
        }
        let network = Network::new(network, answers_gate, consensus, guests);
        Ok((network, receiver, questions, polkas))
    }

    /// Access to the peer network.
    pub(crate) fn network(&self) -> Network {
        self.network.clone()
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
pub(crate) fn own_address(identity: &NodeIdentity) -> Address {
    match &identity.validator_key {
        Some(key) => Address::from_public_key(&key.public()),
        None => {
            let peer = identity.network_key.public().to_peer_id().to_bytes();
            billchain_crypto::sm3::sm3(&peer).into()
        }
    }
}

fn network_identity(config: &ConsensusConfig, identity: &NodeIdentity) -> NetworkIdentity {
    let name = config.name.clone();
    let keypair = identity.network_key.clone();
    let Some(signer) = identity.signer() else {
        return NetworkIdentity::new(name, keypair, None);
    };
    let proof = signer.prove_validator(keypair.public().to_peer_id().to_bytes());
    let address = own_address(identity).to_string();
    NetworkIdentity::new_validator(name, keypair, address, codec::encode(&proof))
}
