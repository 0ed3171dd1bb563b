//! The memory under faults, and what a start decides.

mod files;
mod judging;

use std::io;
use std::sync::Arc;

use billchain_primitives::{Hash, SignedStatement, Statement, StatementContext};
use parking_lot::Mutex;

use super::file::{Medium, RecordFile};
use super::record::{FILE_BYTES, Last, Record, Slot};
use super::{Guard, Refusal, Remember, SyncLog};

const SIGNER: [u8; 32] = [7; 32];
const GENESIS: Hash = Hash::repeat_byte(9);

fn record(height: u64, last: Option<Last>) -> Record {
    Record { genesis: GENESIS, signer: SIGNER, height, last, log_bytes: 0 }
}

fn prevote(block: u8) -> Statement {
    Statement::Prevote { block: Some(Hash::repeat_byte(block)) }
}

fn precommit(block: u8) -> Statement {
    Statement::Precommit { block: Some(Hash::repeat_byte(block)) }
}

fn proposal(block: u8) -> Statement {
    Statement::Proposal { block: Hash::repeat_byte(block), valid_round: None }
}

fn signed(statement: Statement, signature: u8) -> SignedStatement {
    SignedStatement { statement, signature: [signature; 64] }
}

/// What a disk does wrong, and in which write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// The write fails and leaves this many of its bytes.
    Write(io::ErrorKind, usize),
    /// The write is taken, the sync fails.
    Sync(io::ErrorKind),
}

/// A disk: what is synced survives.
struct Disk {
    written: Vec<u8>,
    durable: Vec<u8>,
    fault: Fault,
    /// Events in order, to tell what came before what.
    events: Vec<&'static str>,
}

#[derive(Clone)]
struct Shared(Arc<Mutex<Disk>>);

impl Shared {
    fn with(record: Record) -> Self {
        let mut written = vec![0; FILE_BYTES];
        let slot = Slot { sequence: 0, record }.to_bytes();
        written[..slot.len()].copy_from_slice(&slot);
        let durable = written.clone();
        Self(Arc::new(Mutex::new(Disk { written, durable, fault: Fault::None, events: vec![] })))
    }

    fn guard(&self, record: Record) -> Guard<Self, Self> {
        let file = RecordFile::new(self.clone(), Slot { sequence: 0, record });
        Guard { file, log: self.clone(), failed: false }
    }
}

impl Medium for Shared {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut disk = self.0.lock();
        let (kept, result) = match disk.fault {
            Fault::Write(kind, kept) => (kept, Err(kind.into())),
            _ => (bytes.len(), Ok(())),
        };
        let offset = offset as usize;
        disk.written[offset..offset + kept].copy_from_slice(&bytes[..kept]);
        disk.events.push("write");
        result
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut disk = self.0.lock();
        disk.events.push("sync");
        if let Fault::Sync(kind) = disk.fault {
            return Err(kind.into());
        }
        disk.durable = disk.written.clone();
        Ok(())
    }
}

impl SyncLog for Shared {
    fn sync(&mut self) -> io::Result<u64> {
        self.0.lock().events.push("sync log");
        Ok(345)
    }
}

fn at(height: u64, round: u32) -> StatementContext {
    StatementContext { height, round: Some(round), signer: SIGNER }
}

fn sign(
    guard: &mut impl Remember,
    height: u64,
    round: u32,
    statement: Statement,
    signature: u8,
) -> Result<u8, Refusal> {
    let signature = guard.sign(&at(height, round), &statement, &mut || [signature; 64])?;
    Ok(signature[0])
}

#[test]
fn a_validator_signs_upwards_and_the_same_again_but_nothing_else() {
    let disk = Shared::with(record(4, None));
    let mut guard = disk.guard(record(4, None));
    // Height, round, statement, the signature it gets: `None` is a refusal.
    let rows = [
        (4, 0, prevote(1), None, "at the height of an empty memory"),
        (3, 9, prevote(1), None, "below it"),
        (5, 0, proposal(1), Some(2), "the first of a height"),
        (5, 0, proposal(1), Some(2), "the same again"),
        (5, 0, proposal(2), None, "another proposal"),
        (5, 0, prevote(1), Some(5), "the next step"),
        (5, 0, proposal(1), None, "a step back"),
        (5, 0, prevote(2), None, "another vote of this step"),
        (5, 0, Statement::Prevote { block: None }, None, "nil instead"),
        (5, 0, prevote(1), Some(5), "the same again, with its signature"),
        (5, 1, prevote(2), Some(10), "a later round"),
        (5, 0, precommit(1), None, "a later step of an earlier round"),
        (5, 1, precommit(2), Some(12), "the next step"),
        (7, 0, precommit(3), Some(13), "a later height"),
        (6, 0, proposal(1), None, "a height that was skipped"),
    ];
    for (number, (height, round, statement, expected, row)) in rows.into_iter().enumerate() {
        // Every row would get a signature of its own, so that a repeated one is seen.
        let result = sign(&mut guard, height, round, statement, number as u8);
        match expected {
            Some(signature) => assert_eq!(result.expect(row), signature, "{row}"),
            None => assert!(matches!(result, Err(Refusal::Contradiction(_))), "{row}"),
        }
    }
}

#[test]
fn the_log_is_durable_before_the_memory_and_the_memory_before_the_signature() {
    let disk = Shared::with(record(4, None));
    let mut guard = disk.guard(record(4, None));
    sign(&mut guard, 5, 0, prevote(1), 1).expect("signed");
    let disk = disk.0.lock();
    assert_eq!(disk.events, ["sync log", "write", "sync"]);
    let super::record::Contents::Known(slot) = super::record::parse(&disk.durable) else {
        panic!("unreadable after a sync");
    };
    assert_eq!(slot.record.last, Some(Last { round: 0, signed: signed(prevote(1), 1) }));
    assert_eq!(slot.record.log_bytes, 345);
}

#[test]
fn a_write_that_fails_gives_no_signature_and_ends_signing() {
    let faults = [
        Fault::Write(io::ErrorKind::StorageFull, 0),
        Fault::Write(io::ErrorKind::StorageFull, 100),
        Fault::Write(io::ErrorKind::WriteZero, 511),
        Fault::Sync(io::ErrorKind::Other),
    ];
    for fault in faults {
        let disk = Shared::with(record(4, None));
        let mut guard = disk.guard(record(4, None));
        sign(&mut guard, 5, 0, proposal(1), 1).expect("signed");
        disk.0.lock().fault = fault;
        let refused = sign(&mut guard, 5, 0, prevote(1), 2);
        assert!(matches!(refused, Err(Refusal::File(_))), "{fault:?}: {refused:?}");
        // After a failed sync a later one may succeed without the data.
        disk.0.lock().fault = Fault::None;
        let refused = sign(&mut guard, 5, 0, prevote(2), 3);
        assert!(matches!(refused, Err(Refusal::File(_))), "{fault:?}: {refused:?}");
        // The file holds the record before, or the one that was cut short.
        let disk = disk.0.lock();
        for bytes in [&disk.written, &disk.durable] {
            let super::record::Contents::Known(slot) = super::record::parse(bytes) else {
                panic!("{fault:?} damaged the file");
            };
            let steps = slot.record.last.map(|last| last.step().1);
            assert!(steps.is_some(), "{fault:?}");
        }
    }
}
