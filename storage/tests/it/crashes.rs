//! Crashes: RocksDB and QMDB found at different blocks.
//!
//! A commit syncs RocksDB first and tells QMDB after it, so a crash leaves some
//! pair of their states. Every pair is put together from copies of the two
//! directories, taken while the store runs as a crash would leave them.

use crate::chain::*;
use billchain_storage::{Storage, StorageError, StorageOptions};
use std::path::{Path, PathBuf};

/// Copies of a running store's directory after each of `blocks`.
fn copies(scratch: &Path, storage: &Storage, blocks: &[u32]) -> Vec<PathBuf> {
    blocks
        .iter()
        .map(|number| {
            grow_to(storage, *number);
            let to = scratch.join(format!("at-{number}"));
            copy(storage.path(), &to);
            to
        })
        .collect()
}

/// A directory with RocksDB of one copy and QMDB of another.
fn pair(scratch: &Path, database: &Path, commitment: &Path) -> tempfile::TempDir {
    let dir = tempfile::tempdir_in(scratch).unwrap();
    copy(&database.join("db"), &dir.path().join("db"));
    copy(&commitment.join("commitment"), &dir.path().join("commitment"));
    dir
}

#[test]
fn every_pair_of_database_and_commitment_recovers_to_the_database() {
    let scratch = tempfile::tempdir().unwrap();
    let original = begin(&scratch.path().join("original"));
    // 16: synced by count. The others lie between two syncs.
    let blocks = [0, 1, 2, 15, 16, 17, 40];
    let copies = copies(scratch.path(), &original, &blocks);
    grow_to(&original, 41);
    for (at, database) in blocks.iter().zip(&copies) {
        for (commitment_at, commitment) in blocks.iter().zip(&copies) {
            let dir = pair(scratch.path(), database, commitment);
            let storage = open(dir.path());
            let what = format!("database {at}, commitment {commitment_at}");
            assert_chain(&storage, *at);
            let expected = original.state_root_of(*at).unwrap();
            assert_eq!(Some(storage.head().state_root), expected, "{what}");
            // And goes on as if nothing had happened.
            let next = grow_to(&storage, at + 1);
            assert_eq!(Some(next.state_root), original.state_root_of(at + 1).unwrap(), "{what}");
            drop(storage);
            assert_chain(&open(dir.path()), at + 1);
        }
    }
}

#[test]
fn a_crash_before_genesis_is_finished_leaves_a_usable_directory() {
    let scratch = tempfile::tempdir().unwrap();
    let empty = scratch.path().join("empty");
    drop(open(&empty));
    let begun = scratch.path().join("begun");
    drop(begin(&begun));
    // Genesis in RocksDB, QMDB empty or not even made.
    let dir = pair(scratch.path(), &begun, &empty);
    assert_chain(&open(dir.path()), 0);
    let dir = tempfile::tempdir().unwrap();
    copy(&begun.join("db"), &dir.path().join("db"));
    assert_chain(&open(dir.path()), 0);
    // RocksDB half made.
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("db.making")).unwrap();
    std::fs::write(dir.path().join("db.making/000004.log"), b"torn").unwrap();
    assert!(!open(dir.path()).is_initialised());
}

#[test]
fn a_lost_commitment_is_rebuilt_while_all_changes_are_kept_and_refused_later() {
    let dir = tempfile::tempdir().unwrap();
    let narrow = || StorageOptions { history_blocks: 1, ..options() };
    let storage = Storage::open(dir.path(), narrow()).unwrap();
    storage.init_genesis(genesis()).unwrap();
    let head = grow_to(&storage, 60);
    drop(storage);
    std::fs::remove_dir_all(dir.path().join("commitment")).unwrap();
    let storage = Storage::open(dir.path(), narrow()).unwrap();
    assert_eq!(storage.head(), head);
    grow_to(&storage, 70);
    drop(storage);
    std::fs::remove_dir_all(dir.path().join("commitment")).unwrap();
    let error = refused(dir.path());
    assert!(
        matches!(&error, StorageError::Corrupt { what, .. }
        if what.contains("no longer kept") && what.contains("is empty")),
        "{error}"
    );
}

#[test]
fn a_commitment_that_is_ahead_can_be_wound_back_after_pruning() {
    let scratch = tempfile::tempdir().unwrap();
    let original = begin(&scratch.path().join("original"));
    let copies = copies(scratch.path(), &original, &[450, 500]);
    let dir = pair(scratch.path(), &copies[0], &copies[1]);
    let storage = open(dir.path());
    assert_chain(&storage, 450);
    let expected = original.state_root_of(460).unwrap();
    assert_eq!(Some(grow_to(&storage, 460).state_root), expected);
}

#[test]
fn a_commitment_of_another_chain_is_refused() {
    let scratch = tempfile::tempdir().unwrap();
    let (ours, other) = (scratch.path().join("ours"), scratch.path().join("other"));
    let storage = begin(&ours);
    grow_to(&storage, 3);
    drop(storage);
    let storage = begin(&other);
    let mut block = next_block(&storage);
    block.delta.insert(b"fork".to_vec(), Some(vec![1]));
    block.state_root = storage.speculate(&block.delta, &block.cooling).unwrap();
    storage.commit(block).unwrap();
    grow_to(&storage, 3);
    drop(storage);
    replace(&other.join("commitment"), &ours.join("commitment"));
    let error = refused(&ours);
    assert!(
        matches!(&error, StorageError::Corrupt { what, .. }
            if what.contains("the state commitment of block 3 is")),
        "{error}"
    );
    // And a commitment beside an empty database.
    let empty = scratch.path().join("empty");
    drop(open(&empty));
    replace(&other.join("commitment"), &empty.join("commitment"));
    assert!(matches!(refused(&empty), StorageError::Corrupt { .. }));
}
