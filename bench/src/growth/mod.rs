//! Grows a ledger to millions of bills and measures what a block costs on the
//! way.
//!
//! Blocks take the real path of a proposer in one process: transactions, each
//! with its own SM2 signature, are decoded, verified and executed
//! ([`Chain::build`]), the state root is computed, and the block is written and
//! synced ([`Chain::commit`]). What is left out is the network: no pool, no
//! gossip, no votes. The only validator, `//node-1`, certifies each block, so
//! that a node with this chain's specification can go on with the directory.
//!
//! Bills come in batches, made and signed on another thread, which is not part
//! of a block's time.
//!
//! With `--bills-a-day` the chain's days are of so many bills, so that with a
//! specification that has a cooling policy old bills become cold. Their segments
//! are written to files on a thread of its own, as a node does it.

mod blocks;
mod files;
mod progress;
mod record;

pub(crate) use record::{GrowthRecord, Milestone, Point};

use crate::{
    measure::{Machine, Percentiles, disk_bytes, own_rss_mib, rounded},
    workload::{ISSUED, Maker, Mix, Pace, Planner, Senders, Stock},
};
use anyhow::{Context, Result, ensure};
use billchain_chain_spec::{ChainSpec, Document};
use billchain_executor::Chain;
use billchain_primitives::{IssueDate, cooling::DAY_MS};
use billchain_runtime::System;
use billchain_storage::{OpenMode, Storage, StorageOptions};
use blocks::{Certifier, Cost, Costs};
use clap::Args;
use files::Files;
use progress::{Days, Progress, span_ms};
use record::GrowthSetting;
use std::{
    fs,
    num::NonZeroU64,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

/// Points of a chart that are kept of the way to a milestone.
const POINTS: u64 = 100;
/// Blocks made ahead of the one at hand.
const BLOCKS_AHEAD: usize = 3;

/// Options of `billchain-bench growth`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// A node's `data_dir`; a ledger that this command grew is grown further.
    #[arg(long)]
    dir: PathBuf,
    /// Bills to grow to; several for measurements on the way, ascending.
    #[arg(long, value_delimiter = ',', required = true)]
    bills: Vec<u64>,
    /// Chain specification, with //node-1 as the only operator; the development
    /// chain without the other operators by default.
    #[arg(long)]
    spec: Option<PathBuf>,
    /// Bills in a transaction, 1 to 500.
    #[arg(long, default_value_t = 500)]
    batch: usize,
    /// Bills in a block.
    #[arg(long, default_value_t = 5_000)]
    block_bills: usize,
    /// Bills before each milestone that its costs are measured over.
    #[arg(long, default_value_t = 200_000)]
    window: u64,
    /// Issuers, at most 51.
    #[arg(long, default_value_t = 51)]
    issuers: usize,
    /// Block cache of the database, in MiB, as a node's `storage.cache_mib`.
    #[arg(long, default_value_t = 64)]
    cache_mib: usize,
    /// Compact the database at each milestone, and measure the disk after it.
    #[arg(long)]
    compact: bool,
    /// Bills of a day of the chain, whose last block is of now. Without it blocks have the time
    /// at which they are made.
    #[arg(long)]
    bills_a_day: Option<NonZeroU64>,
    /// Where chance begins.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Name of the measurement, for the report.
    #[arg(long, default_value = "growth")]
    case: String,
    /// What is measured, where two things are compared.
    #[arg(long, default_value = "this")]
    side: String,
    /// Revision, for the report.
    #[arg(long, default_value = "unknown")]
    commit: String,
    /// Print the result as one JSON object instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    /// Write the result, as JSON, to this file as well.
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
}

impl Options {
    fn check(&self) -> Result<()> {
        ensure!((1..=51).contains(&self.issuers), "--issuers: expected 1 to 51");
        ensure!((1..=500).contains(&self.batch), "--batch: expected 1 to 500");
        ensure!(self.block_bills >= self.batch, "--block-bills: expected at least --batch");
        ensure!(self.bills.is_sorted() && self.bills[0] > 0, "--bills: expected ascending numbers");
        ensure!(self.window > 0, "--window: expected at least 1");
        Ok(())
    }

