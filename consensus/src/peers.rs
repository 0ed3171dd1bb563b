//! The allow-list of peers, kept in step with the state.

use std::collections::{BTreeMap, BTreeSet};

use malachitebft_app_channel::app::engine::network::PersistentPeersOp;
use malachitebft_app_channel::app::net::{Multiaddr, PeerId};
use malachitebft_app_channel::app::types::PeerId as EnginePeerId;
use tracing::warn;

use crate::application::AllowedPeers;

/// The peers that may connect, with their addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AllowList {
    addresses: BTreeSet<Multiaddr>,
    peers: BTreeSet<Vec<u8>>,
    /// Those of the peers that are nodes of validators.
    validators: BTreeSet<Vec<u8>>,
}

impl AllowList {
    /// Takes over the application's list: without this node itself, without
    /// addresses that name no peer (which would admit whoever answers there),
    /// and with one entry a peer that has no address at all.
    pub(crate) fn new(list: AllowedPeers, own: &PeerId) -> Self {
        let mut dialable: BTreeMap<Vec<u8>, Vec<Multiaddr>> = BTreeMap::new();
        let validators =
            list.validators.iter().filter_map(peer_of).map(|peer| peer.to_bytes()).collect();
        for address in list.validators.into_iter().chain(list.observers) {
            match peer_of(&address) {
                Some(peer) if peer == *own => {}
                Some(peer) => dialable.entry(peer.to_bytes()).or_default().push(address),
                None => warn!(%address, "ignoring a peer address without /p2p/<peer id>"),
            }
        }
        let peers = dialable.keys().cloned().collect();
        let addresses = dialable.into_values().flatten().collect();
        Self { addresses, peers, validators }
    }

    /// All addresses.
    pub(crate) fn addresses(&self) -> Vec<Multiaddr> {
        self.addresses.iter().cloned().collect()
    }

    /// How many peers may connect.
    pub(crate) fn len(&self) -> usize {
        self.peers.len()
    }

    /// Whether this peer may connect.
    pub(crate) fn contains(&self, peer: &EnginePeerId) -> bool {
        self.peers.contains(&peer.to_bytes())
    }

    /// Whether this peer is the node of a validator.
    pub(crate) fn is_validator(&self, peer: &EnginePeerId) -> bool {
        self.validators.contains(&peer.to_bytes())
    }

    /// What changes from `self` to `next`. New peers first: a peer whose address
    /// changes then stays allowed throughout. Removing one address of a peer
    /// disconnects it; adding it again lets it back in at once.
    pub(crate) fn changes(&self, next: &Self) -> Vec<PersistentPeersOp> {
        let added = next.addresses.difference(&self.addresses).cloned();
        let removed = self.addresses.difference(&next.addresses).cloned();
        added.map(PersistentPeersOp::Add).chain(removed.map(PersistentPeersOp::Remove)).collect()
    }
}

/// The peer id an address ends in.
fn peer_of(address: &Multiaddr) -> Option<PeerId> {
    let text = address.to_string();
    let (_, peer) = text.rsplit_once("/p2p/")?;
    peer.parse().ok()
}

#[cfg(test)]
mod tests;
