//! Passing transactions on to the other operators' nodes.
//!
//! Over QUIC, among the peers of a list and nobody else: a connection from any
//! other identity is closed as soon as the handshake has shown it. Each node
//! keeps one cursor a peer into the pool's log of local transactions and sends
//! what follows in batches, one at a time, each answered transaction by
//! transaction. So nothing is lost while both run, a slow peer slows only its
//! own cursor, nothing is queued outside the pool, and a peer that connects
//! again is offered everything that is still pending.
//!
//! It does not forward what it received, and keeps nothing on disk. Beside
//! that it [fetches](Fetcher) transactions by their hashes, and serves them.

mod fetch;
#[doc(hidden)]
pub mod fuzzing;
mod link;
mod service;
mod wire;

use crate::{ConfigError, GossipMetrics, Pool};
use billchain_primitives::Hash;
use libp2p::{Multiaddr, PeerId, identity::Keypair};
use std::{fmt, io, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};

pub use fetch::{FetchError, Fetcher, MAX_FETCH_COUNT, fetch_protocol_name};
pub use wire::{MAX_BATCH_COUNT, MAX_FRAME_BYTES, protocol_name};

/// Peers at most on the list: all that a chain can have.
pub const MAX_PEERS: usize = billchain_primitives::MAX_PEERS as usize;

/// Commands that may wait for the service, and so many requests of a fetcher.
const COMMANDS: usize = 16;

/// A node to exchange transactions with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its identity; an address that shows another is not talked to.
    pub id: PeerId,
    /// Where to reach it, such as `/ip4/10.0.0.7/udp/30333/quic-v1` or
    /// `/dns4/node.example/udp/30333/quic-v1`. May be empty for one that
    /// connects by itself.
    pub addresses: Vec<Multiaddr>,
}

/// Times and sizes of gossip. The defaults suit nodes of one country.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GossipLimits {
    /// Transactions in a batch.
    pub batch_count: usize,
    /// Bytes of transactions in a batch; a longer one travels alone.
    pub batch_bytes: usize,
    /// How long a transaction waits for company, so that a steady stream of
    /// them does not become a request each.
    pub linger: Duration,
    /// How long a peer may take for a batch.
    pub request_timeout: Duration,
    /// Age at which a local transaction that is still pending is passed on again.
    pub announce_again_after: Duration,
    /// Shortest time between two attempts to reach a peer.
    pub retry_min: Duration,
    /// Longest time between two attempts to reach a peer.
    pub retry_max: Duration,
    /// Points of garbage at which a peer is kept out; one point is forgiven a
    /// second. A malformed frame counts 25, a transaction that cannot be
    /// decoded 10, one with a wrong signature 1.
    pub garbage_limit: u32,
    /// How long it is kept out.
    pub ban_time: Duration,
    /// How long a stopping node goes on offering what is pending.
    pub drain_time: Duration,
}

impl Default for GossipLimits {
    fn default() -> Self {
        Self {
            batch_count: 1_000,
            batch_bytes: 256 << 10,
            linger: Duration::from_millis(20),
            request_timeout: Duration::from_secs(20),
            announce_again_after: Duration::from_secs(30),
            retry_min: Duration::from_millis(500),
            retry_max: Duration::from_secs(15),
            garbage_limit: 100,
            ban_time: Duration::from_secs(300),
            drain_time: Duration::from_secs(2),
        }
    }
}

/// What gossip needs to begin.
#[derive(Clone)]
pub struct GossipConfig {
    /// This node's identity.
    pub keypair: Keypair,
    /// Where to listen, such as `/ip4/0.0.0.0/udp/30333/quic-v1`.
    pub listen: Multiaddr,
    /// The peers; this node's own identity among them is passed over.
    pub peers: Vec<Peer>,
    /// Hash of the genesis block: nodes of another chain share no protocol.
    pub genesis: Hash,
    /// Times and sizes.
    pub limits: GossipLimits,
}

