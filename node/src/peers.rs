//! Whom transactions are exchanged with, as the chain has it.

use crate::{application::allowed_peer_ids, config};
use anyhow::Result;
use billchain_consensus::PeerId;
use billchain_executor::Chain;
use billchain_txpool::gossip::{self, GossipError, PeerUpdates};
use std::collections::BTreeSet;
use tokio::sync::broadcast::error::RecvError;

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

    /// All validators and observers but this node. The configuration knows where
    /// to reach them; who is not in it has to connect by itself.
    pub(crate) fn gossip_peers(&self, allowed: &BTreeSet<PeerId>) -> Vec<gossip::Peer> {
        let addresses = |id: &PeerId| {
            self.addresses.iter().filter(|peer| peer.id == *id).map(config::Peer::quic).collect()
        };
        allowed
            .iter()
            .filter(|id| **id != self.local)
            .map(|id| gossip::Peer { id: *id, addresses: addresses(id) })
            .collect()
    }

    /// Runs until gossip has stopped or the chain cannot be read. A list that
    /// gossip does not take leaves it with the one before.
    pub(crate) async fn follow(self, chain: Chain, gossip: PeerUpdates) -> Result<()> {
        let mut commits = chain.subscribe();
        let mut known = BTreeSet::new();
        loop {
            let allowed = allowed_peer_ids(&chain)?;
            if allowed != known {
                tracing::info!(before = known.len(), now = allowed.len(), "the chain's peers");
                match gossip.update_peers(self.gossip_peers(&allowed)).await {
                    Ok(()) => {}
                    Err(error @ GossipError::Config(_)) => {
                        tracing::error!(%error, "transactions go to the peers of before");
                    }
                    Err(error) => return Err(error.into()),
                }
                known = allowed;
            }
            // Missed blocks do not matter: the head's state is what counts.
            if matches!(commits.recv().await, Err(RecvError::Closed)) {
                std::future::pending::<()>().await;
            }
        }
    }
}
