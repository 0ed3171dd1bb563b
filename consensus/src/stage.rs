//! The stages of a validator: it follows without a vote until every height that it may
//! have signed is decided here, then it votes; and it begins again with another of its
//! keys when the chain has put that in the place of the one before.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use billchain_primitives::Hash;
use malachitebft_app_channel::app::metrics::SharedRegistry;
use tokio::sync::{mpsc, oneshot, watch};
use tracing::{info, warn};

use crate::application::Application;
use crate::config::{ConsensusConfig, Identity, NodeIdentity};
use crate::driver::{self, Parts};
use crate::engine::{Engine, EngineMetrics, Setup, own_address};
use crate::error::ConsensusError;
use crate::keys::{Electorate, another_signs};
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
    /// The engine's, from the first stage that no other has to follow.
    engine_metrics: OnceLock<EngineMetrics>,
    metrics: Metrics,
    status: watch::Sender<Status>,
    network: SharedNetwork,
}

/// A stage that has been started.
pub(crate) struct Stage {
    parts: Parts,
    engine: Engine,
    ends: Ends,
    /// Why the engine failed, if it did.
    cause: FirstCause,
}

/// When the next stage begins.
struct Ends {
    /// After the decision of this height.
    until: Option<u64>,
    /// When another key signs than this one's.
    own: Address,
    electorate: watch::Receiver<Electorate>,
}

/// What is read from disk before a stage begins.
struct Opened {
    setup: HeightSetup,
    identity: Identity,
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
        let network = SharedNetwork::default();
        let engine_metrics = OnceLock::new();
        let member =
            Self { config, identity, app, registry, engine_metrics, metrics, status, network };
        (member, receiver)
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
        let Opened { setup, identity, store, memory, until } = self.open().await?;
        let (registry, engine_metrics) = self.registers(until);
        self.metrics.abstaining.set(i64::from(until.is_some()));
        let own_peer = identity.network_key.public().to_peer_id();
        let allowed = AllowList::new(setup.peers.clone(), &own_peer);
        if let Some(problem) = self.config.too_many(allowed.len()) {
            return Err(ConsensusError::Config(vec![problem]));
        }
        let cause = FirstCause::default();
        let engine = Setup {
            config: &self.config,
            identity: &identity,
            registry: &registry,
            metrics: engine_metrics,
            allowed: &allowed,
            height: &setup,
            cause: cause.clone(),
            left_out: self.metrics.left_out.clone(),
        };
        let remembered = memory.as_ref().map(SigningMemory::remembered);
        let engine = Engine::start(engine, memory).await?;
        self.network.set(Some(engine.network()));
        let electorate = watch::Sender::new((setup.height, setup.validators.clone()));
        let own = own_address(&identity);
        let ends = Ends { until, own, electorate: electorate.subscribe() };
        let (lane, done) = self.lane(&identity, &store, electorate)?;
        self.status.send_replace(Status {
            height: setup.height,
            committed: Height::new(setup.height.get().saturating_sub(1)),
            abstains_until: until.map(Height::new),
            ..Status::default()
        });
        let parts = Parts {
            remembered,
            verifier: Sm2Verifier::new(identity.domain),
            own_address: own,
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
        Ok(Stage { parts, engine, ends, cause })
    }

    /// Where the engine's metrics go. A registry takes each once: a stage without a vote,
    /// which another follows, leaves none, and those after the first that votes go on with
    /// its metrics, but for those of the network.
    fn registers(&self, until: Option<u64>) -> (SharedRegistry, EngineMetrics) {
        let none = || SharedRegistry::new(Default::default(), None);
        if until.is_some() {
            let registry = none();
            return (registry.clone(), EngineMetrics::register(&registry, &self.config));
        }
        match self.engine_metrics.get() {
            Some(metrics) => (none(), metrics.clone()),
            None => {
                let register = || EngineMetrics::register(&self.registry, &self.config);
                let metrics = self.engine_metrics.get_or_init(register);
                (self.registry.clone(), metrics.clone())
            }
        }
    }

    fn lane(
        &self,
        identity: &Identity,
        store: &UndecidedStore,
        electorate: watch::Sender<Electorate>,
    ) -> Result<(Lane, mpsc::UnboundedReceiver<Done>), ConsensusError> {
        Lane::start(Worker {
            app: self.app.clone(),
            signer: identity.signer(),
            writer: store.writer(),
            max_block_bytes: self.config.max_block_bytes,
            metrics: self.metrics.clone(),
            electorate,
        })
    }

