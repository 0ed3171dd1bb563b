use super::*;
use billchain_primitives::totals::NumberBlock;
use std::{format, string::String};

fn items(first: u64, last: u64) -> Vec<(u64, u64)> {
    Cover::new(first, last).map(|item| (item.first, item.size)).collect()
}

fn prefix(pallet: &[u8], map: &[u8]) -> Vec<u8> {
    [sp_crypto_hashing::twox_128(pallet), sp_crypto_hashing::twox_128(map)].concat()
}

#[test]
fn a_range_is_made_up_of_the_largest_blocks_that_it_holds() {
    assert_eq!(items(7, 7), [(7, 1)]);
    assert_eq!(items(98, 201), [(98, 1), (99, 1), (100, 100), (200, 1), (201, 1)]);
    assert_eq!(items(0, 99), [(0, 100)]);
    assert_eq!(
        items(1_990_000, 3_000_099),
        [(1_990_000, 10_000), (2_000_000, 1_000_000), (3_000_000, 100)]
    );
    assert_eq!(items(0, 9_999_999_999).len(), 10_000);
    assert!(items(2, 1).is_empty() && items(u64::MAX, u64::MAX).is_empty());
}

#[test]
fn items_are_the_range_without_gap_or_overlap() {
    for (first, last) in [(1, 9_999_999_998), (123, 45_678_901), (999_999, 1_000_000), (5, 5)] {
        let mut next = first;
        for item in Cover::new(first, last) {
            assert_eq!(item.first, next);
            next += item.size;
        }
        assert_eq!(next, last + 1);
    }
}

#[test]
fn keys_are_those_of_the_state() {
    assert_eq!(NUMBERS, prefix(b"Totals", b"Numbers")[..]);
    assert_eq!(MONTHS, prefix(b"Totals", b"Months")[..]);
    let keys = |first, last| -> Vec<(Vec<u8>, u8)> {
        Cover::new(first, last).map(|item| item.key(b"31060126")).collect()
    };
    let block = |digits: &str| {
        let count = u8::try_from(digits.len() + 1).unwrap();
        [&prefix(b"Totals", b"Numbers")[..], b"31060126", &[count], digits.as_bytes()].concat()
    };
    let bill = [&prefix(b"BillRegister", b"Bills")[..], b"31060126012345678"].concat();
    let number = "0123456789".parse().unwrap();
    let key = billchain_primitives::BillKey { code: "31060126".parse().unwrap(), number };
    for (digits, encoded) in
        ["01234567", "012345", "0123"].into_iter().zip(NumberBlock::around(&key))
    {
        let count = u8::try_from(digits.len()).unwrap();
        let expected = [b"31060126", &[count][..], digits.as_bytes()].concat();
        assert_eq!(codec::Encode::encode(&encoded), expected);
    }
    assert_eq!(keys(123_456_789, 123_456_789), [(bill, b'9')]);
    assert_eq!(keys(123_456_700, 123_456_799), [(block("0123456"), b'7')]);
    assert_eq!(keys(123_450_000, 123_459_999), [(block("01234"), b'5')]);
    assert_eq!(keys(123_000_000, 123_999_999), [(block("012"), b'3')]);
}

#[test]
fn the_key_of_a_month_holds_the_issuers_length() {
    let months = prefix(b"Totals", b"Months");
    for length in [5, 63, 64] {
        let issuer: String = format!("did:{}", "x".repeat(length - 4));
        let encoded = codec::Encode::encode(&issuer);
        let expected = [&months[..], &encoded, b"20261"].concat();
        assert_eq!(month_key(&issuer, b"202611"), (expected, b'1'), "{length}");
    }
}

#[test]
fn items_are_beside_one_another_where_their_keys_differ_in_the_last_byte() {
    let all: Vec<Item> = Cover::new(89_995, 2_020_150).collect();
    for pair in all.windows(2) {
        let [one, next] = [pair[0], pair[1]];
        let (one_key, next_key) = (one.key(b"31060126"), next.key(b"31060126"));
        assert_eq!(one.is_beside(&next), one_key.0 == next_key.0, "{one:?} {next:?}");
    }
    let runs: Vec<usize> =
        all.chunk_by(|one, next| one.is_beside(next)).map(<[Item]>::len).collect();
    // 89995 to 89999; 90000; 100000 to 990000; a million; 2000000 and 2010000; 2020000;
    // 2020100 to 2020150.
    let expected = [&[5, 1][..], &[10; 9], &[1, 2, 1], &[10; 5], &[1]].concat();
    assert_eq!(runs, expected);
}
