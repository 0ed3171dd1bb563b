//! Our verification against RustCrypto's, on valid, damaged and made-up input.

use crate::vectors::standard_key;
use billchain_crypto::{
    fuzzing::{verify_damaged, verify_raw},
    sm2::{DEFAULT_ID, SecretKey},
};
use proptest::prelude::*;

const N: &str = "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123";
const P: &str = "fffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffff";

/// Numbers at which a comparison or a reduction could be off by one.
fn numbers() -> Vec<[u8; 32]> {
    let mut numbers = vec![[0; 32], [0xff; 32]];
    for base in [N, P] {
        let base: [u8; 32] = hex::decode(base).expect("hex").try_into().expect("32 bytes");
        for delta in -2i8..=2 {
            let mut number = base;
            let last = u16::from_be_bytes([number[30], number[31]]);
            let near = last.wrapping_add_signed(i16::from(delta));
            number[30..].copy_from_slice(&near.to_be_bytes());
            numbers.push(number);
        }
    }
    for small in 1..=4u8 {
        let mut number = [0; 32];
        number[31] = small;
        numbers.push(number);
    }
    numbers
}

fn input(public: &[u8], r: &[u8], s: &[u8], message: &[u8]) -> Vec<u8> {
    [public, r, s, message].concat()
}

#[test]
fn edge_values_of_r_and_s_agree() {
    let key = standard_key();
    let signature = key.sign(DEFAULT_ID, b"m").to_bytes();
    let (r, s) = signature.split_at(32);
    let public = key.public().to_compressed();
    let mut halves = numbers();
    halves.extend([r, s].map(|half| <[u8; 32]>::try_from(half).expect("32 bytes")));
    for r in &halves {
        for s in &halves {
            verify_raw(&input(&public, r, s, b"m"));
        }
    }
}

#[test]
fn edge_values_of_keys_agree() {
    let signature = standard_key().sign(DEFAULT_ID, b"m").to_bytes();
    for x in numbers() {
        for tag in 0..=8 {
            verify_raw(&input(&[&[tag][..], &x].concat(), &signature, &[], b"m"));
        }
    }
}

#[test]
fn extreme_secret_keys_agree() {
    // d = 1 and n - 2 make the key ±G's neighbours, where sums meet G's table.
    let n: [u8; 32] = hex::decode(N).expect("hex").try_into().expect("32 bytes");
    let (mut one, mut largest) = ([0; 32], n);
    one[31] = 1;
    largest[31] -= 2;
    for d in [one, largest] {
        let key = SecretKey::from_bytes(&d).expect("in range");
        for message in 0..40u8 {
            let signature = key.sign(DEFAULT_ID, &[message]).to_bytes();
            let public = key.public().to_compressed();
            verify_raw(&input(&public, &signature, &[], &[message]));
            verify_raw(&input(&public, &signature, &[], &[message ^ 1]));
            let mut negated = public;
            negated[0] ^= 1;
            verify_raw(&input(&negated, &signature, &[], &[message]));
        }
    }
}

#[test]
fn every_length_of_input_agrees() {
    let data: Vec<u8> = (0..200u8).collect();
    for length in 0..data.len() {
        verify_raw(&data[..length]);
        verify_damaged(&data[..length]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn random_bytes_agree(data in prop::collection::vec(any::<u8>(), 0..300), tag in 2u8..=3) {
        verify_raw(&data);
        let mut data = data;
        if let Some(first) = data.first_mut() {
            *first = tag;
        }
        verify_raw(&data);
    }

    #[test]
    fn fresh_signatures_agree(seed in any::<[u8; 8]>(), message in prop::collection::vec(any::<u8>(), 0..300)) {
        verify_damaged(&[&seed[..], &[0, 0], &message].concat());
    }

    #[test]
    fn damaged_signatures_agree(
        seed in any::<[u8; 8]>(),
        damage in prop::collection::vec((any::<u8>(), 1u8..), 1..4),
        message in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let mut data = seed.to_vec();
        damage.iter().for_each(|(place, mask)| data.extend([*place, *mask]));
        data.extend([0, 0]);
        data.extend(message);
        verify_damaged(&data);
    }
}
