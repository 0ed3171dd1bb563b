//! Starting, watching and stopping consensus.

use std::sync::Arc;

use malachitebft_app_channel::app::metrics::SharedRegistry;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::application::Application;
use crate::config::{ConsensusConfig, NodeIdentity};
use crate::driver::{self, Parts};
use crate::engine::{Engine, own_address};
use crate::error::ConsensusError;
use crate::lane::{Lane, Worker, read_setup};
use crate::metrics::Metrics;
use crate::peers::AllowList;
use crate::signing::{Sm2Signer, Sm2Verifier};
use crate::status::{PeerReader, PeerState, Status};
use crate::undecided::UndecidedStore;

/// Running consensus. Dropping the handle without [`stop`](Self::stop) leaves it
/// running until the process ends.
pub struct ConsensusHandle {
    task: JoinHandle<Result<(), ConsensusError>>,
    stop: Option<oneshot::Sender<()>>,
    status: watch::Receiver<Status>,
    peers: PeerReader,
}

impl ConsensusHandle {
    /// Follows height, round and role.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Peers connected at this moment; empty while the engine stops.
    pub async fn peers(&self) -> Vec<PeerState> {
        self.peers.peers().await
    }

    /// A reader of the connected peers that outlives a borrow of the handle.
    pub fn peer_reader(&self) -> PeerReader {
        self.peers.clone()
    }

    /// Resolves when consensus has ended by itself, which it does only on an
    /// error: the node must stop then. May be dropped and called again.
    pub async fn ended(&mut self) -> Result<(), ConsensusError> {
        joined((&mut self.task).await)
    }

    /// Stops gently: a commit under way is finished, files and port are closed.
    /// Not to be called after [`ended`](Self::ended) has resolved.
    pub async fn stop(mut self) -> Result<(), ConsensusError> {
        if let Some(stop) = self.stop.take() {
            // Fails if it has ended already; then the task has the reason.
            let _ = stop.send(());
        }
        joined(self.task.await)
    }
}

fn joined(
    result: Result<Result<(), ConsensusError>, tokio::task::JoinError>,
) -> Result<(), ConsensusError> {
    result.unwrap_or_else(|error| Err(ConsensusError::Stopped(error.to_string())))
}

/// Starts consensus. Returns when the engine's actors run; the first height
/// begins soon after, see [`ConsensusHandle::status`].
pub async fn spawn(
    config: ConsensusConfig,
    identity: NodeIdentity,
    app: Arc<dyn Application>,
) -> Result<ConsensusHandle, ConsensusError> {
    let problems = config.problems();
    if !problems.is_empty() {
        return Err(ConsensusError::Config(problems));
    }
    // The engine does not report a taken port; ask the system first.
    if let Some(address) = config.socket_address() {
        std::net::TcpListener::bind(address).map_err(|error| {
            ConsensusError::Start(format!("cannot listen on {}: {error}", config.listen))
        })?;
    }
    let own_peer = identity.network_key.public().to_peer_id();
    let (setup, store) = {
        let (app, config) = (app.clone(), config.clone());
        let read = move || {
            let setup = read_setup(&*app)?;
            let path = config.undecided_path();
            let store = UndecidedStore::open(path, setup.height, config.max_block_bytes)?;
            Ok::<_, ConsensusError>((setup, store))
        };
        tokio::task::spawn_blocking(read).await.map_err(|_| ConsensusError::Panicked)??
    };
    let allowed = AllowList::new(setup.peers.clone(), &own_peer);
    let registry = SharedRegistry::global().with_moniker(config.name.clone());
    let metrics = Metrics::register(&registry);

    let engine = Engine::start(&config, &identity, &registry, &allowed, &setup).await?;
    let peers = PeerReader::new(engine.network());
    let signer = identity.validator_key.clone().map(|key| Sm2Signer::new(identity.domain, key));
    let (lane, done) = Lane::start(Worker {
        app: app.clone(),
        signer,
        writer: store.writer(),
        max_block_bytes: config.max_block_bytes,
        metrics: metrics.clone(),
    })?;
    let initial = Status {
        height: setup.height.get(),
        committed: setup.height.get().saturating_sub(1),
        ..Status::default()
    };
    let (sender, status) = watch::channel(initial);
    let (stop, stopped) = oneshot::channel();
    let parts = Parts {
        verifier: Sm2Verifier::new(identity.domain),
        own_address: own_address(&identity),
        own_peer,
        config,
        app,
        lane,
        done,
        store,
        setup,
        allowed,
        metrics,
        status: sender,
    };
    let task = tokio::spawn(driver::run(parts, engine, stopped));
    Ok(ConsensusHandle { task, stop: Some(stop), status, peers })
}