impl fmt::Debug for GossipConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the key.
        f.debug_struct("GossipConfig")
            .field("id", &self.keypair.public().to_peer_id())
            .field("listen", &self.listen)
            .field("peers", &self.peers)
            .field("genesis", &self.genesis)
            .field("limits", &self.limits)
            .finish()
    }
}

impl GossipConfig {
    /// Checks every value; `max_transaction_bytes` is the pool's.
    pub fn check(&self, max_transaction_bytes: usize) -> Result<(), ConfigError> {
        let limits = &self.limits;
        let mut problems = peer_problems(&self.peers);
        if !(1..=MAX_BATCH_COUNT).contains(&limits.batch_count) {
            problems.push(format!(
                "batch_count ({}) must be from 1 to {MAX_BATCH_COUNT}",
                limits.batch_count
            ));
        }
        // A frame holds a batch, its lengths and its head.
        let room = MAX_FRAME_BYTES - 8 * MAX_BATCH_COUNT;
        for (key, value) in
            [("batch_bytes", limits.batch_bytes), ("max_transaction_bytes", max_transaction_bytes)]
        {
            if !(1..=room).contains(&value) {
                problems.push(format!("{key} ({value}) must be from 1 to {room}"));
            }
        }
        for (key, value) in [
            ("request_timeout", limits.request_timeout),
            ("announce_again_after", limits.announce_again_after),
            ("retry_min", limits.retry_min),
        ] {
            if value.is_zero() {
                problems.push(format!("{key} must not be zero"));
            }
        }
        if limits.retry_max < limits.retry_min {
            problems.push(format!(
                "retry_max ({:?}) must not be below retry_min ({:?})",
                limits.retry_max, limits.retry_min
            ));
        }
        if limits.garbage_limit == 0 {
            problems.push("garbage_limit must be at least 1".into());
        }
        if problems.is_empty() { Ok(()) } else { Err(ConfigError { problems }) }
    }
}

fn peer_problems(peers: &[Peer]) -> Vec<String> {
    let mut problems = Vec::new();
    if peers.len() > MAX_PEERS {
        problems.push(format!("peers: {} are listed, at most {MAX_PEERS} may be", peers.len()));
    }
    let mut seen = std::collections::HashSet::new();
    for peer in peers.iter().take(MAX_PEERS) {
        if !seen.insert(peer.id) {
            problems.push(format!("peers: {} is listed twice", peer.id));
        }
        for address in &peer.addresses {
            if !is_quic(address) {
                problems.push(format!(
                    "peers: address {address} of {} is not of the form /…/udp/PORT/quic-v1",
                    peer.id
                ));
            }
        }
    }
    problems
}

fn is_quic(address: &Multiaddr) -> bool {
    use libp2p::multiaddr::Protocol;
    let mut udp = false;
    for part in address {
        match part {
            Protocol::Udp(_) => udp = true,
            Protocol::QuicV1 => return udp,
            _ => {}
        }
    }
    false
}

