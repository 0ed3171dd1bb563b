//! The books: what was sent, what was answered, what is final.

use crate::workload::{Effect, Kind, Transaction};
use billchain_primitives::{BillKey, BillStatus, CheckCode, Hash};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Mutex, MutexGuard},
    time::Duration,
};

/// A block as it was seen.
#[derive(Clone, Debug)]
pub(crate) struct SeenBlock {
    pub(crate) height: u32,
    /// When it was seen to be final, from the start.
    pub(crate) at: Duration,
    /// Hashes of its extrinsics, the timestamp included.
    pub(crate) hashes: Vec<Hash>,
    /// Bytes of its extrinsics.
    pub(crate) bytes: usize,
}

/// What a node said of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Nothing, or nothing that came through.
    None,
    /// That it took it.
    Accepted,
    /// That it does not, and why.
    Refused(String),
}

/// One transaction.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// When it was meant to be sent, from the start.
    pub(crate) intended: Duration,
    pub(crate) kind: Kind,
    pub(crate) bills: u32,
    pub(crate) answer: Answer,
    /// When its block was seen to be final.
    pub(crate) final_at: Option<Duration>,
    /// Height of that block.
    pub(crate) height: Option<u32>,
    effect: Option<Effect>,
    sequence: u64,
}

/// What became of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Accounts {
    /// Sent.
    pub(crate) sent: u64,
    /// Taken by a node, or found final although no answer came through.
    pub(crate) accepted: u64,
    /// Found in final blocks.
    pub(crate) committed: u64,
    /// Taken by a node and in no final block.
    pub(crate) lost: u64,
    /// Sent, no answer, and in no final block.
    pub(crate) unanswered: u64,
    /// Refused, by reason.
    pub(crate) rejected: BTreeMap<String, u64>,
}

/// A bill that is on the chain, for those who read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    pub(crate) key: BillKey,
    pub(crate) check: CheckCode,
}

/// Whether somebody waits for bills' registrations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tracking {
    /// Nobody does.
    #[default]
    Nothing,
    /// Which bills are registered is remembered.
    Bills,
}

/// What was sent, what was answered, what is final.
#[derive(Default)]
pub(crate) struct Book {
    entries: HashMap<Hash, Entry>,
    /// Final before it was entered: seen faster than sent.
    early: HashMap<Hash, (Duration, u32)>,
    /// Bills whose registration is final.
    registered: HashSet<BillKey>,
    tracking: Tracking,
    /// Newly final bills, for those who read.
    fresh: Vec<Known>,
    pub(crate) blocks: Vec<SeenBlock>,
    /// Answers that asked to come back later.
    pub(crate) deferred: u64,
    open: usize,
    sequence: u64,
}

impl Book {
    /// Empty books.
    pub(crate) fn new(tracking: Tracking) -> Self {
        Self { tracking, ..Self::default() }
    }

    /// A transaction is sent.
    pub(crate) fn enter(&mut self, transaction: &Transaction, intended: Duration) {
        self.sequence += 1;
        let mut entry = Entry {
            intended,
            kind: transaction.kind,
            bills: transaction.bills,
            answer: Answer::None,
            final_at: None,
            height: None,
            effect: transaction.effect,
            sequence: self.sequence,
        };
        match self.early.remove(&transaction.hash) {
            Some((at, height)) => entry.is_in(at, height),
            None => self.open += 1,
        }
        self.entries.insert(transaction.hash, entry);
    }

    /// A node answered.
    pub(crate) fn answer(&mut self, hash: &Hash, answer: Answer) {
        let Some(entry) = self.entries.get_mut(hash) else { return };
        let was_open = entry.is_open();
        // Somebody else's copy may have been refused after ours was taken.
        if entry.answer != Answer::Accepted {
            entry.answer = answer;
        }
        if was_open && !entry.is_open() {
            self.open -= 1;
        }
    }

    /// A block is final.
    pub(crate) fn block(&mut self, block: SeenBlock) {
        for hash in &block.hashes {
            let Some(entry) = self.entries.get_mut(hash) else {
                self.early.insert(*hash, (block.at, block.height));
                continue;
            };
            if entry.is_open() {
                self.open -= 1;
            }
            entry.is_in(block.at, block.height);
            let Some(effect) = entry.effect else { continue };
            if matches!(entry.kind, Kind::Register | Kind::Batch) {
                self.fresh.push(Known { key: effect.key, check: effect.check });
                if self.tracking == Tracking::Bills {
                    self.registered.insert(effect.key);
                }
            }
        }
        self.blocks.push(block);
    }

    /// Transactions that are neither final nor refused.
    pub(crate) fn open(&self) -> usize {
        self.open
    }

    /// Whether a bill's registration is final.
    pub(crate) fn is_registered(&self, key: &BillKey) -> bool {
        self.registered.contains(key)
    }

    /// Takes the bills that became final since this was asked last.
    pub(crate) fn take_fresh(&mut self) -> Vec<Known> {
        std::mem::take(&mut self.fresh)
    }

