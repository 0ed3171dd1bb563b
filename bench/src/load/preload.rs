//! Bills that are there before a measurement begins: the old ones.

use super::{
    book::locked,
    options::Options,
    reads::Library,
    saturate::{End, saturate},
};
use crate::workload::{Maker, Mix, Pace, Planner, Senders, Stock};
use anyhow::{Result, ensure};
use billchain_client::Connection;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// Bills in a transaction.
const BATCH: usize = 250;
/// Transactions on their way.
const IN_FLIGHT: usize = 48;
/// Transactions that are signed ahead.
const SIGNED_AHEAD: usize = 200;

/// Registers the old bills, in batches.
pub(super) async fn preload(
    options: &Options,
    nodes: &[Connection],
    maker: Maker,
    library: &Arc<Mutex<Library>>,
) -> Result<Maker> {
    let senders = Senders::open(nodes, options.issuers).await?;
    let plan = (Mix::REGISTRATIONS, Pace::Saturate);
    let planner = Planner::new(options.target.seed, options.issuers, maker, plan, BATCH);
    let genesis = nodes[0].genesis();
    let count = options.preload.div_ceil(BATCH);
    let (issuers, ahead) = (senders.split_issuers(), count.min(SIGNED_AHEAD));
    let mut stock = Stock::start(planner, issuers, genesis, ahead, Duration::MAX);
    let book = saturate(options, nodes, &mut stock, IN_FLIGHT, End::Count(count)).await?;
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
