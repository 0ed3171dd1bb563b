//! Many clients at once: each holds a WebSocket connection, reads, thinks, and
//! now and then registers a bill.

use super::{
    book::{Answer, Book, Known, locked},
    drain::drain,
    lanes::shortened,
    observe::Observer,
    outcome,
    reads::{Library, ReadCounts, question},
    record::{LoadRecord, Raw, Setting},
    target::Target,
};
use crate::{
    measure::{Sampler, rounded},
    workload::{Action, Chance, Maker, Needs, Op, Senders, Transaction, first_number, sign},
};
use anyhow::{Context, Result, ensure};
use billchain_client::{ClientError, Connection};
use billchain_primitives::Hash;
use clap::Args;
use jsonrpsee::{
    core::client::{ClientT, Error as RpcError},
    rpc_params,
    ws_client::{WsClient, WsClientBuilder},
};
use serde_json::value::RawValue;
use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::sleep_until};

/// Connections opened in a second.
const OPENED: f64 = 250.0;
/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Bills registered first, so that there is something to read.
const FIRST_BILLS: usize = 500;
/// Files that this program has open beside the clients' connections.
const OTHER_FILES: usize = 64;

/// Options of `billchain-bench clients`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Clients, each with a connection of its own.
    #[arg(long, default_value_t = 1_000)]
    clients: usize,
    /// Mean time between a client's requests, in milliseconds.
    #[arg(long, default_value_t = 2_000)]
    think_ms: u64,
    /// Share of requests that register a bill.
    #[arg(long, default_value_t = 0.05)]
    writes: f64,
    /// Seconds that are counted.
    #[arg(long, default_value_t = 60)]
    duration: u64,
    /// Seconds before, not counted.
    #[arg(long, default_value_t = 5)]
    warm_up: u64,
    /// Issuers whose bills are registered, at most 51.
    #[arg(long, default_value_t = 51)]
    issuers: usize,
}

/// What all clients share.
struct Shared {
    book: Arc<Mutex<Book>>,
    library: Mutex<Library>,
    /// Bills and nonces are given out in one order.
    desk: Mutex<Desk>,
    genesis: Hash,
    counts: Mutex<ReadCounts>,
    refused: Mutex<BTreeMap<String, u64>>,
    think: Duration,
    writes: f64,
    start: Instant,
}

struct Desk {
    maker: Maker,
    senders: Senders,
}

/// Runs `billchain-bench clients`.
pub(crate) async fn run(options: Options) -> Result<LoadRecord> {
    options.check()?;
    let target = &options.target;
    let nodes = target.connect().await?;
    let first = target.first_number.unwrap_or_else(first_number);
    let senders = Senders::open(&nodes, options.issuers).await?;
    let maker = Maker::new(target.seed, options.issuers, first);
    let start = Instant::now();
    let book = Arc::new(Mutex::new(Book::default()));
    let observer = Observer::start(&target.rpc[0], start, book.clone()).await?;
    let shared = Arc::new(Shared {
        book: book.clone(),
        library: Mutex::default(),
        desk: Mutex::new(Desk { maker, senders }),
        genesis: nodes[0].genesis(),
        counts: Mutex::default(),
        refused: Mutex::default(),
        think: Duration::from_millis(options.think_ms.max(1)),
        writes: options.writes,
        start,
    });
    register_first(&shared, &nodes).await?;
    drain(&book, Duration::from_secs(target.drain), &observer).await;
    let old = locked(&book).take_fresh();
    ensure!(old.len() == FIRST_BILLS, "the first bills did not become final");
    shared.library.lock().expect("nobody panics with it; qed").add_old(old);

    // Counted is what comes after the first bills, the opening and the warm-up.
    let opening = Duration::from_secs_f64(options.clients as f64 / OPENED);
    let begin = start.elapsed() + opening + Duration::from_secs(options.warm_up);
    let sampler = Sampler::start(&target.node, start);
    let end = begin + Duration::from_secs(options.duration);
    ask_until(end, &options, &shared, nodes.len()).await?;
    drain(&book, Duration::from_secs(target.drain), &observer).await;
    let samples = sampler.finish();
    observer.finish().await?;

    let book = std::mem::take(&mut *locked(&book));
    let outcome = outcome::check(&book, &nodes[0], target.seed, usize::MAX).await?;
    let refused = std::mem::take(&mut *shared.refused.lock().expect("all are done; qed"));
    let clients = Some((options.clients as u64, refused));
    let setting = options.setting(first, nodes.len(), begin);
    let record = LoadRecord { clients, outcome, ..target.record(setting) };
    let reads = std::mem::take(&mut *shared.counts.lock().expect("all are done; qed"));
    Ok(record.fill(Raw::new(&book, samples, &target.node, Some(reads))))
}

