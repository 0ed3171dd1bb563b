//! Damage that RocksDB takes for the work of a crash, and the work of a crash.
//!
//! RocksDB's MANIFEST is a log of records, each of a checksum (4 bytes), a
//! length (2, least significant first), a type (1) and that many bytes.

use crate::chain::*;
use billchain_storage::{Storage, StorageError};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Commits a block that takes up write buffer, so that some of these are
/// written out as tables.
fn commit_heavy(storage: &Storage) {
    let mut block = next_block(storage);
    let mut word = u64::from(block.number) + 1;
    let noise = std::iter::repeat_with(|| {
        word ^= word << 13;
        word ^= word >> 7;
        word ^= word << 17;
        word.to_le_bytes()
    });
    let key = format!("pad/{}", block.number).into_bytes();
    block.offchain.push((key, Some(noise.take(40_000).flatten().collect())));
    storage.commit(block).unwrap();
}

/// A closed store whose tables were written out while it ran.
fn made(dir: &Path) -> u32 {
    let storage = begin(dir);
    (0..40).for_each(|_| commit_heavy(&storage));
    storage.head().number
}

fn manifest(dir: &Path) -> PathBuf {
    let current = fs::read_to_string(dir.join("db/CURRENT")).unwrap();
    dir.join("db").join(current.trim_end())
}

fn logs(dir: &Path) -> Vec<PathBuf> {
    let mut logs: Vec<_> = fs::read_dir(dir.join("db"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    logs.sort();
    logs
}

/// Opening must fail, name the directory and what is wrong, and say what to do.
fn assert_refused(dir: &Path, names: &str, what: &str) {
    let error = refused(dir);
    assert!(matches!(error, StorageError::Corrupt { .. }), "{what}: {error:?}");
    let text = error.to_string();
    for part in [names, &dir.display().to_string()] {
        assert!(text.contains(part), "{what}: {text}");
    }
}

#[test]
fn a_manifest_damaged_from_outside_is_refused_and_nothing_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let head = made(dir.path());
    let path = manifest(dir.path());
    let content = fs::read(&path).unwrap();
    let length = content.len();
    assert!(length > 400, "tables were written out");
    for kept in [0, 1, length / 3, length / 2, length - 100, length - 8, length - 1] {
        fs::write(&path, &content[..kept]).unwrap();
        assert_refused(dir.path(), "MANIFEST", &format!("cut to {kept} of {length}"));
        assert!(refused(dir.path()).to_string().contains("from other nodes"));
    }
    // RocksDB reads zeros at the end as room that was set aside.
    let mut zeros = content.clone();
    zeros[length - 20..].fill(0);
    fs::write(&path, &zeros).unwrap();
    assert_refused(dir.path(), "MANIFEST", "zeros at the end");
    for at in [0, length / 2, length - 1] {
        let mut flipped = content.clone();
        flipped[at] ^= 0x10;
        fs::write(&path, &flipped).unwrap();
        assert_refused(dir.path(), "MANIFEST", &format!("flipped at {at}"));
    }
    fs::write(&path, &content).unwrap();
    assert_chain(&open(dir.path()), head);
}

#[test]
fn a_damaged_or_missing_seal_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let head = made(dir.path());
    let path = dir.path().join("db/seal");
    let content = fs::read(&path).unwrap();
    fs::write(&path, &content[..content.len() - 1]).unwrap();
    assert_refused(dir.path(), "seal", "cut");
    fs::remove_file(&path).unwrap();
    assert_refused(dir.path(), "seal", "missing");
    fs::write(&path, &content).unwrap();
    assert_chain(&open(dir.path()), head);
}

#[test]
fn an_older_manifest_in_the_place_of_the_newer_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(begin(dir.path()));
    let old = manifest(dir.path());
    let (content, current) = (fs::read(&old).unwrap(), dir.path().join("db/CURRENT"));
    let named = fs::read(&current).unwrap();
    drop(open(dir.path()));
    assert_ne!(manifest(dir.path()), old, "each opening begins a new one");
    fs::write(&old, content).unwrap();
    fs::write(&current, named).unwrap();
    assert_refused(dir.path(), "CURRENT", "an older one");
}

#[test]
fn what_a_crash_cut_short_is_no_damage() {
    let scratch = tempfile::tempdir().unwrap();
    let original = scratch.path().join("original");
    let storage = begin(&original);
    commit_heavy(&storage);
    let head = storage.head().number;
    let before = scratch.path().join("before");
    copy(&original, &before);
    let sealed = fs::read(manifest(&before)).unwrap();
    // The next record, as it will be appended.
    let path = manifest(&original);
    while fs::metadata(&path).unwrap().len() < sealed.len() as u64 + 7 {
        assert!(storage.head().number < 500, "nothing was written out");
        commit_heavy(&storage);
    }
    let grown = fs::read(&path).unwrap();
    assert_eq!(&grown[..sealed.len()], &sealed[..]);
    let next = &grown[sealed.len()..];
    let record = 7 + usize::from(u16::from_le_bytes([next[4], next[5]]));
    for torn in [1, 6, 7, record / 2, record - 1] {
        let dir = tempfile::tempdir_in(scratch.path()).unwrap();
        copy(&before, dir.path());
        let torn = [&sealed, &next[..torn]].concat();
        fs::write(manifest(dir.path()), torn).unwrap();
        let storage = open(dir.path());
        assert_chain(&storage, head);
        grow_to(&storage, head + 3);
        drop(storage);
        assert_chain(&open(dir.path()), head + 3);
    }
    // The process ended after RocksDB had appended and before that was sealed.
    let newest = storage.head().number;
    drop(storage);
    fs::copy(before.join("db/seal"), original.join("db/seal")).unwrap();
    assert_chain(&open(&original), newest);
}

#[test]
fn a_log_before_the_last_that_is_missing_or_short_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let storage = begin(dir.path());
    while logs(dir.path()).len() < 2 {
        assert!(storage.head().number < 500, "there is never more than one log");
        commit_heavy(&storage);
    }
    // The next commit has the sizes of the closed logs noted.
    commit_heavy(&storage);
    let head = storage.head().number;
    drop(storage);
    let logs = logs(dir.path());
    let older = &logs[..logs.len() - 1];
    assert!(!older.is_empty());
    for log in older {
        let content = fs::read(log).unwrap();
        fs::write(log, &content[..content.len() / 2]).unwrap();
        assert_refused(dir.path(), "WAL", "short");
        fs::remove_file(log).unwrap();
        assert_refused(dir.path(), "WAL", "missing");
        fs::write(log, &content).unwrap();
    }
    assert_chain(&open(dir.path()), head);
}
