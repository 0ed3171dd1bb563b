//! Four nodes on this machine, each a process of the binary with a database on
//! disk, made as `billchain devnet` makes them.

use crate::{
    command::{BINARY, billchain},
    http,
    references::References,
};
use billchain_client::{ClientError, Connection};
use billchain_faults::Plan;
use jsonrpsee::{core::client::ClientT, rpc_params};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tempfile::TempDir;
use tokio::{
    sync::{Mutex, MutexGuard},
    time::sleep,
};

/// The numbers of the nodes.
pub const ALL: [usize; 4] = [1, 2, 3, 4];
/// Settings that make an empty block twice a second.
pub const FAST: &str = "\n[consensus]\nempty_block_interval_ms = 500\n";
/// How long a start, or catching up, may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// What must not come from the environment of the tests.
pub const PASSWORD_ENV: &str = "BILLCHAIN_KEY_PASSWORD";

/// How long a node may take to stop when it is asked to.
const STOP: Duration = Duration::from_secs(30);
/// How often a node is asked when something is waited for.
const POLL: Duration = Duration::from_millis(100);
/// Lines of each log that a failure shows.
const TAIL: usize = 30;

/// Two cores run one network at a time.
static TURN: Mutex<()> = Mutex::const_new(());

/// First of the ports of these tests.
fn base_port() -> u16 {
    match std::env::var("BILLCHAIN_TEST_BASE_PORT") {
        Ok(port) => port.parse().expect("BILLCHAIN_TEST_BASE_PORT is a port"),
        Err(_) => 22_000,
    }
}

/// Where chance begins: `BILLCHAIN_TEST_SEED`, else the clock. A failing test
/// prints it.
pub fn seed() -> u64 {
    let seed = match std::env::var("BILLCHAIN_TEST_SEED") {
        Ok(seed) => seed.parse().expect("BILLCHAIN_TEST_SEED is a number"),
        Err(_) => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            now.expect("the clock is past 1970").as_millis() as u64
        }
    };
    println!("BILLCHAIN_TEST_SEED={seed}");
    seed
}

/// Replaces `from`, which must be there, in a file.
pub fn edit(file: &Path, from: &str, to: &str) {
    let before = fs::read_to_string(file).unwrap();
    assert!(before.contains(from), "{from} is not in {}", file.display());
    fs::write(file, before.replace(from, to)).unwrap();
}

/// Says something even when the test passes.
pub fn report(text: &str) {
    // The test harness does not capture what is written in this way.
    let _ = writeln!(std::io::stderr(), "    {text}");
}

/// A network's files, and the processes that run.
pub struct Network {
    directory: TempDir,
    base_port: u16,
    running: BTreeMap<usize, Child>,
    references: OnceLock<References>,
    _turn: MutexGuard<'static, ()>,
}

/// A block that nodes agree on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Agreement {
    /// Its height.
    pub height: u32,
    /// Its hash.
    pub hash: String,
    /// The root of the state after it.
    pub state_root: String,
}

impl Network {
    /// The files of a new network whose nodes have `settings` at the end of
    /// their configurations. Nothing runs yet. Waits for its turn.
    pub async fn new(settings: &str) -> Self {
        let turn = TURN.lock().await;
        let directory = tempfile::Builder::new().prefix("billchain-test-").tempdir().unwrap();
        let base_port = base_port();
        let place = directory.path().to_str().unwrap();
        billchain(["devnet", "--dir", place, "--base-port", &base_port.to_string()]).succeeded();
        let (running, references) = (BTreeMap::new(), OnceLock::new());
        let network = Self { directory, base_port, running, references, _turn: turn };
        for node in ALL {
            network.configure(node, settings);
        }
        network
    }

    /// As [`Self::new`], and every node runs and has made its first block.
    pub async fn started(settings: &str) -> Self {
        let mut network = Self::new(settings).await;
        network.start(&ALL);
        network.reach(&ALL, 1, PATIENCE).await;
        network
    }

