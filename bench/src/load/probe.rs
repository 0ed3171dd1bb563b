//! How fast the network is, found in the warm-up: as many transactions are signed
//! before the measurement as it will take.

use super::{
    book::locked,
    options::Options,
    record::step,
    saturate::{End, saturate},
};
use crate::workload::{Maker, Mix, Pace, Planner, Senders, Stock};
use anyhow::{Result, ensure};
use billchain_client::Connection;
use std::time::Duration;

/// Sends registrations as fast as the network takes them for the time of the
/// warm-up. Transactions a second that became final in the second half of it.
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
    let length = Duration::from_secs(options.warm_up);
    let end = End::After(length);
    let book = saturate(options, nodes, &mut stock, options.in_flight, end).await?;
    let rate = {
        let book = locked(&book);
        let entries: Vec<_> = book.entries().collect();
        step(&entries, 0.0, length / 2, length / 2).committed
    };
    ensure!(rate > 0.0, "nothing became final in {} s of warming up", options.warm_up);
    Ok((stock.finish()?.into_maker(), rate))
}
