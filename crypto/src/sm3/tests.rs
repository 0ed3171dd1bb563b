//! Our SM3 against RustCrypto's, by every way there is.

use super::{
    compress::{compress, portable},
    many::testing::every_way,
    *,
};
use ::sm3::Digest;
use proptest::prelude::*;

fn theirs(data: &[u8]) -> [u8; 32] {
    ::sm3::Sm3::digest(data).into()
}

/// Bytes without a period that a block could hide.
fn message(length: usize) -> Vec<u8> {
    (0..length).map(|at| ((at * 167) ^ (at >> 7) ^ length) as u8).collect()
}

/// By the portable code, whatever the processor is.
fn portably(data: &[u8]) -> [u8; 32] {
    let (blocks, rest) = data.as_chunks();
    let mut state = IV;
    portable(&mut state, blocks);
    let (last, count) = padded(rest, data.len() as u64);
    portable(&mut state, &last[..count]);
    digest(state.into_iter())
}

#[test]
fn every_length_up_to_300_agrees() {
    for length in 0..=300 {
        let data = message(length);
        assert_eq!(sm3(&data), theirs(&data), "{length}");
        assert_eq!(portably(&data), theirs(&data), "{length}, portable");
    }
}

#[test]
fn every_split_of_a_message_agrees() {
    for length in [0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 129, 200] {
        let data = message(length);
        for first in 0..=length {
            for second in [first, first + (length - first) / 2, length] {
                let mut hash = Sm3::new();
                hash.update(&data[..first]);
                hash.update(&data[first..second]);
                hash.update(&data[second..]);
                assert_eq!(hash.finalize(), theirs(&data), "{length}: {first}, {second}");
            }
        }
    }
}

#[test]
fn a_clone_goes_on_by_itself() {
    let mut hash = Sm3::new();
    hash.update(b"a");
    let mut copy = hash.clone();
    copy.update(b"b");
    hash.update(b"c");
    assert_eq!(hash.finalize(), theirs(b"ac"));
    assert_eq!(copy.finalize(), theirs(b"ab"));
}

#[test]
fn many_messages_of_all_lengths_agree_by_every_way() {
    for count in (0..20).chain([301]) {
        let messages: Vec<Vec<u8>> = (0..count).map(|at| message(at * 37 % 301)).collect();
        let expected: Vec<_> = messages.iter().map(|data| theirs(data)).collect();
        for (way, hashes) in every_way(&messages) {
            assert_eq!(hashes, expected, "{count} messages, {way}");
        }
    }
}

#[test]
fn pairs_of_nodes_and_of_anything_else_agree() {
    for (left, right) in [
        (0, 0),
        (40, 55),
        (55, 56),
        (56, 72),
        (72, 72),
        (64, 40),
        (119, 119),
        (119, 120),
        (120, 120),
        (72, 1000),
    ] {
        let (left, right) = (message(left), message(right));
        let middle = left.len() / 2;
        let pair = sm3_pair(&[&left[..middle], &[], &left[middle..]], &[&right]);
        assert_eq!(pair, (theirs(&left), theirs(&right)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn compressing_agrees_with_the_portable_code(
        state in any::<[u32; 8]>(),
        block in prop::array::uniform32(any::<u16>()),
    ) {
        let mut blocks = [[0; BLOCK_LEN]; 2];
        for (at, half) in block.into_iter().enumerate() {
            blocks[0][2 * at..2 * at + 2].copy_from_slice(&half.to_be_bytes());
            blocks[1][2 * at..2 * at + 2].copy_from_slice(&(!half).to_le_bytes());
        }
        let (mut fast, mut slow) = (state, state);
        compress(&mut fast, &blocks);
        portable(&mut slow, &blocks);
        prop_assert_eq!(fast, slow);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn long_messages_agree(data in prop::collection::vec(any::<u8>(), 0..20_000)) {
        prop_assert_eq!(sm3(&data), theirs(&data));
        prop_assert_eq!(portably(&data), theirs(&data));
    }

    #[test]
    fn random_messages_agree_by_every_way(
        messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..400), 0..40)
    ) {
        let expected: Vec<_> = messages.iter().map(|data| theirs(data)).collect();
        for (way, hashes) in every_way(&messages) {
            prop_assert_eq!(hashes, expected.clone(), "{}", way);
        }
    }
}
