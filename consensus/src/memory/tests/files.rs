//! The file: its format, and what is left of it after a crash, a cut or a flip.

use billchain_crypto::sm3::sm3;

use super::*;
use crate::memory::SigningMemoryError as Error;
use crate::memory::file;
use crate::memory::record::{Contents, parse};
use crate::memory::start::{abstain, summary};
use crate::types::Address;

fn longest() -> Record {
    let statement = Statement::Proposal { block: Hash::repeat_byte(1), valid_round: Some(3) };
    let signed = signed(statement, 2);
    Record {
        last: Some(Last { round: u32::MAX, signed }),
        log_bytes: u64::MAX,
        ..record(u64::MAX, None)
    }
}

#[test]
fn the_format_is_fixed() {
    let bytes = Slot { sequence: 5, record: longest() }.to_bytes();
    assert_eq!(
        hex::encode(sm3(&bytes)),
        "dcc5ab91decd616590d345b2d49f7f27b45c15a18266f7db9112317d6434d3de",
        "a validator with a file of another format could sign twice"
    );
}

#[test]
fn a_write_cut_short_anywhere_leaves_the_record_before() {
    let old = record(4, None);
    let new = Slot { sequence: 1, record: longest() };
    let bytes = new.to_bytes();
    let disk = Shared::with(old.clone());
    let before = disk.0.lock().durable.clone();
    for kept in 0..=bytes.len() {
        let mut torn = before.clone();
        torn[4096..4096 + kept].copy_from_slice(&bytes[..kept]);
        let Contents::Known(slot) = parse(&torn) else { panic!("unreadable after {kept} bytes") };
        let expected = if kept == bytes.len() { &new.record } else { &old };
        assert_eq!(&slot.record, expected, "{kept} bytes");
    }
}

#[test]
fn a_file_that_was_cut_is_damaged() {
    let disk = Shared::with(longest());
    let whole = disk.0.lock().durable.clone();
    for length in [0, 1, 511, 512, 4096, FILE_BYTES - 1] {
        assert!(matches!(parse(&whole[..length]), Contents::Damaged(_)), "{length}");
    }
    let longer = [&whole[..], &[0]].concat();
    assert!(matches!(parse(&longer), Contents::Damaged(_)));
}

#[test]
fn a_flipped_bit_is_never_taken_for_a_record() {
    let disk = Shared::with(longest());
    let whole = disk.0.lock().durable.clone();
    for byte in 0..512 {
        let mut flipped = whole.clone();
        flipped[byte] ^= 1 << (byte % 8);
        assert!(matches!(parse(&flipped), Contents::Damaged(_)), "byte {byte}");
    }
}

#[test]
fn records_alternate_between_the_slots_and_the_newest_is_read() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("consensus").join("signing-memory");
    assert!(file::read(&path).expect("readable").is_none());
    let mut memory = file::create(&path, record(1, None)).expect("made");
    for height in 2..6 {
        memory.replace(record(height, None)).expect("written");
        let Some(Contents::Known(slot)) = file::read(&path).expect("readable") else {
            panic!("no record at {height}");
        };
        assert_eq!(slot.record.height, height);
        assert_eq!(std::fs::metadata(&path).expect("there").len(), FILE_BYTES as u64);
        memory = file::open(&path, *slot).expect("opens");
    }
}

#[test]
fn abstaining_only_ever_forbids_more() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("signing-memory");
    let signer = Address::from(SIGNER);
    let forbid = |head, up_to| abstain(&path, GENESIS, signer, head, up_to);
    assert!(matches!(forbid(3, None), Err(Error::HeightNeeded { .. })));
    assert!(matches!(forbid(3, Some(2)), Err(Error::HeightTooLow { asked: 2, least: 3, .. })));
    assert_eq!(forbid(3, Some(5)).expect("written"), 5);
    assert!(matches!(forbid(3, Some(4)), Err(Error::HeightTooLow { asked: 4, least: 5, .. })));
    assert_eq!(forbid(3, None).expect("written"), 5, "what is remembered");
    assert_eq!(forbid(8, None).expect("written"), 8, "what is decided");
    let summary = summary(&path).expect("readable").expect("there");
    assert_eq!((summary.height, summary.last), (8, None));
    // What is damaged is replaced, at a height that is given.
    std::fs::write(&path, b"garbage").expect("written");
    assert!(matches!(crate::memory::summary(&path), Err(Error::Damaged { .. })));
    assert!(matches!(forbid(8, None), Err(Error::HeightNeeded { .. })));
    assert_eq!(forbid(8, Some(20)).expect("written"), 20);
}