    /// Adds to the configuration of a node.
    pub fn configure(&self, node: usize, settings: &str) {
        let mut file = File::options().append(true).open(self.config(node)).unwrap();
        file.write_all(settings.as_bytes()).unwrap();
    }

    // -- places ---------------------------------------------------------------

    /// Directory of the network.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Directory of a node: configuration, keys, `data`, log.
    pub fn home(&self, node: usize) -> PathBuf {
        self.directory().join(format!("node-{node}"))
    }

    /// Configuration file of a node.
    pub fn config(&self, node: usize) -> PathBuf {
        self.home(node).join("node.toml")
    }

    /// Port of a node's JSON-RPC.
    pub fn rpc_port(&self, node: usize) -> u16 {
        self.base_port + node as u16 - 1
    }

    /// Port of a node's peers: TCP for consensus, UDP for transactions.
    pub fn p2p_port(&self, node: usize) -> u16 {
        self.base_port + 4 + node as u16 - 1
    }

    /// Port of a node's metrics.
    pub fn metrics_port(&self, node: usize) -> u16 {
        self.base_port + 8 + node as u16 - 1
    }

    /// One of four ports that no node has.
    pub fn free_port(&self, number: u16) -> u16 {
        assert!(number < 4);
        self.base_port + 12 + number
    }

    /// URL of a node's JSON-RPC.
    pub fn url(&self, node: usize) -> String {
        format!("http://127.0.0.1:{}", self.rpc_port(node))
    }

    /// Configuration of whoever asks for payer references, for `--references`: the service
    /// starts when it is wanted first.
    pub fn references(&self) -> &str {
        let started = || References::started(&self.directory().join("references"));
        self.references.get_or_init(started).client()
    }

    // -- processes ------------------------------------------------------------

    /// Starts nodes that do not run.
    pub fn start(&mut self, nodes: &[usize]) {
        for &node in nodes {
            self.start_with(node, &[]);
        }
    }

    /// Starts a node through a command that runs what follows its own arguments.
    pub fn start_with(&mut self, node: usize, before: &[String]) {
        let mut words = before.iter().map(String::as_str).chain([BINARY]);
        let mut command = Command::new(words.next().expect("the binary at least"));
        command.args(words);
        self.start_command(node, command, &[]);
    }

    /// Starts a node with more options of `billchain run`.
    pub fn start_with_options(&mut self, node: usize, options: &[&str]) {
        self.start_command(node, Command::new(BINARY), options);
    }

    /// Starts a node whose disk refuses by `plan`; the first refusal is noted in
    /// the file `report`.
    pub fn start_with_faults(&mut self, node: usize, plan: Plan<'_>, report: &Path) {
        let mut command = Command::new(BINARY);
        plan.inject(&mut command, report);
        self.start_command(node, command, &[]);
    }

    fn start_command(&mut self, node: usize, mut command: Command, options: &[&str]) {
        assert!(!self.running.contains_key(&node), "node {node} runs already");
        let log = File::options().create(true).append(true).open(self.log(node)).unwrap();
        let child = command
            .args(["run", "--config"])
            .arg(self.config(node))
            .args(options)
            .env_remove(PASSWORD_ENV)
            .env("BILLCHAIN_LOG", "info")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.running.insert(node, child);
    }

    /// Process of a node that runs.
    pub fn process(&self, node: usize) -> u32 {
        self.running[&node].id()
    }

    /// Lets a stopped node sign nothing up to a height.
    pub fn abstain(&self, node: usize, height: u32) {
        let (config, height) = (self.config(node), height.to_string());
        let words = ["signing-memory", "abstain", "--config", config.to_str().unwrap()];
        billchain(words.into_iter().chain(["--up-to", &height])).succeeded();
    }

