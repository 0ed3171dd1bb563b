//! Configuration of consensus and how it maps to Malachite's.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use billchain_crypto::sm2::SecretKey;
use billchain_primitives::MAX_PEERS;
use malachitebft_app_channel::app::config as engine;
use malachitebft_app_channel::app::net::Multiaddr;
use malachitebft_app_channel::app::types::Keypair;
use malachitebft_app_channel::app::types::core::LinearTimeouts;

use crate::error::ConfigProblem;
use crate::keys::HeldKeys;
use crate::signing::{ChainDomain, Sm2Signer};
use crate::types::MAX_CHUNK_BYTES;

/// Connections that the engine lets be open, or begin, for each peer that it is
/// told to expect.
const ENGINE_HEADROOM: usize = 4;

/// Connections of strangers, beside those of all peers: they are let in until they
/// have identified themselves.
const STRANGERS: usize = 32;

/// Connections, those that begin included, for each that the engine is told to
/// expect: it bounds both kinds by themselves.
const CONNECTIONS: usize = 2 * ENGINE_HEADROOM;

/// Connections of peers that the largest chain can use, open or beginning.
pub const MOST_CONNECTIONS: usize = CONNECTIONS * (MOST_OUTBOUND + MOST_INBOUND);

const MOST_OUTBOUND: usize = (MAX_PEERS as usize).div_ceil(ENGINE_HEADROOM);
const MOST_INBOUND: usize = (MAX_PEERS as usize + STRANGERS).div_ceil(ENGINE_HEADROOM);

/// Settings of consensus. The defaults suit validators in one country on
/// ordinary servers and four validators on one small machine alike.
#[derive(Clone, Debug)]
pub struct ConsensusConfig {
    /// Name of this node in logs, metrics and to its peers.
    pub name: String,
    /// Directory for the write-ahead log, undecided blocks and a validator's
    /// signing memory. It belongs to one node.
    pub directory: PathBuf,
    /// TCP address to listen on, as a multiaddress.
    pub listen: Multiaddr,

    /// How long to wait for a block in round 0 before voting nil.
    pub timeout_propose: Duration,
    /// How much longer in each further round.
    pub timeout_propose_delta: Duration,
    /// How long to wait for more pre-votes once two thirds have voted.
    pub timeout_prevote: Duration,
    /// How much longer in each further round.
    pub timeout_prevote_delta: Duration,
    /// How long to wait for more pre-commits once two thirds have voted.
    pub timeout_precommit: Duration,
    /// How much longer in each further round.
    pub timeout_precommit_delta: Duration,
    /// How often to repeat the last vote while a round makes no progress; a polka at
    /// a third of that rate, but at the first height of a run.
    pub rebroadcast: Duration,
    /// No timeout grows beyond this, whatever the round.
    pub max_timeout: Duration,
    /// How long the proposer may add transactions to a block. The rest of
    /// `timeout_propose` is for sending and for the others to check it.
    pub build_time: Duration,

    /// An idle chain makes an empty block this often.
    pub empty_interval: Duration,
    /// Least time between the starts of two heights, however much work waits.
    pub min_block_interval: Duration,

    /// Largest encoded block that is proposed, accepted and synchronised.
    pub max_block_bytes: usize,
    /// How often peers are told which heights this node has.
    pub status_interval: Duration,
    /// How long to wait for blocks asked from a peer.
    pub sync_timeout: Duration,
    /// Blocks asked for at once when catching up.
    pub sync_batch: usize,
    /// Most connections, from here and from outside, open and beginning: the files
    /// that they may take. A node does not start if its peers do not fit.
    pub max_connections: usize,
    /// Most connections from one IP address. A test network on one machine
    /// needs a few for each of its nodes.
    pub max_connections_per_ip: usize,
    /// Least time between connections from one address that is not an allowed
    /// peer's.
    pub reconnect_throttle: Duration,
}

