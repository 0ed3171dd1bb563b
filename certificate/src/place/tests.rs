//! What a store with a cold part proves of keys, as a checker without a node sees it.

use super::*;
use billchain_storage::{
    BlockCommit, Cooling, Genesis, StateDelta, Storage, StorageOptions, genesis_root,
};
use billchain_verifier::{key_proof, value_of};
use sp_core::H256;
use std::collections::BTreeMap;

type State = BTreeMap<Vec<u8>, Vec<u8>>;

fn shared(group: u32) -> Vec<u8> {
    format!("group {group:02}, ").into_bytes()
}

fn key(group: u32, last: u8) -> Vec<u8> {
    [&shared(group)[..], &[last]].concat()
}

/// Two keys of each of 40 groups.
fn genesis() -> State {
    let keys = (0..40).flat_map(|group| [key(group, b'1'), key(group, b'2')]);
    keys.map(|key| (key.clone(), [&key[..], b" at first"].concat())).collect()
}

/// A block that writes, and cools these groups, which end a lap.
fn commit(storage: &Storage, delta: StateDelta, cooled: &[u32]) {
    let parent = storage.head();
    let number = parent.number + 1;
    let cooling = Cooling {
        groups: cooled.iter().map(|group| shared(*group)).collect(),
        ends_lap: !cooled.is_empty(),
        segment_groups: 6,
        merge_groups: 0,
    };
    let state_root = storage.speculate(&delta, &cooling).unwrap();
    let block = BlockCommit {
        number,
        hash: H256::from_low_u64_be(number.into()),
        parent_hash: parent.hash,
        state_root,
        block: vec![1],
        certificate: vec![2],
        delta,
        events: Vec::new(),
        offchain: Vec::new(),
        tx_hashes: Vec::new(),
        cooling,
    };
    storage.commit(block).unwrap();
}

/// A store of which groups were cooled in two laps, some of them were written to since, and one
/// deleted; and what it holds.
fn made(storage: &Storage) -> State {
    let state = genesis();
    let state_root = genesis_root(&state).unwrap();
    let (hash, document) = (H256::zero(), H256::repeat_byte(9));
    let genesis = Genesis { state: state.clone(), state_root, hash, block: vec![0], document };
    storage.init_genesis(genesis).unwrap();
    let ten: Vec<u32> = (0..10).collect();
    commit(storage, StateDelta::new(), &ten);
    let written = StateDelta::from([
        (key(3, b'1'), Some(b"later".to_vec())),
        (key(4, b'7'), Some(b"new".to_vec())),
        (key(5, b'1'), None),
        (key(5, b'2'), None),
        (key(30, b'2'), None),
    ]);
    commit(storage, written.clone(), &[]);
    commit(storage, StateDelta::new(), &[3, 20, 21, 30]);
    let mut state = state;
    for (key, value) in written {
        match value {
            Some(value) => drop(state.insert(key, value)),
            None => drop(state.remove(&key)),
        }
    }
    state
}

#[test]
fn what_is_proved_of_hot_and_cold_keys_is_verified() {
    let directory = tempfile::tempdir().unwrap();
    let storage = Storage::open(directory.path(), StorageOptions::default()).unwrap();
    let state = made(&storage);
    let groups = (0..45).flat_map(|group| [b'1', b'2', b'7'].map(|last| key(group, last)));
    let between = (0..10).map(|group| [&shared(group)[..], b"+1"].concat());
    let keys: Vec<Vec<u8>> = groups.chain(between).collect();
    let proof = storage.prove(&keys).unwrap().unwrap();
    let root = proof.head.state_root.0;
    assert_eq!(proof.head.number, 3);
    assert!(proof.run_roots.len() >= 2, "a lap is a run");
    let (roots, mut keys, mut kinds) = (roots(&proof), keys.iter(), [0; 6]);
    for group in proof.groups {
        let place = place(group.place);
        let missing = |wanted: fn(&make::Missing) -> bool| match &place {
            make::Place::Nowhere { runs, .. } => runs.iter().any(wanted),
            _ => false,
        };
        let is = [
            matches!(place, make::Place::Hot { .. }),
            matches!(place, make::Place::Cold { .. }),
            matches!(place, make::Place::Nowhere { .. }),
            missing(|missing| matches!(missing, make::Missing::Uncovered(_))),
            missing(|missing| matches!(missing, make::Missing::Between { .. })),
            missing(|missing| matches!(missing, make::Missing::Left { .. })),
        ];
        kinds.iter_mut().zip(is).for_each(|(count, is)| *count += u32::from(is));
        for value in group.values {
            let key = keys.next().unwrap();
            assert_eq!(value.as_ref(), state.get(key));
            let proof = key_proof(&roots, &place, value.as_deref());
            assert_eq!(value_of(&proof, key, &root), Ok(value.as_deref()));
        }
    }
    assert!(keys.next().is_none());
    // Of ten groups that were cooled, three left; one of them came again with three others.
    assert_eq!(kinds[..3], [40 - 1 - 11, 11, 5 + 1 + 10]);
    assert!(kinds[3..].iter().all(|count| *count > 0), "{kinds:?}");
}
