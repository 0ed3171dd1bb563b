//! Groups that cool and become hot again: roots, reads, restarts, the way back, and proofs.

use crate::{
    chain::{State, apply, copy, options, scratch},
    cold_model::*,
};
use billchain_cold::proof::{Digest, cold_root, state_root};
use billchain_crypto::sm3::sm3;
use billchain_storage::{
    Cooling, Genesis, GroupProof, Missing, Place, StateDelta, StateProof, Storage, StorageError,
    genesis_root, rewind,
};
use std::{collections::BTreeSet, path::Path};

fn open(path: &Path) -> Storage {
    Storage::open(path, options()).unwrap()
}

#[test]
fn roots_are_those_of_the_model_and_the_chain_has_all_that_is_to_be_tested() {
    // Roots are compared block by block where the chain is made.
    let chain = chain();
    assert!(chain.model.active() > 5, "{}", chain.model.active());
    assert!(chain.model.laps().iter().any(|laps| *laps >= 4), "{:?}", chain.model.laps());
    let cooled: usize = chain.blocks.iter().map(|block| block.cooling.groups.len()).sum();
    assert!(cooled > 60, "{cooled}");
    let (mut heated, mut emptied) = (0, 0);
    for (at, block) in chain.blocks.iter().enumerate() {
        let (state, hot) = &chain.states[at];
        for (key, value) in &block.delta {
            if state.contains_key(key) && !hot.contains_key(key) {
                heated += 1;
                emptied += u32::from(value.is_none());
            }
        }
    }
    assert!(heated > 60 && emptied > 5, "{heated} keys, {emptied} of them deleted");
}

#[test]
fn every_key_is_read_as_it_was_after_each_block() {
    let chain = chain();
    let place = tempfile::tempdir().unwrap();
    let storage = begin(place.path(), options());
    let mut kept = vec![storage.state()];
    for number in 1..=LAST {
        chain.grow(&storage, number);
        kept.push(storage.state());
        chain.check(&storage.state());
    }
    // Snapshots that were taken then, and states that are asked for now.
    kept.iter().for_each(|snapshot| chain.check(snapshot));
    let check = |storage: &Storage| {
        for number in 0..=LAST {
            let head = &chain.heads[number as usize];
            chain.check(&storage.state_at(&head.hash).unwrap());
        }
    };
    check(&storage);
    let stats = storage.stats().cold;
    assert_eq!(
        (stats.runs, stats.active),
        (chain.model.runs() as u64, chain.model.active() as u64)
    );
    assert!(stats.groups > stats.active && stats.asked > stats.found && stats.found > 0);
    drop((kept, storage));
    check(&open(place.path()));
}

#[test]
fn many_readers_see_whole_blocks_while_groups_cool_and_become_hot() {
    let chain = chain();
    let place = tempfile::tempdir().unwrap();
    let storage = begin(place.path(), options());
    std::thread::scope(|scope| {
        for reader in 0..3_u32 {
            let storage = &storage;
            scope.spawn(move || {
                let mut round = reader;
                loop {
                    let (head, newest) = storage.head_state().unwrap();
                    assert_eq!(newest.number(), head.number);
                    chain.check(&newest);
                    let back = head.number.saturating_sub(round % 20) as usize;
                    chain.check(&storage.state_at(&chain.heads[back].hash).unwrap());
                    round = round.wrapping_add(1);
                    if head.number == LAST {
                        break;
                    }
                }
            });
        }
        chain.grow(&storage, LAST);
    });
}

#[test]
fn restarts_and_dropped_speculations_do_not_change_roots() {
    let chain = chain();
    let place = tempfile::tempdir().unwrap();
    let mut storage = begin(place.path(), options());
    for number in 1..=LAST {
        drop(storage);
        storage = open(place.path());
        let before = storage.stats().cold;
        let block = &chain.blocks[number as usize - 1];
        // Others that write to what is cold, cool what is hot, or merge more.
        for at in 0..number % 4 {
            let delta = StateDelta::from([(key(7 * at + number), Some(vec![9]))]);
            let merging = Cooling { merge_groups: 3, ..block.cooling.clone() };
            storage.speculate(&delta, &merging).unwrap();
            storage.speculate(&delta, &Cooling::default()).unwrap();
        }
        assert_eq!(storage.speculate(&block.delta, &block.cooling).unwrap(), block.state_root);
        assert_eq!(
            (storage.stats().cold.groups, storage.stats().cold.active),
            (before.groups, before.active),
            "nothing is turned"
        );
        chain.grow(&storage, number);
    }
    chain.check(&storage.state());
}

