//! A network of nodes on loopback.

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use billchain_consensus::{
    ChainDomain, ConsensusConfig, ConsensusError, ConsensusHandle, HeldKeys, Keypair, Multiaddr,
    NodeIdentity, Validator, ValidatorSet, spawn,
};
use billchain_crypto::sm2::SecretKey;
use billchain_primitives::Hash;
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};

use crate::app::{MemoryChain, Shared};

/// Two cores cannot run several networks at once and keep their timeouts.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// The chain all tests run.
pub fn domain() -> ChainDomain {
    ChainDomain::new(Hash::repeat_byte(7))
}

/// One node: its keys, its chain, and its consensus while it runs.
pub struct Node {
    pub name: String,
    pub network_key: Keypair,
    pub validator_key: Option<SecretKey>,
    /// Keys that it holds beside.
    pub more_keys: Vec<SecretKey>,
    pub address: Multiaddr,
    pub chain: Arc<MemoryChain>,
    pub handle: Option<ConsensusHandle>,
    pub directory: PathBuf,
}

/// Nodes that know each other.
pub struct Net {
    pub nodes: Vec<Node>,
    pub validators: ValidatorSet,
    tune: fn(&mut ConsensusConfig),
    directory: TempDir,
    _turn: MutexGuard<'static, ()>,
}

/// A free port below the range that the system gives to outgoing connections:
/// one from that range may be taken between a node's stop and its start.
fn free_port() -> u16 {
    static NEXT: std::sync::atomic::AtomicU16 = std::sync::atomic::AtomicU16::new(23_000);
    (0..5_000)
        .map(|_| NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("loopback has free ports")
}

pub fn network_key(seed: u8) -> Keypair {
    Keypair::ed25519_from_bytes([seed; 32]).expect("32 bytes are a key")
}

pub fn validator_key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed])
}

fn address(key: &Keypair) -> Multiaddr {
    let peer = key.public().to_peer_id();
    format!("/ip4/127.0.0.1/tcp/{}/p2p/{peer}", free_port()).parse().expect("a literal address")
}

impl Net {
    /// `count` validators of equal power; none runs yet.
    pub async fn new(name: &str, count: u8, tune: fn(&mut ConsensusConfig)) -> Self {
        let turn = ONE_AT_A_TIME.lock().await;
        let _ = tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
            .with_test_writer()
            .try_init();
        let directory = tempfile::tempdir().expect("a temporary directory");
        let keys: Vec<_> =
            (1..=count).map(|seed| (network_key(seed), validator_key(seed))).collect();
        let validators =
            ValidatorSet::new(keys.iter().map(|(_, key)| Validator::new(key.public(), 1)))
                .expect("distinct keys");
        let addresses: Vec<_> = keys.iter().map(|(key, _)| address(key)).collect();
        let nodes = keys
            .into_iter()
            .zip(&addresses)
            .enumerate()
            .map(|(index, ((network_key, validator_key), address))| Node {
                name: format!("{name}-{index}"),
                network_key,
                validator_key: Some(validator_key),
                more_keys: Vec::new(),
                address: address.clone(),
                chain: MemoryChain::new(validators.clone(), addresses.clone()),
                handle: None,
                directory: directory.path().join(index.to_string()),
            })
            .collect();
        Self { nodes, validators, tune, directory, _turn: turn }
    }

    /// Only the first node knows where the others are: they are connected by it alone.
    pub fn into_star(mut self) -> Self {
        let nowhere: Vec<_> = self.nodes.iter().map(|node| address(&node.network_key)).collect();
        for node in &mut self.nodes[1..] {
            node.chain = MemoryChain::new(self.validators.clone(), nowhere.clone());
        }
        self
    }

