//! Handshakes that are not finished yet: each source of them has a bound of its
//! own, and strangers have no room that peers need.
//!
//! Until a handshake ends nobody knows whose it is, so it is counted by the
//! address that it comes from: an IPv4 address, or the `/64` of an IPv6 one,
//! which is what one site has. Where peers are has room for itself; all other
//! addresses share what [`MAX_STRANGERS`] allows. An address is a peer's if the
//! list says so or if the peer has connected from there last.
//!
//! It does not know whether an address is forged, which costs no more than a
//! datagram. Who forges a peer's address can fill that room; the peer is then
//! still reached by this node's own attempts.

use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    multiaddr::Protocol,
    swarm::{
        ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
        THandlerOutEvent, ToSwarm, dummy,
    },
};
use std::{
    collections::{HashMap, HashSet},
    convert::Infallible,
    net::{IpAddr, Ipv4Addr},
    task::{Context, Poll},
};

/// Handshakes at once from an address where no peer is known to be.
const MAX_OF_STRANGER: usize = 4;

/// Handshakes at once from all such addresses.
const MAX_STRANGERS: usize = 64;

/// Handshakes at once from an address of a peer: several peers may share it.
const MAX_OF_PEER: usize = 16;

/// Where a connection comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Source {
    V4(Ipv4Addr),
    /// The first half of an address.
    V6(u64),
    /// What has no IP address.
    Other,
}

impl Source {
    pub(super) fn of(address: &Multiaddr) -> Self {
        let ip = address.iter().find_map(|part| match part {
            Protocol::Ip4(ip) => Some(IpAddr::V4(ip)),
            Protocol::Ip6(ip) => Some(ip.to_canonical()),
            _ => None,
        });
        match ip {
            Some(IpAddr::V4(ip)) => Self::V4(ip),
            Some(IpAddr::V6(ip)) => Self::V6((u128::from(ip) >> 64) as u64),
            None => Self::Other,
        }
    }

    fn is_known(self) -> bool {
        self != Self::Other
    }
}

/// Why a handshake does not begin.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TooMany {
    /// From one source.
    #[error("{limit} handshakes from one address are under way, as many as may be")]
    OfSource {
        /// Its bound.
        limit: usize,
    },
    /// From all addresses that are no peer's.
    #[error("{MAX_STRANGERS} handshakes of strangers are under way, as many as may be")]
    OfStrangers,
}

/// The count. Pure.
#[derive(Debug, Default)]
struct Handshakes {
    pending: HashMap<ConnectionId, Source>,
    by_source: HashMap<Source, usize>,
    peers: HashSet<Source>,
}

impl Handshakes {
    fn begin(&mut self, id: ConnectionId, source: Source) -> Result<(), TooMany> {
        let is_peer = self.peers.contains(&source);
        let limit = if is_peer { MAX_OF_PEER } else { MAX_OF_STRANGER };
        if self.by_source.get(&source).is_some_and(|count| *count >= limit) {
            return Err(TooMany::OfSource { limit });
        }
        if !is_peer && self.strangers() >= MAX_STRANGERS {
            return Err(TooMany::OfStrangers);
        }
        self.pending.insert(id, source);
        *self.by_source.entry(source).or_default() += 1;
        Ok(())
    }

    fn strangers(&self) -> usize {
        let strangers = self.by_source.iter().filter(|(source, _)| !self.peers.contains(source));
        strangers.map(|(_, count)| count).sum()
    }

    fn end(&mut self, id: ConnectionId) {
        let Some(source) = self.pending.remove(&id) else { return };
        if let Some(count) = self.by_source.get_mut(&source) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.by_source.remove(&source);
            }
        }
    }
}

/// Refuses handshakes beyond the bounds.
#[derive(Debug, Default)]
pub(super) struct Behaviour {
    handshakes: Handshakes,
}

impl Behaviour {
    /// From now on these are the addresses of peers.
    pub(super) fn set_peers(&mut self, peers: HashSet<Source>) {
        self.handshakes.peers = peers.into_iter().filter(|source| source.is_known()).collect();
    }