#[test]
fn a_store_is_wound_back_to_each_block_and_goes_on_as_before() {
    let chain = chain();
    let scratch = scratch();
    let original = scratch.path().join("original");
    let storage = begin(&original, options());
    chain.grow(&storage, LAST);
    drop(storage);
    // Block by block, and now and then forth again.
    for number in (0..LAST).rev() {
        assert_eq!(rewind(&original, &options(), number).unwrap(), chain.heads[number as usize]);
        chain.check(&open(&original).state());
        if number % 5 == 0 {
            let path = scratch.path().join("forth");
            copy(&original, &path);
            let storage = open(&path);
            chain.grow(&storage, LAST);
            chain.check(&storage.state());
            drop(storage);
            // All at once.
            assert_eq!(rewind(&path, &options(), number).unwrap(), chain.heads[number as usize]);
            chain.check(&open(&path).state());
            std::fs::remove_dir_all(&path).unwrap();
        }
    }
    let storage = open(&original);
    assert_eq!(storage.stats().cold, Default::default(), "nothing is left of it");
    chain.grow(&storage, LAST);
    chain.check(&storage.state());
    drop(storage);
    // No row was left behind, nor lost.
    let other = scratch.path().join("other");
    let storage = begin(&other, options());
    chain.grow(&storage, LAST);
    drop(storage);
    for table in ["cooled", "bits", "nodes", "cold", "state"] {
        assert_eq!(rows(&original, table), rows(&other, table), "{table}");
    }
}

/// All rows of a table of a store that nobody uses.
pub fn rows(path: &Path, table: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let path = path.join("db");
    let names = rocksdb::DB::list_cf(&rocksdb::Options::default(), &path).unwrap();
    let options = rocksdb::Options::default();
    let db = rocksdb::DB::open_cf_for_read_only(&options, &path, names, false).unwrap();
    let table = db.cf_handle(table).unwrap();
    let entries = db.iterator_cf(table, rocksdb::IteratorMode::Start);
    entries.map(|entry| entry.map(|(key, row)| (key.to_vec(), row.to_vec())).unwrap()).collect()
}

#[test]
fn a_commitment_that_is_behind_or_ahead_comes_to_the_database() {
    let chain = chain();
    let scratch = tempfile::tempdir().unwrap();
    let storage = begin(&scratch.path().join("original"), options());
    let blocks = [0, 3, 16, 31, 47, LAST];
    for number in blocks {
        chain.grow(&storage, number);
        copy(storage.path(), &scratch.path().join(format!("at-{number}")));
    }
    for database in blocks {
        for commitment in blocks {
            let place = tempfile::tempdir_in(scratch.path()).unwrap();
            let of = |number: u32| scratch.path().join(format!("at-{number}"));
            copy(&of(database).join("db"), &place.path().join("db"));
            copy(&of(commitment).join("commitment"), &place.path().join("commitment"));
            let storage = open(place.path());
            assert_eq!(storage.head(), chain.heads[database as usize], "{commitment}");
            chain.check(&storage.state());
            chain.grow(&storage, LAST.min(database + 9));
        }
    }
}

