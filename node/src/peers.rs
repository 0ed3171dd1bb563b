//! Whom transactions are exchanged with, and where peers are reached, as the chain has it.

use crate::config;
use anyhow::Result;
use billchain_consensus::{Multiaddr, PeerId};
use billchain_executor::{Chain, ChainError};
use billchain_runtime::Validators;
use billchain_txpool::gossip::{self, GossipError, PeerUpdates};
use libp2p::multiaddr::Protocol;
use pallet_validators::{Host, NodeAddress};
use std::collections::BTreeSet;
use tokio::sync::broadcast::error::RecvError;

/// Peer identities of the chain's validators and observers, at its head.
pub(crate) fn allowed_peer_ids(chain: &Chain) -> Result<BTreeSet<PeerId>, ChainError> {
    chain.read(|| validator_peers().chain(observer_peers()).collect())
}

// The pallet bounds the bytes; what is no identity can match no peer.
pub(crate) fn validator_peers() -> impl Iterator<Item = PeerId> {
    let ids = Validators::validators().into_iter().map(|validator| validator.peer_id);
    ids.filter_map(|id| PeerId::from_bytes(&id).ok())
}

/// Peers of validators, and their voting power.
pub(crate) fn validator_powers() -> impl Iterator<Item = (PeerId, u64)> {
    let validators = Validators::validators().into_iter();
    validators.filter_map(|one| Some((PeerId::from_bytes(&one.peer_id).ok()?, one.power)))
}

pub(crate) fn observer_peers() -> impl Iterator<Item = PeerId> {
    let ids = Validators::observers().into_iter().map(|observer| observer.peer_id);
    ids.filter_map(|id| PeerId::from_bytes(&id).ok())
}

/// Where a peer is reached: as the configuration says, which knows this node's own ways,
/// and else as the chain says. Reads the state. Who is in neither connects by itself.
pub(crate) fn reached_at(configured: &[config::Peer], id: PeerId) -> Option<config::Peer> {
    if let Some(peer) = configured.iter().find(|peer| peer.id == id) {
        return Some(peer.clone());
    }
    let identity = id.to_bytes().try_into().ok()?;
    let NodeAddress { host, port } = Validators::address_of(&identity)?;
    let host = match host {
        Host::V4(octets) => Protocol::Ip4(octets.into()),
        Host::V6(octets) => Protocol::Ip6(octets.into()),
        Host::Name(name) => Protocol::Dns(String::from_utf8(name.into_inner()).ok()?.into()),
    };
    Some(config::Peer { id, host: Multiaddr::empty().with(host), port })
}

/// A peer as gossip knows it, for comparison.
type Reached = (PeerId, Option<Multiaddr>);

/// Lets gossip follow the validators and observers of the head, as consensus
/// does by itself.
pub(crate) struct PeerFollower {
    /// Addresses, from the configuration.
    addresses: Vec<config::Peer>,
    local: PeerId,
}

impl PeerFollower {
    pub(crate) fn new(addresses: Vec<config::Peer>, local: PeerId) -> Self {
        Self { addresses, local }
    }

    /// All validators and observers but this node, at the chain's head.
    pub(crate) fn gossip_peers(&self, chain: &Chain) -> Result<Vec<gossip::Peer>, ChainError> {
        let peer =
            |(id, address): Reached| gossip::Peer { id, addresses: address.into_iter().collect() };
        Ok(self.peers(chain)?.into_iter().map(peer).collect())
    }

    fn peers(&self, chain: &Chain) -> Result<BTreeSet<Reached>, ChainError> {
        let reached = |id| (id, reached_at(&self.addresses, id).map(|peer| peer.quic()));
        chain.read(|| {
            let members = validator_peers().chain(observer_peers());
            members.filter(|id| *id != self.local).map(reached).collect()
        })
    }

    /// Runs until gossip has stopped or the chain cannot be read. A list that
    /// gossip does not take leaves it with the one before.
    pub(crate) async fn follow(self, chain: Chain, gossip: PeerUpdates) -> Result<()> {
        let mut commits = chain.subscribe();
        let mut known = BTreeSet::new();
        loop {
            let peers = self.peers(&chain)?;
            if peers != known {
                tracing::info!(before = known.len(), now = peers.len(), "the chain's peers");
                match gossip.update_peers(self.gossip_peers(&chain)?).await {
                    Ok(()) => {}
                    Err(error @ GossipError::Config(_)) => {
                        tracing::error!(%error, "transactions go to the peers of before");
                    }
                    Err(error) => return Err(error.into()),
                }
                known = peers;
            }
            // Missed blocks do not matter: the head's state is what counts.
            if matches!(commits.recv().await, Err(RecvError::Closed)) {
                std::future::pending::<()>().await;
            }
        }
    }
}
