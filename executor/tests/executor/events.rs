//! What becomes of transactions, asked after the state that said it is gone.

use super::kit::Node;
use billchain_chain_spec::{ChainSpec, dev};
use billchain_executor::{Chain, ChainError, OpaqueTx, events_key};
use billchain_primitives::Address;
use billchain_runtime::{RuntimeCall, RuntimeEvent};
use billchain_storage::{Storage, StorageError, StorageOptions};
use std::sync::Arc;

/// A chain that keeps the states of the last two blocks only.
fn forgetful() -> Node {
    let directory = tempfile::tempdir().unwrap();
    let options = StorageOptions { history_blocks: 2, ..StorageOptions::default() };
    let storage = Storage::open(directory.path(), options).unwrap();
    let genesis = ChainSpec::development().genesis_state().unwrap();
    let chain = Chain::with_genesis(Arc::new(storage), &genesis).unwrap();
    Node { chain, directory }
}

/// So many empty batches, then a call that fails.
fn transactions(node: &Node, nonce: u32, batches: u32) -> Vec<OpaqueTx> {
    let hospital = node.signer("//hospital");
    let who = Address::Id(dev::account("//hospital"));
    let council_only =
        RuntimeCall::CouncilMembership(pallet_membership::Call::remove_member { who });
    let nothing = RuntimeCall::Utility(pallet_utility::Call::batch { calls: Vec::new() });
    let mut txs: Vec<_> =
        (nonce..nonce + batches).map(|nonce| hospital.sign(&nothing, nonce)).collect();
    txs.push(hospital.sign(&council_only, nonce + batches));
    txs
}

fn failed(events: &[RuntimeEvent]) -> bool {
    let is_failure = |event: &&RuntimeEvent| {
        matches!(event, RuntimeEvent::System(frame_system::Event::ExtrinsicFailed { .. }))
    };
    events.iter().find(is_failure).is_some()
}

fn state_events(node: &Node, number: u32) -> Result<Option<Vec<u8>>, StorageError> {
    let hash = node.chain.storage().hash_of(number)?.unwrap();
    node.chain.storage().state_at(&hash)?.get(events_key())
}

#[test]
fn outcomes_of_transactions_outlive_the_state_that_held_them() {
    let node = forgetful();
    // Enough for several groups of events.
    node.advance(transactions(&node, 0, 900));
    let whole = state_events(&node, 1).unwrap().unwrap();
    assert!(node.chain.storage().event_groups(1).unwrap().len() > 1);
    (0..5).for_each(|_| drop(node.advance(Vec::new())));
    assert!(matches!(state_events(&node, 1), Err(StorageError::StateNotKept { .. })));

    assert_eq!(node.chain.event_list(1).unwrap(), Some(whole));
    for index in 0..=901 {
        let events = node.chain.events_of(1, index).unwrap().unwrap();
        assert!(!events.is_empty(), "transaction {index}");
        assert_eq!(failed(&events), index == 901, "transaction {index}: {events:?}");
    }
    assert_eq!(node.chain.events_of(1, 902).unwrap(), Some(Vec::new()));
    assert_eq!(node.chain.events_of(9, 0).unwrap(), None);
    assert_eq!(node.chain.event_list(0).unwrap(), None);
}

#[test]
fn the_index_holds_the_states_events_on_the_proposer_and_on_who_checks() {
    let (proposer, other) = (Node::development(), Node::development());
    for (nonce, batches) in [(0, 0), (1, 3), (5, 120)] {
        let block = proposer.advance(transactions(&proposer, nonce, batches));
        other.follow(block);
        let number = proposer.chain.head().number;
        let expected = state_events(&proposer, number).unwrap();
        assert!(expected.is_some());
        assert_eq!(proposer.chain.event_list(number).unwrap(), expected);
        let groups = |node: &Node| node.chain.storage().event_groups(number).unwrap();
        assert_eq!(groups(&proposer), groups(&other));
        let events = proposer.chain.block_events(number).unwrap().unwrap();
        assert!(events.len() as u32 > batches + 1);
    }
}

#[test]
fn events_that_the_index_lacks_are_named_with_the_remedy() {
    let node = Node::development();
    node.advance(Vec::new());
    let head = node.chain.head();
    let delta = Default::default();
    let block = billchain_storage::BlockCommit {
        number: 2,
        hash: Default::default(),
        parent_hash: head.hash,
        state_root: node.chain.storage().speculate(&delta, &Default::default()).unwrap(),
        block: Vec::new(),
        certificate: Vec::new(),
        delta,
        events: Vec::new(),
        offchain: Vec::new(),
        tx_hashes: Vec::new(),
        cooling: Default::default(),
    };
    node.chain.storage().commit(block).unwrap();
    let error = node.chain.events_of(2, 0).unwrap_err();
    assert!(matches!(error, ChainError::EventsMissing { number: 2 }));
    assert!(error.to_string().contains("billchain reindex"), "{error}");
    assert!(node.chain.event_list(2).is_err() && node.chain.block_events(2).is_err());
}
