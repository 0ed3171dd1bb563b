//! What no honest peer sends.

use libp2p::PeerId;

/// Points against a peer for a frame that is none of the protocol.
const MALFORMED_FRAME: u32 = 25;

/// Something that no honest peer sends.
#[derive(Debug)]
pub(super) struct Garbage {
    pub(super) peer: PeerId,
    /// Points against it.
    pub(super) points: u32,
    /// What is wrong.
    pub(super) reason: String,
}

impl Garbage {
    /// A frame that is none of the protocol.
    pub(super) fn frame(peer: PeerId, reason: String) -> Self {
        Self { peer, points: MALFORMED_FRAME, reason }
    }
}
