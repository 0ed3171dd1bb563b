//! The indexer: asks the nodes, takes what holds, writes it, and says where it stands.

use crate::{
    block::Block,
    fetch::{Fetched, Incident, fetch},
    ledger::{TallyName, genesis},
    lie::Lie,
    node::Node,
    prove,
    status::{NodeStatus, Status, now_ms},
    tables::{Tables, TablesError},
    write::{WriteError, Writer},
};
use billchain_chain_spec::ChainSpec;
use billchain_client::ClientError;
use billchain_primitives::Hash;
use futures::{StreamExt, future::join_all, stream};
use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::watch, time::sleep};

pub use crate::ledger::GenesisError;

/// Most nodes.
pub const MAX_NODES: usize = 16;
/// How often nodes are asked for their heads while there is nothing to do.
const POLL: Duration = Duration::from_millis(200);
/// Blocks that are fetched at a time.
const AT_ONCE: usize = 8;
/// Blocks, transactions and bytes from which on a batch is written.
const BATCH_BLOCKS: usize = 256;
const BATCH_EVENTS: usize = 20_000;
/// Questions for proofs at one head, each of 64 totals.
const MAX_PROOFS: usize = 64;
/// By how many blocks a node's head may be behind what is indexed, and for how long, until it is
/// told to show an old one.
const OLD_HEAD: u32 = 16;
const OLD_HEAD_AFTER: Duration = Duration::from_secs(10);

/// What the indexer needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Address of the tables: `sqlite://FILE` or `postgres://…`.
    pub tables: String,
    /// Nodes' JSON-RPC, of several operators if possible.
    pub nodes: Vec<String>,
    /// The chain's specification.
    pub spec: ChainSpec,
    /// The genesis hash that is trusted, if it was told from elsewhere.
    pub genesis: Option<Hash>,
}

