//! A disk that refuses: every write, sync, creation and rename of a store that
//! is opened and grown, one after the other.
//!
//! Each fault happens in a process of its own (`billchain-faults`). The store
//! must stop with an error that names file and cause, keep what it had called
//! final, and go on to the same roots when the disk works again.

use crate::chain::*;
use billchain_faults::{Child, Fault, Operation, Plan, in_child, say};
use billchain_storage::{Head, Storage, StorageError, SystemCause};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// The head of the store that children open, and to which they grow it.
const FROM: u32 = 20;
const TO: u32 = 40;

/// What a child does: opens the store and commits blocks, and tells of each.
fn grow(path: &Path) -> Result<(), StorageError> {
    let storage = Storage::open(path, options())?;
    let outcome = loop {
        if storage.head().number == TO {
            break Ok(());
        }
        let committed = try_next_block(&storage).and_then(|block| storage.commit(block));
        if let Err(error) = committed {
            // Nothing goes on after a failure.
            let again = try_next_block(&storage).and_then(|block| storage.commit(block));
            assert!(again.is_err(), "committed after {error}");
            break Err(error);
        }
        say(format!("final {}", storage.head().number));
    };
    drop(storage);
    outcome
}

/// Fails the first call of a kind below `engine`'s directory, then the second,
/// until there are no more. Each is failed in one of the ways of `faults`, in
/// turn. Returns what was struck where the store stopped.
fn sweep(test: &str, engine: &str, operation: Operation, faults: &[Fault]) -> Vec<PathBuf> {
    let scratch = scratch();
    let original = scratch.path().join("original");
    let storage = begin(&original);
    grow_to(&storage, FROM);
    drop(storage);
    let reference = scratch.path().join("reference");
    copy(&original, &reference);
    let reference = open(&reference);
    grow_to(&reference, TO);

    let mut stopped = Vec::new();
    // Every call at first; of those that commits repeat, every third.
    for first in (1..40).chain((40..).step_by(3)) {
        let dir = tempfile::tempdir_in(scratch.path()).unwrap();
        copy(&original, dir.path());
        let fault = faults[first as usize % faults.len()];
        let plan = Plan { under: &dir.path().join(engine), operation, fault, first };
        let child = Child::run(test, &dir.path().display().to_string(), Some(plan));
        let what = format!("{operation:?} {first}, {fault:?}: {child:#?}");
        assert!(child.output.status.success(), "{what}");
        let committed = committed(&child);
        let Some(struck) = &child.struck else {
            assert_eq!(committed, TO, "{what}");
            return stopped;
        };
        if let Some(error) = child.said.iter().find_map(|line| line.strip_prefix("error ")) {
            assert!(error.contains(fault.words()), "{what}");
            assert!(error.contains(&dir.path().display().to_string()), "{what}");
            assert!(error.contains("the database is not damaged"), "{what}");
            stopped.push(struck.clone());
        } else {
            // A file that nothing depends on, or the closing of the store.
            assert_eq!(committed, TO, "{what}");
        }
        recovers(dir.path(), committed, &reference, &what);
    }
    stopped
}

/// The last block that a child called final.
fn committed(child: &Child) -> u32 {
    let numbers = child.said.iter().filter_map(|line| line.strip_prefix("final "));
    numbers.map(|number| number.parse().unwrap()).max().unwrap_or(FROM)
}

/// The disk works again: what was final is there, with its root, and the chain
/// goes on as if nothing had happened.
fn recovers(path: &Path, committed: u32, reference: &Storage, what: &str) {
    let storage = open(path);
    let Head { number, state_root, .. } = storage.head();
    // A block that was written may not have been called final any more.
    assert!((committed..=committed + 1).contains(&number), "head {number}, {what}");
    assert_eq!(Some(state_root), reference.state_root_of(number).unwrap(), "{what}");
    assert_chain(&storage, number);
    assert_eq!(grow_to(&storage, TO), reference.head(), "{what}");
}

/// As a child: says how it went.
fn child(path: &str) {
    if let Err(error) = grow(Path::new(path)) {
        assert!(error.system_cause().is_some(), "{error:?}");
        say(format!("error {error}"));
    }
}

const DATABASE: &str = "db";
const COMMITMENT: &str = "commitment";

