//! A disk that refuses while proposals are stored: what was said to be stored
//! is there, and the store opens.

use billchain_faults::{Child, Fault, Operation, Plan, in_child, say};
use std::path::Path;

use super::tests::{block, open, same};
use crate::support::Support;
use crate::types::Height;

/// Blocks that a child stores.
const BLOCKS: u8 = 6;

/// What a child does: stores blocks, and tells of each.
fn store(directory: &Path) -> Result<(), crate::ConsensusError> {
    let mut store = super::UndecidedStore::open(directory.to_owned(), Height::new(5), 1 << 20)?;
    for byte in 1..=BLOCKS {
        let block = block(5, byte);
        store.writer().write(&block)?;
        store.insert(block.into(), &Support::default());
        say(format!("stored {byte}"));
    }
    let gone = store.forget_below(Height::new(6));
    store.writer().remove(&gone[..2])
}

#[test]
fn a_proposal_that_was_said_to_be_stored_survives_a_disk_that_refuses() {
    const NAME: &str = "undecided::faults::\
                        a_proposal_that_was_said_to_be_stored_survives_a_disk_that_refuses";
    if let Some(directory) = in_child() {
        if let Err(error) = store(Path::new(&directory)) {
            say(format!("error {error}"));
        }
        return;
    }
    let scratch = tempfile::tempdir().expect("a directory");
    for (operation, faults) in [
        (Operation::Write, &[Fault::Failing, Fault::Full, Fault::Short][..]),
        (Operation::Sync, &[Fault::Failing, Fault::Full]),
        (Operation::Create, &[Fault::TooManyFiles, Fault::Full]),
        (Operation::Rename, &[Fault::Failing]),
    ] {
        for (first, fault) in
            (1..).flat_map(|first| faults.iter().map(move |fault| (first, *fault)))
        {
            let directory = tempfile::tempdir_in(&scratch).expect("a directory");
            let place = directory.path().join("undecided");
            let plan = Plan { under: &place, operation, fault, first };
            let child = Child::run(NAME, &place.display().to_string(), Some(plan));
            let what = format!("{operation:?} {first}, {fault:?}: {child:#?}");
            assert!(child.output.status.success(), "{what}");
            let error = child.said.iter().find_map(|line| line.strip_prefix("error "));
            let Some(struck) = &child.struck else {
                assert_eq!(error, None, "{what}");
                break;
            };
            let error = error.unwrap_or_else(|| panic!("nothing was said of {struck:?}: {what}"));
            assert!(error.contains(fault.words()), "{what}");
            assert!(error.contains(&place.display().to_string()), "{what}");
            let stored = child.said.iter().filter(|line| line.starts_with("stored")).count() as u8;
            let again = open(&place, 5);
            for byte in 1..=stored {
                let expected = block(5, byte);
                let found = again.get(&expected.hash);
                assert!(found.is_some_and(|found| same(found, &expected)), "block {byte}, {what}");
            }
        }
    }
}