    /// Adds a node that is not a validator and knows all others; whether they
    /// know it is up to the test.
    pub fn add(&mut self, seed: u8, validator_key: Option<SecretKey>) -> usize {
        let network_key = network_key(seed);
        let address = address(&network_key);
        let mut peers: Vec<_> = self.nodes.iter().map(|node| node.address.clone()).collect();
        peers.push(address.clone());
        let index = self.nodes.len();
        self.nodes.push(Node {
            name: format!("added-{seed}-{index}"),
            network_key,
            validator_key,
            more_keys: Vec::new(),
            address,
            chain: MemoryChain::new(self.validators.clone(), peers),
            handle: None,
            directory: self.directory.path().join(index.to_string()),
        });
        index
    }

    pub async fn start(&mut self, index: usize) {
        self.try_start(index).await.expect("the node starts");
    }

    pub async fn try_start(&mut self, index: usize) -> Result<(), ConsensusError> {
        let node = &mut self.nodes[index];
        let text = node.address.to_string();
        let (listen, _) = text.split_once("/p2p/").expect("addresses name a peer");
        let mut config = ConsensusConfig {
            name: node.name.clone(),
            directory: node.directory.clone(),
            listen: listen.parse().expect("an address without a peer"),
            timeout_propose: Duration::from_millis(1000),
            build_time: Duration::from_millis(200),
            timeout_prevote: Duration::from_millis(300),
            timeout_precommit: Duration::from_millis(300),
            empty_interval: Duration::from_millis(250),
            ..ConsensusConfig::default()
        };
        (self.tune)(&mut config);
        let identity = NodeIdentity {
            domain: domain(),
            network_key: node.network_key.clone(),
            keys: HeldKeys::fixed(node.validator_key.iter().chain(&node.more_keys).cloned()),
        };
        let app = Arc::new(Shared(node.chain.clone()));
        node.handle = Some(spawn(config, identity, app).await?);
        Ok(())
    }

    /// A stopped node loses its chain, and keeps its other files.
    pub fn empty(&mut self, index: usize) {
        let peers = self.nodes.iter().map(|node| node.address.clone()).collect();
        self.nodes[index].chain = MemoryChain::new(self.validators.clone(), peers);
    }

    pub async fn start_all(&mut self) {
        for index in 0..self.nodes.len() {
            self.start(index).await;
        }
    }

    pub async fn stop(&mut self, index: usize) {
        let handle = self.nodes[index].handle.take().expect("the node runs");
        handle.stop().await.expect("the node stops without an error");
    }

    pub async fn stop_all(&mut self) {
        for index in 0..self.nodes.len() {
            if self.nodes[index].handle.is_some() {
                self.stop(index).await;
            }
        }
    }

    /// Waits until these nodes have committed `height`.
    pub async fn reach(&self, indices: &[usize], height: u64, patience: Duration) {
        let done = || indices.iter().all(|index| self.nodes[*index].chain.height() >= height);
        let begin = Instant::now();
        while !done() {
            assert!(
                begin.elapsed() < patience,
                "heights {:?} after {patience:?}, expected {height} at {indices:?}",
                self.nodes.iter().map(|node| node.chain.height()).collect::<Vec<_>>()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Highest height any node has committed.
    pub fn top(&self) -> u64 {
        self.nodes.iter().map(|node| node.chain.height()).max().unwrap_or(0)
    }

    /// Asserts that all nodes have the same blocks as far as they go, each with
    /// a certificate that verifies.
    pub fn assert_one_chain(&self) {
        for height in 1..=self.top() {
            let hashes: Vec<_> =
                self.nodes.iter().filter_map(|node| node.chain.hash(height)).collect();
            assert!(hashes.windows(2).all(|pair| pair[0] == pair[1]), "fork at height {height}");
            for block in self.nodes.iter().filter_map(|node| node.chain.block(height)) {
                assert_eq!(block.certificate.height.get(), height);
                assert_eq!(Hash::from(block.certificate.block_hash), hashes[0]);
                let validators = self.nodes[0].chain.validators(height);
                block.certificate.verify(&domain(), &validators).expect("valid certificate");
            }
        }
    }
}