#[test]
fn damaged_bits_nodes_and_records_are_noticed_when_the_store_is_opened() {
    let chain = chain();
    let scratch = scratch();
    let original = scratch.path().join("original");
    let storage = begin(&original, options());
    chain.grow(&storage, LAST);
    drop(storage);
    let mut tried = 0;
    for (table, step) in [("bits", 1), ("nodes", 5), ("cold", 1)] {
        for (key, row) in rows(&original, table).into_iter().step_by(step) {
            // Those that were merged: only RocksDB knows.
            if key.starts_with(b"r") && key.len() == 9 {
                continue;
            }
            let mut other = row.clone();
            other[0] ^= 1;
            for damaged in [None, Some(other)] {
                let path = scratch.path().join("damaged");
                copy(&original, &path);
                put(&path, table, &key, damaged.as_deref());
                match Storage::open(&path, options()) {
                    Err(error) => {
                        let is_told =
                            matches!(error, StorageError::Corrupt { .. } | StorageError::Cold(_));
                        assert!(is_told, "{table}: {error}");
                        tried += 1;
                    }
                    // Nodes that nothing rests on but proofs, or what is left of a merged run.
                    Ok(storage) => assert_eq!(storage.head(), chain.heads[LAST as usize]),
                }
                std::fs::remove_dir_all(&path).unwrap();
            }
        }
    }
    assert!(tried > 20, "{tried}");
}

/// Changes a row of a store that nobody uses.
fn put(path: &Path, table: &str, key: &[u8], row: Option<&[u8]>) {
    let path = path.join("db");
    let names = rocksdb::DB::list_cf(&rocksdb::Options::default(), &path).unwrap();
    let db = rocksdb::DB::open_cf(&rocksdb::Options::default(), &path, names).unwrap();
    let table = db.cf_handle(table).unwrap();
    match row {
        Some(row) => db.put_cf(table, key, row).unwrap(),
        None => db.delete_cf(table, key).unwrap(),
    }
    db.flush_cf(table).unwrap();
}

/// Checks a proof of keys of one group as far as the cold part goes; where the group is.
fn place_of<'a>(proof: &'a StateProof, group: &'a GroupProof, shared: &[u8]) -> &'a Place {
    let roots: Vec<Digest> = proof.run_roots.iter().map(|root| root.0).collect();
    let cold = cold_root(&roots, &proof.records.0).unwrap();
    assert_eq!(state_root(&proof.hot_root.0, &cold), proof.head.state_root.0);
    match &group.place {
        Place::Hot { .. } => {}
        Place::Cold { run, coverage, inclusion, bit, group } => {
            let root = &roots[usize::from(*run)];
            let segment = coverage.verify(root, shared).unwrap().unwrap();
            let content: Vec<u8> =
                group.iter().flat_map(|(last, value)| [&[*last][..], value].concat()).collect();
            inclusion.verify(&segment.groups, shared, &sm3(&content)).unwrap();
            assert!(bit.verify(&segment.bits, inclusion.position()).unwrap());
        }
        Place::Nowhere { runs, neighbour, .. } => {
            assert_ne!(neighbour[0].0, sm3(shared));
            assert_eq!(runs.len(), roots.len());
            for (missing, root) in runs.iter().zip(&roots) {
                match missing {
                    Missing::Uncovered(coverage) => {
                        assert_eq!(coverage.verify(root, shared), Ok(None));
                    }
                    Missing::Between { coverage, exclusion } => {
                        let segment = coverage.verify(root, shared).unwrap().unwrap();
                        exclusion.verify(&segment.groups, shared).unwrap();
                    }
                    Missing::Left { coverage, inclusion, group, bit } => {
                        let segment = coverage.verify(root, shared).unwrap().unwrap();
                        inclusion.verify(&segment.groups, shared, &group.0).unwrap();
                        assert!(!bit.verify(&segment.bits, inclusion.position()).unwrap());
                    }
                }
            }
        }
    }
    &group.place
}

