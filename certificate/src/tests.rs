//! What is asked of the state for a range of numbers.

use super::*;
use billchain_primitives::totals::{MAX_LINES, NumberBlock};
use codec::MaxEncodedLen;

fn number(value: u64) -> BillNumber {
    format!("{value:010}").parse().unwrap()
}

fn keys(first: u64, last: u64) -> Result<Vec<Vec<u8>>, CertificateError> {
    item_keys("31060126".parse().unwrap(), number(first), number(last))
}

#[test]
fn a_range_is_asked_for_by_its_blocks_and_single_bills() {
    let bills = storage_prefix(b"BillRegister", b"Bills");
    let blocks = storage_prefix(b"Totals", b"Numbers");
    let found = keys(999_999, 3_010_100).unwrap();
    let expected: Vec<Vec<u8>> = [
        [&bills[..], b"310601260000999999"].concat(),
        [&blocks[..], b"31060126\x040001"].concat(),
        [&blocks[..], b"31060126\x040002"].concat(),
        [&blocks[..], b"31060126\x06000300"].concat(),
        [&blocks[..], b"31060126\x0800030100"].concat(),
        [&bills[..], b"310601260003010100"].concat(),
    ]
    .into();
    assert_eq!(found, expected);
}

#[test]
fn keys_are_those_under_which_bills_and_blocks_are_stored() {
    let key = BillKey { code: "31060126".parse().unwrap(), number: number(3_450_000) };
    let blocks = NumberBlock::around(&key).map(|block| block.encode());
    let stored = |block: &Vec<u8>| [&storage_prefix(b"Totals", b"Numbers")[..], block].concat();
    let found = |last: u64| keys(3_450_000, last).unwrap();
    assert_eq!(found(3_450_000), [state_key(&key)]);
    assert_eq!(found(3_450_099), [stored(&blocks[0])]);
    assert_eq!(found(3_459_999), [stored(&blocks[1])]);
    assert_eq!(keys(3_000_000, 3_999_999).unwrap(), [stored(&blocks[2])]);
}

#[test]
fn a_range_of_too_many_parts_or_none_is_refused() {
    let error = keys(2, 1).unwrap_err();
    assert_eq!(error.to_string(), "the numbers end at 0000000001, before they begin at 0000000002");
    // At one end 99 bills, 99 blocks of 100, 99 of 10,000, and as many millions as there is room for.
    assert_eq!(keys(1, 603_999_999).unwrap().len(), MAX_ITEMS);
    let error = keys(1, 604_999_999).unwrap_err();
    assert!(error.to_string().contains("more than 900 bills and blocks"), "{error}");
    keys(0, 9_999_999_999).unwrap_err();
    // With as many at the other end: up to 300 million numbers are never too many.
    assert_eq!(keys(1, 301_999_998).unwrap().len(), 594 + 300);
}

/// Bytes of proofs at most, with so many runs of 32 segments, each of 2^21 groups whose keys share
/// 49 bytes, as those of bills do.
struct Sizes {
    /// A group of ten keys that is hot or cold.
    there: usize,
    /// A group that is nowhere.
    nowhere: usize,
    /// One that is before the first segment of each run: the keys of tallies are before those of
    /// bills, and nothing else is cold.
    before: usize,
}

impl Sizes {
    fn of(runs: usize) -> Self {
        const SHARED: usize = 2 + 49;
        let operation = 8 + 8 + 1 + 96 + 73 * 32;
        let coverage = 1 + 2 * (SHARED + 64) + 16 + 10 * 32;
        let (inclusion, bit) = (16 + 21 * 32, 64 + 16 + 12 * 32);
        let exclusion = 1 + 2 * (SHARED + 32) + 16 + 40 * 32;
        let group = 1 + 10 * 33;
        let hot = 1 + group + 32 + operation;
        let cold = 1 + group + 1 + coverage + inclusion + bit;
        let run = 1 + coverage + exclusion.max(inclusion + 32 + bit);
        let uncovered = 1 + 1 + SHARED + 64 + 16 + 5 * 32;
        let neighbour = 1 + 96 + operation + 1;
        Self {
            there: hot.max(cold),
            nowhere: neighbour + runs * run,
            before: neighbour + runs * uncovered,
        }
    }
}

#[test]
fn a_certificate_has_room_for_the_parts_of_every_range() {
    let Sizes { there, nowhere, before } = Sizes::of(6);
    // The largest parts are bills, of which 198 stand at the ends of a range at most, in 20 groups.
    let ten_bills = 10 * (2 + Bill::max_encoded_len());
    let bills = 20 * nowhere.max(there + ten_bills);
    // The others are tallies. None counts more than a million bills, which a line says in 4 bytes.
    let line = 1 + 1 + 4 + 16;
    let tally = 2 + 1 + MAX_LINES as usize * line + 32;
    // A group of ten is shorter without them; 8 groups are of fewer.
    assert!(before < there + 10 * tally);
    let (others, groups) = (MAX_ITEMS - 198, (MAX_ITEMS - 198) / 10 + 8);
    let tallies = others * tally + groups * there + 8 * before.saturating_sub(there);
    let most = billchain_verifier::MAX_BYTES;
    let roots = 32 + 1 + 64 * 32 + 32;
    assert!(roots + bills + tallies < most - (128 << 10), "{bills} {tallies}");
}

#[test]
fn a_certificate_of_one_bill_has_few_bytes_with_few_runs() {
    let Sizes { there, nowhere, .. } = Sizes::of(3);
    // A bill that is there; the chain of validators, the version and the transaction come to it.
    assert!(there + Bill::max_encoded_len() < 5 << 10, "{there}");
    assert!(nowhere < 9 << 10, "{nowhere}");
}
