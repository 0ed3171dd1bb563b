//! Bills that are there before a measurement begins: the old ones.

use super::{
    book::{Book, locked},
    drain::{TICK, drain},
    lanes::Lanes,
    observe::Observer,
    options::Options,
    reads::Library,
};
use crate::workload::{Maker, Mix, Pace, Planner, Prepared, Senders, Stock};
use anyhow::{Result, ensure};
use billchain_client::Connection;
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// Bills in a transaction.
const BATCH: usize = 250;
/// Transactions on their way.
const IN_FLIGHT: usize = 48;

/// Registers the old bills, in batches.
pub(super) async fn preload(
    options: &Options,
    nodes: &[Connection],
    maker: Maker,
    library: &Arc<Mutex<Library>>,
) -> Result<Maker> {
    let senders = Senders::open(nodes, options.issuers).await?;
    let seed = options.target.seed;
    let plan = (Mix::REGISTRATIONS, Pace::Saturate);
    let planner = Planner::new(seed, options.issuers, maker, plan, BATCH);
    let genesis = nodes[0].genesis();
    let count = options.preload.div_ceil(BATCH);
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
        while sent < count && locked(&book).open() < IN_FLIGHT {
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
