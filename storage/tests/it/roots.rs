//! What the state root depends on, and what not.

use crate::chain::*;
use billchain_storage::{Cooling, Place, StateDelta, Storage, StorageError, genesis_root};
use sp_core::H256;

/// Roots after genesis and after blocks 1, 2, 3, 50 and 200. They change when a
/// commitment constant, the hash, or QMDB's format changes: then no chain that
/// exists can be continued, and the storage format must be raised.
const ROOTS: [(u32, &str); 6] = [
    (0, "e61ad9bd845dc22b970735aaa5ab0913fce353bee517e052268652af8d7c7615"),
    (1, "c055860e9f373c790fbce0c55eb7091b1ca5170f38bb85391242be1f515cf851"),
    (2, "cbeeb0c27a5b70a539e23692b7dd2642b27b5a909a23ab63fe39dd2d38c3be0c"),
    (3, "d94aec3a31afe32a2bb430561c072bfcf4c1a6710cbde37b21e25c231a85149f"),
    (50, "630e14a94083b5ed6b921b836c3cb5b7e7ea5af7bdb919e5cbc83bf9152e2a68"),
    (200, "5e94671c3cc07eaca8d640c1f2ad146bb23661b972672485a5c815f6ff9e3609"),
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
        "fb2bfee68f84c4cd5ad7624f83df7a0e446c897a82dcd9f906a8bb1911fbba2f"
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
