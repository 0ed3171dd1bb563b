//! `billchain release rehearse`: what this release makes of the last blocks of a node.
//!
//! The blocks are executed on a copy of the node's data, which is wound back first.
//! Where this release has the rules that a block was decided under, it must come to
//! the decided hash. Where its rules are newer, the first block goes over to them as
//! an upgrade does, with its migrations, and what becomes of each transaction is
//! compared with what became of it on the chain. State roots are others then: they
//! are compared between operators who rehearse the same blocks.

use crate::{
    config::Config,
    database::{load_spec, remove, storage_options_beside},
    snapshot::{archive::tree, manifest::COLD, stage::Stage},
};
use anyhow::{Context, Error, Result, bail, ensure};
use billchain_executor::{BlockEvent, Chain, ChainError, ClockCheck, OtherRules, Rehearsed};
use billchain_runtime::{AllPalletsWithSystem, RuntimeEvent, VERSION};
use billchain_storage::{OpenMode, Storage, StorageError};
use clap::Args;
use frame_support::traits::{TryState, TryStateSelect};
use frame_system::Phase;
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

/// Blocks that the copy can be wound back by.
const MAX_BLOCKS: u32 = 256;
/// Differences that are printed; there may be more.
const MAX_PRINTED: usize = 20;
/// Exit code if something is different.
const DIFFERENT: u8 = 3;

/// Options of `billchain release rehearse`.
#[derive(Args)]
pub(crate) struct Options {
    /// The node's configuration.
    #[arg(long)]
    config: PathBuf,
    /// How many blocks, 256 at most; without it as many as can be wound back.
    #[arg(long)]
    blocks: Option<u32>,
    /// The last of them; without it the newest. Operators who compare what they find
    /// name the same.
    #[arg(long)]
    height: Option<u32>,
    /// Directory for the copy, which is made and removed; without it a directory in
    /// data_dir, where most files are links.
    #[arg(long, value_name = "DIRECTORY")]
    scratch: Option<PathBuf>,
}

/// Runs `billchain release rehearse`.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    if let Some(blocks) = options.blocks {
        ensure!(
            (1..=MAX_BLOCKS).contains(&blocks),
            "--blocks {blocks}: expected 1 to {MAX_BLOCKS}"
        );
    }
    let config = Config::load(&options.config)?;
    let scratch = match &options.scratch {
        Some(scratch) => {
            ensure!(
                !scratch.exists(),
                "{} exists: expected a directory to make",
                scratch.display()
            );
            scratch.clone()
        }
        None => {
            let own = config.data_dir.join("rehearsal");
            remove(&own)?;
            own
        }
    };
    let outcome = copy(&config, &scratch).and_then(|()| rehearse(&config, &scratch, options));
    remove(&scratch)?;
    let report = outcome?;
    report.print();
    Ok(if report.differences == 0 { ExitCode::SUCCESS } else { ExitCode::from(DIFFERENT) })
}

/// Copies a node's files. RocksDB's tables never change, so links will do; the rest is
/// written to.
fn copy(config: &Config, scratch: &Path) -> Result<()> {
    let stage = Stage::take(config)?;
    let failed = |path: &Path| format!("cannot copy {}", path.display());
    for directory in tree(stage.directory())?.1 {
        let to = scratch.join(directory.strip_prefix(stage.directory())?);
        fs::create_dir_all(&to).with_context(|| format!("cannot make {}", to.display()))?;
    }
    for file in tree(stage.directory())?.0 {
        let to = scratch.join(file.strip_prefix(stage.directory())?);
        let is_table = file.extension().is_some_and(|extension| extension == "sst");
        if is_table && fs::hard_link(&file, &to).is_ok() {
            continue;
        }
        fs::copy(&file, &to).with_context(|| failed(&file))?;
    }
    let (own, cold) = (config.cold_directory(), scratch.join(COLD));
    fs::create_dir_all(&cold).with_context(|| format!("cannot make {}", cold.display()))?;
    for file in stage.cold_files()? {
        let Some(name) = file.file_name() else { continue };
        if fs::hard_link(&file, cold.join(name)).is_err() {
            // They are on another disk, never change, and are many: the node's own will do.
            // A link's target is not relative to where the program runs.
            let own = fs::canonicalize(own.join(name)).with_context(|| failed(&file))?;
            symlink(own, cold.join(name)).with_context(|| failed(&file))?;
        }
    }
    stage.give_back(false)
}