#[test]
fn a_write_that_fails_stops_the_store_and_loses_nothing_final() {
    const NAME: &str = "faults::a_write_that_fails_stops_the_store_and_loses_nothing_final";
    if let Some(path) = in_child() {
        return child(&path);
    }
    for engine in [DATABASE, COMMITMENT] {
        let faults = [Fault::Failing, Fault::Full, Fault::Short];
        let stopped = sweep(NAME, engine, Operation::Write, &faults);
        assert!(!stopped.is_empty(), "{engine}");
    }
}

#[test]
fn a_sync_that_fails_stops_the_store_and_loses_nothing_final() {
    const NAME: &str = "faults::a_sync_that_fails_stops_the_store_and_loses_nothing_final";
    if let Some(path) = in_child() {
        return child(&path);
    }
    for engine in [DATABASE, COMMITMENT] {
        let stopped = sweep(NAME, engine, Operation::Sync, &[Fault::Failing, Fault::Full]);
        assert!(!stopped.is_empty(), "{engine}");
    }
}

#[test]
fn a_file_that_cannot_be_made_stops_the_store_and_loses_nothing_final() {
    const NAME: &str = "faults::a_file_that_cannot_be_made_stops_the_store_and_loses_nothing_final";
    if let Some(path) = in_child() {
        return child(&path);
    }
    let faults = [Fault::TooManyFiles, Fault::Full];
    assert!(!sweep(NAME, DATABASE, Operation::Create, &faults).is_empty());
    sweep(NAME, COMMITMENT, Operation::Create, &faults);
}

#[test]
fn a_rename_that_fails_stops_the_store_and_loses_nothing_final() {
    const NAME: &str = "faults::a_rename_that_fails_stops_the_store_and_loses_nothing_final";
    if let Some(path) = in_child() {
        return child(&path);
    }
    assert!(!sweep(NAME, DATABASE, Operation::Rename, &[Fault::Failing]).is_empty());
    sweep(NAME, COMMITMENT, Operation::Rename, &[Fault::Failing]);
}

/// Runs a test of this program by itself under limits that a shell sets first.
fn limited(limits: &str, name: &str, path: &Path) -> String {
    let program = std::env::current_exe().unwrap();
    let script = format!("{limits}; exec \"$0\" --exact {name} --nocapture --test-threads=1");
    let output = Command::new("sh")
        .args(["-c", &script])
        .arg(program)
        .env("FAULT_CHILD", path)
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn too_few_open_files_are_named_and_are_no_damage() {
    const NAME: &str = "faults::too_few_open_files_are_named_and_are_no_damage";
    if let Some(path) = in_child() {
        match Storage::open(Path::new(&path), options()) {
            Ok(storage) => say(format!("opened {}", storage.head().number)),
            Err(error) => {
                let known = error.system_cause() == Some(SystemCause::TooManyFiles);
                let kind = if known { "files" } else { "other" };
                say(format!("{kind} {error}"));
            }
        }
        return;
    }
    let dir = scratch();
    let storage = begin(dir.path());
    grow_to(&storage, FROM);
    drop(storage);
    let mut refused = 0;
    for limit in (8..=64).step_by(2) {
        let text = limited(&format!("ulimit -n {limit}"), NAME, dir.path());
        let said = text.lines().find_map(|line| line.strip_prefix("child: "));
        match said {
            // The harness itself needs some.
            None => {}
            Some("opened 20") => {}
            Some(said) => {
                refused += 1;
                assert!(said.starts_with("files "), "{limit} files: {said}");
                assert!(said.contains("Too many open files"), "{limit} files: {said}");
                assert!(said.contains(&dir.path().display().to_string()), "{limit} files: {said}");
                assert!(!said.contains("damaged database"), "{limit} files: {said}");
            }
        }
    }
    assert!(refused > 5, "{refused}");
    assert_chain(&open(dir.path()), FROM);
}

#[test]
fn a_directory_whose_path_says_lock_is_not_called_in_use() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("blockchain-lock");
    let storage = begin(&path);
    grow_to(&storage, 3);
    drop(storage);
    std::fs::remove_file(path.join("db/CURRENT")).unwrap();
    let error = refused(&path);
    assert!(matches!(error, StorageError::Corrupt { .. }), "{error}");
}
