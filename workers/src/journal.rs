//! What a worker did and has not yet put on the chain, durable before anything else happens.
//!
//! What was told is written before it is reported, with all its answer, and taken away when
//! the report is final. So a process that dies in between reports it when it is back and does
//! not tell it again; one that dies before tells it again, with the same key.

use crate::store::{MAX_VALUE, Store, StoreProblem};
use billchain_primitives::sm3;
use codec::{Decode, Encode};
use std::collections::BTreeMap;

/// Answers of so many entries back are kept.
const ANSWERS_KEPT: u64 = 100_000;

const TOLD: &[u8] = b"told/";
const ANSWER: &[u8] = b"answer/";

/// An entry that was told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Decided {
    /// SM3 of the answer.
    pub answer: [u8; 32],
    /// Attempts that it took.
    pub attempts: u32,
}

/// The journal.
#[derive(Clone, Debug)]
pub struct Journal {
    store: Store,
}

fn key(prefix: &[u8], seq: u64) -> Vec<u8> {
    [prefix, &seq.to_be_bytes()].concat()
}

impl Journal {
    /// In this part of a store, which nobody else writes.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// What was told and not reported when the process ended before.
    pub fn unreported(&self) -> Result<BTreeMap<u64, Decided>, StoreProblem> {
        let (mut found, mut last) = (BTreeMap::new(), None::<Vec<u8>>);
        loop {
            let page = self.store.entries(TOLD, last.as_deref(), 1_000)?;
            let Some((end, _)) = page.last() else { return Ok(found) };
            last = Some(end.clone());
            for (key, value) in page {
                let seq = key.get(TOLD.len()..).and_then(|bytes| bytes.try_into().ok());
                let damaged = || StoreProblem::Io("a told entry is damaged".into());
                let seq = seq.map(u64::from_be_bytes).ok_or_else(damaged)?;
                found.insert(seq, Decided::decode(&mut &value[..]).map_err(|_| damaged())?);
            }
        }
    }

    /// Notes entries that were told: number, attempts, answer. An answer that is too long for
    /// the store is cut there; its SM3 is of all of it.
    pub fn told(&self, told: &[(u64, u32, Vec<u8>)]) -> Result<Vec<(u64, Decided)>, StoreProblem> {
        let (mut changes, mut decided) = (Vec::new(), Vec::new());
        for (seq, attempts, answer) in told {
            let one = Decided { answer: sm3(answer), attempts: *attempts };
            let kept = answer[..answer.len().min(MAX_VALUE)].to_vec();
            changes.push((key(TOLD, *seq), Some(one.encode())));
            changes.push((key(ANSWER, *seq), Some(kept)));
            if let Some(old) = seq.checked_sub(ANSWERS_KEPT) {
                changes.push((key(ANSWER, old), None));
            }
            decided.push((*seq, one));
        }
        self.store.apply(&changes)?;
        Ok(decided)
    }

    /// Notes that reports of these entries are final.
    pub fn reported(&self, seqs: &[u64]) -> Result<(), StoreProblem> {
        let changes: Vec<_> = seqs.iter().map(|seq| (key(TOLD, *seq), None)).collect();
        self.store.apply(&changes)
    }

    /// What the system outside answered to an entry, of the last 100,000.
    pub fn answer(&self, seq: u64) -> Result<Option<Vec<u8>>, StoreProblem> {
        self.store.get(&key(ANSWER, seq))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_is_known_until_its_report_is_final() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("worker.redb");
        {
            let journal = Journal::new(Store::open(&path, "work").unwrap());
            let told = [(7, 2, b"ok".to_vec()), (8, 1, vec![9; MAX_VALUE + 10])];
            journal.told(&told).unwrap();
        }
        let journal = Journal::new(Store::open(&path, "work").unwrap());
        let unreported = journal.unreported().unwrap();
        assert_eq!(unreported[&7], Decided { answer: sm3(b"ok"), attempts: 2 });
        assert_eq!(unreported[&8].answer, sm3(&vec![9; MAX_VALUE + 10]), "of the whole answer");
        journal.reported(&[7, 8]).unwrap();
        assert!(journal.unreported().unwrap().is_empty());
        assert_eq!(journal.answer(7).unwrap().as_deref(), Some(&b"ok"[..]));
        assert_eq!(journal.answer(8).unwrap().map(|answer| answer.len()), Some(MAX_VALUE));
        journal.told(&[(100_007, 1, Vec::new())]).unwrap();
        assert_eq!(journal.answer(7).unwrap(), None, "old answers are not kept for ever");
    }

    #[test]
    fn more_than_a_page_is_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("worker.redb"), "work").unwrap();
        let journal = Journal::new(store);
        let told: Vec<_> = (1..=2_500).map(|seq| (seq, 1, Vec::new())).collect();
        journal.told(&told).unwrap();
        assert_eq!(journal.unreported().unwrap().len(), 2_500);
    }
}