fn open(config: &Config, scratch: &Path) -> Result<Chain> {
    let digest = load_spec(&config.chain_spec)?.digest;
    let storage = Storage::open(scratch, storage_options_beside(config, OpenMode::MustExist))?;
    let none = || Err(Error::msg("the database holds no chain"));
    Chain::open(Arc::new(storage), digest, none)
}

/// What became of the extrinsics of a block by their index: why one failed, or nothing.
type Outcomes = BTreeMap<u32, Option<String>>;

/// What a rehearsal has come to.
struct Report {
    first: u32,
    last: u32,
    /// Rules that the blocks were decided under, if this release has others.
    former: Option<u32>,
    transactions: u64,
    /// Blocks whose outcomes on the chain this release cannot read.
    unreadable: u32,
    differences: u64,
    /// The first of them, in words.
    printed: Vec<String>,
    /// How long the first block took, with the migrations in it.
    began: Duration,
    /// And the slowest.
    slowest: Duration,
    /// The root of the state after the last.
    root: String,
}

impl Report {
    fn differs(&mut self, words: String) {
        self.differences += 1;
        if self.printed.len() < MAX_PRINTED {
            self.printed.push(words);
        }
    }

    fn took(&mut self, number: u32, time: Duration) {
        if number == self.first {
            self.began = time;
        }
        self.slowest = self.slowest.max(time);
    }

    fn print(&self) {
        let own = VERSION.spec_version;
        let blocks = format!("blocks {} to {}", self.first, self.last);
        match self.former {
            None => println!("{blocks}, decided under the rules of this release ({own})"),
            Some(former) => println!("{blocks}, decided under rules {former}, under rules {own}"),
        }
        println!("transactions  {}", self.transactions);
        println!("first block   {} ms", self.began.as_millis());
        println!("slowest       {} ms", self.slowest.as_millis());
        if self.unreadable > 0 {
            println!("not compared  {} blocks: their events have other types", self.unreadable);
        }
        self.printed.iter().for_each(|words| println!("DIFFERENT {words}"));
        println!("differences   {}", self.differences);
        println!("state root    {}", self.root);
        if self.former.is_some() {
            println!(
                "operators who rehearse blocks {} to {} come to the same state root, or the \
                 release must not be voted for",
                self.first, self.last
            );
        }
    }
}

fn rehearse(config: &Config, scratch: &Path, options: &Options) -> Result<Report> {
    let (mut first, last, mut decided) = decided(&open(config, scratch)?, options)?;
    let settings = storage_options_beside(config, OpenMode::MustExist);
    let to = |first: u32| billchain_storage::rewind(scratch, &settings, first - 1);
    let rewound = match to(first) {
        Err(StorageError::StateNotKept { oldest, .. })
            if options.blocks.is_none() && oldest < last =>
        {
            let before = first;
            first = oldest + 1;
            decided.drain(..(first - before) as usize);
            to(first)
        }
        rewound => rewound,
    };
    rewound.map_err(|error| match error {
        StorageError::StateNotKept { oldest, .. } if oldest >= last => Error::msg(format!(
            "block {last} is too old: the changes of the blocks after {oldest} are kept and no more"
        )),
        StorageError::StateNotKept { oldest, .. } => Error::msg(format!(
            "the changes of the blocks after {oldest} are kept and no more: give --blocks {} or \
             less",
            last.saturating_sub(oldest)
        )),
        error => error.into(),
    })?;
    let chain = open(config, scratch)?;
    let former = match chain.ensure_rules() {
        Ok(()) => None,
        Err(ChainError::OtherRules(OtherRules { needed, own, .. })) if needed > own => bail!(
            "block {first} is under rules {needed}, this release has rules {own}, which are older"
        ),
        Err(ChainError::OtherRules(OtherRules { needed, .. })) => Some(needed),
        Err(error) => return Err(error.into()),
    };
    let mut report = Report {
        first,
        last,
        former,
        transactions: 0,
        unreadable: 0,
        differences: 0,
        printed: Vec::new(),
        began: Duration::ZERO,
        slowest: Duration::ZERO,
        root: String::new(),
    };
    for (number, before) in (first..=last).zip(decided) {
        block(&chain, number, before, &mut report)?;
    }
    let held = chain.read(|| AllPalletsWithSystem::try_state(last, TryStateSelect::All))?;
    if let Err(error) = held {
        report.differs(format!("after block {last} the contracts' rules do not hold: {error:?}"));
    }
    report.root = format!("{:?}", chain.head().state_root);
    Ok(report)
}

