//! What consensus says about itself while it runs.

use malachitebft_app_channel::app::engine::network::NetworkMsg;
use malachitebft_app_channel::app::net::PeerId;
use ractor::rpc::CallResult;

use crate::network::{Network, SharedNetwork};
use crate::types::{Height, Round};

/// Where consensus stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Height being decided.
    pub height: Height,
    /// Its round; above 0 a proposer was missing or late.
    pub round: Round,
    /// Height committed last; 0 before the first.
    pub committed: Height,
    /// Whether this node votes at this height.
    pub is_validator: bool,
    /// Whether the last block came from value sync.
    pub catching_up: bool,
}

/// A connected peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerState {
    /// Its peer id.
    pub peer: PeerId,
    /// The name it gives itself.
    pub name: String,
    /// Address of the connection.
    pub address: String,
}

/// Reads the connected peers.
#[derive(Clone)]
pub struct PeerReader(SharedNetwork);

impl PeerReader {
    pub(crate) fn new(network: SharedNetwork) -> Self {
        Self(network)
    }

    /// Peers connected at this moment; empty while the engine stops.
    pub async fn peers(&self) -> Vec<PeerState> {
        match self.0.get() {
            Some(network) => connected(&network).await,
            None => Vec::new(),
        }
    }
}

/// Peers connected to a network.
pub(crate) async fn connected(network: &Network) -> Vec<PeerState> {
    let answer = network.actor().call(NetworkMsg::DumpState, None).await;
    let Ok(CallResult::Success(Some(dump))) = answer else {
        return Vec::new();
    };
    dump.peers
        .into_iter()
        .map(|(peer, info)| PeerState {
            peer,
            name: info.moniker,
            address: info.address.to_string(),
        })
        .collect()
}