    /// Every transaction.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// What became of all.
    pub(crate) fn accounts(&self) -> Accounts {
        let mut accounts = Accounts { sent: self.entries.len() as u64, ..Accounts::default() };
        for entry in self.entries.values() {
            match (&entry.answer, entry.final_at) {
                // What is on the chain was taken, whatever was answered.
                (_, Some(_)) => {
                    accounts.accepted += 1;
                    accounts.committed += 1;
                }
                (Answer::Accepted, None) => {
                    accounts.accepted += 1;
                    accounts.lost += 1;
                }
                (Answer::None, None) => accounts.unanswered += 1,
                (Answer::Refused(reason), None) => {
                    *accounts.rejected.entry(reason.clone()).or_default() += 1;
                }
            }
        }
        accounts
    }

    /// The status that each touched bill has to have: what the last final
    /// transaction that was to change it makes of it.
    pub(crate) fn expected(&self) -> BTreeMap<BillKey, BillStatus> {
        let mut last: BTreeMap<BillKey, (u64, BillStatus)> = BTreeMap::new();
        for entry in self.entries.values().filter(|entry| entry.final_at.is_some()) {
            let Some(effect) = entry.effect else { continue };
            let found = last.entry(effect.key).or_insert((entry.sequence, effect.status));
            if found.0 < entry.sequence {
                *found = (entry.sequence, effect.status);
            }
        }
        last.into_iter().map(|(key, (_, status))| (key, status)).collect()
    }
}

impl Entry {
    /// The first block that holds it is the one that counts.
    fn is_in(&mut self, at: Duration, height: u32) {
        if self.final_at.is_none() {
            (self.final_at, self.height) = (Some(at), Some(height));
        }
    }

    fn is_open(&self) -> bool {
        self.final_at.is_none() && !matches!(self.answer, Answer::Refused(_))
    }
}

/// The book, for as long as the answer is held.
pub(super) fn locked(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().expect("nobody panics with the book; qed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn transaction(number: u8, effect: Option<BillStatus>) -> Transaction {
        let key =
            BillKey { code: "31060126".parse().unwrap(), number: "0000000001".parse().unwrap() };
        let check = "aZ09bY".parse().unwrap();
        Transaction {
            at: Duration::ZERO,
            node: 0,
            kind: Kind::Register,
            bills: 1,
            hash: Hash::repeat_byte(number),
            bytes: Bytes::new(),
            effect: effect.map(|status| Effect { key, check, status }),
        }
    }

    fn block(hashes: &[u8]) -> SeenBlock {
        SeenBlock {
            height: 1,
            at: Duration::from_secs(1),
            hashes: hashes.iter().map(|number| Hash::repeat_byte(*number)).collect(),
            bytes: 0,
        }
    }

    fn hash(number: u8) -> Hash {
        Hash::repeat_byte(number)
    }

    #[test]
    fn accepted_and_in_no_block_is_lost_and_nothing_else_is() {
        let mut book = Book::default();
        for number in 1..=5 {
            book.enter(&transaction(number, None), Duration::ZERO);
        }
        assert_eq!(book.open(), 5);
        book.answer(&hash(1), Answer::Accepted);
        book.answer(&hash(2), Answer::Accepted);
        book.answer(&hash(3), Answer::Refused("no room".into()));
        assert_eq!(book.open(), 4);
        // 4 is final though no answer came; 5 is neither.
        book.block(block(&[1, 4, 99]));
        assert_eq!(book.open(), 2);
        let rejected = BTreeMap::from([("no room".to_owned(), 1)]);
        let expected =
            Accounts { sent: 5, accepted: 3, committed: 2, lost: 1, unanswered: 1, rejected };
        assert_eq!(book.accounts(), expected);
        book.block(block(&[2, 5]));
        assert_eq!(book.open(), 0);
        let accounts = book.accounts();
        assert_eq!((accounts.committed, accounts.lost, accounts.unanswered), (4, 0, 0));
    }

    #[test]
    fn a_refusal_of_what_is_final_is_no_rejection() {
        let mut book = Book::default();
        book.enter(&transaction(1, None), Duration::ZERO);
        book.block(block(&[1]));
        // Sent twice after a broken connection, refused the second time.
        book.answer(&hash(1), Answer::Refused("included already".into()));
        let accounts = book.accounts();
        assert_eq!((accounts.committed, accounts.lost), (1, 0));
        assert!(accounts.rejected.is_empty());
        assert_eq!(book.open(), 0);
    }

    #[test]
    fn what_is_final_before_it_is_entered_counts() {
        let mut book = Book::default();
        book.block(block(&[1]));
        book.enter(&transaction(1, None), Duration::ZERO);
        assert_eq!((book.open(), book.accounts().committed), (0, 1));
    }

    #[test]
    fn the_last_final_transaction_says_how_a_bill_has_to_stand() {
        let mut book = Book::new(Tracking::Bills);
        let statuses = [BillStatus::Normal, BillStatus::Locked, BillStatus::Reimbursed];
        for (number, status) in (1..).zip(statuses) {
            book.enter(&transaction(number, Some(status)), Duration::ZERO);
        }
        assert!(book.expected().is_empty());
        book.block(block(&[2, 1]));
        let expected: Vec<BillStatus> = book.expected().into_values().collect();
        assert_eq!(expected, [BillStatus::Locked]);
        let key = *book.expected().keys().next().unwrap();
        assert!(book.is_registered(&key));
        assert_eq!(book.take_fresh().len(), 2);
        assert!(book.take_fresh().is_empty());
    }
}
