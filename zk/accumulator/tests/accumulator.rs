//! Values of the accumulator, byte by byte, and what it must not do.

use billchain_zk_accumulator::{
    Accumulator, Digest, Entry, EntryError, IV, InvalidDigest, Kind, KoalaBear, MAX_AMOUNT,
    MAX_DAYS, Secret, commitment, permute, reference_blocks,
};
use p3_field::{PrimeCharacteristicRing, PrimeField32};
use p3_koala_bear::default_koalabear_poseidon2_16;
use p3_symmetric::Permutation;

const REFERENCE: [u8; 32] = [7; 32];

fn entry(days: u32) -> Entry {
    Entry::new(days, 3, 1_234_567_890, Kind::Normal, &[0x5a; 32]).unwrap()
}

fn numbers(block: &[KoalaBear]) -> Vec<u32> {
    block.iter().map(KoalaBear::as_canonical_u32).collect()
}

#[test]
fn permutation_is_the_one_of_plonky3() {
    let theirs = default_koalabear_poseidon2_16();
    let mut state: [KoalaBear; 16] = core::array::from_fn(|i| KoalaBear::from_u32(i as u32));
    for _ in 0..64 {
        let expected = theirs.permute(state);
        permute(&mut state);
        assert_eq!(state, expected);
    }
}

#[test]
fn iv_is_the_name_of_the_accumulator() {
    let name = "财票链累加器1".as_bytes();
    let mut expected: Vec<u32> =
        name.chunks(3).map(|c| c.iter().rev().fold(0, |n, &b| n << 8 | u32::from(b))).collect();
    expected.resize(8, 0);
    assert_eq!(numbers(&IV.0), expected);
}

#[test]
fn block_of_an_entry_is_as_documented() {
    let mut hash = [0; 32];
    hash[..12].copy_from_slice(&[1, 2, 3, 0xff, 5, 6, 7, 8, 9, 10, 11, 12]);
    let entry = Entry::new(20_454, 513, 99_999_999_999_999, Kind::Balance, &hash).unwrap();
    let expected = [
        20_454,
        513,
        (99_999_999_999_999u64 % (1 << 24)) as u32,
        (99_999_999_999_999u64 >> 24) as u32,
        1 + 8,
        0x3f03_0201,
        0x0807_0605,
        0x0c0b_0a09,
    ];
    assert_eq!(numbers(&entry.block()), expected);
    let mut reversed = expected;
    reversed[4] += 2;
    assert_eq!(numbers(&entry.reversed().block()), reversed);
}

#[test]
fn blocks_of_a_reference_are_its_halfwords() {
    let reference: [u8; 32] = core::array::from_fn(|i| i as u8);
    let [low, high] = reference_blocks(&reference);
    assert_eq!(numbers(&low)[..2], [0x0100, 0x0302]);
    assert_eq!(numbers(&high)[7], 0x1f1e);
}

#[test]
fn secret_has_the_head_of_no_entry() {
    let block = numbers(&Secret::from_bytes(&[1; 32]).block());
    assert_eq!(block[4], 64);
    assert_eq!(block[0], 0x0101_0101);
    assert_eq!(format!("{:?}", Secret::from_bytes(&[1; 32])), "Secret");
}

/// The chain of values that the state and every proof depend on.
#[test]
fn values_are_those_of_the_fixture() {
    let empty = Accumulator::of(&REFERENCE);
    let one = empty.append(&entry(20_000));
    let two = one.append(&entry(20_000).reversed());
    let holder = commitment(&REFERENCE, &Secret::from_bytes(&[9; 32]));
    let found = [
        ("empty", empty.to_bytes()),
        ("one", one.to_bytes()),
        ("two", two.to_bytes()),
        ("holder", holder.to_bytes()),
    ]
    .map(|(name, bytes)| format!("{name} {}\n", hex::encode(bytes)))
    .concat();
    assert_eq!(found, include_str!("accumulator.txt"), "found:\n{found}");
}

#[test]
fn order_number_and_payer_of_entries_matter() {
    let (a, b) = (entry(1), entry(2));
    let of = |entries: &[Entry]| Accumulator::of_entries(&REFERENCE, entries);
    assert_ne!(of(&[a, b]), of(&[b, a]));
    assert_ne!(of(&[a]), of(&[a, a]));
    assert_ne!(of(&[a]), of(&[a.reversed()]));
    assert_ne!(of(&[a]), Accumulator::of_entries(&[8; 32], &[a]));
    assert_ne!(of(&[]), Accumulator::of(&[8; 32]));
}

#[test]
fn digest_has_one_form() {
    let digest = Accumulator::of(&REFERENCE).digest();
    assert_eq!(Digest::from_bytes(&digest.to_bytes()), Ok(digest));
    for element in 0..8 {
        let mut bytes = digest.to_bytes();
        bytes[4 * element..4 * element + 4].copy_from_slice(&KoalaBear::ORDER_U32.to_le_bytes());
        assert_eq!(Digest::from_bytes(&bytes), Err(InvalidDigest { element }));
        bytes[4 * element..4 * element + 4]
            .copy_from_slice(&(KoalaBear::ORDER_U32 - 1).to_le_bytes());
        assert!(Digest::from_bytes(&bytes).is_ok());
    }
}

#[test]
fn entries_out_of_range_are_refused() {
    let new = |days, amount| Entry::new(days, 0, amount, Kind::Red, &[0; 32]);
    assert!(new(MAX_DAYS, MAX_AMOUNT).is_ok());
    assert_eq!(new(MAX_DAYS + 1, 0), Err(EntryError::Days { found: MAX_DAYS + 1 }));
    assert_eq!(new(0, MAX_AMOUNT + 1), Err(EntryError::Amount { found: MAX_AMOUNT + 1 }));
}
