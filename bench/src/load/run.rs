//! One run: senders and stock, dispatch at intended times, drain, accounts.

use super::{
    Target,
    book::{Book, Tracking},
    lanes::Lanes,
    observe::Observer,
    outcome,
    reads::{Library, ReadCounts, read},
};
use crate::{
    measure::{Sample, Sampler, Watched},
    report::{LoadRecord, Raw, Setting, Step, step},
    workload::{
        Chance, Effect, Kind, Maker, Mix, Needs, Op, Pace, Planner, Prepared, Senders, Stock,
        first_number, sign,
    },
};
use anyhow::{Context, Result, ensure};
use billchain_client::Connection;
use billchain_primitives::{BillKey, Hash};
use clap::Args;
use std::{
    collections::{HashSet, VecDeque},
    str::FromStr,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::{task::JoinSet, time::sleep};

/// How often it is looked what is due: the resolution of sending.
const TICK: Duration = Duration::from_millis(10);
/// Sent so much after its time, a transaction counts as late.
const LATE: Duration = Duration::from_millis(50);
/// Bills in a transaction of the preload.
const PRELOAD_BATCH: usize = 250;
/// Transactions of the preload on their way.
const PRELOAD_IN_FLIGHT: usize = 48;
/// A step whose committed rate is below this share of what was offered ends a
/// run that steps up.
const KEPT_UP: f64 = 0.95;
/// Most transactions signed ahead.
const MOST_AHEAD: usize = 400_000;

/// Options of `billchain-bench load`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Transactions a second over all nodes.
    #[arg(long, default_value_t = 400.0)]
    pub(crate) rate: f64,
    /// As fast as the network takes them, with --in-flight on their way.
    #[arg(long, conflicts_with = "steps")]
    pub(crate) saturate: bool,
    /// Rates from FIRST up by STEP every SECONDS, until the network falls
    /// behind or --duration is over.
    #[arg(long, value_name = "FIRST:STEP:SECONDS")]
    pub(crate) steps: Option<Steps>,
    /// Send the load model's mix, not registrations alone.
    #[arg(long)]
    pub(crate) mix: bool,
    /// Bills in a transaction, 1 to 500.
    #[arg(long, default_value_t = 1)]
    pub(crate) batch: usize,
    /// Seconds that are counted.
    #[arg(long, default_value_t = 60)]
    pub(crate) duration: u64,
    /// Seconds of sending before, not counted.
    #[arg(long, default_value_t = 0)]
    pub(crate) warm_up: u64,
    /// Issuers that send, at most 51: the development chain's //hospital-1 ….
    #[arg(long, default_value_t = 51)]
    pub(crate) issuers: usize,
    /// With --saturate: transactions that are neither final nor refused.
    #[arg(long, default_value_t = 6_000)]
    pub(crate) in_flight: usize,
    /// Most transactions signed before the start; without it what the pace
    /// needs, at most 400,000.
    #[arg(long)]
    pub(crate) prepare: Option<usize>,
    /// Reads for each write; 5 with --mix, else 0.
    #[arg(long)]
    pub(crate) reads_per_write: Option<f64>,
    /// Bills to register beforehand: the old ones that a tenth of reads are of.
    #[arg(long, default_value_t = 0)]
    pub(crate) preload: usize,
    /// Most bills to read back at the end of those that were only registered.
    #[arg(long, default_value_t = 20_000)]
    pub(crate) check_bills: usize,
}

/// Rates that grow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Steps {
    first: f64,
    step: f64,
    seconds: f64,
}

impl FromStr for Steps {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Vec<f64> = text.split(':').filter_map(|part| part.parse().ok()).collect();
        match numbers[..] {
            [first, step, seconds] if first > 0.0 && step > 0.0 && seconds >= 1.0 => {
                Ok(Self { first, step, seconds })
            }
            _ => Err(format!("expected FIRST:STEP:SECONDS, all above 0, found {text}")),
        }
    }
}

impl Options {
    fn check(&self) -> Result<()> {
        ensure!((1..=51).contains(&self.issuers), "--issuers: expected 1 to 51");
        ensure!((1..=500).contains(&self.batch), "--batch: expected 1 to 500");
        ensure!(!self.mix || self.batch == 1, "--batch: the mix is of single transactions");
        ensure!(self.duration > 0, "--duration: expected at least 1");
        ensure!(self.in_flight > 0, "--in-flight: expected at least 1");
        ensure!(
            self.rate.is_finite() && self.rate > 0.0,
            "--rate: expected more than 0; --saturate sends as fast as the network takes it"
        );
        Ok(())
    }

    fn pace(&self) -> Pace {
        match (self.saturate, self.steps) {
            (true, _) => Pace::Saturate,
            (_, Some(Steps { first, step, seconds })) => Pace::Steps { first, step, seconds },
            _ => Pace::Fixed(self.rate),
        }
    }

    /// In words.
    fn describe(&self) -> String {
        let pace = match self.pace() {
            Pace::Saturate => format!("as fast as possible, {} on their way", self.in_flight),
            Pace::Steps { first, step, seconds } => {
                format!("from {first}/s up by {step}/s every {seconds} s")
            }
            Pace::Fixed(rate) => format!("{rate}/s"),
        };
        let what = match (self.mix, self.batch) {
            (true, _) => "the load model's mix".to_owned(),
            (false, 1) => "registrations".to_owned(),
            (false, batch) => format!("registrations, {batch} bills in a transaction"),
        };
        format!("{what}, {pace}")
    }

    fn length(&self) -> Duration {
        Duration::from_secs(self.warm_up + self.duration)
    }

