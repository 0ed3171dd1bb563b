//! Follows the chain at one node: a subscription says when a block is final,
//! and its transactions are fetched and named by their hashes.

use super::book::{Book, SeenBlock};
use anyhow::{Context, Result, anyhow, ensure};
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
    time::sleep,
};

/// How long one answer may take on a machine that is busy.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How long a node may be away that restarts.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pause before it is tried again.
const PAUSE: Duration = Duration::from_millis(200);
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
        let (client, mut heads) = connect(&url).await?;
        let first = heads.next().await.context("the subscription ended")??.height()?;
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(async move {
            let follower = Follower { url, client, start, book, seen: first };
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

/// A connection to the node, and its final heads from now on.
async fn connect(url: &str) -> Result<(WsClient, Subscription<Header>)> {
    let client = WsClientBuilder::default()
        .request_timeout(TIMEOUT)
        .max_response_size(MAX_ANSWER)
        .build(url)
        .await
        .with_context(|| format!("cannot follow the chain at {url}"))?;
    let heads = client
        .subscribe(
            "chain_subscribeFinalizedHeads",
            rpc_params![],
            "chain_unsubscribeFinalizedHeads",
        )
        .await?;
    Ok((client, heads))
}

/// Why a connection was followed no further.
enum End {
    /// Whoever follows has had enough.
    Stopped,
    /// The connection ended; the chain may be followed over another.
    Lost(anyhow::Error),
}

struct Follower {
    url: String,
    client: WsClient,
    start: Instant,
    book: Arc<Mutex<Book>>,
    /// Height of the newest block in the book.
    seen: u32,
}

/// Tells of each head when it is announced, until the connection ends.
async fn hear(
    mut heads: Subscription<Header>,
    start: Instant,
    announce: mpsc::Sender<(u32, Duration)>,
) -> Result<End> {
    loop {
        let Some(Ok(head)) = heads.next().await else {
            return Ok(End::Lost(anyhow!("the node ended the subscription")));
        };
        if announce.send((head.height()?, start.elapsed())).await.is_err() {
            return Ok(End::Stopped);
        }
    }
}

impl Follower {
    /// Follows until it is stopped. A node that restarts is followed again, and the
    /// blocks that it missed are fetched with the first head after it.
    async fn follow(
        mut self,
        mut heads: Subscription<Header>,
        mut stopped: watch::Receiver<bool>,
    ) -> Result<()> {
        loop {
            let seen = self.seen;
            let End::Lost(mut reason) = self.follow_once(heads, stopped.clone()).await? else {
                return Ok(());
            };
            let patience = Instant::now() + PATIENCE;
            heads = loop {
                ensure!(Instant::now() < patience, "{reason:#}");
                match connect(&self.url).await {
                    Ok((client, heads)) => {
                        self.client = client;
                        break heads;
                    }
                    Err(error) => reason = error,
                }
                tokio::select! {
                    () = sleep(PAUSE) => {}
                    _ = stopped.wait_for(|stopped| *stopped) => return Ok(()),
                }
            };
            // A node that ends each connection at once gets nowhere.
            if self.seen == seen {
                sleep(PAUSE).await;
            }
        }
    }

    /// Heads are heard while blocks are fetched, so that when one was final does not
    /// depend on how soon a busy node gives the blocks.
    async fn follow_once(
        &mut self,
        heads: Subscription<Header>,
        stopped: watch::Receiver<bool>,
    ) -> Result<End> {
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
    ) -> Result<End> {
        loop {
            let (newest, at) = tokio::select! {
                _ = stopped.wait_for(|stopped| *stopped) => return Ok(End::Stopped),
                head = announced.recv() => head.context("no head is announced any more")?,
            };
            while self.seen < newest {
                let height = self.seen + 1;
                match self.fetch(height, at).await {
                    Ok(()) => self.seen = height,
                    Err(error) if !self.client.is_connected() => return Ok(End::Lost(error)),
                    Err(error) => return Err(error.context(format!("block {height}"))),
                }
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
