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

#[test]
fn a_certificate_has_room_for_the_parts_of_every_range() {
    // The largest parts are bills, of which 198 stand at the ends of a range at most.
    let bills = 198 * (2 + Bill::max_encoded_len());
    // The others are tallies. None counts more than a million bills, which a line says in 4 bytes.
    let line = 1 + 1 + 4 + 16;
    let tallies = (MAX_ITEMS - 198) * (2 + 1 + MAX_LINES as usize * line + 32);
    // A group of ten with its proof: 33 bytes a key, and 73 digests at most.
    let groups = (MAX_ITEMS / 10 + 8) * (2 + 10 * 33 + 32 + 8 + 8 + 1 + 96 + 73 * 32);
    let most = billchain_verifier::MAX_BYTES;
    assert!(bills + tallies + groups < most - (128 << 10), "{bills} {tallies} {groups}");
}
