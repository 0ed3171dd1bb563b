//! Four nodes on this machine, each a process of `billchain`, made as `billchain devnet` makes
//! them.

use billchain_chain_spec::ChainSpec;
use billchain_client::Connection;
use billchain_explorer_indexer::Settings;
use std::{
    fs::{self, File},
    io::Write,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::{
    sync::{Mutex, MutexGuard},
    time::sleep,
};

/// How long something may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(100);
/// Two cores run one network at a time.
static TURN: Mutex<()> = Mutex::const_new(());

/// The node's program, which Cargo builds beside these tests.
fn program() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().unwrap().parent().unwrap().join("billchain");
    assert!(program.exists(), "{} is missing: cargo test --workspace builds it", program.display());
    program
}

/// First of the ports of these tests.
fn base_port() -> u16 {
    match std::env::var("BILLCHAIN_TEST_BASE_PORT") {
        Ok(port) => port.parse::<u16>().expect("BILLCHAIN_TEST_BASE_PORT is a port") + 16,
        Err(_) => 22_016,
    }
}

/// Four nodes that run.
pub struct Network {
    directory: TempDir,
    base_port: u16,
    running: Vec<Option<Child>>,
    _turn: MutexGuard<'static, ()>,
}

impl Network {
    /// A new one, which makes an empty block twice a second.
    pub async fn started() -> Self {
        let turn = TURN.lock().await;
        let directory = tempfile::Builder::new().prefix("billchain-index-").tempdir().unwrap();
        let base_port = base_port();
        let made = Command::new(program())
            .args(["devnet", "--dir"])
            .arg(directory.path())
            .args(["--base-port", &base_port.to_string()])
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(made.success(), "billchain devnet: {made}");
        let mut network = Self { directory, base_port, running: Vec::new(), _turn: turn };
        for node in 1..=4 {
            let mut config = File::options().append(true).open(network.config(node)).unwrap();
            writeln!(config, "\n[consensus]\nempty_block_interval_ms = 500").unwrap();
            network.running.push(None);
            network.start(node);
        }
        network
    }

    fn config(&self, node: usize) -> PathBuf {
        self.directory.path().join(format!("node-{node}/node.toml"))
    }

    fn start(&mut self, node: usize) {
        let log = self.directory.path().join(format!("node-{node}/log"));
        let log = File::options().create(true).append(true).open(log).unwrap();
        let child = Command::new(program())
            .args(["run", "--config"])
            .arg(self.config(node))
            .env_remove("BILLCHAIN_KEY_PASSWORD")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.running[node - 1] = Some(child);
    }

    /// SIGKILL.
    pub fn kill(&mut self, node: usize) {
        let mut child = self.running[node - 1].take().expect("it runs");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Port of a node's JSON-RPC.
    pub fn port(&self, node: usize) -> u16 {
        self.base_port + u16::try_from(node).unwrap() - 1
    }

    /// URL of a node's JSON-RPC.
    pub fn url(&self, node: usize) -> String {
        format!("http://127.0.0.1:{}", self.port(node))
    }

    /// A connection to a node, as soon as it answers.
    pub async fn client(&self, node: usize) -> Connection {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match Connection::open(&self.url(node)).await {
                Ok(client) => return client,
                Err(error) => assert!(Instant::now() < deadline, "node {node}: {error}"),
            }
            sleep(POLL).await;
        }
    }

    /// Settings of an indexer that asks these nodes.
    pub fn settings(&self, tables: String, nodes: Vec<String>) -> Settings {
        let text = fs::read_to_string(self.spec()).unwrap();
        Settings { tables, nodes, spec: ChainSpec::from_json(&text).unwrap(), genesis: None }
    }

    /// The chain's specification.
    pub fn spec(&self) -> PathBuf {
        self.directory.path().join("chain.json")
    }

    /// A new SQLite file.
    pub fn sqlite(&self, name: &str) -> String {
        format!("sqlite://{}/{name}.db", self.directory.path().display())
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for child in self.running.iter_mut().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
