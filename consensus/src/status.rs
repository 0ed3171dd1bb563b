//! What consensus says about itself while it runs.

use std::time::{Instant, SystemTime};

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
    /// What is being done about the height.
    pub phase: Phase,
    /// When height, round or phase changed last, by this node's clock; `None` before
    /// consensus has begun.
    pub since: Option<SystemTime>,
    /// When a block was committed last; `None` before the first of this run.
    pub committed_at: Option<Instant>,
    /// A validator follows without its vote up to this height, where it may have signed.
    pub abstains_until: Option<Height>,
}

/// What is being done about a height.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Consensus has not begun.
    #[default]
    Starting,
    /// Validators decide.
    Deciding,
    /// It is decided; the block is asked from peers.
    Fetching,
    /// It is decided; the block is being written.
    Committing,
    /// The block before is final; the height begins with work, or when an empty block is
    /// due.
    Waiting,
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