/// Why the indexer cannot run.
#[derive(Debug, thiserror::Error)]
pub enum IndexerError {
    /// There is no node to ask, or too many.
    #[error("{0} nodes are named, expected 1 to 16")]
    Nodes(usize),
    /// An address of a node is none.
    #[error(transparent)]
    Url(#[from] ClientError),
    /// The chain has no beginning.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// The tables cannot be used.
    #[error(transparent)]
    Tables(#[from] TablesError),
    /// The tables cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// The indexer.
pub struct Indexer {
    nodes: Vec<Arc<Node>>,
    writer: Writer,
    status: watch::Sender<Status>,
    /// Since when a newer block is known that is not written.
    behind_since: Option<i64>,
    heads: Vec<(Option<u32>, Instant)>,
    /// The block whose totals were judged last, and what was wrong with them.
    judged: Option<u32>,
    mismatch: Option<String>,
}

impl Indexer {
    /// Opens the tables, or begins them with the genesis.
    ///
    /// # Errors
    /// Nodes, specification or tables cannot be used.
    pub async fn open(settings: &Settings) -> Result<Self, IndexerError> {
        let Settings { tables, nodes, spec, genesis: expected } = settings;
        if nodes.is_empty() || nodes.len() > MAX_NODES {
            return Err(IndexerError::Nodes(nodes.len()));
        }
        let nodes: Vec<Arc<Node>> =
            nodes.iter().map(|url| Node::new(url).map(Arc::new)).collect::<Result<_, _>>()?;
        let first = genesis(spec, *expected)?;
        let tables = Tables::open(tables).await?;
        let writer = Writer::open(tables, &first).await?;
        let status = Status {
            chain: spec.name.to_string(),
            genesis: format!("{:?}", first.hash),
            ..Status::default()
        };
        let heads = nodes.iter().map(|_| (None, Instant::now())).collect();
        let (status, _) = watch::channel(status);
        let (judged, mismatch) = (None, None);
        let mut indexer =
            Self { nodes, writer, status, behind_since: None, heads, judged, mismatch };
        indexer.tell(None);
        Ok(indexer)
    }

    /// Where it stands, now and later.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// The tables.
    pub fn tables(&self) -> &Tables {
        &self.writer.tables
    }

    /// Follows until `stop`.
    ///
    /// # Errors
    /// The tables cannot be written. What a node does is no error.
    pub async fn run(mut self, stop: impl Future<Output = ()>) -> Result<(), IndexerError> {
        tokio::pin!(stop);
        loop {
            let step = async {
                let done = self.step().await?;
                if done == 0 {
                    sleep(POLL).await;
                }
                Ok::<_, IndexerError>(())
            };
            tokio::select! {
                // A write that is under way is rolled back or was committed: both are whole.
                () = &mut stop => return Ok(()),
                done = step => done?,
            }
        }
    }

    /// Follows once, as far as the nodes are, and proves what can be. Returns the blocks written.
    ///
    /// # Errors
    /// The tables cannot be written.
    pub async fn step(&mut self) -> Result<usize, IndexerError> {
        self.ask_heads().await;
        let head = self.nodes.iter().filter_map(|node| node.record().head).max();
        let indexed = self.writer.follower.number();
        let Some(head) = head.filter(|head| *head > indexed) else {
            self.behind_since = None;
            self.prove().await?;
            self.tell(None);
            return Ok(0);
        };
        self.behind_since.get_or_insert_with(now_ms);
        self.status.send_modify(|status| status.head = head);
        let written = self.catch_up(head).await?;
        if self.writer.follower.number() >= head {
            self.behind_since = None;
            self.prove().await?;
        }
        Ok(written)
    }

    async fn ask_heads(&mut self) {
        let asked = self.nodes.iter().map(|node| node.head());
        let answers = join_all(asked).await;
        let indexed = self.writer.follower.number();
        for (at, answer) in answers.into_iter().enumerate() {
            let node = Arc::clone(&self.nodes[at]);
            match answer {
                Ok(head) => {
                    let (last, since) = &mut self.heads[at];
                    if *last != Some(head) {
                        (*last, *since) = (Some(head), Instant::now());
                    } else if head.saturating_add(OLD_HEAD) < indexed
                        && since.elapsed() > OLD_HEAD_AFTER
                    {
                        *since = Instant::now();
                        let lie = Lie::OldHead { shown: head, known: indexed };
                        let words = node.failed(&lie.into());
                        let node = node.url().to_owned();
                        self.note(Incident { sort: "lie", node, block: Some(head), words }).await;
                    }
                }
                Err(failure) => {
                    node.failed(&failure);
                }
            }
        }
    }

    /// Fetches and writes up to the head, batch by batch.
    async fn catch_up(&mut self, head: u32) -> Result<usize, IndexerError> {
        let first = self.writer.follower.number().saturating_add(1);
        let nodes = self.nodes.clone();
        let mut coming = stream::iter(first..=head)
            .map(|number| {
                let nodes = nodes.clone();
                // Tasks of their own: they go on while a batch is written.
                tokio::spawn(async move { fetch(&nodes, number, number == head).await })
            })
            .buffered(AT_ONCE);
        let (mut batch, mut events, mut written) = (Vec::new(), 0, 0);
        while let Some(fetched) = coming.next().await {
            let Fetched { block, incidents } = fetched.unwrap_or_default();
            let words = incidents.last().map(|last| last.words.clone());
            for incident in incidents {
                self.note(incident).await;
            }
            let Some(block) = block else {
                let number = self.writer.follower.number() + batch.len() as u32 + 1;
                let why = words.unwrap_or_else(|| "none has it".into());
                let problem = format!("no node gives block {number} as it must be: {why}");
                written += self.write(std::mem::take(&mut batch)).await?;
                self.tell(Some(problem));
                return Ok(written);
            };
            events += block.events.iter().map(Vec::len).sum::<usize>();
            let last = block.number == head;
            batch.push(block);
            if last || batch.len() >= BATCH_BLOCKS || events >= BATCH_EVENTS {
                events = 0;
                let count = batch.len();
                let done = self.write(std::mem::take(&mut batch)).await?;
                written += done;
                if done < count {
                    return Ok(written);
                }
            }
        }
        Ok(written)
    }

    /// Writes blocks; those from a wrong one on are left, and who told it is shunned.
    async fn write(&mut self, blocks: Vec<Block>) -> Result<usize, IndexerError> {
        let began = Instant::now();
        match self.writer.write(&blocks).await {
            Ok(()) => {
                self.count(&blocks, began);
                Ok(blocks.len())
            }
            Err(WriteError::Lie(_)) if blocks.len() > 1 => {
                // One after the other: what is right is written, and the wrong one is found.
                let mut written = 0;
                for block in &blocks {
                    if let Err(error) = self.writer.write(std::slice::from_ref(block)).await {
                        self.accuse(block, error).await?;
                        break;
                    }
                    self.count(std::slice::from_ref(block), began);
                    written += 1;
                }
                Ok(written)
            }
            Err(error) => {
                if let Some(block) = blocks.first() {
                    self.accuse(block, error).await?;
                }
                Ok(0)
            }
        }
    }

    /// A block that was told cannot be: its teller lied.
    async fn accuse(&mut self, block: &Block, error: WriteError) -> Result<(), IndexerError> {
        let WriteError::Lie(lie) = error else { return Err(error.into()) };
        let teller = self.nodes.iter().find(|node| node.url() == block.node).cloned();
        let words = match teller {
            Some(node) => node.failed(&lie.into()),
            None => lie.to_string(),
        };
        let problem = format!("block {} was not taken: {words}", block.number);
        let node = block.node.clone();
        self.note(Incident { sort: "lie", node, block: Some(block.number), words }).await;
        self.tell(Some(problem));
        Ok(())
    }

    /// Proves the totals that changed, if a node's head is what is indexed.
    async fn prove(&mut self) -> Result<(), IndexerError> {
        let number = self.writer.follower.number();
        if self.judged == Some(number) {
            return Ok(());
        }
        // As many as a node proves at a time, until all are.
        for _ in 0..MAX_PROOFS {
            let asked = prove::unproved(&self.writer.tables).await.map_err(WriteError::from)?;
            if asked.is_empty() {
                let all = self.writer.note_proved(number, &[], true).await;
                all.map_err(WriteError::from)?;
                self.status.send_modify(|status| status.proved = number);
                (self.judged, self.mismatch) = (Some(number), None);
                return Ok(());
            }
            let names: Vec<TallyName> = asked.iter().map(|(name, _)| name.clone()).collect();
            let proved = prove::ask(&self.nodes, &self.writer.follower, &names).await;
            let Some(proved) = proved else { return Ok(()) };
            let (right, wrong): (Vec<_>, Vec<_>) =
                asked.into_iter().zip(proved).partition(|((_, kept), proved)| kept == proved);
            let right: Vec<(String, String)> =
                right.into_iter().map(|((name, _), _)| (name.sort.to_owned(), name.name)).collect();
            self.writer.note_proved(number, &right, false).await.map_err(WriteError::from)?;
            if let Some(((name, _), _)) = wrong.first() {
                return self.differs(number, name).await;
            }
        }
        Ok(())
    }

    /// The state proves other totals than the tables have: who told is named, and it stays a problem
    /// until the totals are right.
    async fn differs(&mut self, number: u32, name: &TallyName) -> Result<(), IndexerError> {
        let tellers = prove::tellers(&self.writer.tables, name).await;
        let tellers = tellers.map_err(WriteError::from)?.join(", ");
        let words = format!(
            "the state after block {number} proves other totals of {} than the tables have; blocks \
             since they were proved came from {tellers}: index again without the node that lied",
            name.name
        );
        (self.judged, self.mismatch) = (Some(number), Some(words.clone()));
        let (sort, block) = ("mismatch", Some(number));
        self.note(Incident { sort, node: tellers, block, words }).await;
        self.tell(None);
        Ok(())
    }

    async fn note(&mut self, incident: Incident) {
        let Incident { sort, node, block, words } = incident;
        self.status.send_modify(|status| status.errors = status.errors.saturating_add(1));
        if sort == "unable" {
            // A node that is away is away at every question.
            return;
        }
        if let Err(error) = self.writer.note_incident(sort, &node, block, &words).await {
            tracing::error!("an incident is not noted: {error}");
        }
    }

    fn count(&mut self, blocks: &[Block], began: Instant) {
        let transactions: usize = blocks.iter().map(|block| block.transactions.len()).sum();
        let bills: usize = blocks.iter().map(bills_in).sum();
        let took = began.elapsed().as_millis().max(1);
        self.status.send_modify(|status| {
            status.blocks_written += blocks.len() as u64;
            status.transactions_written += transactions as u64;
            status.versions_written += bills as u64;
            let rate = blocks.len() as u128 * 1_000 / took;
            status.blocks_per_second = u64::try_from(rate).unwrap_or(u64::MAX);
        });
        self.tell(None);
    }

    /// Says where it stands.
    fn tell(&mut self, problem: Option<String>) {
        let (number, hash) = (self.writer.follower.number(), self.writer.follower.hash());
        let nodes: Vec<NodeStatus> = self.nodes.iter().map(|node| NodeStatus::of(node)).collect();
        let lag = self.behind_since.map_or(0, |since| now_ms().saturating_sub(since));
        let problem = problem.or_else(|| self.mismatch.clone()).or_else(|| {
            let nobody = nodes.iter().all(|node| node.failure.is_some());
            nobody.then(|| "no node is of use".to_owned())
        });
        let time = self.writer.time;
        self.status.send_modify(|status| {
            status.indexed = number;
            status.indexed_hash = format!("{hash:?}");
            status.indexed_time = time;
            status.head = status.head.max(number);
            status.lag_ms = lag;
            status.problem = problem;
            status.liars =
                nodes.iter().filter(|node| node.lies > 0).map(|node| node.url.clone()).collect();
            status.nodes = nodes;
        });
    }
}

fn bills_in(block: &Block) -> usize {
    use billchain_runtime::RuntimeEvent as E;
    let of_bills = |event: &E| matches!(event, E::BillRegister(_) | E::BillUpdate(_));
    block.events.iter().flatten().filter(|(_, event)| of_bills(event)).count()
}
