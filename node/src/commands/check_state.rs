//! `billchain check-state`: whether what must always hold does hold in the
//! database of a stopped node.

use crate::{config::Config, database::open_chain};
use anyhow::{Context, Result, bail};
use billchain_executor::{BlockEvent, Chain, ChainError, events_key};
use billchain_primitives::{
    Bill, BillKey, BillStatus, BlockNumber, OpaqueBlock,
    history::{self, VersionRecord},
    index, lists,
};
use billchain_runtime::{AllPalletsWithSystem, BillRegister, RuntimeEvent, Totals};
use billchain_storage::{OpenMode, StorageError};
use clap::Args;
use codec::Decode;
use frame_support::traits::{TryState, TryStateSelect};
use frame_system::Phase;
use pallet_bill_register::{LinkHistoryProblem, LinkRecord, Links, records_prefix};
use std::{collections::BTreeMap, path::PathBuf};

/// Problems that are printed; there may be more.
const MAX_PRINTED: usize = 20;
/// Records of a bill read at a time.
const PAGE: usize = 1024;

/// Options of `billchain check-state`.
#[derive(Args)]
pub(crate) struct Options {
    /// The node's configuration.
    #[arg(long)]
    config: PathBuf,
}

/// What was seen.
#[derive(Default)]
struct Seen {
    bills: u64,
    versions: u64,
    by_status: BTreeMap<BillStatus, u64>,
    problems: Vec<String>,
    more: u64,
}

impl Seen {
    fn problem(&mut self, text: String) {
        if self.problems.len() < MAX_PRINTED {
            self.problems.push(text);
        } else {
            self.more += 1;
        }
    }
}

/// Runs `billchain check-state`.
pub(crate) fn run(options: &Options) -> Result<()> {
    // Pallets say in the log which of their rules does not hold.
    tracing_subscriber::fmt().with_max_level(tracing::Level::ERROR).with_ansi(false).init();
    let (_, chain) = open_chain(&Config::load(&options.config)?, OpenMode::MustExist)?;
    let head = chain.head();
    println!("block {}, hash {:?}, state root {:?}", head.number, head.hash, head.state_root);
    let seen = check(&chain)?;
    println!("{} bills, {} versions", seen.bills, seen.versions);
    for (status, count) in &seen.by_status {
        println!("  {status:?}: {count}");
    }
    if seen.problems.is_empty() {
        let indexed = chain.storage().index_gap()?.is_none();
        println!("every rule holds{}", if indexed { "; every version chain verifies" } else { "" });
        return Ok(());
    }
    for problem in &seen.problems {
        println!("PROBLEM {problem}");
    }
    bail!("{} problems found", seen.problems.len() as u64 + seen.more)
}

/// Checks the head's state and the histories in the index.
fn check(chain: &Chain) -> Result<Seen> {
    let mut seen = Seen::default();
    let number = chain.head().number;
    let rules = chain.read(|| AllPalletsWithSystem::try_state(number, TryStateSelect::All))?;
    if let Err(error) = rules {
        seen.problem(format!("the contracts' rules: {error:?}"));
    }
    if let Some(gap) = chain.storage().index_gap()? {
        println!(
            "the index of blocks up to {} is still being fetched: it is not checked",
            gap.block
        );
        return Ok(seen);
    }
    chain.read(|| {
        let mut checked = Ok(());
        // The hot ones, and the cold ones that the totals tell of.
        Totals::for_each_bill(|bill| {
            if checked.is_ok() {
                checked = check_bill(chain, bill, &mut seen);
            }
        });
        checked
    })??;
    check_lists(chain, &mut seen)?;
    for number in chain.storage().first_block()..=number {
        check_events(chain, number, &mut seen)?;
    }
    Ok(seen)
}

fn check_bill(chain: &Chain, bill: &Bill, seen: &mut Seen) -> Result<()> {
    let key = bill.summary.key;
    seen.bills += 1;
    *seen.by_status.entry(bill.state.status).or_default() += 1;
    let prefix = index::history_prefix(&key);
    let records: Vec<VersionRecord> =
        records(chain, &prefix).with_context(|| format!("history of bill {key}"))?;
    seen.versions += records.len() as u64;
    for entry in lists::entries(bill) {
        if chain.storage().offchain_get(&entry)?.is_none() {
            seen.problem(format!("bill {key} is missing from a list: run billchain reindex"));
        }
    }
    if let Err(problem) = history::verify(bill, &records) {
        seen.problem(format!("bill {key}: {problem}"));
    }
    check_links(chain, &key, &BillRegister::links(&key), seen)
}

