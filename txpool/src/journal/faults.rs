//! A disk that refuses while transactions are kept: what was said to be kept is there,
//! and whoever was refused knows why.

use super::{
    Journal, JournalError,
    tests::{keep, open, tx},
};
use billchain_faults::{Child, Fault, Operation, Plan, in_child, say};
use std::path::Path;

/// Transactions that a child keeps: they fill more than two files.
const TRANSACTIONS: u32 = 20;

/// What a child does: keeps transactions, and tells of each.
fn keep_all(directory: &Path) -> Result<(), JournalError> {
    let journal: Journal = open(directory, 100_000)?.journal;
    for nonce in 0..TRANSACTIONS {
        match keep(&journal, &tx(1, nonce, 250)) {
            Ok(()) => say(format!("kept {nonce}")),
            Err(error) => say(format!("error {error}")),
        }
    }
    Ok(())
}

#[test]
fn a_transaction_that_was_said_to_be_kept_survives_a_disk_that_refuses() {
    const NAME: &str = "journal::faults::\
                        a_transaction_that_was_said_to_be_kept_survives_a_disk_that_refuses";
    if let Some(directory) = in_child() {
        if let Err(error) = keep_all(Path::new(&directory)) {
            say(format!("error {error}"));
        }
        return;
    }
    let scratch = tempfile::tempdir().expect("a directory");
    for (operation, faults) in [
        (Operation::Write, &[Fault::Failing, Fault::Full, Fault::Short][..]),
        (Operation::Sync, &[Fault::Failing, Fault::Full]),
        (Operation::Create, &[Fault::TooManyFiles, Fault::Full]),
    ] {
        for (first, fault) in
            (1..).flat_map(|first| faults.iter().map(move |fault| (first, *fault)))
        {
            let directory = tempfile::tempdir_in(&scratch).expect("a directory");
            let place = directory.path().join("journal");
            let plan = Plan { under: &place, operation, fault, first };
            let child = Child::run(NAME, &place.display().to_string(), Some(plan));
            let what = format!("{operation:?} {first}, {fault:?}: {child:#?}");
            assert!(child.output.status.success(), "{what}");
            let errors: Vec<&str> =
                child.said.iter().filter_map(|line| line.strip_prefix("error ")).collect();
            if child.struck.is_none() {
                assert!(errors.is_empty(), "{what}");
                break;
            }
            assert!(!errors.is_empty(), "nobody was told: {what}");
            for error in errors {
                assert!(error.contains(fault.words()), "{what}");
                assert!(error.contains(&place.display().to_string()), "{what}");
            }
            let opened = open(&place, 100_000).expect("the disk works again");
            for line in &child.said {
                let Some(nonce) = line.strip_prefix("kept ") else { continue };
                let expected = tx(1, nonce.parse().expect("a nonce"), 250);
                let found = opened.journal.read(&expected.hash).expect("it reads");
                assert_eq!(found.as_ref(), Some(&expected.bytes), "lost {nonce}: {what}");
            }
        }
    }
}