/// Proves each key at the head and checks the proof; how often each kind of place was shown.
pub fn prove_all(storage: &Storage, state: &State, hot: &State) -> [usize; 6] {
    let shares: BTreeSet<Vec<u8>> = hot.keys().map(|key| split(key).0).collect();
    let mut kinds = [0; 6];
    let absent = [b"bill 0001x".to_vec(), b"a".to_vec(), b"zz".to_vec(), b"bill 0777".to_vec()];
    for key in keys().into_iter().chain(absent) {
        let proof = storage.prove(std::slice::from_ref(&key)).unwrap().unwrap();
        assert_eq!(proof.head, storage.head());
        let (shared, last) = split(&key);
        let group = &proof.groups[0];
        assert_eq!(group.values, [state.get(&key).cloned()], "{}", text(&key));
        let shown = place_of(&proof, group, &shared);
        assert_eq!(matches!(shown, Place::Hot { .. }), shares.contains(&shared), "{}", text(&key));
        match shown {
            Place::Hot { group, .. } | Place::Cold { group, .. } => {
                let value = group.iter().find(|(found, _)| *found == last).map(|(_, value)| *value);
                assert_eq!(value, state.get(&key).map(|value| sm3(value)));
                kinds[usize::from(matches!(shown, Place::Cold { .. }))] += 1;
            }
            Place::Nowhere { runs, .. } => {
                kinds[2] += 1;
                for missing in runs {
                    kinds[match missing {
                        Missing::Uncovered(_) => 3,
                        Missing::Between { .. } => 4,
                        Missing::Left { .. } => 5,
                    }] += 1;
                }
            }
        }
    }
    kinds
}

#[test]
fn every_key_is_proved_where_it_is_and_where_it_is_not() {
    let chain = chain();
    let place = tempfile::tempdir().unwrap();
    let storage = begin(place.path(), options());
    let mut kinds = [0; 6];
    for number in (3..=LAST).step_by(3) {
        chain.grow(&storage, number);
        let (state, hot) = &chain.states[number as usize];
        let found = prove_all(&storage, state, hot);
        kinds = std::array::from_fn(|at| kinds[at] + found[at]);
    }
    // A group that leaves its run and has no key any more.
    let (mut state, hot) = chain.states[LAST as usize].clone();
    let is_cold = |key: &&Vec<u8>| {
        // Others than the two that are alone in their groups.
        key.len() == 9 && !hot.keys().any(|other| split(other).0 == split(key).0)
    };
    let (shared, _) = split(state.keys().find(is_cold).unwrap());
    let of_group = state.keys().filter(|key| split(key).0 == shared);
    let deleted: StateDelta = of_group.map(|key| (key.clone(), None)).collect();
    apply(&mut state, &deleted);
    commit(&storage, deleted, Cooling::default());
    let found = prove_all(&storage, &state, &hot);
    kinds = std::array::from_fn(|at| kinds[at] + found[at]);
    assert!(kinds.iter().all(|found| *found > 5), "{kinds:?}");
    // Many keys at once, each group once.
    let keys: Vec<Vec<u8>> = keys().into_iter().skip(2).collect();
    let proof = storage.prove(&keys).unwrap().unwrap();
    let values: Vec<_> = proof.groups.iter().flat_map(|group| group.values.clone()).collect();
    assert_eq!(values, keys.iter().map(|key| state.get(key).cloned()).collect::<Vec<_>>());
    assert_eq!(proof.groups.len(), 41);
}

/// A block with this order, and a key that is written.
fn ordered(storage: &Storage, cooling: Cooling) {
    let delta = StateDelta::from([(b"later".to_vec(), Some(vec![storage.head().number as u8]))]);
    commit(storage, delta, cooling);
}

fn cools(groups: &[&[u8]]) -> Cooling {
    Cooling { groups: groups.iter().map(|group| group.to_vec()).collect(), ..Cooling::default() }
}

#[test]
fn what_cannot_cool_is_left_out() {
    let place = tempfile::tempdir().unwrap();
    let storage = begin(place.path(), options());
    let active = || storage.stats().cold.active;
    // None of these keys has a value; this one is written to by the block; these come too late.
    ordered(&storage, cools(&[b"nothing", b""]));
    assert_eq!((active(), storage.stats().cold.runs), (0, 0));
    ordered(&storage, cools(&[b"bill 005", b"late"]));
    assert_eq!(active(), 1);
    ordered(&storage, cools(&[b"bill 004", b"bill 005", b"bill 005"]));
    assert_eq!(active(), 1);
    ordered(&storage, cools(&[b"bill 006", b"bill 006", b"bill 007"]));
    assert_eq!((active(), storage.stats().cold.segments), (3, 1));
    // The lap is over: another one begins where it likes.
    let ends = Cooling { ends_lap: true, ..Cooling::default() };
    ordered(&storage, ends.clone());
    ordered(&storage, ends);
    ordered(&storage, cools(&[b"bill 004"]));
    assert_eq!((active(), storage.stats().cold.runs), (4, 2));
    // A group that is larger than a segment can hold stays hot.
    let delta = StateDelta::from([(b"large".to_vec(), Some(vec![1; 1 << 20]))]);
    commit(&storage, delta, Cooling::default());
    ordered(&storage, cools(&[b"larg"]));
    assert_eq!(active(), 4);
    assert_eq!(storage.state().get(b"large").unwrap().unwrap().len(), 1 << 20);
}

