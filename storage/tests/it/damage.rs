//! Damaged files: an error that says so, or the truth; never a panic, never
//! another state.

use crate::chain::*;
use billchain_storage::{Cooling, Storage, StorageError};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A store of some blocks, closed, whose tables are in files: reopened once, so
/// that the log has been written out.
fn made(path: &Path) -> u32 {
    let storage = begin(path);
    grow_to(&storage, 20);
    drop(storage);
    let storage = open(path);
    grow_to(&storage, 30);
    30
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Opens a damaged store and reads all of it. Every answer must be right or an
/// error that names the damage; a head below the real one is a lost tail.
fn survives(path: &Path, newest: u32, what: &str) -> Result<(), StorageError> {
    let storage = Storage::open(path, options())?;
    let head = storage.head();
    assert!(head.number <= newest, "{what}");
    if !storage.is_initialised() {
        return Ok(());
    }
    assert_eq!(head.hash, hash(head.number), "{what}");
    let mut state = State::new();
    let mut start: Option<Vec<u8>> = None;
    loop {
        let page = storage.state().pairs_paged(&[], start.as_deref(), 100)?;
        let Some((last, _)) = page.last() else { break };
        start = Some(last.clone());
        state.extend(page);
    }
    assert_eq!(state, state_after(head.number), "{what}");
    for number in 0..=head.number {
        let block = storage.block(number)?;
        assert_eq!(block, Some(format!("block {number}").into_bytes()), "{what}");
        let expected = if number == 0 { Vec::new() } else { events(number) };
        assert_eq!(storage.event_groups(number)?, expected, "{what}");
    }
    let delta = delta(head.number + 1);
    let block = billchain_storage::BlockCommit {
        state_root: storage.speculate(&delta, &Cooling::default())?,
        delta,
        cooling: Cooling::default(),
        number: head.number + 1,
        hash: hash(head.number + 1),
        parent_hash: head.hash,
        block: format!("block {}", head.number + 1).into_bytes(),
        certificate: Vec::new(),
        events: Vec::new(),
        offchain: Vec::new(),
        tx_hashes: Vec::new(),
    };
    storage.commit(block)
}

/// Damages every file of the store in turn.
fn damage_each(damage: impl Fn(&Path, &[u8])) -> Vec<(String, Result<(), StorageError>)> {
    let scratch = tempfile::tempdir().unwrap();
    let original = scratch.path().join("original");
    let newest = made(&original);
    let mut outcomes = Vec::new();
    for file in files(&original) {
        let name = file.strip_prefix(&original).unwrap().to_owned();
        let content = fs::read(&file).unwrap();
        let is_log = name.file_name().is_some_and(|name| name.to_string_lossy().starts_with("LOG"));
        if content.is_empty() || is_log {
            continue;
        }
        let dir = tempfile::tempdir_in(scratch.path()).unwrap();
        copy(&original, dir.path());
        damage(&dir.path().join(&name), &content);
        let name = name.display().to_string();
        let outcome = survives(dir.path(), newest, &name);
        if let Err(error) = &outcome {
            assert!(
                matches!(error, StorageError::Corrupt { .. } | StorageError::Commitment { .. }),
                "{name}: {error:?}"
            );
            assert!(
                error.to_string().contains(&dir.path().display().to_string()),
                "{name}: {error}"
            );
        }
        outcomes.push((name, outcome));
    }
    assert!(outcomes.len() > 10, "{outcomes:?}");
    outcomes
}

fn errors(outcomes: &[(String, Result<(), StorageError>)]) -> Vec<&str> {
    outcomes.iter().filter(|(_, o)| o.is_err()).map(|(name, _)| name.as_str()).collect()
}

#[test]
fn files_cut_in_half_give_an_error_or_an_older_head() {
    let outcomes =
        damage_each(|path, content| fs::write(path, &content[..content.len() / 2]).unwrap());
    let errors = errors(&outcomes);
    for needed in ["db/CURRENT", ".sst", "db/MANIFEST", "db/seal"] {
        assert!(errors.iter().any(|name| name.contains(needed)), "{needed}: {outcomes:?}");
    }
}

#[test]
fn flipped_bits_give_an_error_or_do_not_matter() {
    let outcomes = damage_each(|path, content| {
        let mut content = content.to_vec();
        let at = content.len() / 3;
        content[at] ^= 0x55;
        fs::write(path, content).unwrap();
    });
    let errors = errors(&outcomes);
    for needed in [".sst", "db/MANIFEST", "db/seal"] {
        assert!(errors.iter().any(|name| name.contains(needed)), "{needed}: {outcomes:?}");
    }
}

#[test]
fn missing_files_give_an_error_or_an_older_head() {
    let outcomes = damage_each(|path, _| fs::remove_file(path).unwrap());
    let errors = errors(&outcomes);
    for needed in ["db/CURRENT", ".sst", "db/MANIFEST", "db/seal"] {
        assert!(errors.iter().any(|name| name.contains(needed)), "{needed}: {outcomes:?}");
    }
}

#[test]
fn a_torn_last_write_loses_that_block_only() {
    let dir = tempfile::tempdir().unwrap();
    let storage = begin(dir.path());
    grow_to(&storage, 6);
    drop(storage);
    let log = files(&dir.path().join("db"))
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .max()
        .unwrap();
    let length = fs::metadata(&log).unwrap().len();
    fs::OpenOptions::new().write(true).open(&log).unwrap().set_len(length - 5).unwrap();
    // QMDB had block 6 and is wound back.
    let storage = open(dir.path());
    assert_chain(&storage, 5);
    grow_to(&storage, 8);
    drop(storage);
    assert_chain(&open(dir.path()), 8);
}

#[test]
fn another_format_is_named() {
    let dir = tempfile::tempdir().unwrap();
    drop(begin(dir.path()));
    {
        let path = dir.path().join("db");
        let names = rocksdb::DB::list_cf(&rocksdb::Options::default(), &path).unwrap();
        let db = rocksdb::DB::open_cf(&rocksdb::Options::default(), &path, names).unwrap();
        db.put_cf(db.cf_handle("meta").unwrap(), b"format", 9_u32.to_be_bytes()).unwrap();
    }
    let error = refused(dir.path());
    assert!(
        matches!(error, StorageError::VersionMismatch { found: 9, expected: 8, .. }),
        "{error}"
    );
}
