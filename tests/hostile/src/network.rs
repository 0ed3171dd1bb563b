//! The consensus network, spoken without the product: Malachite's transport with
//! the chain's protocol names.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Result, anyhow};
use malachitebft_app_channel::app::metrics::SharedRegistry;
use malachitebft_network::handle::{CtrlHandle, RecvHandle};
use malachitebft_network::{
    Channel, ChannelNames, Config, DiscoveryConfig, Event, GossipSubConfig, NetworkIdentity,
    PeerId, ProtocolNames, PubSubMaxSizePerTopic, PubSubProtocol, TransportProtocol,
};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::attacks::{Said, Target};
use crate::member::Member;
use crate::wire::{CHUNK, Part, Statement, StreamPart, decode};

/// Largest frame.
const FRAME: usize = 16 << 20;

/// What was heard of another validator.
#[derive(Clone, Debug)]
pub enum Heard {
    /// A vote or a proposal.
    Statement(Statement),
    /// A part, with its stream.
    Part {
        /// The stream.
        id: Vec<u8>,
        /// Which part.
        part: Part,
    },
}

/// Messages that may wait for the transport; more are left out.
const WAITING: usize = 4_096;

/// A connection to all others. What is said waits in a queue of its own: the
/// transport takes nothing while what it has heard waits to be listened to.
pub struct Network {
    said: mpsc::Sender<Said>,
    listen: RecvHandle,
    speaker: JoinHandle<CtrlHandle>,
    peers: Arc<Mutex<Vec<PeerId>>>,
}

impl Network {
    /// Joins as the member.
    pub async fn join(member: &Member) -> Result<Self> {
        let name = "hostile".to_owned();
        let identity = NetworkIdentity::new(name, member.network.clone(), None);
        let registry = SharedRegistry::new(Default::default(), None);
        let spawned = malachitebft_network::spawn(identity, config(member)?, registry).await;
        let (listen, speak) = spawned.map_err(|error| anyhow!("{error}"))?.split();
        let (said, queue) = mpsc::channel(WAITING);
        let peers = Arc::new(Mutex::new(Vec::new()));
        let speaker = tokio::spawn(speak_on(speak, queue, peers.clone()));
        Ok(Self { said, listen, speaker, peers })
    }

    /// The next thing that another validator says; `None` when the network has
    /// ended.
    pub async fn hear(&mut self) -> Option<Heard> {
        loop {
            match self.listen.recv().await? {
                Event::PeerConnected(peer) => lock(&self.peers).push(peer),
                Event::PeerDisconnected(peer) => {
                    lock(&self.peers).retain(|other| *other != peer);
                }
                Event::ConsensusMessage(Channel::Consensus, _, _, bytes) => {
                    if let Some(statement) = decode(&bytes) {
                        return Some(Heard::Statement(statement));
                    }
                }
                Event::ConsensusMessage(Channel::ProposalParts, _, _, bytes) => {
                    if let Some(StreamPart { id, part: Some(part), .. }) = decode(&bytes) {
                        return Some(Heard::Part { id, part });
                    }
                }
                _ => {}
            }
        }
    }

    /// Says something, unless too much waits to be said.
    pub fn say(&self, said: Said) {
        let _ = self.said.try_send(said);
    }

    /// Leaves without a word.
    pub async fn leave(self) {
        let Self { said, listen, speaker, .. } = self;
        drop((said, listen));
        if let Ok(speak) = speaker.await {
            let _ = speak.wait_shutdown().await;
        }
    }
}

fn lock(peers: &Mutex<Vec<PeerId>>) -> MutexGuard<'_, Vec<PeerId>> {
    peers.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Hands what is said to the transport until nobody says anything any more.
async fn speak_on(
    speak: CtrlHandle,
    mut queue: mpsc::Receiver<Said>,
    peers: Arc<Mutex<Vec<PeerId>>>,
) -> CtrlHandle {
    while let Some(Said { target, bytes }) = queue.recv().await {
        // Fails when the transport has ended, which the listener learns.
        let _ = match target {
            Target::Votes => speak.publish(Channel::Consensus, bytes).await,
            Target::Repeated => speak.publish(Channel::Liveness, bytes).await,
            Target::Parts => speak.publish(Channel::ProposalParts, bytes).await,
            Target::Status => speak.broadcast(Channel::Sync, bytes).await,
            Target::Questions => {
                let peers = lock(&peers).clone();
                for peer in peers {
                    let _ = speak.sync_request(peer, bytes.clone()).await;
                }
                Ok(())
            }
        };
    }
    speak
}

fn config(member: &Member) -> Result<Config> {
    let chain = hex::encode(&member.genesis.as_bytes()[..8]);
    let peers = member.peers.iter().map(|peer| format!("{}/p2p/{}", peer.tcp, peer.id).parse());
    Ok(Config {
        listen_addr: format!("/ip4/{}/tcp/{}", member.listen.0, member.listen.1).parse()?,
        persistent_peers: peers.collect::<Result<_, _>>()?,
        persistent_peers_only: false,
        discovery: DiscoveryConfig {
            enabled: false,
            max_connections_per_ip: 64,
            ip_throttle_duration: Duration::ZERO,
            ..Default::default()
        },
        idle_connection_timeout: Duration::from_secs(900),
        transport: TransportProtocol::Tcp,
        gossipsub: GossipSubConfig::default(),
        pubsub_protocol: PubSubProtocol::GossipSub,
        channel_names: ChannelNames::default(),
        rpc_max_size: FRAME,
        pubsub_max_size: FRAME,
        pubsub_max_size_per_topic: PubSubMaxSizePerTopic {
            proposal_parts: Some(CHUNK + 1024),
            ..Default::default()
        },
        sync_request_timeout: Duration::from_secs(10),
        sync_max_request_size: 4096,
        sync_parallel_requests: 256,
        enable_consensus: true,
        enable_sync: true,
        protocol_names: ProtocolNames {
            consensus: format!("/billchain/{chain}/consensus/1"),
            discovery_kad: format!("/billchain/{chain}/kad/1"),
            discovery_regres: format!("/billchain/{chain}/peers/1"),
            sync: format!("/billchain/{chain}/sync/1"),
            validator_proof: format!("/billchain/{chain}/validator/1"),
        },
    })
}
