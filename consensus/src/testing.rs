//! What unit tests of several modules need.

use malachitebft_app_channel::app::net::PeerId as NetPeerId;
use malachitebft_app_channel::app::types::{Keypair, PeerId};

/// The peer whose network key is made of this byte, as the network names it.
pub(crate) fn net_peer(seed: u8) -> NetPeerId {
    Keypair::ed25519_from_bytes([seed; 32]).expect("32 bytes are a key").public().to_peer_id()
}

/// The same peer as the engine names it.
pub(crate) fn peer(seed: u8) -> PeerId {
    PeerId::from_bytes(&net_peer(seed).to_bytes()).expect("a peer id")
}