/// Which blocks are executed, and what became of their transactions on the chain:
/// nothing where this release cannot read it.
fn decided(chain: &Chain, options: &Options) -> Result<(u32, u32, Vec<Option<Outcomes>>)> {
    let head = chain.head().number;
    let last = options.height.unwrap_or(head);
    ensure!(last <= head, "there is no block {last} yet: the newest is {head}");
    ensure!(last > 0, "the chain has no block beside its first");
    let kept = chain.storage().first_block();
    ensure!(last >= kept, "blocks before {kept} are not kept whole here");
    let first = last.saturating_sub(options.blocks.unwrap_or(MAX_BLOCKS) - 1).max(kept);
    let of_block = |number| match chain.block_events(number) {
        Ok(events) => Ok(Some(outcomes(events.unwrap_or_default()))),
        Err(ChainError::Undecodable { .. } | ChainError::EventsMissing { .. }) => Ok(None),
        Err(error) => Err(Error::from(error)),
    };
    Ok((first, last, (first..=last).map(of_block).collect::<Result<_>>()?))
}

/// Executes one block, and compares.
fn block(chain: &Chain, number: u32, before: Option<Outcomes>, report: &mut Report) -> Result<()> {
    let storage = chain.storage();
    let bytes = storage.block(number)?.with_context(|| format!("block {number} is missing"))?;
    let certificate = storage.certificate(number)?.unwrap_or_default();
    let began = Instant::now();
    let Some(former) = report.former else {
        // A decided block comes to its hash, or is refused with what differs.
        let executed = chain
            .execute(bytes.into(), ClockCheck::Decided)
            .with_context(|| format!("block {number} does not come to what was decided"))?;
        report.took(number, began.elapsed());
        report.transactions += executed.transaction_count() as u64;
        chain.commit(executed, certificate)?;
        return Ok(());
    };
    let Rehearsed { block, refused, applied } = chain
        .rehearse(bytes.into(), former)
        .with_context(|| format!("block {number} cannot be executed under these rules"))?;
    report.took(number, began.elapsed());
    report.transactions += block.transaction_count() as u64;
    chain.commit(block, certificate)?;
    for (index, reason) in refused {
        report.differs(format!("block {number}, transaction {index} is refused: {reason}"));
    }
    let Some(before) = before else {
        report.unreadable += 1;
        return Ok(());
    };
    let events = chain.block_events(number)?.unwrap_or_default();
    // Refused ones are not counted: the runtime numbers those that it applied.
    let after = outcomes(events);
    let after = after
        .into_iter()
        .filter_map(|(at, outcome)| Some((*applied.get(usize::try_from(at).ok()?)?, outcome)));
    for (index, outcome) in after {
        let expected = before.get(&index);
        if expected != Some(&outcome) {
            report.differs(format!(
                "block {number}, transaction {index}: {}, on the chain {}",
                words(Some(&outcome)),
                words(expected)
            ));
        }
    }
    Ok(())
}

fn words(outcome: Option<&Option<String>>) -> &str {
    match outcome {
        None => "nothing is known",
        Some(None) => "success",
        Some(Some(reason)) => reason,
    }
}

/// What the events say of each extrinsic.
fn outcomes(events: Vec<BlockEvent>) -> Outcomes {
    use frame_system::Event::{ExtrinsicFailed, ExtrinsicSuccess};
    let outcome = |record: BlockEvent| match (record.phase, record.event) {
        (Phase::ApplyExtrinsic(index), RuntimeEvent::System(ExtrinsicSuccess { .. })) => {
            Some((index, None))
        }
        (
            Phase::ApplyExtrinsic(index),
            RuntimeEvent::System(ExtrinsicFailed { dispatch_error, .. }),
        ) => Some((index, Some(format!("{dispatch_error:?}")))),
        _ => None,
    };
    events.into_iter().filter_map(outcome).collect()
}