/// Each bill is in the list of one status; that it is in all of its own lists
/// was checked with the bill.
fn check_lists(chain: &Chain, seen: &mut Seen) -> Result<()> {
    let mut listed = 0;
    for status in BillStatus::ALL {
        let (list, mut after) = (lists::by_status(status), None::<Vec<u8>>);
        loop {
            let page = chain.storage().offchain_prefix(&list, after.as_deref(), PAGE)?;
            listed += page.len() as u64;
            match page.last() {
                Some((key, _)) if page.len() == PAGE => after = Some(key.clone()),
                _ => break,
            }
        }
    }
    if listed != seen.bills {
        let bills = seen.bills;
        seen.problem(format!(
            "the lists by status hold {listed} bills, the state {bills}: run billchain reindex"
        ));
    }
    Ok(())
}

/// Whether the index says what each transaction of a block came to, and says
/// what the state says while that is kept.
fn check_events(chain: &Chain, number: BlockNumber, seen: &mut Seen) -> Result<()> {
    let bytes = chain.storage().block(number)?;
    let bytes = bytes.with_context(|| format!("block {number} is missing"))?;
    let block = OpaqueBlock::decode(&mut &bytes[..])
        .with_context(|| format!("block {number} does not decode"))?;
    let events = match chain.block_events(number) {
        Ok(events) => events.unwrap_or_default(),
        Err(error @ (ChainError::EventsMissing { .. } | ChainError::Undecodable { .. })) => {
            seen.problem(error.to_string());
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    let outcomes = events.iter().filter_map(outcome);
    if !outcomes.eq(0..block.extrinsics.len() as u32) {
        seen.problem(format!(
            "the index does not say of each transaction of block {number} what it came to: run \
             billchain reindex"
        ));
    }
    let hash = chain.storage().hash_of(number)?.unwrap_or_default();
    let state = match chain.storage().state_at(&hash) {
        Ok(state) => state,
        Err(StorageError::StateNotKept { .. }) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    if state.get(events_key())? != chain.event_list(number)? {
        seen.problem(format!(
            "the index has other events of block {number} than the state: run billchain reindex"
        ));
    }
    Ok(())
}

/// The transaction that this event says the outcome of.
fn outcome(record: &BlockEvent) -> Option<u32> {
    use frame_system::Event::{ExtrinsicFailed, ExtrinsicSuccess};
    match (&record.phase, &record.event) {
        (
            Phase::ApplyExtrinsic(index),
            RuntimeEvent::System(ExtrinsicSuccess { .. } | ExtrinsicFailed { .. }),
        ) => Some(*index),
        _ => None,
    }
}

/// Whether the index tells the whole history of a bill's links.
fn check_links(chain: &Chain, key: &BillKey, links: &Links, seen: &mut Seen) -> Result<()> {
    let records: Vec<LinkRecord> =
        records(chain, &records_prefix(key)).with_context(|| format!("links of bill {key}"))?;
    match links.verify(&records) {
        Ok(()) => {}
        Err(LinkHistoryProblem::Numbers) => {
            let (expected, found) = (links.records, records.len());
            seen.problem(format!(
                "links of bill {key}: expected {expected} records, found {found}"
            ));
        }
        Err(LinkHistoryProblem::OtherHash) => {
            seen.problem(format!("links of bill {key}: a record is not what was written"));
        }
    }
    Ok(())
}

/// All records of the index under `prefix`.
fn records<T: Decode>(chain: &Chain, prefix: &[u8]) -> Result<Vec<T>> {
    let mut records = Vec::new();
    let mut after: Option<Vec<u8>> = None;
    loop {
        let page = chain.storage().offchain_prefix(prefix, after.as_deref(), PAGE)?;
        for (_, value) in &page {
            records.push(T::decode(&mut &value[..]).context("a record")?);
        }
        match page.last() {
            Some((key, _)) if page.len() == PAGE => after = Some(key.clone()),
            _ => return Ok(records),
        }
    }
}

#[cfg(test)]
mod tests;