    /// Whether a peer is known to be there.
    pub(super) fn is_peer(&self, source: Source) -> bool {
        self.handshakes.peers.contains(&source)
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        id: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.handshakes.begin(id, Source::of(remote)).map_err(ConnectionDenied::new)
    }

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.handshakes.end(id);
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        if let FromSwarm::ListenFailure(failure) = event {
            self.handshakes.end(failure.connection_id);
        }
    }

    fn on_connection_handler_event(
        &mut self,
        _: PeerId,
        _: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Infallible, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(address: &str) -> Source {
        Source::of(&address.parse().unwrap())
    }

    fn ids() -> impl Iterator<Item = ConnectionId> {
        (0..).map(ConnectionId::new_unchecked)
    }

    #[test]
    fn a_source_is_an_address_or_half_of_a_long_one() {
        for (what, one, other, is_same) in [
            ("the port does not count", "/ip4/1.2.3.4/udp/5", "/ip4/1.2.3.4/udp/6", true),
            ("another address", "/ip4/1.2.3.4/udp/5", "/ip4/1.2.3.5/udp/5", false),
            ("one site", "/ip6/2001:db8::1/udp/5", "/ip6/2001:db8::2:0:0:9/udp/5", true),
            ("another site", "/ip6/2001:db8::1/udp/5", "/ip6/2001:db8:0:1::1/udp/5", false),
            ("one address in two forms", "/ip4/1.2.3.4/udp/5", "/ip6/::ffff:1.2.3.4/udp/5", true),
        ] {
            assert_eq!(source(one) == source(other), is_same, "{what}");
        }
        assert_eq!(source("/dns4/node.example/udp/5"), Source::Other);
    }

    #[test]
    fn one_source_has_no_more_than_its_share() {
        let (mut handshakes, mut ids) = (Handshakes::default(), ids());
        let mut begin = |address| handshakes.begin(ids.next().unwrap(), source(address));
        for _ in 0..MAX_OF_STRANGER {
            assert_eq!(begin("/ip4/1.2.3.4/udp/5"), Ok(()));
        }
        let limit = MAX_OF_STRANGER;
        assert_eq!(begin("/ip4/1.2.3.4/udp/6"), Err(TooMany::OfSource { limit }));
        assert_eq!(begin("/ip4/1.2.3.5/udp/5"), Ok(()), "another has its own");
        handshakes.end(ConnectionId::new_unchecked(0));
        assert_eq!(handshakes.begin(ids.next().unwrap(), source("/ip4/1.2.3.4/udp/6")), Ok(()));
    }

    #[test]
    fn strangers_take_no_room_of_peers() {
        let (mut handshakes, mut ids) = (Handshakes::default(), ids());
        let peer = source("/ip4/10.0.0.1/udp/5");
        handshakes.peers = HashSet::from([peer]);
        let mut begin = |address: &str| handshakes.begin(ids.next().unwrap(), source(address));
        let begun =
            (0..1_000).filter(|n| begin(&format!("/ip4/1.2.{}.{}", n / 250, n % 250)).is_ok());
        assert_eq!(begun.count(), MAX_STRANGERS);
        assert_eq!(begin("/ip4/9.9.9.9"), Err(TooMany::OfStrangers));
        for _ in 0..MAX_OF_PEER {
            assert_eq!(begin("/ip4/10.0.0.1/udp/7"), Ok(()));
        }
        let limit = MAX_OF_PEER;
        assert_eq!(begin("/ip4/10.0.0.1"), Err(TooMany::OfSource { limit }));
    }

    #[test]
    fn nothing_is_remembered_of_handshakes_that_ended() {
        let (mut handshakes, mut ids) = (Handshakes::default(), ids());
        for n in 0..1_000u32 {
            let (id, address) = (ids.next().unwrap(), format!("/ip4/1.2.{}.{}", n / 250, n % 250));
            handshakes.begin(id, source(&address)).unwrap();
            handshakes.end(id);
            handshakes.end(id);
        }
        assert!(handshakes.pending.is_empty() && handshakes.by_source.is_empty());
    }
}
