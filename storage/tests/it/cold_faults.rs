//! A disk that refuses while files of cold segments are written, and while groups cool.

use crate::{
    chain::{copy, options, scratch},
    cold_files::{due, file, open, read_all, write_all},
    cold_model::*,
};
use billchain_faults::{Child, Fault, Operation, Plan, in_child, say};
use billchain_storage::Storage;
use std::path::{Path, PathBuf};

/// As a child: writes the files that are due, and says how it went.
fn child(path: &str) {
    let outcome = Storage::open(Path::new(path), options()).and_then(|storage| {
        while let Some(written) = storage.write_due_segment()? {
            say(format!("written {}", file(&written).display()));
        }
        Ok(())
    });
    if let Err(error) = outcome {
        assert!(error.system_cause().is_some(), "{error:?}");
        say(format!("error {error}"));
    }
}

/// Fails each call of a kind below a directory of the store in turn; what was struck where the
/// writing stopped.
fn sweep(test: &str, directory: &str, operation: Operation, faults: &[Fault]) -> Vec<PathBuf> {
    let mut stopped = Vec::new();
    let expected = write_all(&open(due().path())).len();
    for first in 1.. {
        let place = due();
        let fault = faults[first as usize % faults.len()];
        let plan = Plan { under: &place.path().join(directory), operation, fault, first };
        let child = Child::run(test, &place.path().display().to_string(), Some(plan));
        let what = format!("{operation:?} {first}, {fault:?}: {child:#?}");
        assert!(child.output.status.success(), "{what}");
        let Some(struck) = &child.struck else { return stopped };
        if let Some(error) = child.said.iter().find_map(|line| line.strip_prefix("error ")) {
            assert!(error.contains(fault.words()), "{what}");
            assert!(error.contains(&place.path().display().to_string()), "{what}");
            stopped.push(struck.clone());
        }
        // The disk works again.
        let storage = open(place.path());
        assert_eq!(storage.head(), chain().heads[LONG as usize], "{what}");
        assert_eq!(read_all(&storage), 0, "{what}");
        write_all(&storage);
        assert_eq!(storage.stats().cold.files, expected as u64, "{what}");
        assert_eq!(read_all(&storage), 0, "{what}");
    }
    stopped
}

#[test]
fn a_write_that_fails_while_files_are_written_loses_nothing() {
    const NAME: &str = "cold_faults::a_write_that_fails_while_files_are_written_loses_nothing";
    if let Some(path) = in_child() {
        return child(&path);
    }
    for directory in ["cold", "db"] {
        let faults = [Fault::Failing, Fault::Full, Fault::Short];
        assert!(!sweep(NAME, directory, Operation::Write, &faults).is_empty(), "{directory}");
    }
}

#[test]
fn a_sync_that_fails_while_files_are_written_loses_nothing() {
    const NAME: &str = "cold_faults::a_sync_that_fails_while_files_are_written_loses_nothing";
    if let Some(path) = in_child() {
        return child(&path);
    }
    for directory in ["cold", "db"] {
        let faults = [Fault::Failing, Fault::Full];
        assert!(!sweep(NAME, directory, Operation::Sync, &faults).is_empty(), "{directory}");
    }
}

#[test]
fn files_that_cannot_be_made_or_named_are_written_the_next_time() {
    const NAME: &str = "cold_faults::files_that_cannot_be_made_or_named_are_written_the_next_time";
    if let Some(path) = in_child() {
        return child(&path);
    }
    let faults = [Fault::TooManyFiles, Fault::Full];
    assert!(!sweep(NAME, "cold", Operation::Create, &faults).is_empty());
    assert!(!sweep(NAME, "cold", Operation::Rename, &[Fault::Failing]).is_empty());
}

/// The first and the last of the blocks that children commit.
const FROM: u32 = 20;
const TO: u32 = 34;

/// As a child: commits blocks that cool, heat and merge, and tells of each.
fn grow(path: &str) {
    let mut model = Model::new();
    let mut blocks = Vec::new();
    for number in 1..=TO {
        let (delta, cooling) = model.block(number);
        model.apply(&delta, &cooling);
        blocks.push((delta, cooling));
    }
    let outcome = Storage::open(Path::new(path), options()).and_then(|storage| {
        for number in FROM + 1..=TO {
            let (delta, cooling) = blocks[number as usize - 1].clone();
            let mut made = block(number, delta, cooling);
            made.parent_hash = storage.head().hash;
            made.state_root = storage.speculate(&made.delta, &made.cooling)?;
            storage.commit(made)?;
            say(format!("final {number}"));
        }
        Ok(())
    });
    if let Err(error) = outcome {
        assert!(error.system_cause().is_some(), "{error:?}");
        say(format!("error {error}"));
    }
}

fn sweep_blocks(test: &str, operation: Operation, faults: &[Fault]) {
    let original = scratch();
    let chain = chain();
    let storage = begin(original.path(), options());
    chain.grow(&storage, FROM);
    drop(storage);
    for directory in ["db", "commitment"] {
        let mut stopped = 0;
        for first in (1..30).chain((30..).step_by(3)) {
            let place = scratch();
            copy(original.path(), place.path());
            let fault = faults[first as usize % faults.len()];
            let plan = Plan { under: &place.path().join(directory), operation, fault, first };
            let child = Child::run(test, &place.path().display().to_string(), Some(plan));
            let what = format!("{operation:?} {first}, {fault:?}: {child:#?}");
            assert!(child.output.status.success(), "{what}");
            let said = child.said.iter().filter_map(|line| line.strip_prefix("final "));
            let last = said.map(|number| number.parse().unwrap()).max().unwrap_or(FROM);
            if child.struck.is_none() {
                assert_eq!(last, TO, "{what}");
                break;
            }
            stopped += u32::from(last < TO);
            let storage = open(place.path());
            let number = storage.head().number;
            assert!((last..=last + 1).contains(&number), "head {number}, {what}");
            chain.check(&storage.state());
            chain.grow(&storage, TO);
            chain.check(&storage.state());
        }
        assert!(stopped > 0, "{directory}");
    }
}

#[test]
fn a_write_that_fails_while_groups_cool_loses_nothing_final() {
    const NAME: &str = "cold_faults::a_write_that_fails_while_groups_cool_loses_nothing_final";
    match in_child() {
        Some(path) => grow(&path),
        None => sweep_blocks(NAME, Operation::Write, &[Fault::Failing, Fault::Full, Fault::Short]),
    }
}

#[test]
fn a_sync_that_fails_while_groups_cool_loses_nothing_final() {
    const NAME: &str = "cold_faults::a_sync_that_fails_while_groups_cool_loses_nothing_final";
    match in_child() {
        Some(path) => grow(&path),
        None => sweep_blocks(NAME, Operation::Sync, &[Fault::Failing, Fault::Full]),
    }
}
