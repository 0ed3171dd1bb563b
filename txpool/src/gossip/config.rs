//! What gossip is told: who the peers are, and its times and sizes.

use super::{MAX_BATCH_COUNT, MAX_FRAME_BYTES, Question};
use crate::ConfigError;
use billchain_primitives::Hash;
use libp2p::{Multiaddr, PeerId, identity::Keypair};
use std::{collections::HashSet, fmt, time::Duration};
use tokio::sync::mpsc;

/// Peers at most on the list: all that a chain can have.
pub const MAX_PEERS: usize = billchain_primitives::MAX_PEERS as usize;

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
    /// This release's rules: nodes of others share no protocol, as a transaction is
    /// signed for the rules of one.
    pub rules: u32,
    /// Times and sizes.
    pub limits: GossipLimits,
    /// Who answers peers' questions. As many are under way at once as the channel has
    /// room for, each with an answer of up to [`MAX_ANSWER_BYTES`](super::MAX_ANSWER_BYTES),
    /// twice while it is sent. Without it every question is refused.
    pub questions: Option<mpsc::Sender<Question>>,
}

impl fmt::Debug for GossipConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the key.
        f.debug_struct("GossipConfig")
            .field("id", &self.keypair.public().to_peer_id())
            .field("listen", &self.listen)
            .field("peers", &self.peers)
            .field("genesis", &self.genesis)
            .field("rules", &self.rules)
            .field("limits", &self.limits)
            .field("questions", &self.questions.is_some())
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

pub(super) fn peer_problems(peers: &[Peer]) -> Vec<String> {
    let mut problems = Vec::new();
    if peers.len() > MAX_PEERS {
        problems.push(format!("peers: {} are listed, at most {MAX_PEERS} may be", peers.len()));
    }
    let mut seen = HashSet::new();
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
