//! The swarm: transport, protocols, and whom it lets in.

use super::{GossipConfig, GossipError, GossipLimits, exchange, fetch, newcomers, questions};
use billchain_primitives::Hash;
use futures::StreamExt;
use libp2p::{
    Multiaddr, PeerId, StreamProtocol, Swarm, Transport,
    allow_block_list::{self, AllowedPeers},
    connection_limits::{self, ConnectionLimits},
    core::{muxing::StreamMuxerBox, transport::Boxed},
    dns,
    identity::Keypair,
    quic,
    request_response::ProtocolSupport,
    swarm::{NetworkBehaviour, SwarmEvent},
};
use std::time::Duration;
use tokio::time::timeout;

/// Connections of one peer: both sides may connect at once, and the dead ones
/// of a peer that was restarted count until they are noticed.
const MAX_CONNECTIONS_PER_PEER: u32 = 8;

/// Streams that a peer may open at once on one connection. Its questions have places of
/// their own: they may take long, and batches shall not wait for them.
pub(super) const MAX_STREAMS: usize = 2 * exchange::MAX_STREAMS + questions::MAX_WAITING;

/// How long the listener may take to say where it listens.
const LISTEN_TIMEOUT: Duration = Duration::from_secs(10);

/// How long closing the connections may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a connection lives without use: for ever, peers stay connected.
const IDLE: Duration = Duration::from_secs(365 * 24 * 3_600);

/// What the swarm does.
#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    pub(super) newcomers: newcomers::Behaviour,
    pub(super) allowed: allow_block_list::Behaviour<AllowedPeers>,
    limits: connection_limits::Behaviour,
    pub(super) exchange: exchange::Behaviour,
    pub(super) fetch: fetch::Behaviour,
    pub(super) questions: questions::Behaviour,
}

impl Behaviour {
    fn new(genesis: &Hash, rules: u32, limits: &GossipLimits) -> Result<Self, GossipError> {
        Ok(Self {
            newcomers: newcomers::Behaviour::default(),
            allowed: allow_block_list::Behaviour::default(),
            limits: connection_limits::Behaviour::new(
                ConnectionLimits::default()
                    .with_max_established_per_peer(Some(MAX_CONNECTIONS_PER_PEER)),
            ),
            exchange: exchange::behaviour(
                protocol(exchange::protocol_name(genesis, rules))?,
                limits,
            ),
            fetch: fetch::behaviour(protocol(fetch::fetch_protocol_name(genesis, rules))?),
            questions: questions::behaviour(
                protocol(questions::questions_protocol_name(genesis))?,
                ProtocolSupport::Full,
            ),
        })
    }
}

/// A swarm that listens, and where.
pub(super) async fn start(
    config: &GossipConfig,
) -> Result<(Swarm<Behaviour>, Vec<Multiaddr>), GossipError> {
    let behaviour = Behaviour::new(&config.genesis, config.rules, &config.limits)?;
    let mut swarm = with_behaviour(&config.keypair, behaviour);
    let listening = listen_on(&mut swarm, config.listen.clone()).await?;
    Ok((swarm, listening))
}

/// A swarm that listens nowhere and only asks questions.
pub(super) fn asking(
    keypair: &Keypair,
    genesis: &Hash,
) -> Result<Swarm<questions::Behaviour>, GossipError> {
    let name = protocol(questions::questions_protocol_name(genesis))?;
    Ok(with_behaviour(keypair, questions::behaviour(name, ProtocolSupport::Outbound)))
}

fn with_behaviour<B: NetworkBehaviour>(keypair: &Keypair, behaviour: B) -> Swarm<B> {
    Swarm::new(
        transport(keypair),
        behaviour,
        keypair.public().to_peer_id(),
        libp2p::swarm::Config::with_tokio_executor().with_idle_connection_timeout(IDLE),
    )
}

/// Closes all connections, and tells the peers, so that they need not find out by
/// silence.
pub(super) async fn close<B: NetworkBehaviour>(swarm: &mut Swarm<B>) {
    let peers: Vec<PeerId> = swarm.connected_peers().copied().collect();
    for peer in peers {
        // An error means that it has gone already.
        let _ = swarm.disconnect_peer_id(peer);
    }
    let closed = async {
        while swarm.connected_peers().next().is_some() {
            swarm.select_next_some().await;
        }
    };
    let _ = timeout(CLOSE_TIMEOUT, closed).await;
}

/// The protocol's name.
fn protocol(name: String) -> Result<StreamProtocol, GossipError> {
    StreamProtocol::try_from_owned(name)
        .map_err(|error| GossipError::Failed(std::io::Error::other(error)))
}

/// QUIC, with names resolved where the system can.
fn transport(keypair: &Keypair) -> Boxed<(PeerId, StreamMuxerBox)> {
    let quic = || {
        let mut config = quic::Config::new(keypair);
        config.keep_alive_interval = Duration::from_secs(3);
        config.max_idle_timeout = 10_000;
        config.max_concurrent_stream_limit = MAX_STREAMS as u32;
        config.max_stream_data = 1 << 20;
        config.max_connection_data = 4 << 20;
        quic::tokio::Transport::new(config)
            .map(|(peer, connection), _| (peer, StreamMuxerBox::new(connection)))
    };
    match dns::tokio::Transport::system(quic()) {
        Ok(transport) => transport.boxed(),
        Err(error) => {
            tracing::warn!(%error, "no name resolution: only numeric peer addresses are usable");
            quic().boxed()
        }
    }
}

/// An error and what caused it; libp2p's outermost ones often say nothing.
pub(super) fn reasons(error: &dyn std::error::Error) -> String {
    let chain = std::iter::successors(Some(error), |error| error.source());
    let mut reasons: Vec<String> =
        chain.map(ToString::to_string).filter(|reason| !reason.is_empty()).collect();
    reasons.dedup();
    if reasons.is_empty() { format!("{error:?}") } else { reasons.join(": ") }
}

/// Listens on `address` and waits until the system says where that is.
async fn listen_on(
    swarm: &mut Swarm<Behaviour>,
    address: Multiaddr,
) -> Result<Vec<Multiaddr>, GossipError> {
    let failed = |reason: String| GossipError::Listen { address: address.clone(), reason };
    swarm.listen_on(address.clone()).map_err(|error| failed(reasons(&error)))?;
    let first = async {
        loop {
            match swarm.select_next_some().await {
                SwarmEvent::NewListenAddr { address, .. } => return Ok(address),
                SwarmEvent::ListenerClosed { reason, .. } => {
                    return Err(format!("the listener closed: {reason:?}"));
                }
                SwarmEvent::ListenerError { error, .. } => return Err(error.to_string()),
                _ => {}
            }
        }
    };
    let first = timeout(LISTEN_TIMEOUT, first)
        .await
        .map_err(|_| failed(format!("no answer in {LISTEN_TIMEOUT:?}")))?
        .map_err(failed)?;
    // A wildcard address has one a network interface; the rest may follow.
    let mut all = vec![first];
    all.extend(swarm.listeners().filter(|other| !all.contains(other)).cloned().collect::<Vec<_>>());
    Ok(all)
}
