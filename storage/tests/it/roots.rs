//! What the state root depends on, and what not.

use crate::chain::*;
use billchain_storage::{Shown, StateDelta, StorageError, genesis_root};
use sp_core::H256;

/// Roots after genesis and after blocks 1, 2, 3, 50 and 200. They change when a
/// commitment constant, the hash, or QMDB's format changes: then no chain that
/// exists can be continued, and the storage format must be raised.
const ROOTS: [(u32, &str); 6] = [
    (0, "64098e4fed3f8d9b4f1143e813f01bb7dc980a8911cab6fd5c26c0f08a989707"),
    (1, "d7b3b8d0cbd4dbd7831bbf3c28891ffce2e9e3a38b29edc1fe3ad32ec7e4ffab"),
    (2, "65893a6a3bb054881c43efd47b65e134565f80f5fea51a958c4098c347b7d7cf"),
    (3, "60fb772574827c8ef9640d13eb768bdecb40a2a44cb375799377aa01afabd9b0"),
    (50, "d814c6e743e40bf50694d0f5f1614089858e3669115934f3e8da7bfa726ea021"),
    (200, "f3a449977bbf35957d4927c7e1107c8b7e54969948f709ea7c3d3f18a12cd524"),
];

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
        "91a6026da140bb2e0d69dd865875e33e002750342db90c0c4eb3e0915766c740"
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
            storage.speculate(&dropped).unwrap();
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
    let other_root = storage.speculate(&other).unwrap();
    assert_ne!(other_root, block.state_root);
    assert_eq!(storage.head(), before);
    assert_eq!(storage.state().get(b"other").unwrap(), None);
    // More than are remembered: the first is computed again.
    let roots: Vec<H256> = (0..10_u8)
        .map(|i| storage.speculate(&StateDelta::from([(vec![i], None)])).unwrap())
        .collect();
    assert_eq!(storage.speculate(&StateDelta::from([(vec![0], None)])).unwrap(), roots[0]);
    assert_eq!(storage.speculate(&other).unwrap(), other_root);
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
    block.state_root = storage.speculate(&block.delta).unwrap();
    let first = block.state_root;
    storage.commit(block).unwrap();
    let mut block = next_block(&storage);
    block.delta.clear();
    block.state_root = storage.speculate(&block.delta).unwrap();
    assert!(genesis != first && first != block.state_root, "the height is part of it");
    storage.commit(block).unwrap();
    assert_eq!(contents(&storage.state()), genesis_state());
}

#[test]
fn empty_and_absent_values_have_different_roots() {
    let dir = tempfile::tempdir().unwrap();
    let storage = begin(dir.path());
    let root = |value| storage.speculate(&StateDelta::from([(b"k\x01".to_vec(), value)])).unwrap();
    assert_ne!(root(None), root(Some(Vec::new())));
}

#[test]
fn speculations_from_many_threads_agree() {
    let dir = tempfile::tempdir().unwrap();
    let storage = begin(dir.path());
    let expected: Vec<H256> = (0..6).map(|n| storage.speculate(&delta(n)).unwrap()).collect();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for n in (0..6).cycle().take(60) {
                    assert_eq!(storage.speculate(&delta(n)).unwrap(), expected[n as usize]);
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
    let Shown::Group { group, .. } = &proof.groups[0].shown else { panic!("it is there") };
    let there = (0..40).filter(|last| state.contains_key(&[b'k', *last][..]));
    assert!(group.iter().map(|(last, _)| *last).eq(there));
    assert!(proof.groups[1].values.iter().all(Option::is_some));
    assert!(matches!(proof.groups[2].shown, Shown::Neighbour(_)));
    // Each is what is proved of one key alone.
    for (group, key) in proof.groups.iter().zip([&keys[0], &keys[40], &keys[42], &keys[43]]) {
        let alone = storage.prove(std::slice::from_ref(key)).unwrap().unwrap();
        assert_eq!(
            (&alone.groups[0].shown, &alone.groups[0].operation),
            (&group.shown, &group.operation)
        );
        assert_eq!(alone.groups[0].values, [state.get(key).cloned()]);
    }
    let error = storage.prove(&[vec![1], Vec::new()]).unwrap_err();
    assert!(matches!(error, StorageError::Commitment { .. }), "{error}");
}
