//! One run: senders and stock, dispatch at intended times, drain, accounts.

use super::{
    book::{Book, locked},
    certify::{self, CertificateRecord, Certifier},
    drain::{TICK, drain},
    lanes::Lanes,
    observe::Observer,
    options::Options,
    outcome,
    preload::preload,
    probe::probe,
    reads::{Library, ReadCounts, read},
    record::{LoadRecord, Raw, Setting, Step, step},
    times,
};
use crate::{
    measure::{Sampler, rounded},
    workload::{
        Chance, Effect, Kind, Maker, Mix, Needs, Op, Pace, Planner, Prepared, Senders, Signed,
        Stock, first_number, sign,
    },
};
use anyhow::{Context, Result, ensure};
use billchain_client::Connection;
use billchain_primitives::{BillKey, Hash};
use std::{
    collections::{HashSet, VecDeque},
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::{task::JoinSet, time::sleep};

/// Sent so much after its time, a transaction counts as late.
const LATE: Duration = Duration::from_millis(50);
/// A step whose committed rate is below this share of what was offered ends a
/// run that steps up.
const KEPT_UP: f64 = 0.95;

/// Runs `billchain-bench load`.
pub(crate) async fn run(options: Options) -> Result<LoadRecord> {
    options.check()?;
    let target = &options.target;
    let nodes = target.connect().await?;
    let first = target.first_number.unwrap_or_else(first_number);
    let mut maker = Maker::new(target.seed, options.issuers, first);
    let library = Arc::new(Mutex::new(Library::default()));
    if options.preload > 0 {
        maker = preload(&options, &nodes, maker, &library).await?;
    }

    let mut seen = None;
    if options.is_probed() {
        let (next, rate) = probe(&options, &nodes, maker).await?;
        (maker, seen) = (next, Some(rate));
    }

    let senders = Senders::open(&nodes, options.issuers).await?;
    let genesis = nodes[0].genesis();
    let capacity = options.capacity(seen);
    let mut stock = fill_stock(&options, maker, &senders, genesis, capacity).await;

    let askers = certify::open(&target.rpc, options.certificates).await?;
    let start = Instant::now();
    let sampler = Sampler::start(&target.node, start);
    let book = Arc::new(Mutex::new(Book::new(options.tracking())));
    let observer = Observer::start(&target.rpc[0], start, book.clone()).await?;
    let readers = start_readers(&options, &nodes, &library, start);
    let certifier = Certifier::start(askers, asking(&options, &library, first, start));
    let mut dispatch = Dispatch {
        lanes: Lanes::open(&nodes, &book),
        book: book.clone(),
        library,
        senders,
        genesis,
        start,
        waiting: VecDeque::new(),
        locked: HashSet::new(),
        late: 0,
        steps: Vec::new(),
    };
    dispatch.run(&options, &mut stock, &observer).await?;
    let late = dispatch.late;
    let steps = std::mem::take(&mut dispatch.steps);
    drain(&book, Duration::from_secs(target.drain), &observer).await;
    dispatch.lanes.close().await;
    let samples = sampler.finish();
    let reads = finish_readers(readers).await?;
    observer.finish().await?;
    let setting = setting(&options, first, nodes.len(), stock.signed());
    stock.finish()?;

    let book = std::mem::take(&mut *locked(&book));
    if let Some(file) = &options.times {
        times::write(file, book.entries())?;
    }
    let outcome = outcome::check(&book, &nodes[0], target.seed, options.check_bills).await?;
    let deferred = book.deferred;
    let record = LoadRecord { late, deferred, outcome, steps, ..target.record(setting) };
    let record = record.fill(Raw::new(&book, samples, &target.node, reads));
    let certificates = finish_certifier(certifier, &options).await?;
    let certificates = certificates.map(|found| found.with_cores(&record.costs.cores, nodes.len()));
    Ok(LoadRecord { certificates, ..record })
}

async fn fill_stock(
    options: &Options,
    maker: Maker,
    senders: &Senders,
    genesis: Hash,
    capacity: usize,
) -> Stock {
    let mix = if options.mix { Mix::MODEL } else { Mix::REGISTRATIONS };
    let (seed, pace) = (options.target.seed, options.pace());
    let planner = Planner::new(seed, options.issuers, maker, (mix, pace), options.batch);
    let until = match pace {
        Pace::Saturate => Duration::MAX,
        _ => options.length(),
    };
    let issuers = senders.split_issuers();
    let mut stock = Stock::start(planner, issuers, genesis, capacity, until);
    stock.filled().await;
    stock
}

fn setting(options: &Options, first_number: u64, nodes: usize, signed: Signed) -> Setting {
    Setting {
        load: options.describe(),
        seed: options.target.seed,
        first_number,
        nodes,
        issuers: options.issuers,
        batch: options.batch,
        warm_up: options.warm_up as f64,
        duration: options.duration as f64,
        in_flight: if options.saturate { options.in_flight } else { 0 },
        reads_per_write: options.reads_per_write(),
        preloaded: options.preload as u64,
        signed_before: signed.before,
        signed_during: signed.during,
        signing_cores: rounded(signed.seconds / options.length().as_secs_f64(), 3),
    }
}

/// The clock, as claimants sign it.
pub(super) fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

fn start_readers(
    options: &Options,
    nodes: &[Connection],
    library: &Arc<Mutex<Library>>,
    start: Instant,
) -> JoinSet<ReadCounts> {
    let mut readers = JoinSet::new();
    let rate = options.pace().rate_at(0.0) * options.reads_per_write() / nodes.len() as f64;
    if rate > 0.0 {
        for (number, node) in nodes.iter().enumerate() {
            let chance = Chance::new(options.target.seed, &format!("reads at node {number}"));
            let span = (start, options.length());
            readers.spawn(read(node.clone(), library.clone(), chance, rate, span));
        }
    }
    readers
}

/// What those share who ask for certificates.
fn asking(
    options: &Options,
    library: &Arc<Mutex<Library>>,
    first: u64,
    start: Instant,
) -> certify::Shared {
    let (library, seed) = (library.clone(), options.target.seed);
    certify::Shared { library, seed, first, start, end: options.length() }
}

async fn finish_certifier(
    certifier: Option<Certifier>,
    options: &Options,
) -> Result<Option<CertificateRecord>> {
    let Some(certifier) = certifier else { return Ok(None) };
    let counted = (options.warm_up as f64, options.duration as f64);
    certifier.finish(counted).await.map(Some)
}

async fn finish_readers(mut readers: JoinSet<ReadCounts>) -> Result<Option<ReadCounts>> {
    if readers.is_empty() {
        return Ok(None);
    }
    let mut all = ReadCounts::default();
    while let Some(part) = readers.join_next().await {
        let part = part.context("a reader failed")?;
        all.latencies.extend(part.latencies);
        all.missed += part.missed;
        for (reason, count) in part.failed {
            *all.failed.entry(reason).or_default() += count;
        }
    }
    Ok(Some(all))
}

/// Sends what is due.
struct Dispatch {
    lanes: Lanes,
    book: Arc<Mutex<Book>>,
    library: Arc<Mutex<Library>>,
    senders: Senders,
    genesis: Hash,
    start: Instant,
    /// What is due and needs something that has not happened yet.
    waiting: VecDeque<Op>,
    /// Bills whose lock was sent.
    locked: HashSet<BillKey>,
    late: u64,
    steps: Vec<Step>,
}

impl Dispatch {
    async fn run(
        &mut self,
        options: &Options,
        stock: &mut Stock,
        observer: &Observer,
    ) -> Result<()> {
        let pace = options.pace();
        loop {
            let now = self.start.elapsed();
            if now >= options.length() {
                return Ok(());
            }
            ensure!(!observer.has_failed(), "following the chain failed; is node 1 up?");
            if let Pace::Steps { .. } = pace
                && !self.keeps_up(&pace, now)
            {
                return Ok(());
            }
            let fresh = locked(&self.book).take_fresh();
            self.library
                .lock()
                .expect("nobody panics with the library; qed")
                .add(fresh, Instant::now());
            self.send_waiting(now);
            match pace {
                Pace::Saturate => self.send_free(stock, options.in_flight),
                _ => self.send_due(stock),
            }
            sleep(TICK).await;
        }
    }

    fn send_due(&mut self, stock: &mut Stock) {
        while stock.peek().is_some_and(|next| next.at() <= self.start.elapsed()) {
            let Some(next) = stock.take() else { return };
            let at = next.at();
            self.send(next, at);
        }
    }

    fn send_free(&mut self, stock: &mut Stock, in_flight: usize) {
        while locked(&self.book).open() < in_flight {
            let Some(next) = stock.take() else { return };
            let now = self.start.elapsed();
            self.send(next, now);
        }
    }

    /// What waited and need not any more.
    fn send_waiting(&mut self, now: Duration) {
        for _ in 0..self.waiting.len() {
            let Some(op) = self.waiting.pop_front() else { return };
            let at = op.at.min(now);
            self.send(Prepared::Later(op), at);
        }
    }

    fn send(&mut self, next: Prepared, intended: Duration) {
        let ready = match next.needs() {
            Needs::Nothing => true,
            Needs::Final(key) => locked(&self.book).is_registered(&key),
            Needs::Locked(key) => self.locked.contains(&key),
        };
        let transaction = match next {
            Prepared::Later(op) if !ready => return self.waiting.push_back(op),
            Prepared::Later(op) => {
                let sender = op.sender;
                let nonce = self.senders.take_nonce(sender);
                let (signer, node) = (self.senders.signer(sender), self.senders.node(sender));
                sign(op, signer, node, nonce, self.genesis, now_ms())
            }
            Prepared::Signed(transaction) => transaction,
        };
        if let (Kind::Lock, Some(Effect { key, .. })) = (transaction.kind, transaction.effect) {
            self.locked.insert(key);
        }
        self.late += u64::from(self.start.elapsed().saturating_sub(intended) > LATE);
        locked(&self.book).enter(&transaction, intended);
        self.lanes.send(transaction);
    }

    /// Sums up a step that is over; whether the network kept up with it.
    fn keeps_up(&mut self, pace: &Pace, now: Duration) -> bool {
        let Pace::Steps { seconds, .. } = *pace else { return true };
        let over = (now.as_secs_f64() / seconds) as usize;
        if over <= self.steps.len() {
            return true;
        }
        let from = self.steps.len() as f64 * seconds;
        let offered = pace.rate_at(from);
        let book = locked(&self.book);
        let entries: Vec<_> = book.entries().collect();
        let (from, length) = (Duration::from_secs_f64(from), Duration::from_secs_f64(seconds));
        let step = step(&entries, offered, from, length);
        let kept_up = step.committed >= KEPT_UP * offered || self.steps.is_empty();
        self.steps.push(step);
        kept_up
    }
}
