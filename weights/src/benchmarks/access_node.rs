//! The access-node contract: participants with as many nodes as they may have,
//! nodes with as many participants.

use crate::{benchmarks::Config, setup};
use billchain_primitives::{AdminRole, Did, Hash};
use billchain_runtime::{AccessNode, Runtime};
use core::marker::PhantomData;
use frame_benchmarking::v2::*;
use frame_support::{BoundedVec, traits::Get};
use pallet_access_node::{Call, LinkedNode, Links, NodeStatus, Nodes, NodesOf, Registration};

/// The pallet, for the macro.
pub struct Pallet<T>(PhantomData<T>);

/// Most participants of a node.
const MOST: u32 = 1_000;

fn registration() -> Registration {
    Registration {
        node: setup::did("node", 0),
        operator_name: setup::name(1),
        credential_hash: Hash::from(setup::hash(1)),
        public_key: setup::key(1),
    }
}

/// A node on the chain.
fn node() -> Did {
    setup::begin();
    AccessNode::register(setup::council(), registration()).expect("a fresh node; qed");
    registration().node
}

/// Links `participant` to `node`, after as many other nodes as there may be.
fn connect(node: &Did, participant: &Did) {
    let most: u32 = <Runtime as pallet_access_node::Config>::MaxNodesPerParticipant::get();
    let nodes = (1..most)
        .map(|number| setup::did("node", number))
        .chain([node.clone()])
        .map(|node| LinkedNode { node, status: NodeStatus::Normal })
        .collect();
    NodesOf::<Runtime>::insert(participant, BoundedVec::truncate_from(nodes));
    Links::<Runtime>::insert(node, participant, ());
    Nodes::<Runtime>::mutate(node, |entry| {
        if let Some(entry) = entry {
            entry.participants += 1;
        }
    });
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn register() -> Result<(), BenchmarkError> {
        setup::begin();
        #[extrinsic_call]
        _(setup::council(), registration());
        assert!(Nodes::<Runtime>::contains_key(registration().node));
        Ok(())
    }

    #[benchmark]
    fn set_status(n: Linear<0, MOST>) -> Result<(), BenchmarkError> {
        let most: u32 = <Runtime as pallet_access_node::Config>::MaxParticipantsPerNode::get();
        assert_eq!(most, MOST, "a full node is measured");
        let node = node();
        for number in 0..n {
            connect(&node, &setup::did("member", number));
        }
        // Who is looked up; the council is not.
        let security = setup::signed(&setup::administrator(2, AdminRole::SecurityAdmin));
        #[extrinsic_call]
        _(security, node.clone(), NodeStatus::Paused, setup::reason());
        if n > 0 {
            let linked = NodesOf::<Runtime>::get(setup::did("member", n - 1));
            let status = linked.iter().find(|one| one.node == node).map(|one| one.status);
            assert_eq!(status, Some(NodeStatus::Paused));
        }
        Ok(())
    }

    #[benchmark]
    fn link() -> Result<(), BenchmarkError> {
        let node = node();
        // An issuer of the set-up has as many nodes as it may: one has to go.
        let issuer = setup::issuer(2);
        NodesOf::<Runtime>::mutate(&issuer.did, |nodes| nodes.pop());
        #[extrinsic_call]
        _(setup::council(), node.clone(), issuer.did.clone());
        assert!(Links::<Runtime>::contains_key(node, issuer.did));
        Ok(())
    }

    #[benchmark]
    fn unlink() -> Result<(), BenchmarkError> {
        let node = node();
        let member = setup::did("member", 1);
        connect(&node, &member);
        #[extrinsic_call]
        _(setup::council(), node.clone(), member.clone(), setup::reason());
        assert!(!Links::<Runtime>::contains_key(node, member));
        Ok(())
    }
}