#[test]
fn what_cools_when_its_lap_ends_is_merged_with_a_later_block() {
    let place = tempfile::tempdir().unwrap();
    let storage = begin(place.path(), options());
    let ends = |group: &[u8]| Cooling { ends_lap: true, merge_groups: 9, ..cools(&[group]) };
    let counts = || {
        let stats = storage.stats().cold;
        (stats.runs, stats.active, stats.is_merging)
    };
    ordered(&storage, ends(b"bill 004"));
    ordered(&storage, ends(b"bill 005"));
    assert_eq!(counts(), (2, 2, false));
    // This lap ends while the two before it become one.
    ordered(&storage, ends(b"bill 006"));
    assert_eq!(counts(), (2, 3, false));
    let state = Model::new().state;
    let written = b"later".to_vec();
    for key in keys().into_iter().filter(|key| *key != written) {
        assert_eq!(storage.state().get(&key).unwrap().as_ref(), state.get(&key), "{}", text(&key));
    }
}

#[test]
fn a_row_that_is_lost_is_noticed_when_its_group_is_to_move() {
    let place = scratch();
    let storage = begin(place.path(), options());
    let laps: [[&[u8]; 3]; 2] =
        [[b"bill 004", b"bill 005", b"bill 006"], [b"bill 007", b"bill 008", b"bill 009"]];
    for groups in laps {
        ordered(&storage, Cooling { ends_lap: true, ..cools(&groups) });
    }
    drop(storage);
    let all = rows(place.path(), "cooled");
    let (key, _) = all.iter().find(|(key, _)| key.ends_with(b"bill 005")).unwrap();
    put(place.path(), "cooled", key, None);
    let merges = Cooling { merge_groups: 5, ..Cooling::default() };
    let error = open(place.path()).speculate(&StateDelta::new(), &merges).unwrap_err();
    assert!(matches!(error, StorageError::Corrupt { .. }), "{error}");
    assert!(error.to_string().contains("it has no group 1"), "{error}");
}

#[test]
fn there_are_no_more_runs_than_a_proof_may_go_through() {
    let place = tempfile::tempdir().unwrap();
    let storage = begin(place.path(), options());
    let ends = Cooling { ends_lap: true, ..cools(&[b"bill 007"]) };
    for lap in 1..70_u8 {
        ordered(&storage, ends.clone());
        let stats = storage.stats().cold;
        // Without room for another run the group stays hot.
        let expected = (u64::from(lap).min(63), u64::from(lap <= 63));
        assert_eq!((stats.runs, stats.active), expected, "lap {lap}");
        let delta = StateDelta::from([(b"bill 0071".to_vec(), Some(vec![lap]))]);
        commit(&storage, delta, Cooling::default());
        assert_eq!(storage.stats().cold.active, 0);
    }
    // Nothing of them is left, so nothing comes of their merges.
    for _ in 0..31 {
        ordered(&storage, Cooling { merge_groups: 1, ..Cooling::default() });
    }
    assert_eq!(storage.stats().cold.runs, 1);
    assert_eq!(storage.state().get(b"bill 0071").unwrap(), Some(vec![69]));
}

