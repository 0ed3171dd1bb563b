//! Reading the states of recent blocks.

use crate::chain::*;
use billchain_storage::{StateSnapshot, Storage, StorageError, StorageOptions};
use sp_core::H256;
use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
};

#[test]
fn a_snapshot_keeps_its_state_while_blocks_are_committed() {
    let dir = tempfile::tempdir().unwrap();
    let storage = begin(dir.path());
    let snapshots: Vec<StateSnapshot> = (0..=30)
        .map(|number| {
            grow_to(&storage, number);
            storage.state()
        })
        .collect();
    for (number, snapshot) in (0..).zip(&snapshots) {
        let expected = state_after(number);
        assert_eq!(snapshot.number(), number);
        assert_eq!(contents(snapshot), expected, "pages of block {number}");
        for i in 0..40 {
            let key = vec![b'k', i];
            assert_eq!(snapshot.get(&key).unwrap().as_ref(), expected.get(&key), "block {number}");
        }
    }
}

#[test]
fn pages_and_next_keys_follow_the_order_of_keys() {
    let dir = tempfile::tempdir().unwrap();
    let storage = begin(dir.path());
    let snapshot = storage.state();
    grow_to(&storage, 9);
    for (snapshot, number) in [(snapshot, 0), (storage.state(), 9)] {
        let keys: Vec<Vec<u8>> = state_after(number).into_keys().collect();
        let page = |prefix: &[u8], start: Option<&[u8]>, limit| {
            snapshot.keys_paged(prefix, start, limit).unwrap()
        };
        assert_eq!(page(b"", None, 1000), keys);
        assert_eq!(page(b"", None, 0), Vec::<Vec<u8>>::new());
        assert_eq!(page(b"", Some(&keys[2]), 3), keys[3..6], "start is exclusive");
        let news: Vec<_> = keys.iter().filter(|key| key.starts_with(b"new")).cloned().collect();
        assert_eq!(page(b"new", None, 1000), news);
        assert_eq!(page(b"new", Some(b"a"), 1000), news, "a start below the prefix");
        assert_eq!(page(b"new", Some(b"z"), 1000), Vec::<Vec<u8>>::new());
        let mut walked = Vec::new();
        let mut at = Vec::new();
        while let Some(key) = snapshot.keys_paged(&[], Some(&at), 1).unwrap().pop() {
            walked.push(key.clone());
            at = key;
        }
        assert_eq!(walked, keys);
    }
}

#[test]
fn keys_that_blocks_wrote_are_paged_between_two_states() {
    let dir = tempfile::tempdir().unwrap();
    let storage = begin(dir.path());
    let snapshots: Vec<StateSnapshot> = (0..=12)
        .map(|number| {
            grow_to(&storage, number);
            storage.state()
        })
        .collect();
    for (from, until) in [(0, 1), (0, 12), (3, 7), (11, 12), (4, 4), (7, 3)] {
        let written: BTreeSet<Vec<u8>> =
            (from + 1..=until).flat_map(|number| delta(number).into_keys()).collect();
        let (older, newer) = (&snapshots[from as usize], &snapshots[until as usize]);
        let all = older.written_paged(newer, b"", None, 1_000);
        assert_eq!(all, written.iter().cloned().collect::<Vec<_>>(), "{from} to {until}");
        let news: Vec<_> = all.iter().filter(|key| key.starts_with(b"new")).cloned().collect();
        assert_eq!(older.written_paged(newer, b"new", None, 1_000), news);
        // Page by page it is the same.
        let (mut paged, mut at) = (Vec::new(), None::<Vec<u8>>);
        loop {
            let page = older.written_paged(newer, b"", at.as_deref(), 2);
            assert!(page.len() <= 2);
            let Some(last) = page.last().cloned() else { break };
            paged.extend(page);
            at = Some(last);
        }
        assert_eq!(paged, all);
        assert!(older.written_paged(newer, b"", None, 0).is_empty());
        // What is not among them is the same in both states.
        let differs = |key: &&Vec<u8>| older.get(key).unwrap() != newer.get(key).unwrap();
        let (before, after) = (state_after(from), state_after(until));
        let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        let changed: BTreeSet<_> = keys.into_iter().filter(differs).cloned().collect();
        assert!(until <= from || (!changed.is_empty() && changed.is_subset(&written)));
    }
}

#[test]
fn a_walk_stops_at_keys_that_later_blocks_brought_as_at_others() {
    let dir = tempfile::tempdir().unwrap();
    let storage = begin(dir.path());
    let early = storage.state();
    grow_to(&storage, 40);
    let mut seen = Vec::new();
    let later = early.walk(b"new", None, |key, value| {
        seen.push((key.to_vec(), value.map(<[u8]>::to_vec)));
        seen.len() < 7
    });
    later.unwrap();
    let expected: Vec<_> = (1..=7).map(|number| (new_key(number), None)).collect();
    assert_eq!(seen, expected, "none of them was there");
    assert!(early.keys_paged(b"new", None, 1_000).unwrap().is_empty());
    // What was there is seen with its value, among them.
    let (mut there, mut others) = (State::new(), 0);
    let all = early.walk(b"", None, |key, value| {
        match value {
            Some(value) => drop(there.insert(key.to_vec(), value.to_vec())),
            None => others += 1,
        }
        true
    });
    all.unwrap();
    assert_eq!((there, others >= 40), (state_after(0), true));
}

