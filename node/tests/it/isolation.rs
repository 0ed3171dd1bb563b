//! Clients' requests and consensus share no thread: while every node is flooded
//! with the dearest methods, votes come as quickly as without.

use crate::network::{ALL, FAST, Network, report};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    runtime::Runtime,
    time::sleep,
};

/// How long blocks are watched.
const WATCHED: Duration = Duration::from_secs(6);
/// Connections to each node that ask without end.
const CONNECTIONS: usize = 96;
/// Clients are elsewhere: their own work takes no time from the nodes.
const CLIENT_NICENESS: i32 = 19;

/// How the nodes decided some blocks, on average.
#[derive(Debug)]
struct Pace {
    /// Seconds from one block to the next.
    interval: f64,
    /// Seconds from a node's own votes to two thirds of all.
    votes: f64,
    /// Rounds that failed.
    failed: f64,
}

/// Sums that the nodes have counted.
#[derive(Default)]
struct Counted {
    blocks: f64,
    interval: f64,
    votes: f64,
    rounds: f64,
}

/// The sum of a metric's values that have a label.
fn sum(exposition: &str, name: &str, label: &str) -> f64 {
    let is_of = |line: &&str| {
        line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']))
            && line.contains(label)
    };
    let lines = exposition.lines().filter(is_of);
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

impl Counted {
    async fn of(network: &mut Network) -> Self {
        let mut counted = Self::default();
        for node in ALL {
            let text = network.exposition(node).await;
            let interval = "billchain_consensus_block_interval_seconds";
            counted.blocks += sum(&text, &format!("{interval}_count"), "");
            counted.interval += sum(&text, &format!("{interval}_sum"), "");
            for step in ["Prevote", "Precommit"] {
                let name = "malachitebft_core_consensus_time_per_step_sum";
                counted.votes += sum(&text, name, &format!("step=\"{step}\""));
            }
            counted.rounds += sum(&text, "malachitebft_core_consensus_consensus_round_sum", "");
        }
        counted
    }
}

impl Pace {
    async fn of(network: &mut Network) -> Self {
        let before = Counted::of(network).await;
        sleep(WATCHED).await;
        let after = Counted::of(network).await;
        let blocks = after.blocks - before.blocks;
        assert!(blocks > 0.0, "no block in {WATCHED:?}");
        Self {
            interval: (after.interval - before.interval) / blocks,
            votes: (after.votes - before.votes) / blocks,
            failed: after.rounds - before.rounds,
        }
    }
}

fn call(method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
}

/// The dearest requests: of the threads for dear methods, of the quick ones, and
/// of those that read and write sockets.
fn requests() -> Vec<String> {
    let light = vec![call("participant_list", json!([])); 100];
    let long = "0".repeat(1_000_000);
    [
        call("state_getMetadata", json!([])),
        call("state_getKeysPaged", json!(["0x", 1_000])),
        json!(light),
        call("rpc.discover", json!([])),
        call("author_submitExtrinsic", json!([format!("0x{long}")])),
        call("state_call", json!(["Metadata_metadata", "0x"])),
    ]
    .iter()
    .map(|request| {
        let body = request.to_string();
        let length = body.len();
        format!(
            "POST / HTTP/1.1\r\nHost: node\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
    })
    .collect()
}

/// Connections that ask until they are dropped.
struct Flood {
    clients: Runtime,
    answered: Arc<AtomicU64>,
}

impl Flood {
    fn start(network: &Network) -> Self {
        let lower = || {
            let thread = rustix::thread::gettid();
            rustix::process::setpriority_process(Some(thread), CLIENT_NICENESS).unwrap();
        };
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let clients =
            builder.worker_threads(1).on_thread_start(lower).enable_all().build().unwrap();
        let (requests, answered) = (Arc::new(requests()), Arc::new(AtomicU64::new(0)));
        for node in ALL {
            for first in 0..CONNECTIONS {
                let (port, answered) = (network.rpc_port(node), answered.clone());
                let requests = requests.clone();
                clients.spawn(async move {
                    let request = requests[first % requests.len()].as_bytes();
                    // A connection that had to give way is made again.
                    while ask(port, request, &answered).await.is_err() {}
                });
            }
        }
        Self { clients, answered }
    }

    fn end(self) -> u64 {
        self.clients.shutdown_background();
        self.answered.load(Ordering::Relaxed)
    }
}

/// Asks the same on one connection again and again, and reads every answer.
async fn ask(port: u16, request: &[u8], answered: &AtomicU64) -> std::io::Result<()> {
    let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", port)).await?);
    loop {
        stream.write_all(request).await?;
        let (mut line, mut length) = (String::new(), 0);
        while line != "\r\n" {
            line.clear();
            if stream.read_line(&mut line).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(found) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = found.trim().parse().unwrap();
            }
        }
        tokio::io::copy(&mut (&mut stream).take(length), &mut tokio::io::sink()).await?;
        answered.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_flood_of_dear_requests_delays_votes() {
    let mut network = Network::started(FAST).await;
    let quiet = Pace::of(&mut network).await;
    let flood = Flood::start(&network);
    sleep(Duration::from_secs(1)).await;
    let flooded = Pace::of(&mut network).await;
    let answered = flood.end();
    report(&format!("{answered} answers; {quiet:?} without, {flooded:?} with"));
    assert!(answered > 200, "{answered} answers are no flood");
    assert!(quiet.votes > 0.0, "no step of votes was counted: {quiet:?}");
    assert!(flooded.interval < 1.5 * quiet.interval, "{flooded:?}, {quiet:?} without");
    // On threads of consensus, requests make votes eight times as slow.
    assert!(flooded.votes < 3.0 * quiet.votes + 0.01, "{flooded:?}, {quiet:?} without");
    assert!(flooded.failed <= quiet.failed + 4.0, "{flooded:?}, {quiet:?} without");
    network.agree(&ALL).await;
    network.finish().await;
}
