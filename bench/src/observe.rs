//! Watches the chain while load runs: which transactions each final block
//! holds, and when it was seen.

use crate::load::Sent;
use anyhow::{Context, Result};
use billchain_client::Connection;
use billchain_primitives::{Hash, transaction_hash};
use jsonrpsee::{core::client::ClientT, rpc_params};
use serde::Deserialize;
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};
use tokio::{sync::watch, task::JoinHandle};

/// How often the head is asked for: the resolution of latencies.
const POLL: Duration = Duration::from_millis(20);

/// A block as it was seen.
pub(crate) struct SeenBlock {
    /// When it was seen to be final.
    pub(crate) at: Instant,
    /// Transactions in it, inherents included.
    pub(crate) transactions: usize,
    /// Bytes of its transactions.
    pub(crate) bytes: usize,
}

/// What was seen.
#[derive(Default)]
pub(crate) struct Seen {
    /// When each transaction was seen in a final block.
    pub(crate) transactions: HashMap<Hash, Instant>,
    /// The blocks, in order.
    pub(crate) blocks: Vec<SeenBlock>,
}

/// Follows the chain at one node.
pub(crate) struct Observer {
    task: JoinHandle<Result<Seen>>,
    count: watch::Receiver<usize>,
    stop: watch::Sender<bool>,
}

#[derive(Deserialize)]
struct Header {
    number: String,
}

#[derive(Deserialize)]
struct Body {
    extrinsics: Vec<String>,
}

#[derive(Deserialize)]
struct SignedBlock {
    block: Body,
}

impl Observer {
    /// Begins with the next block.
    pub(crate) async fn start(url: &str) -> Result<Self> {
        let node = Connection::open(url).await?;
        let head = height(&node).await?;
        let (stop, stopped) = watch::channel(false);
        let (counted, count) = watch::channel(0);
        let task = tokio::spawn(follow(node, head, stopped, counted));
        Ok(Self { task, count, stop })
    }

    /// Waits until everything accepted was seen, at most `patience`.
    pub(crate) async fn finish(self, sent: &Sent, patience: Duration) -> Result<Seen> {
        let Self { task, mut count, stop } = self;
        let wanted = sent.accepted.len();
        // Others' transactions count too: what is missing is found by hash.
        let enough = count.wait_for(|seen| *seen >= wanted);
        let _ = tokio::time::timeout(patience, enough).await;
        tokio::time::sleep(4 * POLL).await;
        stop.send_replace(true);
        task.await.context("the observer failed")?
    }
}

async fn height(node: &Connection) -> Result<u32> {
    let header: Header = node.raw().request("chain_getHeader", rpc_params![]).await?;
    Ok(u32::from_str_radix(header.number.trim_start_matches("0x"), 16)?)
}

async fn follow(
    node: Connection,
    mut head: u32,
    stopped: watch::Receiver<bool>,
    counted: watch::Sender<usize>,
) -> Result<Seen> {
    let mut seen = Seen::default();
    loop {
        let last = *stopped.borrow();
        let newest = height(&node).await?;
        let at = Instant::now();
        while head < newest {
            head += 1;
            let hash: Hash = node.raw().request("chain_getBlockHash", rpc_params![head]).await?;
            let block: SignedBlock =
                node.raw().request("chain_getBlock", rpc_params![hash]).await?;
            let mut bytes = 0;
            for extrinsic in &block.block.extrinsics {
                let encoded = hex::decode(extrinsic.trim_start_matches("0x"))?;
                bytes += encoded.len();
                seen.transactions.insert(transaction_hash(&encoded), at);
            }
            seen.blocks.push(SeenBlock { at, transactions: block.block.extrinsics.len(), bytes });
            // The timestamp of each block is no transaction of ours.
            counted.send_replace(seen.transactions.len() - seen.blocks.len());
        }
        if last {
            return Ok(seen);
        }
        tokio::time::sleep(POLL).await;
    }
}
