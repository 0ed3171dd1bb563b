//! As fast as the network takes it: a number of transactions is kept on its way.

use super::{
    book::{Book, locked},
    drain::{TICK, drain},
    lanes::Lanes,
    observe::Observer,
    options::Options,
};
use crate::workload::{Prepared, Stock};
use anyhow::{Result, ensure};
use billchain_client::Connection;
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// When nothing more is sent.
#[derive(Clone, Copy)]
pub(super) enum End {
    /// After so many transactions.
    Count(usize),
    /// After this time.
    After(Duration),
}

impl End {
    fn reached(self, sent: usize, elapsed: Duration) -> bool {
        match self {
            Self::Count(count) => sent >= count,
            Self::After(length) => elapsed >= length,
        }
    }
}

/// Sends from the stock until `end`, with `in_flight` transactions on their way, and
/// waits until they are final.
pub(super) async fn saturate(
    options: &Options,
    nodes: &[Connection],
    stock: &mut Stock,
    in_flight: usize,
    end: End,
) -> Result<Arc<Mutex<Book>>> {
    stock.filled().await;
    let start = Instant::now();
    let book = Arc::new(Mutex::new(Book::default()));
    let observer = Observer::start(&options.target.rpc[0], start, book.clone()).await?;
    let lanes = Lanes::open(nodes, &book);
    let mut sent = 0;
    while !end.reached(sent, start.elapsed()) {
        ensure!(!observer.has_failed(), "following the chain failed before the measurement");
        while !end.reached(sent, start.elapsed()) && locked(&book).open() < in_flight {
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
    Ok(book)
}
