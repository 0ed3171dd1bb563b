//! Groups whose shared bytes are keys of other groups, or begin them; groups that become empty and
//! come back.

use crate::chain::*;
use billchain_storage::{Head, Place, StateDelta, Storage, Verified, verify};
use std::{collections::BTreeSet, fs};

/// Keys of one byte to four, each of three values: most are what others begin with.
fn keys() -> Vec<Vec<u8>> {
    let (mut all, mut longest) = (Vec::new(), vec![Vec::new()]);
    for _ in 0..4 {
        let longer = |key: &Vec<u8>| [0, b'k', 0xff].map(|last| [&key[..], &[last]].concat());
        longest = longest.iter().flat_map(longer).collect();
        all.extend(longest.iter().cloned());
    }
    all
}

/// What block `number` writes: of what it touches, a third has a value then.
fn changed(number: u32) -> StateDelta {
    let all = keys();
    let entry = |at: u32| {
        let x =
            number.wrapping_mul(2_654_435_761).wrapping_add(at.wrapping_mul(1_540_483_477)) >> 8;
        let value = (x / 7).is_multiple_of(3).then(|| x.to_be_bytes().to_vec());
        (all[x as usize % all.len()].clone(), value)
    };
    (0..16).map(entry).collect()
}

fn step(storage: &Storage) -> Head {
    let mut block = next_block(storage);
    block.delta = changed(block.number);
    block.state_root = storage.speculate(&block.delta, &block.cooling).unwrap();
    storage.commit(block).unwrap();
    storage.head()
}

fn shared(key: &[u8]) -> &[u8] {
    key.split_last().unwrap().1
}

/// What the keys of each group share.
fn groups(state: &State) -> BTreeSet<Vec<u8>> {
    state.keys().map(|key| shared(key).to_vec()).collect()
}

#[test]
fn roots_do_not_depend_on_what_is_in_memory_and_are_found_again_from_the_changes() {
    let (plain, rough) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (kept, mut restarted) = (begin(plain.path()), begin(rough.path()));
    let mut state = genesis_state();
    let (mut emptied, mut back) = (BTreeSet::new(), 0);
    for number in 1..=60 {
        if number % 5 == 0 {
            drop(restarted);
            restarted = open(rough.path());
        }
        let head = step(&kept);
        assert_eq!(step(&restarted), head, "block {number}");
        let before = groups(&state);
        apply(&mut state, &changed(number));
        let after = groups(&state);
        back += after.intersection(&emptied).filter(|group| !before.contains(*group)).count();
        emptied.extend(before.difference(&after).cloned());
    }
    assert!(emptied.len() > 10 && back > 10, "{} groups, {back} times", emptied.len());
    let head = restarted.head();
    drop(restarted);
    fs::remove_dir_all(rough.path().join("commitment")).unwrap();
    // Each block's root is compared with that which is recorded.
    let restarted = open(rough.path());
    assert_eq!((restarted.head(), contents(&restarted.state())), (head, state.clone()));
    drop(restarted);
    let Verified { keys, .. } = verify(rough.path(), options()).unwrap();
    assert_eq!(keys, state.len() as u64);
}

#[test]
fn what_is_proved_of_each_key_is_what_the_state_holds() {
    let directory = tempfile::tempdir().unwrap();
    let storage = begin(directory.path());
    let mut state = genesis_state();
    let (mut there, mut not_there) = (0, 0);
    for number in 1..=20 {
        step(&storage);
        apply(&mut state, &changed(number));
        for key in keys() {
            let proof = storage.prove(std::slice::from_ref(&key)).unwrap().unwrap();
            assert_eq!(proof.head, storage.head());
            assert_eq!(proof.groups[0].values, [state.get(&key).cloned()], "{key:?}");
            let beside = state.keys().filter(|other| shared(other) == shared(&key));
            let lasts: Vec<u8> = beside.map(|other| other[other.len() - 1]).collect();
            match &proof.groups[0].place {
                Place::Hot { group, .. } => {
                    assert!(group.iter().map(|(last, _)| *last).eq(lasts), "{key:?}");
                    there += 1;
                }
                Place::Nowhere { runs, .. } => {
                    assert_eq!(lasts, Vec::<u8>::new(), "{key:?}");
                    assert!(runs.is_empty());
                    not_there += 1;
                }
                Place::Cold { .. } => panic!("nothing cooled"),
            }
        }
    }
    assert!(there > 100 && not_there > 100, "{there} {not_there}");
}
