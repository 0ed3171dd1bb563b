//! The access nodes (业务接入节点) through which participants reach the chain.

use crate::Did;

/// Why no access node stands for a participant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AccessProblem {
    /// There is no link.
    NotLinked,
    /// There is a link, but only to nodes that are paused or disabled.
    NodeInactive,
}

/// The access nodes (业务接入节点) through which participants reach the chain.
/// Played by the access-node contract.
pub trait AccessNodes {
    /// Whether an access node in normal operation is linked to `participant`.
    fn ensure_access(participant: &Did) -> Result<(), AccessProblem>;
}
