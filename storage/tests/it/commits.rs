//! Genesis, commits and look-ups.

use crate::chain::*;
use billchain_storage::{OpenMode, Storage, StorageError, StorageOptions};
use sp_core::H256;

#[test]
fn a_new_store_is_empty_until_genesis() {
    let dir = tempfile::tempdir().unwrap();
    let storage = open(dir.path());
    assert!(!storage.is_initialised());
    assert!(contents(&storage.state()).is_empty());
    assert!(matches!(storage.head_state(), Err(StorageError::NotInitialised)));
    let delta = genesis_state().into_iter().map(|(k, v)| (k, Some(v))).collect();
    assert_eq!(storage.speculate(&delta).unwrap(), genesis().state_root);

    storage.init_genesis(genesis()).unwrap();
    assert!(storage.is_initialised());
    assert_eq!(storage.head().state_root, genesis().state_root);
    assert_chain(&storage, 0);
    assert_eq!(storage.certificate(0).unwrap(), None);
    let again = storage.init_genesis(genesis());
    assert!(matches!(again, Err(StorageError::AlreadyInitialised { found }) if found == hash(0)));
}

#[test]
fn genesis_with_a_wrong_root_is_refused_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let storage = open(dir.path());
    let mut wrong = genesis();
    wrong.state_root = H256::repeat_byte(9);
    assert!(matches!(storage.init_genesis(wrong), Err(StorageError::WrongStateRoot { .. })));
    assert!(!storage.is_initialised());
    storage.init_genesis(genesis()).unwrap();
}

#[test]
fn a_committed_block_is_found_by_everything_it_was_stored_under() {
    let dir = tempfile::tempdir().unwrap();
    let storage = begin(dir.path());
    grow_to(&storage, 12);
    let check = |storage: &Storage| {
        assert_chain(storage, 12);
        assert_eq!(storage.certificate(7).unwrap(), Some(b"certificate 7".to_vec()));
        assert_eq!(storage.tx(&tx_hash(7, 2)).unwrap(), Some((7, 2)));
        assert_eq!(storage.tx(&tx_hash(13, 0)).unwrap(), None);
        assert_eq!(storage.offchain_get(b"last").unwrap(), Some(12_u32.to_be_bytes().to_vec()));
        assert_eq!(storage.offchain_get(b"n/0002").unwrap(), None, "deleted by block 5");
        let keys = |start: Option<&[u8]>, limit| -> Vec<_> {
            storage
                .offchain_prefix(b"n/", start, limit)
                .unwrap()
                .into_iter()
                .map(|(key, value)| (String::from_utf8(key).unwrap(), value[0]))
                .collect()
        };
        let entry = |n: u8| (format!("n/{n:04}"), n);
        assert_eq!(keys(None, 10), [entry(10), entry(11), entry(12)]);
        assert_eq!(keys(None, 2), [entry(10), entry(11)]);
        assert_eq!(keys(Some(b"n/0010"), 10), [entry(11), entry(12)]);
        assert_eq!(storage.state_root_of(12).unwrap(), Some(storage.head().state_root));
    };
    check(&storage);
    drop(storage);
    check(&open(dir.path()));
}

#[test]
fn compaction_drops_what_was_replaced_and_keeps_what_stands() {
    let dir = tempfile::tempdir().unwrap();
    let storage = begin(dir.path());
    grow_to(&storage, 40);
    let keys = contents(&storage.state()).len() as u64;
    // Replaced and deleted entries count until they are merged away.
    assert!(storage.stats().state_keys > keys);
    storage.compact().unwrap();
    assert_eq!(storage.stats().state_keys, keys);
    assert_chain(&storage, 40);
    grow_to(&storage, 45);
    drop(storage);
    assert_chain(&open(dir.path()), 45);
}

#[test]
fn blocks_that_do_not_follow_the_head_are_refused_and_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let storage = begin(dir.path());
    grow_to(&storage, 2);
    let good = next_block(&storage);

    let mut block = good.clone();
    block.number = 4;
    assert!(matches!(
        storage.commit(block),
        Err(StorageError::WrongNumber { expected: 3, found: 4 })
    ));
    let mut block = good.clone();
    block.parent_hash = hash(1);
    assert!(matches!(storage.commit(block), Err(StorageError::WrongParent { number: 3, .. })));
    let mut block = good.clone();
    block.state_root = H256::repeat_byte(1);
    assert!(matches!(storage.commit(block), Err(StorageError::WrongStateRoot { number: 3, .. })));
    let mut block = good.clone();
    block.delta.insert(b"smuggled".to_vec(), Some(vec![1]));
    assert!(matches!(storage.commit(block), Err(StorageError::WrongStateRoot { number: 3, .. })));

    assert_chain(&storage, 2);
    storage.commit(good).unwrap();
    assert_chain(&storage, 3);
}

#[test]
fn a_second_user_of_a_directory_is_locked_out() {
    let dir = tempfile::tempdir().unwrap();
    let storage = begin(dir.path());
    assert!(matches!(refused(dir.path()), StorageError::Locked { path } if path == dir.path()));
    // A reader keeps the database open, and so the directory in use.
    let snapshot = storage.state();
    drop(storage);
    assert!(matches!(refused(dir.path()), StorageError::Locked { .. }));
    drop(snapshot);
    assert_chain(&open(dir.path()), 0);
}

#[test]
fn a_store_that_must_exist_is_not_made() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("nothing");
    let must_exist = StorageOptions { mode: OpenMode::MustExist, ..options() };
    let error = Storage::open(&path, must_exist.clone()).err().unwrap();
    assert!(matches!(error, StorageError::Missing { .. }), "{error}");
    assert!(!path.exists());
    drop(begin(&path));
    assert!(Storage::open(&path, must_exist).unwrap().is_initialised());
}

#[test]
fn options_that_cannot_work_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let error = Storage::open(dir.path(), StorageOptions { block_cache_bytes: 5, ..options() });
    assert!(matches!(
        error,
        Err(StorageError::InvalidOption { field: "block_cache_bytes", found: 5, .. })
    ));
}

#[test]
fn stats_count_what_was_done() {
    let dir = tempfile::tempdir().unwrap();
    let storage = begin(dir.path());
    grow_to(&storage, 5);
    let stats = storage.stats();
    assert_eq!((stats.head, stats.commits, stats.speculations), (5, 5, 5));
    assert!(stats.commit_seconds >= stats.write_seconds && stats.write_seconds > 0.0);
    assert!(stats.last_commit_seconds > 0.0 && stats.commitment_operations > 20);
    assert_eq!(stats.history_blocks, 5);
    assert!(stats.table_bytes.iter().any(|(name, bytes)| *name == "state" && *bytes > 0));
}