#[test]
fn recent_states_are_read_before_and_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let storage = begin(dir.path());
    grow_to(&storage, 40);
    let check = |storage: &Storage| {
        for number in [39, 40, 17, 0, 1, 33] {
            let snapshot = storage.state_at(&hash(number)).unwrap();
            assert_eq!(contents(&snapshot), state_after(number), "block {number}");
        }
        let unknown = H256::repeat_byte(3);
        assert!(matches!(
            storage.state_at(&unknown),
            Err(StorageError::UnknownBlock { hash }) if hash == unknown
        ));
    };
    check(&storage);
    drop(storage);
    let storage = open(dir.path());
    assert_eq!(storage.stats().history_blocks, 0, "loaded when asked for");
    check(&storage);
    assert_eq!(storage.stats().history_blocks, 40);
    let old = storage.state_at(&hash(5)).unwrap();
    grow_to(&storage, 44);
    assert_eq!(contents(&old), state_after(5));
}

#[test]
fn the_window_of_states_is_bounded_in_blocks_and_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let narrow = || StorageOptions { history_blocks: 10, ..options() };
    let storage = Storage::open(dir.path(), narrow()).unwrap();
    storage.init_genesis(genesis()).unwrap();
    grow_to(&storage, 100);
    let check = |storage: &Storage| {
        assert_eq!(contents(&storage.state_at(&hash(90)).unwrap()), state_after(90));
        assert!(matches!(
            storage.state_at(&hash(89)),
            Err(StorageError::StateNotKept { number: 89, oldest: 90, .. })
        ));
        assert_eq!(storage.stats().history_blocks, 10);
    };
    check(&storage);
    drop(storage);
    let storage = Storage::open(dir.path(), narrow()).unwrap();
    check(&storage);
    drop(storage);
    // A wider window cannot bring back what was removed: 64 blocks are kept.
    let storage = open(dir.path());
    assert_eq!(contents(&storage.state_at(&hash(36)).unwrap()), state_after(36));
    let error = storage.state_at(&hash(35)).err().unwrap();
    assert!(matches!(error, StorageError::StateNotKept { number: 35, oldest: 36, .. }), "{error}");
}

#[test]
fn the_window_of_states_is_bounded_in_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let small = || StorageOptions { history_bytes: 1000, ..options() };
    let storage = Storage::open(dir.path(), small()).unwrap();
    storage.init_genesis(genesis()).unwrap();
    grow_to(&storage, 60);
    let check = |storage: &Storage| {
        let error = storage.state_at(&hash(20)).err().unwrap();
        let StorageError::StateNotKept { oldest, .. } = error else { panic!("{error}") };
        assert!((45..60).contains(&oldest), "{oldest}");
        assert_eq!(contents(&storage.state_at(&hash(oldest)).unwrap()), state_after(oldest));
        assert!(storage.stats().history_bytes <= 1000);
    };
    check(&storage);
    drop(storage);
    check(&Storage::open(dir.path(), small()).unwrap());
}

#[test]
fn many_readers_see_whole_blocks_while_one_writes() {
    let dir = tempfile::tempdir().unwrap();
    let storage = begin(dir.path());
    grow_to(&storage, 3);
    let models: Vec<State> = (0..=80).map(state_after).collect();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for reader in 0..4_u32 {
            let (storage, models, done) = (&storage, &models, &done);
            scope.spawn(move || {
                let mut round = reader;
                while !done.load(Ordering::Relaxed) {
                    round = round.wrapping_add(1);
                    let (head, newest) = storage.head_state().unwrap();
                    assert_eq!(newest.number(), head.number);
                    let back = head.number.saturating_sub(round % 20);
                    for snapshot in [newest, storage.state_at(&hash(back)).unwrap()] {
                        let model = &models[snapshot.number() as usize];
                        assert_eq!(&contents(&snapshot), model, "block {}", snapshot.number());
                        for i in 0..40 {
                            let key = vec![b'k', i];
                            assert_eq!(snapshot.get(&key).unwrap().as_ref(), model.get(&key));
                        }
                    }
                }
            });
        }
        grow_to(&storage, 80);
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_transaction_has_a_place_only_when_the_state_after_it_is_the_heads() {
    let dir = tempfile::tempdir().unwrap();
    let storage = begin(dir.path());
    let last = 80;
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for number in 1..=last {
                    let hash = tx_hash(number, 0);
                    let place = loop {
                        if let Some(place) = storage.tx(&hash).unwrap() {
                            break place;
                        }
                    };
                    let head = storage.head().number;
                    assert_eq!(place, (number, 0));
                    assert!(head >= number, "found in block {number}, read at block {head}");
                }
            });
        }
        grow_to(&storage, last);
    });
}
