//! The two stages of a validator: it follows without a vote until every height
//! that it may have signed is decided here, then it votes.

use std::sync::Arc;

use malachitebft_app_channel::app::metrics::SharedRegistry;
use tokio::sync::{mpsc, oneshot, watch};
use tracing::{info, warn};

use crate::application::Application;
use crate::config::{ConsensusConfig, NodeIdentity};
use crate::driver::{self, Parts};
use crate::engine::{Engine, Setup, own_address};
use crate::error::ConsensusError;
use crate::lane::{Done, HeightSetup, Lane, Worker, read_setup};
use crate::memory::{self, SigningMemory, Start, Verdict};
use crate::metrics::Metrics;
use crate::network::SharedNetwork;
use crate::peers::AllowList;
use crate::signing::Sm2Verifier;
use crate::status::Status;
use crate::supervisor::FirstCause;
use crate::types::{Address, Height};
use crate::undecided::UndecidedStore;

/// Newest blocks in which a validator looks for its own signature.
const LOOK_BACK: u64 = 8;

/// What all stages of a node have in common.
pub(crate) struct Member {
    config: ConsensusConfig,
    identity: NodeIdentity,
    app: Arc<dyn Application>,
    registry: SharedRegistry,
    metrics: Metrics,
    cause: FirstCause,
    status: watch::Sender<Status>,
    network: SharedNetwork,
}

/// A stage that has been started.
pub(crate) struct Stage {
    parts: Parts,
    engine: Engine,
    /// The height after whose decision the next stage begins.
    until: Option<u64>,
}

/// What is read from disk before a stage begins.
struct Opened {
    setup: HeightSetup,
    store: UndecidedStore,
    memory: Option<SigningMemory>,
    /// Without a vote up to this height.
    until: Option<u64>,
}

impl Member {
    pub(crate) fn new(
        config: ConsensusConfig,
        identity: NodeIdentity,
        app: Arc<dyn Application>,
    ) -> (Self, watch::Receiver<Status>) {
        let registry = SharedRegistry::global().with_moniker(config.name.clone());
        let metrics = Metrics::register(&registry);
        let (status, receiver) = watch::channel(Status::default());
        let (cause, network) = (FirstCause::default(), SharedNetwork::default());
        (Self { config, identity, app, registry, metrics, cause, status, network }, receiver)
    }

    pub(crate) fn network(&self) -> SharedNetwork {
        self.network.clone()
    }

    /// Starts the stage that comes next.
    pub(crate) async fn start(&self) -> Result<Stage, ConsensusError> {
        // The engine does not report a taken port; ask the system first.
        if let Some(address) = self.config.socket_address() {
            std::net::TcpListener::bind(address).map_err(|error| {
                ConsensusError::Start(format!("cannot listen on {}: {error}", self.config.listen))
            })?;
        }
        let Opened { setup, store, memory, until } = self.open().await?;
        let identity = match until {
            Some(_) => self.identity.without_key(),
            None => self.identity.clone(),
        };
        // A registry takes each of the engine's metrics once, so a stage that
        // another follows leaves none.
        let registry = match until {
            Some(_) => SharedRegistry::new(Default::default(), None),
            None => self.registry.clone(),
        };
        self.metrics.abstaining.set(i64::from(until.is_some()));
        let own_peer = identity.network_key.public().to_peer_id();
        let allowed = AllowList::new(setup.peers.clone(), &own_peer);
        if let Some(problem) = self.config.too_many(allowed.len()) {
            return Err(ConsensusError::Config(vec![problem]));
        }
        let engine = Setup {
            config: &self.config,
            identity: &identity,
            registry: &registry,
            allowed: &allowed,
            height: &setup,
            cause: self.cause.clone(),
            left_out: self.metrics.left_out.clone(),
        };
        let engine = Engine::start(engine, memory).await?;
        self.network.set(Some(engine.network()));
        let (lane, done) = self.lane(&identity, &store)?;
        self.status.send_replace(Status {
            height: setup.height,
            committed: Height::new(setup.height.get().saturating_sub(1)),
            ..Status::default()
        });
        let parts = Parts {
            verifier: Sm2Verifier::new(identity.domain),
            own_address: own_address(&identity),
            own_peer,
            config: self.config.clone(),
            app: self.app.clone(),
            lane,
            done,
            store,
            setup,
            allowed,
            metrics: self.metrics.clone(),
            status: self.status.clone(),
        };
        Ok(Stage { parts, engine, until })
    }