    /// Waits until a node has ended by itself: its exit code and its log.
    pub async fn ended(&mut self, node: usize, patience: Duration) -> (Option<i32>, String) {
        let mut child = self.running.remove(&node).expect("it runs");
        let deadline = Instant::now() + patience;
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > deadline {
                child.kill().unwrap();
                child.wait().unwrap();
                panic!("node {node} runs on after {patience:?}");
            }
            sleep(POLL).await;
        };
        let log = fs::read(self.log(node)).unwrap_or_default();
        (status.code(), String::from_utf8_lossy(&log).into_owned())
    }

    /// SIGTERM: the nodes stop gently, with exit code 0.
    pub async fn stop(&mut self, nodes: &[usize]) {
        for node in nodes {
            let id = self.running[node].id();
            let sent = Command::new("sh").args(["-c", &format!("kill -TERM {id}")]).status();
            assert!(sent.unwrap().success(), "node {node} could not be signalled");
        }
        let deadline = Instant::now() + STOP;
        for node in nodes {
            let child = self.running.get_mut(node).unwrap();
            let status = loop {
                if let Some(status) = child.try_wait().unwrap() {
                    break status;
                }
                assert!(Instant::now() < deadline, "node {node} runs {STOP:?} after SIGTERM");
                sleep(Duration::from_millis(20)).await;
            };
            assert!(status.success(), "node {node} stopped with {status}");
            self.running.remove(node);
        }
    }

    /// SIGKILL, to all of them before the first one's end is waited for.
    pub fn kill(&mut self, nodes: &[usize]) {
        for node in nodes {
            self.running.get_mut(node).unwrap().kill().unwrap();
        }
        for node in nodes {
            self.running.remove(node).unwrap().wait().unwrap();
        }
    }

    /// That no started node has ended by itself.
    pub fn assert_running(&mut self) {
        for (node, child) in &mut self.running {
            if let Some(status) = child.try_wait().unwrap() {
                panic!("node {node} ended by itself: {status}");
            }
        }
    }

    /// Stops what runs, and looks for panics in the logs.
    pub async fn finish(mut self) {
        self.assert_running();
        let running: Vec<usize> = self.running.keys().copied().collect();
        self.stop(&running).await;
        for node in ALL {
            let log = fs::read(self.log(node)).unwrap_or_default();
            let log = String::from_utf8_lossy(&log);
            assert!(!log.contains("panicked"), "a panic in the log of node {node}:\n{log}");
        }
    }

    /// What a node has written so far: standard output and standard error.
    pub fn log(&self, node: usize) -> PathBuf {
        self.home(node).join("log")
    }

    // -- questions ------------------------------------------------------------

    /// A connection to a node, as soon as it answers.
    pub async fn client(&mut self, node: usize) -> Connection {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.assert_running();
            match Connection::open(&self.url(node)).await {
                Ok(client) => return client,
                Err(error) => {
                    assert!(Instant::now() < deadline, "node {node} does not answer: {error}")
                }
            }
            sleep(POLL).await;
        }
    }

    /// Height of a node.
    pub async fn height(&mut self, node: usize) -> u32 {
        let client = self.client(node).await;
        height(&client).await.unwrap_or_else(|error| panic!("height of node {node}: {error}"))
    }

    /// The largest height of some nodes.
    pub async fn top(&mut self, nodes: &[usize]) -> u32 {
        let mut top = 0;
        for &node in nodes {
            top = top.max(self.height(node).await);
        }
        top
    }

    /// Waits until nodes are at least this high, all within `patience`.
    pub async fn reach(&mut self, nodes: &[usize], height: u32, patience: Duration) {
        let deadline = Instant::now() + patience;
        for &node in nodes {
            loop {
                self.assert_running();
                let at = match Connection::open(&self.url(node)).await {
                    Ok(client) => self::height(&client).await,
                    Err(error) => Err(error),
                };
                if at.as_ref().is_ok_and(|at| *at >= height) {
                    break;
                }
                assert!(
                    Instant::now() < deadline,
                    "node {node} is not at block {height} after {patience:?}: {at:?}"
                );
                sleep(POLL).await;
            }
        }
    }

    /// Waits until nodes are `blocks` above the highest of them.
    pub async fn go_on(&mut self, nodes: &[usize], blocks: u32, patience: Duration) {
        let top = self.top(nodes).await;
        self.reach(nodes, top + blocks, patience).await;
    }

    /// That nodes have one hash and one state root at the lowest one's height.
    pub async fn agree(&mut self, nodes: &[usize]) -> Agreement {
        let mut height = u32::MAX;
        for &node in nodes {
            height = height.min(self.height(node).await);
        }
        let mut agreed: Option<Agreement> = None;
        for &node in nodes {
            let client = self.client(node).await;
            let found = block_at(&client, height).await;
            let expected = agreed.get_or_insert_with(|| found.clone());
            assert_eq!(&found, expected, "node {node} differs from node {}", nodes[0]);
        }
        agreed.expect("there are nodes to ask")
    }

    /// What a node serves at `/metrics`.
    pub async fn exposition(&mut self, node: usize) -> String {
        http::get(self.metrics_port(node), "/metrics").await.1
    }

    /// One number of [`Self::exposition`].
    pub async fn metric(&mut self, node: usize, name: &str) -> u64 {
        let answer = self.exposition(node).await;
        let line = answer.lines().find(|line| line.split(' ').next() == Some(name));
        let value = line.and_then(|line| line.split(' ').nth(1)?.parse().ok());
        value.unwrap_or_else(|| panic!("{name} is no number in the metrics:\n{answer}"))
    }

    /// Waits until a number of [`Self::exposition`] is as asked; the node may be starting.
    pub async fn until_metric(
        &mut self,
        node: usize,
        name: &str,
        patience: Duration,
        is: impl Fn(u64) -> bool,
    ) {
        let deadline = Instant::now() + patience;
        self.client(node).await;
        loop {
            let value = self.metric(node, name).await;
            if is(value) {
                return;
            }
            assert!(Instant::now() < deadline, "{name} of node {node} is {value}");
            sleep(POLL).await;
        }
    }

    /// Waits until a node that began from a state has the blocks before it, and their index.
    pub async fn until_whole(&mut self, node: usize, patience: Duration) {
        self.until_metric(node, "billchain_state_sync_index_gap", patience, |gap| gap == 0).await;
        self.until_metric(node, "billchain_state_sync_first_block", patience, |at| at == 1).await;
    }
}