impl Default for ConsensusConfig {
    fn default() -> Self {
        Self {
            name: "billchain".into(),
            directory: PathBuf::from("consensus"),
            listen: "/ip4/0.0.0.0/tcp/30333".parse().expect("a literal multiaddress; qed"),
            timeout_propose: Duration::from_millis(2000),
            timeout_propose_delta: Duration::from_millis(500),
            timeout_prevote: Duration::from_millis(750),
            timeout_prevote_delta: Duration::from_millis(250),
            timeout_precommit: Duration::from_millis(750),
            timeout_precommit_delta: Duration::from_millis(250),
            rebroadcast: Duration::from_millis(500),
            max_timeout: Duration::from_secs(8),
            build_time: Duration::from_millis(120),
            empty_interval: Duration::from_secs(3),
            min_block_interval: Duration::ZERO,
            max_block_bytes: 5 * 1024 * 1024,
            status_interval: Duration::from_millis(200),
            sync_timeout: Duration::from_secs(10),
            sync_batch: 16,
            max_connections: MOST_CONNECTIONS,
            max_connections_per_ip: 64,
            reconnect_throttle: Duration::from_secs(1),
        }
    }
}

/// Who this node is.
#[derive(Clone)]
pub struct NodeIdentity {
    /// Which chain.
    pub domain: ChainDomain,
    /// Network identity; its peer id stands in the others' allow-lists.
    pub network_key: Keypair,
    /// The validator's SM2 keys; without one the node follows and never votes.
    pub keys: HeldKeys,
}

impl NodeIdentity {
    /// The node with one of its keys, or without a vote.
    pub(crate) fn with(&self, validator_key: Option<SecretKey>) -> Identity {
        Identity { domain: self.domain, network_key: self.network_key.clone(), validator_key }
    }
}

/// Who this node is while one of its keys signs.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) domain: ChainDomain,
    pub(crate) network_key: Keypair,
    /// The key that signs; without one the node follows.
    pub(crate) validator_key: Option<SecretKey>,
}

impl Identity {
    /// The same node without its vote.
    pub(crate) fn without_key(&self) -> Self {
        Self { validator_key: None, ..self.clone() }
    }

    pub(crate) fn signer(&self) -> Option<Sm2Signer> {
        self.validator_key.clone().map(|key| Sm2Signer::new(self.domain, key))
    }
}

impl ConsensusConfig {
    /// Every mistake in the settings.
    pub fn problems(&self) -> Vec<ConfigProblem> {
        let mut problems = Vec::new();
        let mut report = |field, problem: String| problems.push(ConfigProblem { field, problem });
        if self.name.is_empty() || self.name.len() > 64 {
            report("name", "expected 1 to 64 bytes".into());
        }
        if !self.listen.protocol_stack().any(|protocol| protocol == "tcp") {
            report("listen", format!("{} names no TCP port, expected /ip4/…/tcp/…", self.listen));
        }
        for (field, value) in [
            ("timeout_propose", self.timeout_propose),
            ("timeout_prevote", self.timeout_prevote),
            ("timeout_precommit", self.timeout_precommit),
            ("rebroadcast", self.rebroadcast),
            ("build_time", self.build_time),
            ("empty_interval", self.empty_interval),
            ("status_interval", self.status_interval),
            ("sync_timeout", self.sync_timeout),
        ] {
            if value.is_zero() {
                report(field, "expected more than 0".into());
            }
        }
        self.contradictions(&mut report);
        if !(64 * 1024..=64 * 1024 * 1024).contains(&self.max_block_bytes) {
            report(
                "max_block_bytes",
                format!("{} bytes, expected 64 KiB to 64 MiB", self.max_block_bytes),
            );
        }
        let most = crate::codec::MAX_SYNC_VALUES;
        if !(1..=most).contains(&self.sync_batch) {
            report("sync_batch", format!("{}, expected 1 to {most}", self.sync_batch));
        }
        if self.max_connections_per_ip == 0 {
            report("max_connections_per_ip", "expected more than 0".into());
        }
        problems
    }

