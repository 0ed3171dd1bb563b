//! How fast the network is, found in the warm-up: as many transactions are signed
//! before the measurement as it will take.

use super::{
    book::{Book, locked},
    drain::{TICK, drain},
    lanes::Lanes,
    observe::Observer,
    options::Options,
    record::step,
};
use crate::workload::{Maker, Mix, Pace, Planner, Prepared, Senders, Stock};
use anyhow::{Result, ensure};
use billchain_client::Connection;
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// Sends registrations as fast as the network takes them for the time of the
/// warm-up, and waits until they are final. Transactions a second that became
/// final in the second half of it.
pub(super) async fn probe(
    options: &Options,
    nodes: &[Connection],
    maker: Maker,
) -> Result<(Maker, f64)> {
    let senders = Senders::open(nodes, options.issuers).await?;
    let plan = (Mix::REGISTRATIONS, Pace::Saturate);
    let planner = Planner::new(options.target.seed, options.issuers, maker, plan, options.batch);
    let (genesis, capacity) = (nodes[0].genesis(), options.probe_capacity());
    let issuers = senders.split_issuers();
    let mut stock = Stock::start(planner, issuers, genesis, capacity, Duration::MAX);
    stock.filled().await;
    let start = Instant::now();
    let book = Arc::new(Mutex::new(Book::default()));
    let observer = Observer::start(&options.target.rpc[0], start, book.clone()).await?;
    let lanes = Lanes::open(nodes, &book);
    let length = Duration::from_secs(options.warm_up);
    while start.elapsed() < length {
        ensure!(!observer.has_failed(), "following the chain failed during the warm-up");
        while locked(&book).open() < options.in_flight {
            let Some(Prepared::Signed(transaction)) = stock.take() else { break };
            locked(&book).enter(&transaction, start.elapsed());
            lanes.send(transaction);
        }
        sleep(TICK).await;
    }
    drain(&book, Duration::from_secs(options.target.drain), &observer).await;
    lanes.close().await;
    observer.finish().await?;
    let rate = {
        let book = locked(&book);
        let entries: Vec<_> = book.entries().collect();
        step(&entries, 0.0, length / 2, length / 2).committed
    };
    ensure!(rate > 0.0, "nothing became final in {} s of warming up", options.warm_up);
    Ok((stock.finish()?.into_maker(), rate))
}
