//! Genesis, commits and look-ups.

use crate::chain::*;
use billchain_storage::{Cooling, OpenMode, Storage, StorageError, StorageOptions};
use sp_core::H256;

#[test]
fn a_new_store_is_empty_until_genesis() {
    let dir = tempfile::tempdir().unwrap();
    let storage = open(dir.path());
    assert!(!storage.is_initialised());
    assert!(contents(&storage.state()).is_empty());
    assert!(matches!(storage.head_state(), Err(StorageError::NotInitialised)));
    assert_eq!(storage.document().unwrap(), None);
    let delta = genesis_state().into_iter().map(|(k, v)| (k, Some(v))).collect();
    assert_eq!(storage.speculate(&delta, &Cooling::default()).unwrap(), genesis().state_root);

    storage.init_genesis(genesis()).unwrap();
    assert!(storage.is_initialised());
    assert_eq!(storage.head().state_root, genesis().state_root);
    assert_chain(&storage, 0);
    assert_eq!(storage.document().unwrap(), Some(genesis().document));
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
fn events_of_a_transaction_are_found_by_its_place_for_as_long_as_the_block() {
    let dir = tempfile::tempdir().unwrap();
    let narrow = || StorageOptions { history_blocks: 2, ..options() };
    let storage = Storage::open(dir.path(), narrow()).unwrap();
    storage.init_genesis(genesis()).unwrap();
    grow_to(&storage, 100);
    let check = |storage: &Storage| {
        for number in [1, 7, 99, 100] {
            for (index, group) in [(0, 0), (1, 0), (2, 1), (9, 1)] {
                let found = storage.event_group(number, index).unwrap();
                assert_eq!(found.as_ref(), Some(&events(number)[group]), "{number}, {index}");
            }
        }
        for absent in [0, 101, u32::MAX] {
            assert_eq!(storage.event_group(absent, 1).unwrap(), None);
            assert_eq!(storage.event_groups(absent).unwrap(), []);
        }
    };
    check(&storage);
    drop(storage);
    check(&Storage::open(dir.path(), narrow()).unwrap());
}

/// What RocksDB holds of a fixed chain, table by table. A change is a change of
/// the format: raise it.
#[test]
fn the_tables_of_a_fixed_chain_are_fixed() {
    const TABLES: [(&str, &str); 10] = [
        ("state", "3df45012e69301714e4dd87342858ed99548da974e5960f17aa7d3917201dbab"),
        ("block", "d4ecea68f1c0b3bda9987228c94e70fc3a6e0e16fd96f69ee708d9420567f23a"),
        ("certificate", "d5ee0aa188816128cdea0a0bf81b62c4ec00b5afb2edb2f37280431cf654502e"),
        ("changes", "1cda0d58f5f4c422b174a587169d32821046d905e6fae4590ba5f35934855035"),
        ("index", "5b3c9135a7f05ff92ca4ce9c9615d13d7c7eb5af04333bbf075bd23a6616a4a6"),
        ("number_by_hash", "ce06ae4b1f04a7db5705f1b3cc31687d8f837b64101735b2d7f1246d29473f29"),
        ("tx", "e372fa00c246735f2e788532c745731665f37817e5da88b94126275e387d94a6"),
        ("events", "a8d1b2674a750414bcea0111fb3c4939deb1feb37d2add7897deda3103a03328"),
        ("offchain", "a50f02f628b98979789d634d89db3a0d584f346671328a540c0d460ce0320d3e"),
        ("meta", "a3177b85db6894f7332e2d6a6aad492ca2494fe23148f8699223430d6b02b3c2"),
    ];
    let dir = tempfile::tempdir().unwrap();
    let storage = begin(dir.path());
    grow_to(&storage, 5);
    drop(storage);
    let path = dir.path().join("db");
    let names = rocksdb::DB::list_cf(&rocksdb::Options::default(), &path).unwrap();
    let db = rocksdb::DB::open_cf(&rocksdb::Options::default(), &path, names).unwrap();
    let found = TABLES.map(|(name, _)| {
        let mut hash = billchain_crypto::sm3::Sm3::new();
        let table = db.cf_handle(name).unwrap();
        for entry in db.iterator_cf(table, rocksdb::IteratorMode::Start) {
            let (key, value) = entry.unwrap();
            for part in [&key, &value] {
                hash.update(&(part.len() as u32).to_le_bytes());
                hash.update(part);
            }
        }
        (name, hex::encode(hash.finalize()))
    });
    assert_eq!(found, TABLES.map(|(name, hash)| (name, hash.to_owned())));
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
    let error = Storage::open(dir.path(), StorageOptions { cold_cache_bytes: 5, ..options() });
    assert!(matches!(
        error,
        Err(StorageError::InvalidOption { field: "cold_cache_bytes", found: 5, .. })
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
