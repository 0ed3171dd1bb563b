//! Follows the chain at one node: a subscription says when a block is final,
//! and its transactions are fetched and named by their hashes.

use super::book::{Book, SeenBlock};
use anyhow::{Context, Result, ensure};
use billchain_primitives::{Hash, transaction_hash};
use jsonrpsee::{
    core::client::{ClientT, Subscription, SubscriptionClientT},
    rpc_params,
    ws_client::{WsClient, WsClientBuilder},
};
use serde::Deserialize;
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};

/// How long one answer may take on a machine that is busy.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Heads that may be announced before their blocks are fetched.
const MAX_AHEAD: usize = 1 << 16;
/// Largest answer, in bytes.
const MAX_ANSWER: u32 = 64 << 20;

/// Follows the chain and keeps the books.
pub(crate) struct Observer {
    task: JoinHandle<Result<()>>,
    stop: watch::Sender<bool>,
}

#[derive(Deserialize)]
struct Header {
    number: String,
}

impl Header {
    fn height(&self) -> Result<u32> {
        Ok(u32::from_str_radix(self.number.trim_start_matches("0x"), 16)?)
    }
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
    /// Begins with the block after the head; times count from `start`.
    pub(crate) async fn start(url: &str, start: Instant, book: Arc<Mutex<Book>>) -> Result<Self> {
        let url = url.replacen("http", "ws", 1);
        let client = WsClientBuilder::default()
            .request_timeout(TIMEOUT)
            .max_response_size(MAX_ANSWER)
            .build(&url)
            .await
            .with_context(|| format!("cannot follow the chain at {url}"))?;
        let mut heads: Subscription<Header> = client
            .subscribe(
                "chain_subscribeFinalizedHeads",
                rpc_params![],
                "chain_unsubscribeFinalizedHeads",
            )
            .await?;
        let first = heads.next().await.context("the subscription ended")??.height()?;
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(async move {
            let mut follower = Follower { client, start, book, seen: first };
            follower.follow(heads, stopped).await
        });
        Ok(Self { task, stop })
    }

    /// Whether it ended by itself, which it does on an error only.
    pub(crate) fn has_failed(&self) -> bool {
        self.task.is_finished()
    }

    /// Ends.
    pub(crate) async fn finish(self) -> Result<()> {
        self.stop.send_replace(true);
        self.task.await.context("the observer failed")?
    }
}

struct Follower {
    client: WsClient,
    start: Instant,
    book: Arc<Mutex<Book>>,
    /// Height of the newest block in the book.
    seen: u32,
}

/// Tells of each head when it is announced, until nobody listens.
async fn hear(
    mut heads: Subscription<Header>,
    start: Instant,
    announce: mpsc::Sender<(u32, Duration)>,
) -> Result<()> {
    loop {
        let head = heads.next().await.context("the node ended the subscription")??;
        if announce.send((head.height()?, start.elapsed())).await.is_err() {
            return Ok(());
        }
    }
}

impl Follower {
    /// Heads are heard while blocks are fetched, so that when one was final does not
    /// depend on how soon a busy node gives the blocks.
    async fn follow(
        &mut self,
        heads: Subscription<Header>,
        stopped: watch::Receiver<bool>,
    ) -> Result<()> {
        let (announce, announced) = mpsc::channel(MAX_AHEAD);
        tokio::select! {
            heard = hear(heads, self.start, announce) => heard,
            fetched = self.fetch_all(announced, stopped) => fetched,
        }
    }

    async fn fetch_all(
        &mut self,
        mut announced: mpsc::Receiver<(u32, Duration)>,
        mut stopped: watch::Receiver<bool>,
    ) -> Result<()> {
        loop {
            let (newest, at) = tokio::select! {
                _ = stopped.wait_for(|stopped| *stopped) => return Ok(()),
                head = announced.recv() => head.context("no head is announced any more")?,
            };
            while self.seen < newest {
                self.seen += 1;
                let height = self.seen;
                self.fetch(height, at).await.with_context(|| format!("block {height}"))?;
            }
        }
    }

    async fn fetch(&self, height: u32, at: Duration) -> Result<()> {
        let hash: Hash = self.client.request("chain_getBlockHash", rpc_params![height]).await?;
        let block: SignedBlock = self.client.request("chain_getBlock", rpc_params![hash]).await?;
        let mut seen = SeenBlock { height, at, hashes: Vec::new(), bytes: 0 };
        let mut bytes = Vec::new();
        for extrinsic in &block.block.extrinsics {
            let digits = extrinsic.trim_start_matches("0x");
            bytes.resize(digits.len() / 2, 0);
            hex::decode_to_slice(digits, &mut bytes)?;
            seen.bytes += bytes.len();
            seen.hashes.push(transaction_hash(&bytes));
        }
        ensure!(!seen.hashes.is_empty(), "it has no timestamp");
        self.book.lock().expect("nobody panics with the book; qed").block(seen);
        Ok(())
    }
}