    /// Days of a new chain, whose last block is of now; `None` if its blocks have the time at
    /// which they are made.
    fn days(&self) -> Result<Option<Days>> {
        let (Some(a_day), Some(last)) = (self.bills_a_day, self.bills.last()) else {
            return Ok(None);
        };
        let (now, takes) = (blocks::now_ms()?, span_ms(*last, a_day));
        let issued = IssueDate::new(ISSUED).context("not a date")?.days();
        let began = now.saturating_sub(takes);
        ensure!(
            IssueDate::days_of_moment(began) >= issued,
            "--bills-a-day: {last} bills take {} days, and the bills, which are of {ISSUED}, would \
             be registered before that date: expected more bills a day",
            takes / DAY_MS
        );
        Ok(Some(Days { bills: a_day, began_ms: began }))
    }
}

/// Runs `billchain-bench growth`.
pub(crate) fn run(options: &Options) -> Result<GrowthRecord> {
    options.check()?;
    let document = match &options.spec {
        Some(file) => {
            let text = fs::read_to_string(file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            Document::from_json(&text)?
        }
        None => Document::of(&alone())?,
    };
    fs::create_dir_all(&options.dir)
        .with_context(|| format!("cannot make {}", options.dir.display()))?;
    let mut ledger = Ledger::open(options, &document)?;
    for target in &options.bills {
        if *target <= ledger.progress.bills {
            continue;
        }
        let costs = ledger.grow(*target)?;
        ledger = ledger.measure(&document, costs)?;
    }
    let Ledger { progress, .. } = ledger;
    Ok(GrowthRecord {
        record: "growth".to_owned(),
        case: options.case.clone(),
        side: options.side.clone(),
        commit: options.commit.clone(),
        machine: Machine::of(Some(&options.dir)),
        setting: GrowthSetting {
            seed: options.seed,
            batch: options.batch,
            block_bills: options.block_bills,
            issuers: options.issuers,
            cache_mib: options.cache_mib,
            window: options.window,
            bills_a_day: options.bills_a_day,
        },
        milestones: progress.milestones,
        points: progress.points,
    })
}

/// The development chain with one validator.
fn alone() -> ChainSpec {
    let mut spec = ChainSpec::development();
    spec.operators.truncate(1);
    spec.council.truncate(1);
    spec
}

/// A ledger that grows.
struct Ledger<'a> {
    options: &'a Options,
    chain: Chain,
    certifier: Certifier,
    progress: Progress,
}

impl<'a> Ledger<'a> {
    fn open(options: &'a Options, document: &Document) -> Result<Self> {
        let certifier = Certifier::of(&document.spec)?;
        let chain = open_chain(&options.dir, options.cache_mib, document)?;
        let mut progress = Progress::load(&options.dir, options.seed)?;
        progress.ensure_of(chain.head().number, &options.dir)?;
        if progress.bills == 0 {
            progress.days = options.days()?;
        }
        progress.ensure_days(options.bills_a_day)?;
        Ok(Self { options, chain, certifier, progress })
    }

    /// Adds blocks until there are `target` bills. What blocks cost in the
    /// window before it.
    fn grow(&mut self, target: u64) -> Result<Costs> {
        let options = self.options;
        let mut senders = Senders::fresh(options.issuers);
        for issuer in 0..options.issuers {
            let account = senders.signer(issuer).account();
            let nonce = self.chain.read(|| System::account_nonce(&account))?;
            senders.set_nonce(issuer, nonce);
        }
        let next = self.progress.next_number;
        // Another part of the seed's numbers each time: no hash comes twice.
        let seed = options.seed.wrapping_add(next);
        let maker = Maker::new(seed, options.issuers, next);
        let plan = (Mix::REGISTRATIONS, Pace::Saturate);
        let planner = Planner::new(seed, options.issuers, maker, plan, options.batch);
        let per_block = options.block_bills / options.batch;
        let genesis = self.chain.genesis_hash();
        let ahead = BLOCKS_AHEAD * per_block;
        let mut stock = Stock::start(planner, senders, genesis, ahead, Duration::MAX);
        let files = Files::start(self.chain.storage());

        let from = self.progress.bills;
        let every = (target - from).div_ceil(POINTS).max(1);
        let window_from = target.saturating_sub(options.window).max(from);
        let (mut window, mut lately) = (Costs::default(), Costs::default());
        while self.progress.bills < target {
            let left = (target - self.progress.bills).div_ceil(options.batch as u64) as usize;
            let cost = self.add_block(&mut stock, per_block.min(left))?;
            lately.add(cost);
            if self.progress.bills > window_from {
                window.add(cost);
            }
            let is_first = self.progress.points.is_empty();
            if lately.bills >= every || is_first {
                let point = self.point(&lately);
                self.progress.points.push(point);
                lately = Costs::default();
            }
        }
        files.finish()?;
        self.progress.next_number = stock.finish()?.into_maker().next_number();
        self.progress.height = self.chain.head().number;
        self.progress.save(&options.dir)?;
        Ok(window)
    }