async fn height(client: &Connection) -> Result<u32, ClientError> {
    let header = header(client, None).await?;
    let number = header["number"].as_str().expect("a header has a number");
    Ok(u32::from_str_radix(number.trim_start_matches("0x"), 16).expect("in hex"))
}

async fn header(client: &Connection, hash: Option<&str>) -> Result<Value, ClientError> {
    let method = "chain_getHeader";
    client.raw().request(method, rpc_params![hash]).await.map_err(|source| ClientError::Transport {
        url: "the node".to_owned(),
        method,
        source,
    })
}

async fn block_at(client: &Connection, height: u32) -> Agreement {
    let hash: String =
        client.raw().request("chain_getBlockHash", rpc_params![height]).await.unwrap();
    let header = header(client, Some(&hash)).await.unwrap();
    let state_root = header["stateRoot"].as_str().expect("a header has a state root").to_owned();
    Agreement { height, hash, state_root }
}

impl Drop for Network {
    fn drop(&mut self) {
        for child in self.running.values_mut() {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            for node in ALL {
                let log = fs::read(self.log(node)).unwrap_or_default();
                let log = String::from_utf8_lossy(&log);
                let lines: Vec<&str> = log.lines().collect();
                let tail = lines[lines.len().saturating_sub(TAIL)..].join("\n");
                eprintln!("--- end of the log of node {node}:\n{tail}");
            }
            self.directory.disable_cleanup(true);
            eprintln!("--- kept for inspection: {}", self.directory().display());
        }
    }
}
