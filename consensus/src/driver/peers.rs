//! The peers: who may connect, and how blocks go out to them.

use bytes::Bytes;
use malachitebft_app_channel::app::net::PeerId;
use malachitebft_app_channel::app::streaming::StreamId;
use malachitebft_app_channel::app::types::PeerId as EnginePeerId;

use crate::application::AllowedPeers;
use crate::network::Network;
use crate::parts::split;
use crate::peers::AllowList;
use crate::types::Form;
use crate::undecided::StoredBlock;

/// See the module's documentation.
pub(super) struct Peers {
    pub network: Network,
    allowed: AllowList,
    own: PeerId,
    /// Makes stream ids of this process unique.
    streams: u64,
}

impl Peers {
    /// The network lets `allowed` connect; `own` is this node itself.
    pub(super) fn new(network: Network, allowed: AllowList, own: PeerId) -> Self {
        Self { network, allowed, own, streams: stream_seed() }
    }

    /// Follows the chain's list.
    pub(super) async fn follow(&mut self, peers: AllowedPeers) {
        let list = AllowList::new(peers, &self.own);
        self.network.follow(&mut self.allowed, list).await;
    }

    /// Whether this peer is the node of a validator.
    pub(super) fn is_validator(&self, peer: &EnginePeerId) -> bool {
        self.allowed.is_validator(peer)
    }

    /// Sends a block, in this form, to all.
    pub(super) fn publish(&mut self, block: &StoredBlock, form: Form, content: &Bytes) {
        let Some(announced) = &block.announced else {
            // From value sync: the others have decided it.
            return;
        };
        self.streams = self.streams.wrapping_add(1);
        let id = StreamId::new(self.streams.to_be_bytes().to_vec().into());
        for part in split(id, announced, form, content) {
            self.network.publish(part);
        }
    }
}

/// Streams of two runs of one node must differ; the clock is enough for that.
fn stream_seed() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(0))
}