    /// Settings that do not go with one another.
    fn contradictions(&self, report: &mut impl FnMut(&'static str, String)) {
        if self.build_time >= self.timeout_propose {
            report(
                "build_time",
                format!(
                    "{:?} leaves nothing of timeout_propose ({:?}) to send and check the block",
                    self.build_time, self.timeout_propose
                ),
            );
        }
        if self.min_block_interval > self.empty_interval {
            report(
                "min_block_interval",
                format!(
                    "{:?} is longer than empty_interval ({:?})",
                    self.min_block_interval, self.empty_interval
                ),
            );
        }
        if self.max_timeout < self.timeout_propose {
            report(
                "max_timeout",
                format!("{:?} is shorter than timeout_propose", self.max_timeout),
            );
        }
    }

    /// Connections to peers and from outside that the engine is told to expect.
    fn expected(&self) -> (usize, usize) {
        let expected = self.max_connections / CONNECTIONS;
        let outbound = (expected / 2).min(MOST_OUTBOUND);
        (outbound, (expected - outbound).min(MOST_INBOUND))
    }

    /// What is wrong if this many peers do not fit: each may have a connection from
    /// here and one to here.
    pub(crate) fn too_many(&self, peers: usize) -> Option<ConfigProblem> {
        let (outbound, inbound) = self.expected();
        let room = ENGINE_HEADROOM * outbound.min(inbound);
        let problem = || {
            format!(
                "{} connections have room for {room} peers, the chain names {peers}: raise the \
                 limit of open files (LimitNOFILE= of the service)",
                self.max_connections
            )
        };
        (peers > room).then(|| ConfigProblem { field: "max_connections", problem: problem() })
    }

    /// The address to listen on as a socket address, if it is an IP address.
    pub(crate) fn socket_address(&self) -> Option<SocketAddr> {
        let text = self.listen.to_string();
        let mut words = text.split('/').skip(1);
        let ip = match (words.next()?, words.next()?) {
            ("ip4", ip) => IpAddr::V4(ip.parse().ok()?),
            ("ip6", ip) => IpAddr::V6(ip.parse().ok()?),
            _ => return None,
        };
        match (words.next()?, words.next()?) {
            ("tcp", port) => Some(SocketAddr::new(ip, port.parse().ok()?)),
            _ => None,
        }
    }

    /// The timeouts of every height.
    pub(crate) fn timeouts(&self) -> LinearTimeouts {
        LinearTimeouts {
            propose: self.timeout_propose,
            propose_delta: self.timeout_propose_delta,
            prevote: self.timeout_prevote,
            prevote_delta: self.timeout_prevote_delta,
            precommit: self.timeout_precommit,
            precommit_delta: self.timeout_precommit_delta,
            rebroadcast: self.rebroadcast,
            max_timeout: self.max_timeout,
        }
    }

    pub(crate) fn wal_path(&self) -> PathBuf {
        self.directory.join("wal").join("consensus.wal")
    }

    pub(crate) fn undecided_path(&self) -> PathBuf {
        self.directory.join("undecided")
    }

    /// Bytes a sync response may have: two full blocks, so that one always fits
    /// with its certificate.
    fn max_response_bytes(&self) -> u64 {
        2 * self.max_block_bytes as u64 + 64 * 1024
    }

    pub(crate) fn engine(
        &self,
        domain: &ChainDomain,
        peers: Vec<Multiaddr>,
    ) -> engine::ConsensusConfig {
        // The chain is part of the protocol's name: a node of another chain is
        // disconnected when it identifies itself.
        let chain = hex::encode(&domain.genesis().as_bytes()[..8]);
        let mut p2p = engine::P2pConfig {
            listen_addr: self.listen.clone(),
            persistent_peers: peers,
            persistent_peers_only: true,
            protocol: engine::PubSubProtocol::GossipSub(relaying()),
            protocol_names: engine::ProtocolNames {
                consensus: format!("/billchain/{chain}/consensus/1"),
                discovery_kad: format!("/billchain/{chain}/kad/1"),
                discovery_regres: format!("/billchain/{chain}/peers/1"),
                sync: format!("/billchain/{chain}/sync/1"),
                validator_proof: format!("/billchain/{chain}/validator/1"),
            },
            ..Default::default()
        };
        // The byte-size type is not re-exported; its number is.
        p2p.rpc_max_size.0 = self.max_response_bytes() + 64 * 1024;
        p2p.pubsub_max_size.0 = 2 * MAX_CHUNK_BYTES as u64;
        let mut size = p2p.pubsub_max_size;
        size.0 = 4 * 1024;
        p2p.pubsub_max_size_per_topic.consensus = Some(size);
        size.0 = MAX_CHUNK_BYTES as u64 + 1024;
        p2p.pubsub_max_size_per_topic.proposal_parts = Some(size);
        // A round certificate with two signatures of each of 128 validators.
        size.0 = 64 * 1024;
        p2p.pubsub_max_size_per_topic.liveness = Some(size);
        p2p.discovery.enabled = false;
        // The engine's defaults are for fewer peers than a chain may have: the rest
        // would be shut out, and so would be all by a few addresses' handshakes.
        let (outbound, inbound) = self.expected();
        p2p.discovery.num_outbound_peers = outbound;
        p2p.discovery.num_inbound_peers = inbound;
        p2p.discovery.max_connections_per_ip = self.max_connections_per_ip;
        p2p.discovery.ip_throttle_duration = self.reconnect_throttle;
        engine::ConsensusConfig {
            enabled: true,
            p2p,
            value_payload: engine::ValuePayload::ProposalAndParts,
            ..Default::default()
        }
    }

    pub(crate) fn value_sync(&self) -> engine::ValueSyncConfig {
        let mut config = engine::ValueSyncConfig {
            enabled: true,
            status_update_interval: self.status_interval,
            request_timeout: self.sync_timeout,
            batch_size: self.sync_batch,
            ..Default::default()
        };
        config.max_request_size.0 = 4 * 1024;
        config.max_response_size.0 = self.max_response_bytes();
        config
    }
}

/// Value sync's settings as its actor takes them.
pub(crate) fn engine_sync(config: &engine::ValueSyncConfig) -> malachitebft_sync::Config {
    malachitebft_sync::Config {
        enabled: config.enabled,
        max_request_size: config.max_request_size.0 as usize,
        max_response_size: config.max_response_size.0 as usize,
        request_timeout: config.request_timeout,
        parallel_requests: config.parallel_requests,
        scoring_strategy: malachitebft_sync::scoring::Strategy::Ema,
        inactive_threshold: (!config.inactive_threshold.is_zero())
            .then_some(config.inactive_threshold),
        batch_size: config.batch_size,
        inbound_request_rate_limit_window: config.inbound_request_rate_limit_window,
        max_inbound_requests_per_window: config.max_inbound_requests_per_window,
        max_concurrent_inbound_requests: config.max_concurrent_inbound_requests,
        max_pending_inbound_requests: config.max_pending_inbound_requests,
    }
}

/// How messages are passed on. Whoever has something to say says it to all, and each
/// passes it on to one or two: enough for two nodes that do not hear each other. Passing
/// on costs more than hearing, so a flood of one peer costs the others by how many pass
/// it on.
///
/// Peers may make it three, and not fewer: gossipsub keeps the four with the best scores
/// of a mesh that is too large, and subtracts four from its size without asking.
fn relaying() -> engine::GossipSubConfig {
    let (to, at_most, at_least, dialled) = (2, 3, 1, 1);
    let (scoring, explicit, to_all) = (false, false, true);
    engine::GossipSubConfig::new(to, at_most, at_least, dialled, scoring, explicit, to_all)
}

#[cfg(test)]
mod tests;
