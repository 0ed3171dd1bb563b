//! Copies of a store that is in use, winding back, and checking whole.

use crate::chain::*;
use billchain_storage::{Storage, StorageError, StorageOptions, rewind, verify};
use std::{fs, path::Path, sync::Arc};

fn must_exist() -> StorageOptions {
    StorageOptions { mode: billchain_storage::OpenMode::MustExist, ..options() }
}

#[test]
fn a_checkpoint_is_the_store_at_its_head_while_blocks_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let storage = Arc::new(begin(&dir.path().join("store")));
    grow_to(&storage, 30);
    let committing = {
        let storage = Arc::clone(&storage);
        std::thread::spawn(move || grow_to(&storage, 200))
    };
    let mut heads = Vec::new();
    for number in 0..4 {
        let into = dir.path().join(format!("copy-{number}"));
        let head = storage.checkpoint(&into).unwrap();
        heads.push((into, head));
    }
    committing.join().unwrap();
    for (into, head) in &heads {
        // Links are for reading: what is opened is a copy.
        let own = into.with_extension("own");
        copy(into, &own);
        assert_eq!(verify(&own, must_exist()).unwrap().head, *head);
        let opened = open(&own);
        assert_chain(&opened, head.number);
        assert_eq!(Some(head.state_root), storage.state_root_of(head.number).unwrap());
        assert_eq!(grow_to(&opened, 200), storage.head());
    }
    assert!(heads.iter().all(|(_, head)| head.number >= 30));
    // The store itself goes on as if nothing had been.
    drop(storage);
    assert_chain(&open(&dir.path().join("store")), 200);
}

#[test]
fn there_is_no_checkpoint_of_nothing_nor_over_something() {
    let dir = tempfile::tempdir().unwrap();
    let storage = open(&dir.path().join("store"));
    let into = dir.path().join("copy");
    assert!(matches!(storage.checkpoint(&into), Err(StorageError::NotInitialised)));
    storage.init_genesis(genesis()).unwrap();
    fs::create_dir(&into).unwrap();
    let error = storage.checkpoint(&into).unwrap_err().to_string();
    assert!(error.starts_with("cannot make") && error.contains("copy"), "{error}");
}

#[test]
fn a_store_wound_back_goes_on_as_before() {
    let dir = tempfile::tempdir().unwrap();
    let storage = begin(dir.path());
    let expected: Vec<_> = (1..=120).map(|number| grow_to(&storage, number)).collect();
    drop(storage);
    for to in [119, 90, 64, 64] {
        let head = rewind(dir.path(), &must_exist(), to).unwrap();
        assert_eq!(head, expected[to as usize - 1]);
        assert_eq!(verify(dir.path(), must_exist()).unwrap().head, head);
        let storage = open(dir.path());
        assert_eq!(contents(&storage.state()), state_after(to));
        // The blocks that were taken back can be executed again.
        assert_eq!(storage.block(to + 1).unwrap(), Some(format!("block {}", to + 1).into()));
        assert_eq!(storage.hash_of(to + 1).unwrap(), None);
        drop(storage);
    }
    let storage = open(dir.path());
    assert_eq!(grow_to(&storage, 120), expected[119]);
    assert_chain(&storage, 120);
}

#[test]
fn what_is_no_longer_kept_cannot_be_wound_back_to() {
    let dir = tempfile::tempdir().unwrap();
    let narrow = || StorageOptions { history_blocks: 1, ..must_exist() };
    let storage = begin(dir.path());
    drop(storage);
    let storage = Storage::open(dir.path(), narrow()).unwrap();
    let head = grow_to(&storage, 200);
    drop(storage);
    let error = rewind(dir.path(), &narrow(), 100).unwrap_err();
    assert!(matches!(error, StorageError::StateNotKept { number: 100, .. }), "{error}");
    assert_eq!(open(dir.path()).head(), head, "nothing was changed");
    assert_eq!(rewind(dir.path(), &narrow(), 150).unwrap().number, 150);
}

/// Roots of blocks far beyond the first pruning, computed again.
#[test]
fn a_whole_check_comes_to_the_root_and_counts_what_there_is() {
    let dir = tempfile::tempdir().unwrap();
    let storage = begin(&dir.path().join("store"));
    for number in [0, 1, 17, 400] {
        let head = grow_to(&storage, number);
        let copied = dir.path().join(format!("at-{number}"));
        storage.checkpoint(&copied).unwrap();
        let verified = verify(&copied, must_exist()).unwrap();
        assert_eq!(verified.head, head);
        assert_eq!(verified.keys, state_after(number).len() as u64);
        assert!(verified.operations > 0);
        // It leaves nothing behind, and can be done again.
        assert_eq!(verify(&copied, must_exist()).unwrap(), verified);
        fs::remove_dir_all(&copied).unwrap();
    }
}

#[test]
fn a_state_that_the_root_does_not_stand_for_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let [one, other] = ["one", "other"].map(|name| dir.path().join(name));
    let storage = begin(&one);
    grow_to(&storage, 20);
    storage.checkpoint(&dir.path().join("copy")).unwrap();
    let foreign = begin(&other);
    grow_to(&foreign, 5);
    drop((storage, foreign));

    // The files of another chain's commitment under this database.
    let mixed = dir.path().join("mixed");
    copy(&dir.path().join("copy/db"), &mixed.join("db"));
    copy(&other.join("commitment"), &mixed.join("commitment"));
    // Rolled forward from the kept changes, it comes to the same.
    verify(&mixed, must_exist()).unwrap();

    // A value that no block wrote, and none where one is.
    let (db, key) = (mixed.join("db"), new_key(1));
    for value in [Some(&b"forged"[..]), None] {
        tamper(&db, &key, value);
        let error = verify(&mixed, must_exist()).unwrap_err().to_string();
        assert!(error.contains("whose keys are 0x6e657700000000 and one byte more"), "{error}");
    }
    tamper(&db, &key, Some(&[1]));
    verify(&mixed, must_exist()).unwrap();
    // All keys of a group are gone.
    (3..6).for_each(|number| tamper(&db, &new_key(number), None));
    let error = verify(&mixed, must_exist()).unwrap_err().to_string();
    assert!(error.contains("groups of keys, the state commitment"), "{error}");
}

/// Writes to the state past the store, as somebody with the files can.
fn tamper(db: &Path, key: &[u8], value: Option<&[u8]>) {
    use rocksdb::{DB, Options};
    let names = DB::list_cf(&Options::default(), db).unwrap();
    {
        let database = DB::open_cf(&Options::default(), db, &names).unwrap();
        let state = database.cf_handle("state").unwrap();
        match value {
            Some(value) => database.put_cf(state, key, value).unwrap(),
            None => database.delete_cf(state, key).unwrap(),
        }
        database.flush_cf(state).unwrap();
    }
}