/// Why gossip did not start or take a change.
#[derive(Debug, thiserror::Error)]
pub enum GossipError {
    /// The configuration is not usable.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The listen address cannot be used.
    #[error("cannot listen for transactions on {address}: {reason}")]
    Listen {
        /// The address of the configuration.
        address: Multiaddr,
        /// What the system says.
        reason: String,
    },
    /// The service has stopped.
    #[error("transaction gossip has stopped")]
    Stopped,
    /// The service ended in a way that it should not.
    #[error("transaction gossip failed: {0}")]
    Failed(#[source] io::Error),
}

/// A running service. Dropping it stops the service too, without waiting.
#[derive(Debug)]
pub struct GossipHandle {
    local: PeerId,
    listening: Vec<Multiaddr>,
    commands: mpsc::Sender<Command>,
    asks: mpsc::Sender<fetch::Ask>,
    connected: watch::Receiver<Vec<PeerId>>,
    metrics: GossipMetrics,
    /// None once it has ended and that was told.
    task: Option<JoinHandle<()>>,
}

/// Changes the list of peers of a running service.
#[derive(Clone, Debug)]
pub struct PeerUpdates(mpsc::Sender<Command>);

impl PeerUpdates {
    /// Replaces the list of peers: those no longer on it are disconnected.
    pub async fn update_peers(&self, peers: Vec<Peer>) -> Result<(), GossipError> {
        let problems = peer_problems(&peers);
        if !problems.is_empty() {
            return Err(ConfigError { problems }.into());
        }
        self.0.send(Command::UpdatePeers(peers)).await.map_err(|_| GossipError::Stopped)
    }
}

#[derive(Debug)]
enum Command {
    UpdatePeers(Vec<Peer>),
    Stop,
}

impl GossipHandle {
    /// This node's identity.
    pub fn local_peer_id(&self) -> PeerId {
        self.local
    }

    /// Where it listens, port 0 resolved.
    pub fn listening(&self) -> &[Multiaddr] {
        &self.listening
    }

    /// Peers with a connection, as they come and go.
    pub fn connected(&self) -> watch::Receiver<Vec<PeerId>> {
        self.connected.clone()
    }

    /// Fetches transactions from the peers.
    pub fn fetcher(&self) -> Fetcher {
        Fetcher { asks: self.asks.clone(), connected: self.connected.clone() }
    }

    /// What gossip counts; register it once.
    pub fn metrics(&self) -> &GossipMetrics {
        &self.metrics
    }

    /// Replaces the list of peers: those no longer on it are disconnected.
    pub async fn update_peers(&self, peers: Vec<Peer>) -> Result<(), GossipError> {
        self.peer_updates().update_peers(peers).await
    }

    /// Changes the list without a borrow of the handle.
    pub fn peer_updates(&self) -> PeerUpdates {
        PeerUpdates(self.commands.clone())
    }

    /// Resolves when the service has ended by itself, which it does not unless
    /// something is wrong. May be dropped and called again.
    pub async fn ended(&mut self) -> GossipError {
        let Some(task) = &mut self.task else { return GossipError::Stopped };
        let outcome = task.await;
        self.task = None;
        match outcome {
            Ok(()) => GossipError::Stopped,
            Err(error) => GossipError::Failed(io::Error::other(error)),
        }
    }

    /// Offers connected peers what is pending, for at most `drain_time`, and
    /// stops. The socket is free when the last connection has been closed in
    /// the background, some milliseconds later. May be called at any time; how
    /// it [ended](Self::ended) is not told again.
    pub async fn stop(mut self) -> Result<(), GossipError> {
        let Some(task) = self.task.take() else { return Ok(()) };
        // An error means that it has stopped already; the task tells how.
        let _ = self.commands.send(Command::Stop).await;
        task.await.map_err(|error| GossipError::Failed(io::Error::other(error)))
    }
}

/// Begins to listen, to connect to the peers and to pass on the pool's local
/// transactions. Must be called within a Tokio runtime.
pub async fn start(config: GossipConfig, pool: Arc<Pool>) -> Result<GossipHandle, GossipError> {
    config.check(pool.config().max_transaction_bytes)?;
    let local = config.keypair.public().to_peer_id();
    let metrics = GossipMetrics::default();
    let (commands, command_receiver) = mpsc::channel(COMMANDS);
    let (asks, ask_receiver) = mpsc::channel(COMMANDS);
    let (connected_sender, connected) = watch::channel(Vec::new());
    let inputs = service::Inputs { commands: command_receiver, asks: ask_receiver };
    let (service, listening) =
        service::Service::start(config, pool, metrics.clone(), inputs, connected_sender).await?;
    let task = Some(tokio::spawn(service.run()));
    Ok(GossipHandle { local, listening, commands, asks, connected, metrics, task })
}

#[cfg(test)]
mod tests;