    fn add_block(&mut self, stock: &mut Stock, transactions: usize) -> Result<Cost> {
        let mut bodies = Vec::with_capacity(transactions);
        let mut bills = 0;
        for _ in 0..transactions {
            let transaction = stock.take_waiting().context("the thread that signs ended")?;
            bills += u64::from(transaction.bills);
            bodies.push(transaction.bytes);
        }
        let all = self.progress.bills + bills;
        let now = blocks::now_ms()?;
        let time = self.progress.days.map_or(now, |days| now.min(days.time_of(all)));
        let cost = blocks::add(&self.chain, &self.certifier, time, bodies, bills)?;
        self.progress.bills = all;
        Ok(cost)
    }

    fn point(&self, costs: &Costs) -> Point {
        Point {
            bills: self.progress.bills,
            build_us: costs.build_us(),
            commit_us: costs.commit_us(),
            rss_mib: rounded(own_rss_mib(), 1),
            disk: disk_bytes(&self.options.dir),
            cold_groups: self.chain.storage().stats().cold.active,
        }
    }

    /// Sums up a milestone: closes the ledger and opens it again.
    fn measure(mut self, document: &Document, costs: Costs) -> Result<Self> {
        let options = self.options;
        let dir = &options.dir;
        let rss_mib = rounded(own_rss_mib(), 1);
        let disk = disk_bytes(dir);
        let stats = self.chain.storage().stats();
        let compacted = match options.compact {
            true => {
                self.chain.storage().compact()?;
                Some(disk_bytes(dir))
            }
            false => None,
        };
        drop(self.chain);
        let began = Instant::now();
        let chain = open_chain(dir, options.cache_mib, document)?;
        let open_seconds = rounded(began.elapsed().as_secs_f64(), 3);
        ensure!(
            chain.head().number == self.progress.height,
            "opened again, the ledger is at block {}, expected {}",
            chain.head().number,
            self.progress.height
        );
        self.progress.milestones.push(Milestone {
            bills: self.progress.bills,
            height: self.progress.height,
            build_us: costs.build_us(),
            commit_us: costs.commit_us(),
            block_ms: Percentiles::of(costs.block_ms),
            measured_over: costs.bills,
            rss_mib,
            disk_bytes: disk,
            compacted_bytes: compacted,
            open_seconds,
            hot_keys: stats.state_keys,
            cold_groups: stats.cold.active,
            cold_files: stats.cold.files,
            cold_bytes: disk_bytes(&dir.join("chain/cold")),
        });
        self.progress.save(dir)?;
        Ok(Self { chain, ..self })
    }
}

/// The chain in a node's data directory, opened as the node opens it.
fn open_chain(dir: &Path, cache_mib: usize, document: &Document) -> Result<Chain> {
    let directory = dir.join("chain");
    let options = StorageOptions {
        mode: OpenMode::CreateIfMissing,
        block_cache_bytes: cache_mib << 20,
        ..StorageOptions::default()
    };
    let storage = Storage::open(&directory, options)
        .with_context(|| format!("cannot open the database in {}", directory.display()))?;
    let Document { spec, digest } = document;
    Chain::open(Arc::new(storage), *digest, || Ok(spec.genesis_state()?))
}

#[cfg(test)]
mod tests;
