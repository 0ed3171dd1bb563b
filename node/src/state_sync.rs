//! State sync as a node does it: copies of its state for others, answers to them, and in
//! the background what a node that joined lacks, what one is to let go, and the files of cold
//! segments.

use crate::{
    cold::keeper::{self, Keeper, Watch},
    config::Config,
    peers,
    snapshot::trust,
};
use anyhow::{Context, Result};
use billchain_chain_spec::ChainSpec;
use billchain_consensus::PeerId;
use billchain_executor::{Chain, StoredBlock};
use billchain_state_sync::{
    Copies, IndexFiller, OlderBlocks, Peers, Server, SyncMetrics, ValidatorSets, Voters,
};
use billchain_storage::StorageError;
use billchain_txpool::gossip::{AskError, Asker, Question};
use bytes::Bytes;
use futures::future::BoxFuture;
use prometheus_client::registry::Registry;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    sync::{Semaphore, mpsc},
    task::{JoinHandle, spawn_blocking},
    time::sleep,
};

/// Questions that wait for this node's answer, of all peers together.
pub(crate) const QUESTIONS: usize = 16;
/// Answers that are made at once: the disk is consensus' first.
const AT_ONCE: usize = 2;
/// Pause before a peer is asked again that has as many questions as it takes.
const BUSY_PAUSE: Duration = Duration::from_millis(20);
/// How long a peer may have no time for one question.
const MAX_WAIT: Duration = Duration::from_secs(30);
/// Time between two looks at what may be let go.
const PRUNING: Duration = Duration::from_secs(10);
/// Bodies that are let go between two reclamations of their room.
const RECLAIMED: u32 = 4_096;

/// Gossip's way to ask. A peer that has no time is asked again after a while.
pub(crate) struct AskPeers {
    asker: Asker,
    /// Bytes of answers.
    received: Arc<AtomicU64>,
}

impl AskPeers {
    pub(crate) fn new(asker: Asker) -> Self {
        Self { asker, received: Arc::default() }
    }

    /// Bytes of answers so far, as they come.
    pub(crate) fn received(&self) -> Arc<AtomicU64> {
        self.received.clone()
    }
}

impl Peers for AskPeers {
    fn connected(&self) -> Vec<PeerId> {
        self.asker.connected()
    }

    fn ask(&self, peer: PeerId, question: Vec<u8>) -> BoxFuture<'static, Result<Bytes, String>> {
        let (asker, received) = (self.asker.clone(), self.received.clone());
        Box::pin(async move {
            let begun = Instant::now();
            loop {
                let pause = match asker.ask(peer, question.clone()).await {
                    Ok(answer) => {
                        received.fetch_add(answer.len() as u64, Ordering::Relaxed);
                        return Ok(answer);
                    }
                    Err(AskError::Later { after }) => after,
                    Err(AskError::Busy) => BUSY_PAUSE,
                    Err(error) => return Err(error.to_string()),
                };
                if begun.elapsed() > MAX_WAIT {
                    return Err(format!("it had no time for the question in {MAX_WAIT:?}"));
                }
                sleep(pause).await;
            }
        })
    }
}

/// The copies of a node's state.
pub(crate) fn copies(config: &Config) -> Result<Arc<Copies>> {
    let directory = config.data_dir.join("copies");
    let copies = Copies::open(&directory, config.storage.copy_interval)
        .with_context(|| format!("the copies of the state in {}", directory.display()))?;
    Ok(Arc::new(copies))
}

/// What runs beside a node.
pub(crate) struct Background {
    tasks: Vec<JoinHandle<()>>,
    metrics: SyncMetrics,
    cold: Keeper,
}

/// What it is made of.
pub(crate) struct Parts<'a> {
    pub(crate) config: &'a Config,
    pub(crate) spec: &'a ChainSpec,
    pub(crate) chain: &'a Chain,
    pub(crate) copies: Arc<Copies>,
    pub(crate) asker: Asker,
    pub(crate) questions: mpsc::Receiver<Question>,
}