impl Options {
    fn check(&self) -> Result<()> {
        ensure!((1..=51).contains(&self.issuers), "--issuers: expected 1 to 51");
        ensure!(self.clients > 0, "--clients: expected at least 1");
        ensure!((0.0..=1.0).contains(&self.writes), "--writes: expected 0 to 1");
        ensure!(self.duration > 0, "--duration: expected at least 1");
        check_files(self.clients)
    }

    fn setting(&self, first_number: u64, nodes: usize, begin: Duration) -> Setting {
        Setting {
            load: format!(
                "{} WebSocket clients, a request every {} ms each, {} of them registrations",
                self.clients, self.think_ms, self.writes
            ),
            seed: self.target.seed,
            first_number,
            nodes,
            issuers: self.issuers,
            batch: 1,
            warm_up: rounded(begin.as_secs_f64(), 3),
            duration: self.duration as f64,
            preloaded: FIRST_BILLS as u64,
            ..Setting::default()
        }
    }
}

/// Opens the connections one after the other and lets them ask until `end`.
async fn ask_until(
    end: Duration,
    options: &Options,
    shared: &Arc<Shared>,
    nodes: usize,
) -> Result<()> {
    let opens = shared.start.elapsed();
    let mut clients = JoinSet::new();
    for number in 0..options.clients {
        let url = options.target.rpc[number % nodes].replacen("http", "ws", 1);
        let chance = Chance::new(options.target.seed, &format!("client {number}"));
        let client = Client { shared: shared.clone(), node: number % nodes, chance };
        let opens = opens + Duration::from_secs_f64(number as f64 / OPENED);
        clients.spawn(client.run(url, opens, end));
    }
    let feed = shared.clone();
    let feeder = tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let fresh = locked(&feed.book).take_fresh();
            feed.library.lock().expect("nobody panics with it; qed").add(fresh, Instant::now());
        }
    });
    while let Some(client) = clients.join_next().await {
        client.context("a client failed")?;
    }
    feeder.abort();
    Ok(())
}

/// Registers bills that can be read, one after the other at their nodes.
async fn register_first(shared: &Shared, nodes: &[Connection]) -> Result<()> {
    let mut of_node: Vec<Vec<_>> = vec![Vec::new(); nodes.len()];
    for number in 0..FIRST_BILLS {
        let transaction = shared.registration(|issuers| number % issuers);
        locked(&shared.book).enter(&transaction, shared.start.elapsed());
        of_node[transaction.node].push(transaction);
    }
    for (node, transactions) in nodes.iter().zip(of_node) {
        for page in transactions.chunks(64) {
            let bytes: Vec<&[u8]> = page.iter().map(|one| &one.bytes[..]).collect();
            for (transaction, answer) in page.iter().zip(node.submit_all(&bytes).await?) {
                answer.context("a first bill was refused")?;
                locked(&shared.book).answer(&transaction.hash, Answer::Accepted);
            }
        }
    }
    Ok(())
}

impl Shared {
    /// A registration that is signed now; `choose` picks the issuer among so
    /// many.
    fn registration(&self, choose: impl FnOnce(usize) -> usize) -> Transaction {
        let desk = &mut *self.desk.lock().expect("nobody panics with it; qed");
        let sender = choose(desk.senders.issuers());
        let bill = Box::new(desk.maker.bill(sender));
        let nonce = desk.senders.take_nonce(sender);
        let (signer, node) = (desk.senders.signer(sender), desk.senders.node(sender));
        let op = Op {
            at: self.start.elapsed(),
            sender,
            action: Action::Register(bill),
            needs: Needs::Nothing,
        };
        sign(op, signer, node, nonce, self.genesis, 0)
    }
}

struct Client {
    shared: Arc<Shared>,
    node: usize,
    chance: Chance,
}