    fn lane(
        &self,
        identity: &NodeIdentity,
        store: &UndecidedStore,
    ) -> Result<(Lane, mpsc::UnboundedReceiver<Done>), ConsensusError> {
        Lane::start(Worker {
            app: self.app.clone(),
            signer: identity.signer(),
            writer: store.writer(),
            max_block_bytes: self.config.max_block_bytes,
            metrics: self.metrics.clone(),
        })
    }

    /// Reads chain, undecided blocks and memory, on a thread that may block.
    async fn open(&self) -> Result<Opened, ConsensusError> {
        let (app, config) = (self.app.clone(), self.config.clone());
        let identity = self.identity.clone();
        let open = move || {
            let setup = read_setup(&*app)?;
            let (memory, until) = open_memory(&*app, &config, &identity, setup.height.get())?;
            let path = config.undecided_path();
            let store = UndecidedStore::open(path, setup.height, config.max_block_bytes)?;
            Ok(Opened { setup, store, memory, until })
        };
        tokio::task::spawn_blocking(open).await.map_err(|_| ConsensusError::Panicked)?
    }

    /// Runs stage after stage until told to stop or something fails.
    pub(crate) async fn run(
        self,
        first: Stage,
        mut stop: oneshot::Receiver<()>,
    ) -> Result<(), ConsensusError> {
        let mut stage = first;
        loop {
            let (stop_stage, stopped) = oneshot::channel();
            let mut driver = std::pin::pin!(driver::run(stage.parts, stage.engine, stopped));
            let passed = passed(self.status.subscribe(), stage.until);
            let (result, goes_on) = tokio::select! {
                biased;
                result = &mut driver => (result, false),
                _ = &mut stop => {
                    let _ = stop_stage.send(());
                    (driver.await, false)
                }
                () = passed => {
                    let _ = stop_stage.send(());
                    (driver.await, true)
                }
            };
            self.network.set(None);
            // What the driver sees is often only what follows from the cause.
            if let Some(cause) = self.cause.take() {
                return Err(cause);
            }
            result?;
            if !goes_on {
                return Ok(());
            }
            info!(
                "the heights at which this validator may have signed are decided: it votes again"
            );
            stage = self.start().await?;
        }
    }
}

/// Resolves when the chain has passed a height; never without one.
async fn passed(mut status: watch::Receiver<Status>, height: Option<u64>) {
    let Some(height) = height else { return std::future::pending().await };
    if status.wait_for(|status| status.committed.get() >= height).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Asks memory and log whether the node may vote at `height`.
fn open_memory(
    app: &dyn Application,
    config: &ConsensusConfig,
    identity: &NodeIdentity,
    height: u64,
) -> Result<(Option<SigningMemory>, Option<u64>), ConsensusError> {
    let signer = own_address(identity);
    let (memory, log) = (memory::path_in(&config.directory), config.wal_path());
    if identity.validator_key.is_none() {
        memory::start_without_key(&log, &signer)?;
        return Ok((None, None));
    }
    let start = Start {
        memory: &memory,
        log: &log,
        genesis: identity.domain.genesis(),
        signer,
        height,
        signed_in_chain: signed_in_chain(app, height, &signer)?,
    };
    match memory::start(&start)? {
        Verdict::Vote(memory) => Ok((Some(memory), None)),
        Verdict::Follow { until } => {
            warn!(
                height,
                until,
                "this validator may have signed up to height {until}: it follows without a vote \
                 until that is decided"
            );
            Ok((None, Some(until)))
        }
    }
}

/// The highest of the newest blocks below `height` that this validator signed.
fn signed_in_chain(
    app: &dyn Application,
    height: u64,
    signer: &Address,
) -> Result<Option<u64>, ConsensusError> {
    let first = height.saturating_sub(LOOK_BACK).max(app.earliest().get());
    for height in (first..height).rev() {
        let action = "read a decided block";
        let failed = |source| ConsensusError::Application { action, height, source };
        let Some(block) = app.decided(Height::new(height)).map_err(failed)? else { continue };
        if block.certificate.signatures.iter().any(|entry| entry.address == *signer) {
            return Ok(Some(height));
        }
    }
    Ok(None)
}
