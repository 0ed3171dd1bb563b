//! The peers of the list: connects to them, lets them in and nobody else, and
//! keeps out for a time who sends garbage.

use super::{
    GossipLimits, Peer,
    garbage::Garbage,
    lines::{Lines, Topic, Whose},
    link::Link,
    newcomers::Source,
    swarm::{Behaviour, reasons},
};
use crate::GossipMetrics;
use libp2p::{
    Multiaddr, PeerId, Swarm,
    swarm::{
        DialError, ListenError, NetworkBehaviour,
        dial_opts::{DialOpts, PeerCondition},
    },
};
use std::{collections::HashMap, time::Instant};

/// See the module's documentation.
pub(super) struct Peers {
    links: HashMap<PeerId, Link>,
    limits: GossipLimits,
    metrics: GossipMetrics,
    lines: Lines,
}

impl Peers {
    pub(super) fn new(limits: GossipLimits, metrics: GossipMetrics, lines: Lines) -> Self {
        Self { links: HashMap::new(), limits, metrics, lines }
    }

    /// Replaces the list of peers; what is known of those that stay is kept.
    /// Who they are, this node not among them.
    pub(super) fn set(
        &mut self,
        swarm: &mut Swarm<Behaviour>,
        peers: Vec<Peer>,
        now: Instant,
    ) -> Vec<PeerId> {
        let local = *swarm.local_peer_id();
        let mut links = HashMap::with_capacity(peers.len());
        for Peer { id, addresses } in peers.into_iter().filter(|peer| peer.id != local) {
            let link = match self.links.remove(&id) {
                Some(mut known) => {
                    known.addresses = addresses;
                    known
                }
                None => {
                    swarm.behaviour_mut().allowed.allow_peer(id);
                    Link::new(addresses, &self.limits, now)
                }
            };
            links.insert(id, link);
        }
        for (peer, gone) in std::mem::replace(&mut self.links, links) {
            if gone.is_banned() {
                self.metrics.banned.dec();
            }
            swarm.behaviour_mut().allowed.disallow_peer(peer);
        }
        self.publish_sources(swarm);
        self.links.keys().copied().collect()
    }

    /// Tells the door where peers are.
    fn publish_sources(&self, swarm: &mut Swarm<Behaviour>) {
        let sources = self.links.values().flat_map(Link::sources).collect();
        swarm.behaviour_mut().newcomers.set_peers(sources);
    }

    /// When there is something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.links.values().filter_map(Link::deadline).min()
    }

    /// Does what is due.
    pub(super) fn on_time(&mut self, swarm: &mut Swarm<Behaviour>, now: Instant) {
        for (peer, link) in &mut self.links {
            if link.take_unban(now) {
                swarm.behaviour_mut().allowed.allow_peer(*peer);
                self.metrics.banned.dec();
                if let Some(omitted) = self.lines.pass_peer(Topic::Ban, *peer) {
                    tracing::info!(%peer, omitted, "peer may connect again");
                }
            }
            if link.take_dial(now) {
                dial(swarm, *peer, link, now);
            }
        }
    }

    /// A connection opened, from `source` or to it.
    pub(super) fn on_connected(
        &mut self,
        swarm: &mut Swarm<Behaviour>,
        peer: PeerId,
        connections: u32,
        source: Source,
    ) {
        let link = self.links.get_mut(&peer);
        if link.is_some_and(|link| link.on_connected(connections, source)) {
            self.publish_sources(swarm);
        }
    }

    /// A connection closed and `connections` are left.
    pub(super) fn on_disconnected(&mut self, peer: PeerId, connections: u32, now: Instant) {
        if let Some(link) = self.links.get_mut(&peer) {
            link.on_disconnected(connections, now);
        }
    }

    /// An attempt to connect failed.
    pub(super) fn on_dial_failed(&mut self, peer: PeerId, error: &DialError, now: Instant) {
        if matches!(error, DialError::DialPeerConditionFalse(_)) {
            return;
        }
        if let DialError::WrongPeerId { obtained, address } = error {
            if let Some(omitted) = self.lines.pass_peer(Topic::WrongNode, peer) {
                tracing::warn!(
                    expected = %peer, %obtained, %address, omitted,
                    "another node answers at the peer's address; check the list of peers"
                );
            }
        } else {
            tracing::debug!(%peer, %error, "cannot connect");
        }
        if let Some(link) = self.links.get_mut(&peer) {
            link.retry_dial(now);
        }
    }

    /// A connection was not let in, or its handshake failed.
    pub(super) fn on_refused(
        &mut self,
        swarm: &Swarm<Behaviour>,
        address: &Multiaddr,
        error: &ListenError,
    ) {
        let source = Source::of(address);
        let is_peer = swarm.behaviour().newcomers.is_peer(source);
        let whose = if is_peer { Whose::At(source) } else { Whose::Strangers };
        let omitted = self.lines.pass(Topic::Refusal, whose);
        if let ListenError::Denied { cause } = error {
            self.metrics.connections_refused.inc();
            if let Some(omitted) = omitted {
                let reason = reasons(cause);
                tracing::warn!(%address, reason, omitted, "a connection was not let in");
            }
        } else if let Some(omitted) = omitted {
            let reason = reasons(error);
            tracing::debug!(%address, reason, omitted, "incoming connection failed");
        }
    }

    /// Counts garbage, and keeps a peer out that sends too much.
    pub(super) fn on_garbage(
        &mut self,
        swarm: &mut Swarm<Behaviour>,
        garbage: Option<Garbage>,
        now: Instant,
    ) {
        let Some(Garbage { peer, points, reason }) = garbage else { return };
        self.metrics.garbage.inc();
        if let Some(omitted) = self.lines.pass_peer(Topic::Garbage, peer) {
            tracing::warn!(%peer, points, reason, omitted, "garbage from a peer");
        }
        let (limit, ban) = (self.limits.garbage_limit, self.limits.ban_time);
        let Some(link) = self.links.get_mut(&peer) else { return };
        if !link.is_banned() && link.on_garbage(points, limit, now) {
            link.ban(now + ban);
            self.metrics.banned.inc();
            swarm.behaviour_mut().allowed.disallow_peer(peer);
            if let Some(omitted) = self.lines.pass_peer(Topic::Ban, peer) {
                tracing::error!(
                    %peer, ?ban, omitted, "too much garbage: the peer is kept out for a time"
                );
            }
        }
    }
}

/// Tries to connect to a peer; if that cannot begin, the next attempt is scheduled.
pub(super) fn dial<B: NetworkBehaviour>(
    swarm: &mut Swarm<B>,
    peer: PeerId,
    link: &mut Link,
    now: Instant,
) {
    if link.addresses.is_empty() {
        return;
    }
    let options = DialOpts::peer_id(peer)
        .condition(PeerCondition::DisconnectedAndNotDialing)
        .addresses(link.addresses.clone())
        .build();
    match swarm.dial(options) {
        Ok(()) | Err(DialError::DialPeerConditionFalse(_)) => {}
        Err(error) => {
            tracing::debug!(%peer, %error, "cannot connect");
            link.retry_dial(now);
        }
    }
}