impl Client {
    /// Connects at `opens`, and asks until `end`.
    async fn run(mut self, url: String, opens: Duration, end: Duration) {
        let start = self.shared.start;
        sleep_until((start + opens).into()).await;
        let connected = WsClientBuilder::default()
            .request_timeout(TIMEOUT)
            .connection_timeout(TIMEOUT)
            .build(&url)
            .await;
        let client = match connected {
            Ok(client) => client,
            Err(error) => {
                let reason: String = error.to_string().chars().take(160).collect();
                let mut refused = self.shared.refused.lock().expect("nobody panics with it; qed");
                *refused.entry(reason).or_default() += 1;
                return;
            }
        };
        let mut due = start.elapsed();
        loop {
            let pause = self.chance.exponential(self.shared.think.as_secs_f64());
            due += Duration::from_secs_f64(pause);
            if due >= end {
                return;
            }
            sleep_until((start + due).into()).await;
            match self.chance.happens(self.shared.writes) {
                true => self.write(&client, due).await,
                false => self.read(&client, due).await,
            }
        }
    }

    async fn read(&mut self, client: &WsClient, due: Duration) {
        let drawn: Option<Known> = {
            let library = self.shared.library.lock().expect("nobody panics with it; qed");
            library.draw(&mut self.chance)
        };
        let Some(bill) = drawn else { return };
        let (method, params) = question(bill, &mut self.chance);
        let answer = client.request::<Box<RawValue>, _>(method, params).await;
        let latency = self.shared.start.elapsed().saturating_sub(due);
        let mut counts = self.shared.counts.lock().expect("nobody panics with it; qed");
        match answer {
            Ok(value) => {
                counts.missed += u64::from(value.get() == "null");
                counts.latencies.push((due, latency));
            }
            Err(error) => {
                let error = client_error(method, error);
                *counts.failed.entry(shortened(&error)).or_default() += 1;
            }
        }
    }

    /// Registers a bill of an issuer whose transactions go to this client's
    /// node, as the order of nonces asks.
    async fn write(&mut self, client: &WsClient, due: Duration) {
        let shared = self.shared.clone();
        let here = {
            let desk = shared.desk.lock().expect("nobody panics with it; qed");
            desk.senders.issuers_at(self.node)
        };
        if here.is_empty() {
            return;
        }
        let issuer = here[self.chance.below(here.len())];
        let transaction = shared.registration(|_| issuer);
        locked(&shared.book).enter(&transaction, due);
        let encoded = format!("0x{}", hex::encode(&transaction.bytes));
        let method = "author_submitExtrinsic";
        let answer = client.request::<Hash, _>(method, rpc_params![encoded]).await;
        let answer = match answer {
            Ok(_) => Answer::Accepted,
            Err(error) => match client_error(method, error) {
                error @ ClientError::Refused { .. } => Answer::Refused(shortened(&error)),
                _ => Answer::None,
            },
        };
        locked(&shared.book).answer(&transaction.hash, answer);
    }
}

fn client_error(method: &'static str, error: RpcError) -> ClientError {
    match error {
        RpcError::Call(refusal) => ClientError::Refused {
            method,
            code: refusal.code(),
            message: refusal.message().to_owned(),
        },
        source => ClientError::Transport { url: "the node".to_owned(), method, source },
    }
}

/// That so many connections can be open: a shell's limit is often 1,024 files.
fn check_files(clients: usize) -> Result<()> {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let Some(limit) = open_files(&limits) else { return Ok(()) };
    let needed = clients + OTHER_FILES;
    ensure!(
        needed <= limit,
        "{clients} clients need {needed} open files, the limit is {limit}: raise it with \
         `ulimit -n {needed}`"
    );
    Ok(())
}

/// The soft limit of open files; `None` if there is none.
fn open_files(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_open_files_is_read() {
        let limits = "Limit  Soft Limit  Hard Limit  Units\n\
                      Max processes             100                  100        processes\n\
                      Max open files            1024                 524288     files\n";
        assert_eq!(open_files(limits), Some(1_024));
        assert_eq!(open_files("Max open files   unlimited unlimited files\n"), None);
        assert!(check_files(1).is_ok());
        assert!(check_files(usize::MAX / 2).is_err());
    }
}
