//! Gossip over real QUIC sockets on the loopback interface.

mod fetching;
mod hostile;
mod passing_on;
mod questions;
mod raw;

use crate::chain::{Chain, Tx, pool};
use billchain_primitives::Hash;
use billchain_txpool::{
    Pool, PoolConfig, Source,
    gossip::{self, GossipConfig, GossipHandle, GossipLimits, Peer},
};
use codec::Encode;
use libp2p::{Multiaddr, PeerId, identity::Keypair};
use std::{
    net::UdpSocket,
    sync::Arc,
    time::{Duration, Instant},
};

const GENESIS: Hash = Hash::repeat_byte(1);
/// Rules of every node here.
const RULES: u32 = 3;
const PATIENCE: Duration = Duration::from_secs(30);

fn limits() -> GossipLimits {
    GossipLimits {
        linger: Duration::from_millis(5),
        retry_min: Duration::from_millis(100),
        retry_max: Duration::from_millis(400),
        announce_again_after: Duration::from_secs(3_600),
        ..GossipLimits::default()
    }
}

struct Node {
    key: Keypair,
    address: Multiaddr,
    pool: Arc<Pool>,
    chain: Arc<Chain>,
    gossip: Option<GossipHandle>,
}

/// A UDP port that was free just now.
fn free_address() -> Multiaddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    format!("/ip4/127.0.0.1/udp/{port}/quic-v1").parse().unwrap()
}

impl Node {
    fn new(config: PoolConfig) -> Self {
        let (pool, chain) = pool(config);
        let key = Keypair::generate_ed25519();
        Self { key, address: free_address(), pool, chain, gossip: None }
    }

    fn id(&self) -> PeerId {
        self.key.public().to_peer_id()
    }

    fn peer(&self) -> Peer {
        Peer { id: self.id(), addresses: vec![self.address.clone()] }
    }

    fn config(&self, peers: &[Peer], limits: GossipLimits) -> GossipConfig {
        GossipConfig {
            keypair: self.key.clone(),
            listen: self.address.clone(),
            peers: peers.to_vec(),
            genesis: GENESIS,
            rules: RULES,
            limits,
            questions: None,
        }
    }

    async fn start(&mut self, peers: &[Peer], limits: GossipLimits) {
        let config = self.config(peers, limits);
        self.gossip = Some(gossip::start(config, Arc::clone(&self.pool)).await.unwrap());
    }

    async fn stop(&mut self) {
        self.gossip.take().unwrap().stop().await.unwrap();
        self.socket_is_free().await;
    }

    /// Waits until the socket of a service that stopped is closed.
    async fn socket_is_free(&self) {
        let port = self.address.to_string().split('/').nth(4).unwrap().to_string();
        let address = format!("127.0.0.1:{port}");
        eventually("the socket is free", || UdpSocket::bind(&address).is_ok()).await;
    }

    /// As a new process: same identity and address, empty pool.
    fn forget(&mut self) {
        let config = self.pool.config().clone();
        (self.pool, self.chain) = pool(config);
    }

    fn submit(&self, tx: &Tx) -> Hash {
        self.pool.submit(tx.encode(), Source::Local).unwrap()
    }

    async fn connected_to(&self, count: usize) {
        let mut connected = self.gossip.as_ref().unwrap().connected();
        let wait = connected.wait_for(|peers| peers.len() == count);
        tokio::time::timeout(PATIENCE, wait).await.expect("connected in time").unwrap();
    }

    fn metric(&self, name: &str) -> u64 {
        let mut registry = prometheus_client::registry::Registry::default();
        self.gossip.as_ref().unwrap().metrics().register(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        let line = text.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }
}

async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "in vain waited for: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn network(count: usize, config: PoolConfig, limits: GossipLimits) -> Vec<Node> {
    let mut nodes: Vec<Node> = (0..count).map(|_| Node::new(config.clone())).collect();
    let peers: Vec<Peer> = nodes.iter().map(Node::peer).collect();
    for node in &mut nodes {
        // The whole list, this node included, as an operator would write it.
        node.start(&peers, limits.clone()).await;
    }
    for node in &nodes {
        node.connected_to(count - 1).await;
    }
    nodes
}

async fn stop(nodes: &mut [Node]) {
    for node in nodes {
        if node.gossip.is_some() {
            node.stop().await;
        }
    }
}
