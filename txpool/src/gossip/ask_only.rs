//! Asking before a node has a pool or a chain: a swarm that only asks.

use super::{
    Asker, GossipError, GossipLimits, Peer, config,
    lines::{Lines, Topic},
    link::Link,
    newcomers::Source,
    peers,
    questions::{Behaviour, Questions, Todo},
    swarm,
};
use crate::{ConfigError, GossipMetrics};
use billchain_primitives::Hash;
use futures::StreamExt;
use libp2p::{
    PeerId, Swarm,
    identity::Keypair,
    swarm::{DialError, SwarmEvent},
};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
};

/// How long the loop sleeps when nothing is due.
const NOTHING_DUE: Duration = Duration::from_secs(3_600);

/// Asks peers, and does nothing else. Dropping it ends it too, without waiting.
#[derive(Debug)]
pub struct AskOnly {
    asker: Asker,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl AskOnly {
    /// Asks the peers of the list.
    pub fn asker(&self) -> Asker {
        self.asker.clone()
    }

    /// Closes the connections and ends. What is being asked has no answer any more.
    pub async fn stop(self) {
        // An error means that it has ended already.
        let _ = self.stop.send(());
        if let Err(error) = self.task.await {
            tracing::error!(%error, "asking of peers failed");
        }
    }
}

/// Begins to connect to `peers` to ask them about the chain that `genesis` begins, with
/// the identity that the node will have, which must be on the peers' lists. It listens
/// nowhere, answers nothing and is for the time before [`start`](crate::gossip::start):
/// peers do not tell the two apart. Must be called within a Tokio runtime.
pub async fn ask_only(
    keypair: Keypair,
    peers: Vec<Peer>,
    genesis: &Hash,
) -> Result<AskOnly, GossipError> {
    let problems = config::peer_problems(&peers);
    if !problems.is_empty() {
        return Err(ConfigError { problems }.into());
    }
    let swarm = swarm::asking(&keypair, genesis)?;
    // Nobody reads these.
    let metrics = GossipMetrics::default();
    let lines = Lines::new(metrics.omitted_lines.clone());
    let (mut questions, asks) = Questions::new(None, metrics, lines.clone());
    let (connected_sender, connected) = watch::channel(Vec::new());
    let now = Instant::now();
    let limits = GossipLimits::default();
    let local = *swarm.local_peer_id();
    let links: HashMap<PeerId, Link> = peers
        .into_iter()
        .filter(|peer| peer.id != local)
        .map(|peer| (peer.id, Link::new(peer.addresses, &limits, now)))
        .collect();
    questions.set_peers(&links.keys().copied().collect::<Vec<_>>(), now);
    let (stop, stopped) = oneshot::channel();
    let service = Service { swarm, links, questions, connected: connected_sender, lines };
    let task = tokio::spawn(service.run(stopped));
    Ok(AskOnly { asker: Asker::new(asks, connected), stop, task })
}

/// What the task owns.
struct Service {
    swarm: Swarm<Behaviour>,
    links: HashMap<PeerId, Link>,
    questions: Questions,
    connected: watch::Sender<Vec<PeerId>>,
    lines: Lines,
}

impl Service {
    /// Asks until it is told to stop or its handle is gone.
    async fn run(mut self, mut stopped: oneshot::Receiver<()>) {
        loop {
            self.dial(Instant::now());
            let deadline = self.links.values().filter_map(Link::deadline).min();
            let deadline = deadline.unwrap_or_else(|| Instant::now() + NOTHING_DUE);
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_swarm(event),
                todo = self.questions.next() => self.on_todo(todo),
                _ = &mut stopped => break,
                () = tokio::time::sleep_until(deadline.into()) => {}
            }
        }
        swarm::close(&mut self.swarm).await;
    }

    fn dial(&mut self, now: Instant) {
        for (peer, link) in &mut self.links {
            if link.take_dial(now) {
                peers::dial(&mut self.swarm, *peer, link, now);
            }
        }
    }

    fn on_todo(&mut self, todo: Todo) {
        self.questions.on_todo(self.swarm.behaviour_mut(), todo, Instant::now());
    }

    fn on_swarm(
        &mut self,
        event: SwarmEvent<<Behaviour as libp2p::swarm::NetworkBehaviour>::ToSwarm>,
    ) {
        let now = Instant::now();
        match event {
            SwarmEvent::Behaviour(event) => {
                // Peers cannot ask here, and only their questions may be garbage.
                let _ = self.questions.on_event(self.swarm.behaviour_mut(), event, now);
            }
            SwarmEvent::ConnectionEstablished { peer_id, num_established, endpoint, .. } => {
                if let Some(link) = self.links.get_mut(&peer_id) {
                    link.on_connected(
                        num_established.get(),
                        Source::of(endpoint.get_remote_address()),
                    );
                }
                self.publish_connected();
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established, .. } => {
                if let Some(link) = self.links.get_mut(&peer_id) {
                    link.on_disconnected(num_established, now);
                }
                self.publish_connected();
            }
            SwarmEvent::OutgoingConnectionError { peer_id: Some(peer), error, .. } => {
                self.on_dial_failed(peer, &error, now);
            }
            _ => {}
        }
    }

    fn on_dial_failed(&mut self, peer: PeerId, error: &DialError, now: Instant) {
        let topic = match error {
            DialError::WrongPeerId { .. } => Topic::WrongNode,
            _ => Topic::Connection,
        };
        if let Some(omitted) = self.lines.pass_peer(topic, peer) {
            let reason = swarm::reasons(error);
            tracing::warn!(%peer, reason, omitted, "cannot connect to a peer to ask it");
        }
        if let Some(link) = self.links.get_mut(&peer) {
            link.retry_dial(now);
        }
    }

    fn publish_connected(&self) {
        let mut peers: Vec<PeerId> = self.swarm.connected_peers().copied().collect();
        peers.sort_unstable();
        self.connected.send_replace(peers);
    }
}