    /// How much to sign ahead.
    fn capacity(&self) -> usize {
        let seconds = self.length().as_secs_f64();
        let needed = match self.pace() {
            Pace::Fixed(rate) => rate * seconds,
            Pace::Steps { .. } => MOST_AHEAD as f64,
            // More than is hoped for: 4,000 a second, or 16,000 bills.
            Pace::Saturate => (4_000.0_f64).min(16_000.0 / self.batch as f64) * seconds,
        };
        self.prepare.unwrap_or((needed * 1.01) as usize + 64).min(MOST_AHEAD)
    }

    /// Claimants wait for the bills they lock.
    fn tracking(&self) -> Tracking {
        if self.mix { Tracking::Bills } else { Tracking::Nothing }
    }

    fn reads_per_write(&self) -> f64 {
        self.reads_per_write.unwrap_or(if self.mix { 5.0 } else { 0.0 })
    }
}

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

    let senders = Senders::open(&nodes, options.issuers).await?;
    let mix = if options.mix { Mix::MODEL } else { Mix::REGISTRATIONS };
    let planner =
        Planner::new(target.seed, options.issuers, maker, (mix, options.pace()), options.batch);
    let genesis = nodes[0].genesis();
    let until = match options.pace() {
        Pace::Saturate => Duration::MAX,
        _ => options.length(),
    };
    let mut stock =
        Stock::start(planner, senders.split_issuers(), genesis, options.capacity(), until);
    stock.filled().await;

    let start = Instant::now();
    let sampler = Sampler::start(&target.node, start);
    let book = Arc::new(Mutex::new(Book::new(options.tracking())));
    let observer = Observer::start(&target.rpc[0], start, book.clone()).await?;
    let readers = start_readers(&options, &nodes, &library, start);
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
    let (signed_before, signed_during) = stock.signed();
    stock.finish()?;

    let book = locked(&book);
    let outcome = outcome::check(&book, &nodes[0], target.seed, options.check_bills).await?;
    let record = LoadRecord {
        record: "load".to_owned(),
        case: target.case.clone(),
        side: target.side.clone(),
        commit: target.commit.clone(),
        machine: target.machine(),
        setting: Setting {
            load: options.describe(),
            seed: target.seed,
            first_number: first,
            nodes: nodes.len(),
            issuers: options.issuers,
            batch: options.batch,
            warm_up: options.warm_up as f64,
            duration: options.duration as f64,
            in_flight: if options.saturate { options.in_flight } else { 0 },
            reads_per_write: options.reads_per_write(),
            preloaded: options.preload as u64,
            signed_before,
            signed_during,
        },
        late,
        deferred: book.deferred,
        outcome,
        steps,
        ..LoadRecord::default()
    };
    Ok(record.fill(raw(&book, samples, &target.node, reads)))
}

pub(super) fn raw<'a>(
    book: &'a Book,
    samples: Vec<Sample>,
    watched: &[Watched],
    reads: Option<ReadCounts>,
) -> Raw<'a> {
    Raw {
        accounts: book.accounts(),
        entries: book.entries().collect(),
        blocks: &book.blocks,
        samples,
        names: watched.iter().map(|node| node.name.clone()).collect(),
        reads,
    }
}

pub(super) fn locked(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().expect("nobody panics with the book; qed")
}

/// The clock, as claimants sign it.
pub(super) fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// Waits until nothing is open, at most `patience`.
pub(super) async fn drain(book: &Mutex<Book>, patience: Duration, observer: &Observer) {
    let began = Instant::now();
    while began.elapsed() < patience && locked(book).open() > 0 && !observer.has_failed() {
        sleep(TICK).await;
    }
}

/// Registers the old bills, in batches.
async fn preload(
    options: &Options,
    nodes: &[Connection],
    maker: Maker,
    library: &Arc<Mutex<Library>>,
) -> Result<Maker> {
    let senders = Senders::open(nodes, options.issuers).await?;
    let seed = options.target.seed;
    let plan = (Mix::REGISTRATIONS, Pace::Saturate);
    let planner = Planner::new(seed, options.issuers, maker, plan, PRELOAD_BATCH);
    let genesis = nodes[0].genesis();
    let count = options.preload.div_ceil(PRELOAD_BATCH);
    let mut stock =
        Stock::start(planner, senders.split_issuers(), genesis, count.min(200), Duration::MAX);
    stock.filled().await;
    let start = Instant::now();
    let book = Arc::new(Mutex::new(Book::default()));
    let observer = Observer::start(&options.target.rpc[0], start, book.clone()).await?;
    let lanes = Lanes::open(nodes, &book);
    let mut sent = 0;
    while sent < count {
        ensure!(!observer.has_failed(), "following the chain failed during the preload");
        while sent < count && locked(&book).open() < PRELOAD_IN_FLIGHT {
            let Some(Prepared::Signed(transaction)) = stock.take() else { break };
            locked(&book).enter(&transaction, start.elapsed());
            lanes.send(transaction);
            sent += 1;
        }
        sleep(TICK).await;
    }
    drain(&book, Duration::from_secs(options.target.drain), &observer).await;
    lanes.close().await;
    observer.finish().await?;
    let mut book = locked(&book);
    let accounts = book.accounts();
    ensure!(
        accounts.committed == count as u64,
        "the preload did not become final: {} of {count} transactions, refused: {:?}",
        accounts.committed,
        accounts.rejected
    );
    let fresh = book.take_fresh();
    library.lock().expect("nobody panics with the library; qed").add_old(fresh);
    Ok(stock.finish()?.into_maker())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_three_positive_numbers() {
        let steps: Steps = "500:250:10".parse().unwrap();
        assert_eq!(steps, Steps { first: 500.0, step: 250.0, seconds: 10.0 });
        for wrong in ["500", "500:0:10", "500:x:10", "1:2:3:4", "-1:2:3"] {
            assert!(wrong.parse::<Steps>().is_err(), "{wrong}");
        }
    }
}
