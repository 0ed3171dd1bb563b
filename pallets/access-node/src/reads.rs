//! What can be asked: by everybody, and by the other contracts.

use crate::{AccessNode, Config, LinkedNode, Links, NodeStatus, Nodes, NodesOf, Pallet};
use billchain_primitives::{
    Did,
    seams::{AccessNodes, AccessProblem},
};

/// What can be asked.
impl<T: Config> Pallet<T> {
    /// The access node `node`, whatever its status.
    pub fn node(node: &Did) -> Option<AccessNode> {
        Nodes::<T>::get(node)
    }

    /// At most `limit` access nodes after `after` in the order of the state,
    /// from the first without it.
    pub fn nodes(after: Option<&Did>, limit: usize) -> Vec<(Did, AccessNode)> {
        let nodes = match after {
            Some(after) => Nodes::<T>::iter_from(Nodes::<T>::hashed_key_for(after)),
            None => Nodes::<T>::iter(),
        };
        nodes.take(limit).collect()
    }

    /// The nodes that are linked to `participant`, in the order of linking.
    pub fn nodes_of(participant: &Did) -> Vec<LinkedNode> {
        NodesOf::<T>::get(participant).into_inner()
    }

    /// At most `limit` participants that are linked to `node`, after `after`
    /// in the order of the state, from the first without it.
    pub fn participants_of(node: &Did, after: Option<&Did>, limit: usize) -> Vec<Did> {
        match after {
            Some(after) => {
                let start = Links::<T>::hashed_key_for(node, after);
                Links::<T>::iter_key_prefix_from(node, start).take(limit).collect()
            }
            None => Links::<T>::iter_key_prefix(node).take(limit).collect(),
        }
    }

    /// Whether `participant` may act through `node`: they are linked, and the
    /// node is in normal operation.
    pub fn assert_link(node: &Did, participant: &Did) -> Result<(), AccessProblem> {
        let nodes = NodesOf::<T>::get(participant);
        match nodes.iter().find(|linked| linked.node == *node) {
            None => Err(AccessProblem::NotLinked),
            Some(LinkedNode { status: NodeStatus::Normal, .. }) => Ok(()),
            Some(_) => Err(AccessProblem::NodeInactive),
        }
    }
}

impl<T: Config> AccessNodes for Pallet<T> {
    fn ensure_access(participant: &Did) -> Result<(), AccessProblem> {
        let nodes = NodesOf::<T>::get(participant);
        if nodes.iter().any(|linked| linked.status == NodeStatus::Normal) {
            Ok(())
        } else if nodes.is_empty() {
            Err(AccessProblem::NotLinked)
        } else {
            Err(AccessProblem::NodeInactive)
        }
    }
}