impl Background {
    /// Begins all of it.
    pub(crate) fn start(parts: Parts<'_>) -> Result<Self> {
        let Parts { config, spec, chain, copies, asker, questions } = parts;
        let (storage, metrics) = (chain.storage(), SyncMetrics::default());
        metrics.first_block.set(storage.first_block().into());
        metrics.index_gap.set(storage.index_gap()?.is_some().into());
        let peers: Arc<dyn Peers> = Arc::new(AskPeers::new(asker));
        let keep = config.storage.keep_blocks;
        let older = OlderBlocks {
            chain: chain.clone(),
            peers: peers.clone(),
            validators: ValidatorSets::new(chain.genesis_hash(), trust::validators(spec)?),
            keep: keep.unwrap_or(u32::MAX),
            metrics: metrics.clone(),
        };
        let (storage, others) = (storage.clone(), peers.clone());
        let cold = Keeper::start(keeper::Parts { config, storage, peers: others })?;
        let read = chain.clone();
        let index = IndexFiller {
            chain: chain.clone(),
            peers,
            voters: Box::new(move || voters(&read)),
            metrics: metrics.clone(),
        };
        let server = Arc::new(Server::new(chain.clone(), copies));
        let mut tasks = vec![
            tokio::spawn(serve(server, questions, metrics.clone())),
            tokio::spawn(logged("fetching older blocks", older.run())),
            tokio::spawn(logged("fetching the index of older blocks", index.run())),
        ];
        if let Some(keep) = keep {
            let pruning = prune(chain.clone(), keep, metrics.clone());
            tasks.push(tokio::spawn(logged("letting old blocks go", pruning)));
        }
        Ok(Self { tasks, metrics, cold })
    }

    /// What others may see of the thread that keeps cold segments.
    pub(crate) fn cold(&self) -> Watch {
        self.cold.watch()
    }

    /// Registers what is counted.
    pub(crate) fn register(&self, registry: &mut Registry) {
        self.metrics.register(registry);
        self.cold.register(registry);
    }

    /// Ends all of it.
    pub(crate) fn abort(&self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        self.cold.end();
    }

    /// Waits a while for what was [aborted](Self::abort) and does not end at once.
    pub(crate) async fn ended(self) {
        let waiting = spawn_blocking(move || self.cold.wait());
        // It gives nothing, and panics nowhere.
        let _ = waiting.await;
    }
}

/// The store ends the node if it has failed; this only says what does not go on.
async fn logged(what: &str, task: impl Future<Output = Result<(), StorageError>>) {
    if let Err(error) = task.await {
        tracing::error!(%error, "{what} has ended");
    }
}

/// Answers questions, some at a time.
async fn serve(server: Arc<Server>, mut questions: mpsc::Receiver<Question>, metrics: SyncMetrics) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    while let Some(question) = questions.recv().await {
        // Nobody closes the semaphore.
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let (server, metrics) = (server.clone(), metrics.clone());
        spawn_blocking(move || {
            let answer = server.answer(question.bytes());
            metrics.answered.inc();
            question.answer(answer);
            drop(place);
        });
    }
}

/// The validators' peers at the chain's head, and their power.
fn voters(chain: &Chain) -> Result<Voters, StorageError> {
    let read = chain.read(|| peers::validator_powers().collect());
    read.map_err(|error| StorageError::Database {
        action: "read the validators",
        reason: error.to_string(),
    })
}

/// Lets the bodies of blocks go that are older than the last `keep`, once a snapshot holds
/// them.
async fn prune(chain: Chain, keep: u32, metrics: SyncMetrics) -> Result<(), StorageError> {
    let mut unreclaimed = 0;
    loop {
        let one = chain.clone();
        let pruned = spawn_blocking(move || -> Result<(u32, u32), StorageError> {
            let below = one.head().number.saturating_sub(keep);
            let pruned = one.storage().prune_bodies(below, |bytes| {
                let block = StoredBlock::open(bytes.to_vec().into()).ok()?;
                Some((block.header_bytes(), block.tx_hashes))
            })?;
            let is_end = pruned == 0;
            if (is_end && unreclaimed > 0) || unreclaimed >= RECLAIMED {
                one.storage().reclaim_bodies()?;
                return Ok((pruned, 0));
            }
            Ok((pruned, unreclaimed + pruned))
        });
        let Ok(outcome) = pruned.await else { return Ok(()) };
        let (pruned, left) = outcome?;
        unreclaimed = left;
        metrics.first_block.set(chain.storage().first_block().into());
        if pruned == 0 {
            sleep(PRUNING).await;
        }
    }
}
