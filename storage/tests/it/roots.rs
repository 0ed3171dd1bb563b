//! What the state root depends on, and what not.

use crate::chain::*;
use billchain_storage::{Shown, StateDelta, StorageError, genesis_root};
use sp_core::H256;

/// Roots after genesis and after blocks 1, 2, 3, 50 and 200. They change when a
/// commitment constant, the hash, or QMDB's format changes: then no chain that
/// exists can be continued, and the storage format must be raised.
const ROOTS: [(u32, &str); 6] = [
    (0, "1bfb52b6ae018799bd188ec0bb131bb272cb8e6cde32ad6250fcf6f3e3eab662"),
    (1, "50524c2534fcfe0e46975fc324722cd2f6c6b739344d32f22b7615e203cc6453"),
    (2, "1fa8d06d72aa41f81f2b18e1f551d52b94e12a38d8241ffdcce65cf4dd54653f"),
    (3, "df3a45058369f247599fce0ec0bbf1ac5cca99b76866c129b64060f5d564bb86"),
    (50, "7b03bb1969b8a9b306b354706c3b3807d15a3d04549ecc7a9eb1467f52debfe1"),
    (200, "2d4e3fd80a864a3a134e08b2c0951a874c3030be8fdaf524bbd40c37901657c5"),
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
        "d5dce5ed38d1a52dc37af8bc38b3424622dfacf24d91a2eb68bad9217263dc82"
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
    let new = |number: u32| [b"new".as_slice(), &number.to_be_bytes()].concat();
    let mut keys: Vec<Vec<u8>> = (0..40).map(|last| vec![b'k', last]).collect();
    keys.extend([new(5), new(6), b"absent".to_vec(), vec![b'k', 1]]);

    let proof = storage.prove(&keys).unwrap();
    assert_eq!(proof.head, head);
    let sizes: Vec<usize> = proof.groups.iter().map(|group| group.values.len()).collect();
    assert_eq!(sizes, [40, 2, 1, 1]);
    let values = proof.groups.iter().flat_map(|group| &group.values);
    assert!(values.eq(keys.iter().map(|key| state.get(key).cloned()).collect::<Vec<_>>().iter()));
    let Shown::Group { group, .. } = &proof.groups[0].shown else { panic!("it is there") };
    let there = (0..40).filter(|last| state.contains_key(&[b'k', *last][..]));
    assert!(group.iter().map(|(last, _)| *last).eq(there));
    assert!(matches!(proof.groups[2].shown, Shown::Neighbour(_)));
    // Each is what is proved of one key alone.
    for (group, key) in proof.groups.iter().zip([&keys[0], &keys[40], &keys[42], &keys[43]]) {
        let alone = storage.prove(std::slice::from_ref(key)).unwrap();
        assert_eq!(
            (&alone.groups[0].shown, &alone.groups[0].operation),
            (&group.shown, &group.operation)
        );
        assert_eq!(alone.groups[0].values, [state.get(key).cloned()]);
    }
    let error = storage.prove(&[vec![1], Vec::new()]).unwrap_err();
    assert!(matches!(error, StorageError::Commitment { .. }), "{error}");
}
