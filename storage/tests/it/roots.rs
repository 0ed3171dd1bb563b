//! What the state root depends on, and what not.

use crate::chain::*;
use billchain_storage::{Cooling, Place, StateDelta, Storage, StorageError, genesis_root};
use sp_core::H256;

/// Roots after genesis and after blocks 1, 2, 3, 50 and 200. They change when a
/// commitment constant, the hash, or QMDB's format changes: then no chain that
/// exists can be continued, and the storage format must be raised.
const ROOTS: [(u32, &str); 6] = [
    (0, "a2e6918eb66d12bf05cc0fa512d1f9ba623556074199334f16179d00a80e0ba0"),
    (1, "f1f221e363a7e75b3aac3d528562029098adbddf297a7647e623b136922d3313"),
    (2, "b555d869100d72918d9b7bd61ea51d3dd7b0bf7e98055e5bddf68f23a001ac33"),
    (3, "d3f06dad851eaba7d1036735b76815db4a3b36857bb819c719618aa377219054"),
    (50, "9f9b422ea275a8d8cf50debe4475e8dfa1569446df0447c4f02e222ae5fc5d6b"),
    (200, "35c536987ed125a96b7936aa26dd183f71842476cd56efd3a4e84dd339dc2db9"),
];

fn speculate(storage: &Storage, delta: &StateDelta) -> H256 {
    storage.speculate(delta, &Cooling::default()).unwrap()
}

#[test]
fn roots_of_a_fixed_chain_are_fixed() {
    let dir = tempfile::tempdir().unwrap();
    let storage = begin(dir.path());
    let found = ROOTS.map(|(number, _)| {
        let head = grow_to(&storage, number);
        (number, hex::encode(head.state_root))
    });
    assert_eq!(found, ROOTS.map(|(number, root)| (number, root.to_owned())));
}

#[test]
fn the_root_of_no_state_is_fixed() {
    assert_eq!(
        hex::encode(genesis_root(&State::new()).unwrap()),
        "361ad1f1cf1fec779ad0edda26036ebd53695adde0fcc704a7ede7f8191417c1"
    );
}

#[test]
fn restarts_pruning_and_dropped_speculations_do_not_change_roots() {
    let (plain, rough) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let plain = begin(plain.path());
    let mut storage = begin(rough.path());
    // Beyond 320 blocks QMDB's log has been pruned.
    for number in 1..=400_u32 {
        if number % 37 == 0 {
            drop(storage);
            storage = open(rough.path());
        }
        for i in 0..number % 7 {
            let dropped = StateDelta::from([(vec![b'k', i as u8], Some(vec![number as u8]))]);
            speculate(&storage, &dropped);
        }
        grow_to(&plain, number);
        assert_eq!(grow_to(&storage, number), plain.head(), "block {number}");
    }
}

#[test]
fn a_speculated_root_is_the_committed_one_and_may_be_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let storage = begin(dir.path());
    let before = storage.head();
    let block = next_block(&storage);
    let other = StateDelta::from([(b"other".to_vec(), Some(vec![1]))]);
    let other_root = speculate(&storage, &other);
    assert_ne!(other_root, block.state_root);
    assert_eq!(storage.head(), before);
    assert_eq!(storage.state().get(b"other").unwrap(), None);
    // More than are remembered: the first is computed again.
    let roots: Vec<H256> =
        (0..10_u8).map(|i| speculate(&storage, &StateDelta::from([(vec![i], None)]))).collect();
    assert_eq!(speculate(&storage, &StateDelta::from([(vec![0], None)])), roots[0]);
    assert_eq!(speculate(&storage, &other), other_root);
    let root = block.state_root;
    storage.commit(block).unwrap();
    assert_eq!(storage.head().state_root, root);
}

#[test]
fn an_empty_block_and_a_delete_of_nothing_have_roots_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let storage = begin(dir.path());
    let genesis = storage.head().state_root;
    let mut block = next_block(&storage);
    block.delta.clear();
    block.state_root = storage.speculate(&block.delta, &block.cooling).unwrap();
    let first = block.state_root;
    storage.commit(block).unwrap();
    let mut block = next_block(&storage);
    block.delta.clear();
    block.state_root = storage.speculate(&block.delta, &block.cooling).unwrap();
    assert!(genesis != first && first != block.state_root, "the height is part of it");
    storage.commit(block).unwrap();
    assert_eq!(contents(&storage.state()), genesis_state());
}

#[test]
fn empty_and_absent_values_have_different_roots() {
    let dir = tempfile::tempdir().unwrap();
    let storage = begin(dir.path());
    let root = |value| speculate(&storage, &StateDelta::from([(b"k\x01".to_vec(), value)]));
    assert_ne!(root(None), root(Some(Vec::new())));
}

#[test]
fn speculations_from_many_threads_agree() {
    let dir = tempfile::tempdir().unwrap();
    let storage = begin(dir.path());
    let expected: Vec<H256> = (0..6).map(|n| speculate(&storage, &delta(n))).collect();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for n in (0..6).cycle().take(60) {
                    assert_eq!(speculate(&storage, &delta(n)), expected[n as usize]);
                }
            });
        }
    });
}

#[test]
fn several_keys_are_proved_at_one_head_and_each_of_their_groups_once() {
    let dir = tempfile::tempdir().unwrap();
    let storage = begin(dir.path());
    let head = grow_to(&storage, 30);
    let state = contents(&storage.state());
    let mut keys: Vec<Vec<u8>> = (0..40).map(|last| vec![b'k', last]).collect();
    keys.extend([new_key(6), new_key(7), b"absent".to_vec(), vec![b'k', 1]]);

    let proof = storage.prove(&keys).unwrap().unwrap();
    assert_eq!(proof.head, head);
    let sizes: Vec<usize> = proof.groups.iter().map(|group| group.values.len()).collect();
    assert_eq!(sizes, [40, 2, 1, 1]);
    let values = proof.groups.iter().flat_map(|group| &group.values);
    assert!(values.eq(keys.iter().map(|key| state.get(key).cloned()).collect::<Vec<_>>().iter()));
    let Place::Hot { group, .. } = &proof.groups[0].place else { panic!("it is there") };
    let there = (0..40).filter(|last| state.contains_key(&[b'k', *last][..]));
    assert!(group.iter().map(|(last, _)| *last).eq(there));
    assert!(proof.groups[1].values.iter().all(Option::is_some));
    assert!(matches!(proof.groups[2].place, Place::Nowhere { .. }));
    // Each is what is proved of one key alone.
    for (group, key) in proof.groups.iter().zip([&keys[0], &keys[40], &keys[42], &keys[43]]) {
        let alone = storage.prove(std::slice::from_ref(key)).unwrap().unwrap();
        assert_eq!(alone.groups[0].place, group.place);
        assert_eq!(alone.groups[0].values, [state.get(key).cloned()]);
    }
    let error = storage.prove(&[vec![1], Vec::new()]).unwrap_err();
    assert!(matches!(error, StorageError::Commitment { .. }), "{error}");
}
