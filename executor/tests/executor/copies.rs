//! Copies of a chain from elsewhere: rehearsing an upgrade on one, and checking its
//! blocks.

use super::kit::{NOW, Node, remark};
use billchain_chain_spec::ChainSpec;
use billchain_executor::{BlockError, ChainError, OpaqueTx, Rehearsed};
use billchain_primitives::Header;
use billchain_runtime::{
    Runtime, RuntimeCall, RuntimeEvent, UncheckedExtrinsic, Upgrade, VERSION, immortal_payload,
};
use billchain_storage::{BlockCommit, StateDelta};
use codec::{Compact, Decode, Encode};
use frame_system::{LastRuntimeUpgrade, LastRuntimeUpgradeInfo};
use pallet_upgrade::{Before, Former};
use sp_runtime::{generic::Digest, traits::Header as _};

const OWN: u32 = VERSION.spec_version;

/// A node whose chain is under the rules before those of this release.
fn before() -> Node {
    let mut state = ChainSpec::development().genesis_state().unwrap();
    let spec_name = VERSION.spec_name.clone();
    let last = LastRuntimeUpgradeInfo { spec_version: (OWN - 1).into(), spec_name };
    state.insert(LastRuntimeUpgrade::<Runtime>::hashed_key().to_vec(), last.encode());
    Node::with_state(&state)
}

/// A block on the node's head with these transactions, as a release with other rules
/// could have decided it.
fn decided(node: &Node, txs: &[OpaqueTx]) -> OpaqueTx {
    let head = node.chain.head();
    let zero = Default::default();
    let header = Header::new(head.number + 1, zero, zero, head.hash, Digest::default());
    let now = NOW + u64::from(header.number);
    let call = RuntimeCall::Timestamp(pallet_timestamp::Call::set { now });
    let mut bytes = header.encode();
    Compact(txs.len() as u32 + 1).encode_to(&mut bytes);
    UncheckedExtrinsic::new_bare(call).encode_to(&mut bytes);
    txs.iter().for_each(|tx| bytes.extend_from_slice(tx));
    bytes.into()
}

fn signed_for(node: &Node, rules: u32, nonce: u32) -> OpaqueTx {
    let call = remark(16);
    let mut payload = immortal_payload(&call, nonce, node.chain.genesis_hash());
    let at = payload.len() - 72;
    payload[at..at + 4].copy_from_slice(&rules.to_le_bytes());
    node.signer("//hospital").with_signature_over(&payload, &call, nonce)
}

#[test]
fn blocks_of_the_rules_before_are_rehearsed_alike_everywhere() {
    let rehearsed = || {
        let node = before();
        assert!(matches!(node.chain.ensure_rules(), Err(ChainError::OtherRules(_))));
        for number in 1..=3 {
            let txs = [signed_for(&node, OWN - 1, number - 1), signed_for(&node, OWN - 2, number)];
            let bytes = decided(&node, &txs);
            let parent = node.chain.head().hash;
            let Rehearsed { block, refused, applied } =
                node.chain.rehearse(bytes.clone(), OWN - 1).unwrap();
            let hash = Header::decode(&mut &bytes[..]).unwrap().hash();
            assert_eq!((block.hash(), block.header().parent_hash), (hash, parent));
            assert_eq!(applied, [0, 1], "block {number}");
            let refused: Vec<u32> = refused.into_iter().map(|(index, _)| index).collect();
            assert_eq!(refused, [2], "signed for rules that never came before");
            assert_eq!(block.transaction_count(), 2);
            node.chain.commit(block, b"certificate".to_vec()).unwrap();
            // The next decided block stands on this one's decided hash.
            assert_eq!(node.chain.head().number, number);
            let head = node.chain.storage().block(number).unwrap().unwrap();
            assert_eq!(head, bytes);
            let failed = node.chain.events_of(number, 1).unwrap().unwrap();
            let has_failed = |event: &RuntimeEvent| {
                matches!(event, RuntimeEvent::System(frame_system::Event::ExtrinsicFailed { .. }))
            };
            assert!(failed.iter().any(has_failed), "the call fails, and that is no refusal");
        }
        assert_eq!(node.chain.read(Upgrade::rules_in_force).unwrap(), OWN);
        let former = Former { rules: OWN - 1, until: u64::MAX };
        assert_eq!(node.chain.read(Before::<Runtime>::get).unwrap(), Some(former));
        node.chain.ensure_rules().unwrap();
        node.chain.head().state_root
    };
    assert_eq!(rehearsed(), rehearsed());
}

#[test]
fn a_block_that_does_not_follow_the_head_is_not_rehearsed() {
    let (node, other) = (before(), before());
    let bytes = decided(&other, &[]);
    let Rehearsed { block, .. } = other.chain.rehearse(bytes.clone(), OWN - 1).unwrap();
    other.chain.commit(block, Vec::new()).unwrap();
    let second = decided(&other, &[]);
    for (bytes, words) in [(second, "parent is"), (b"no block".as_slice().to_vec().into(), "block")]
    {
        let error = match node.chain.rehearse(bytes, OWN - 1) {
            Err(error) => error,
            Ok(_) => panic!("rehearsed"),
        };
        assert!(error.to_string().contains(words), "{error}");
        assert!(!matches!(error, BlockError::Local(_)), "{error}");
    }
    assert_eq!(node.chain.head().number, 0);
}

#[test]
fn stored_blocks_are_one_chain_or_it_is_said_which_is_not() {
    let node = Node::development();
    node.chain.verify_blocks().unwrap();
    let hospital = node.signer("//hospital");
    for nonce in 0..3 {
        node.advance(vec![hospital.remark(nonce)]);
    }
    node.chain.verify_blocks().unwrap();

    let good = node.build(vec![hospital.remark(3)]).block;
    let header = good.header().clone();
    let other_body = [header.encode(), vec![0]].concat();
    let cut = good.bytes()[..good.bytes().len() - 1].to_vec();
    for (bytes, words) in [
        (b"no block".to_vec(), "block 4"),
        (cut, "block 4"),
        (other_body, "its transactions have root"),
        (node.chain.storage().block(3).unwrap().unwrap(), "and number 3"),
    ] {
        let copy = Node::development();
        for number in 1..=3 {
            copy.follow(node.chain.storage().block(number).unwrap().unwrap().into());
        }
        // As a store of somebody else's making: nothing but the bytes is wrong.
        let storage = copy.chain.storage();
        let delta = StateDelta::from([(b"key".to_vec(), Some(vec![1]))]);
        let commit = BlockCommit {
            number: 4,
            hash: header.hash(),
            parent_hash: header.parent_hash,
            state_root: storage.speculate(&delta, &Default::default()).unwrap(),
            block: bytes,
            certificate: Vec::new(),
            delta,
            events: Vec::new(),
            offchain: Vec::new(),
            tx_hashes: Vec::new(),
            cooling: Default::default(),
        };
        storage.commit(commit).unwrap();
        let error = copy.chain.verify_blocks().unwrap_err().to_string();
        assert!(error.contains("block 4") && error.contains(words), "{words}: {error}");
    }
}