    /// Reads chain, undecided blocks and memory, on a thread that may block, and chooses
    /// the key.
    async fn open(&self) -> Result<Opened, ConsensusError> {
        let (app, config) = (self.app.clone(), self.config.clone());
        let identity = self.identity.clone();
        let open = move || {
            let setup = read_setup(&*app)?;
            let path = memory::path_in(&config.directory);
            // What does not read is judged below, with the key.
            let known = memory::summary(&path).ok().flatten();
            let signed = known.map(|known| (known.signer, Height::new(known.height)));
            let key = identity.keys.choose(setup.height, &setup.validators, signed);
            let identity = identity.with(key);
            let (memory, until) = open_memory(&*app, &config, &identity, &setup)?;
            let identity = if until.is_some() { identity.without_key() } else { identity };
            let path = config.undecided_path();
            let store = UndecidedStore::open(path, setup.height, config.max_block_bytes)?;
            Ok(Opened { setup, identity, store, memory, until })
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
            let Stage { parts, engine, ends, cause } = stage;
            let mut driver = std::pin::pin!(driver::run(parts, engine, stopped));
            let passed = self.ended(ends);
            let (result, goes_on) = tokio::select! {
                biased;
                result = &mut driver => (result, false),
                _ = &mut stop => {
                    let _ = stop_stage.send(());
                    (driver.await, false)
                }
                reason = passed => {
                    info!("{reason}");
                    let _ = stop_stage.send(());
                    (driver.await, true)
                }
            };
            self.network.set(None);
            // What the driver sees is often only what follows from the cause.
            if let Some(cause) = cause.take() {
                return Err(cause);
            }
            result?;
            if !goes_on {
                return Ok(());
            }
            stage = self.start().await?;
        }
    }

    /// Resolves when the next stage has to begin, with the reason.
    async fn ended(&self, ends: Ends) -> &'static str {
        let Ends { until, own, electorate } = ends;
        let Some(until) = until else {
            let next = another_signs(self.identity.keys.clone(), own, electorate).await;
            // Not before the driver has seen the end of the height before.
            passed(self.status.subscribe(), Some(next.get().saturating_sub(1))).await;
            return "another key of this node signs from now on";
        };
        passed(self.status.subscribe(), Some(until)).await;
        "the heights at which this validator may have signed are decided: it votes again"
    }
}

/// Resolves when the chain has passed a height; never without one.
async fn passed(mut status: watch::Receiver<Status>, height: Option<u64>) {
    let Some(height) = height else { return std::future::pending().await };
    if status.wait_for(|status| status.committed.get() >= height).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Asks memory and log whether the node may vote at the height at hand.
fn open_memory(
    app: &dyn Application,
    config: &ConsensusConfig,
    identity: &Identity,
    setup: &HeightSetup,
) -> Result<(Option<SigningMemory>, Option<u64>), ConsensusError> {
    let (signer, height) = (own_address(identity), setup.height.get());
    let (memory, log) = (memory::path_in(&config.directory), config.wal_path());
    if identity.validator_key.is_none() {
        memory::start_without_key(&log, &signer)?;
        return Ok((None, None));
    }
    take_over(app, &memory, identity.domain.genesis(), signer, height)?;
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

/// Makes the memory of a key that the council has replaced make way for that of its
/// successor, which signs nothing at heights where the other may have signed. A copy of the
/// memory stays beside it. Any other key and the memory do not go together, which the start
/// tells.
fn take_over(
    app: &dyn Application,
    path: &Path,
    genesis: Hash,
    now: Address,
    height: u64,
) -> Result<(), ConsensusError> {
    // What does not read is judged at the start.
    let Ok(Some(known)) = memory::summary(path) else { return Ok(()) };
    let (before, head) = (known.signer, height.saturating_sub(1));
    if before == now || known.genesis != genesis {
        return Ok(());
    }
    let action = "read whose key this is";
    let succeeds = app.succeeds(&before, &now);
    if !succeeds.map_err(|source| ConsensusError::Application { action, height, source })? {
        return Ok(());
    }
    memory::set_copy_aside(path, &before)?;
    let until = memory::abstain(path, genesis, now, head, Some(known.height.max(head)))?;
    info!(%before, %now, height = until, "another key of this validator signs after this height");
    Ok(())
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