#[test]
fn many_groups_cool_and_move_as_fast_as_a_block_may() {
    let place = scratch();
    // Each key is a group.
    let key = |at: usize| format!("many {at:05}.").into_bytes();
    let state: State = (0..5_000).map(|at| (key(at), vec![at as u8; 5])).collect();
    let all: Vec<Vec<u8>> = state.keys().map(|key| split(key).0).collect();
    let storage = Storage::open(place.path(), options()).unwrap();
    let state_root = genesis_root(&state).unwrap();
    let made = Genesis { state: state.clone(), state_root, ..genesis() };
    storage.init_genesis(made).unwrap();
    let first = storage.state();
    for (from, ends_lap, active) in [
        (0, false, 1_024),
        (1_024, false, 2_048),
        (2_048, true, 3_072),
        (3_072, false, 4_096),
        (4_096, true, 5_000),
    ] {
        ordered(&storage, Cooling { groups: all[from..].to_vec(), ends_lap, ..Cooling::default() });
        assert_eq!(storage.stats().cold.active, active);
    }
    let cooled = storage.state();
    let merges = Cooling { merge_groups: u32::MAX, ..Cooling::default() };
    ordered(&storage, merges.clone());
    let stats = storage.stats().cold;
    assert_eq!((stats.groups, stats.active, stats.is_merging), (5_000 + 4_096, 5_000, true));
    let moved = storage.state();
    ordered(&storage, merges.clone());
    let check = |storage: &Storage| {
        let stats = storage.stats().cold;
        assert_eq!((stats.runs, stats.segments, stats.groups), (1, 1, 5_000));
        for at in (0..5_000).step_by(7) {
            let key = key(at);
            assert_eq!(storage.state().get(&key).unwrap().as_ref(), state.get(&key));
            let proof = storage.prove(std::slice::from_ref(&key)).unwrap().unwrap();
            assert_eq!(proof.groups[0].values, [state.get(&key).cloned()]);
            let shown = place_of(&proof, &proof.groups[0], &split(&key).0);
            assert!(matches!(shown, Place::Cold { run: 0, .. }));
            let absent = [&key[..], b"x."].concat();
            let proof = storage.prove(std::slice::from_ref(&absent)).unwrap().unwrap();
            assert_eq!(proof.groups[0].values, [None]);
            let shown = place_of(&proof, &proof.groups[0], &split(&absent).0);
            assert!(matches!(shown, Place::Nowhere { .. }));
        }
    };
    check(&storage);
    for snapshot in [first, cooled, moved] {
        for (key, value) in &state {
            assert_eq!(snapshot.get(key).unwrap().as_ref(), Some(value), "{}", text(key));
        }
    }
    drop(storage);
    let storage = open(place.path());
    check(&storage);
    (0..256).for_each(|_| ordered(&storage, merges.clone()));
    let written = storage.write_due_segment().unwrap().unwrap();
    assert_eq!((written.groups, written.active), (5_000, 5_000));
    check(&storage);
    drop(storage);
    check(&open(place.path()));
}

#[test]
fn after_many_laps_there_are_as_many_runs_as_their_number_has_binary_ones() {
    let place = tempfile::tempdir().unwrap();
    let storage = begin(place.path(), options());
    let state = Model::new().state;
    let shares: BTreeSet<Vec<u8>> = state.keys().map(|key| split(key).0).collect();
    let laps = shares.len() as u64;
    for shared in &shares {
        ordered(&storage, Cooling { ends_lap: true, ..cools(&[shared]) });
    }
    assert_eq!((storage.stats().cold.runs, storage.stats().cold.active), (laps, laps));
    let before = storage.state();
    let mut was_merging = false;
    for _ in 0..200 {
        ordered(&storage, Cooling { merge_groups: 3, segment_groups: 4, ..Cooling::default() });
        was_merging |= storage.stats().cold.is_merging;
    }
    assert!(was_merging, "some merges take several blocks");
    let stats = storage.stats().cold;
    assert_eq!((stats.runs, stats.active), (u64::from(laps.count_ones()), laps));
    assert_eq!(stats.groups, laps, "each is in one segment");
    for snapshot in [before, storage.state()] {
        for (key, value) in &state {
            assert_eq!(snapshot.get(key).unwrap().as_ref(), Some(value), "{}", text(key));
        }
    }
}
