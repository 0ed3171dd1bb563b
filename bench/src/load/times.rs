//! The times of every transaction, as a table for other programs.

use super::book::Entry;
use crate::measure::ms;
use anyhow::{Context, Result};
use std::{fmt::Write, fs, path::Path};

/// Writes comma-separated values with a heading: when each final transaction was
/// due and when it was seen to be final, in milliseconds from the start, and the
/// height of its block. Ascending by the first.
pub(super) fn write<'a>(file: &Path, entries: impl Iterator<Item = &'a Entry>) -> Result<()> {
    fs::write(file, table(entries)).with_context(|| format!("cannot write {}", file.display()))
}

fn table<'a>(entries: impl Iterator<Item = &'a Entry>) -> String {
    let mut finals: Vec<_> = entries
        .filter_map(|entry| Some((entry.intended, entry.final_at?, entry.height?)))
        .collect();
    finals.sort_unstable();
    let mut text = "due_ms,final_ms,height\n".to_owned();
    for (due, at, height) in finals {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{},{},{height}", ms(due), ms(at));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::book::{Book, SeenBlock};
    use crate::workload::{Kind, Transaction};
    use billchain_primitives::Hash;
    use bytes::Bytes;
    use std::time::Duration;

    #[test]
    fn every_final_transaction_has_its_times_and_its_height() {
        let mut book = Book::default();
        let hash = Hash::from_low_u64_be;
        for (number, due) in [(1, 700), (2, 300), (3, 500)] {
            let transaction = Transaction {
                at: Duration::ZERO,
                node: 0,
                kind: Kind::Register,
                bills: 1,
                hash: hash(number),
                bytes: Bytes::new(),
                effect: None,
            };
            book.enter(&transaction, Duration::from_millis(due));
        }
        for (height, at) in [(8, 900), (9, 1_250)] {
            let hashes = vec![hash(9), hash(1), hash(2)];
            book.block(SeenBlock { height, at: Duration::from_millis(at), hashes, bytes: 1 });
        }
        assert_eq!(
            table(book.entries()),
            "due_ms,final_ms,height\n300,900,8\n700,900,8\n",
            "3 is in no block; 1 and 2 are in the first that holds them"
        );
    }
}
