//! Activity bits, against a list of them.

use billchain_cold::{Activity, ColdError};
use proptest::prelude::*;

/// Bits made anew of those of `model`.
fn made_of(model: &[bool]) -> Activity {
    let mut chunks = vec![[0_u8; 64]; model.len().div_ceil(512)];
    for (at, _) in model.iter().enumerate().filter(|(_, active)| **active) {
        chunks[at / 512][at % 512 / 8] |= 1 << (at % 8);
    }
    Activity::of_chunks(model.len() as u64, chunks).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn bits_that_change_are_those_made_anew(
        start in 0_u64..2_100,
        steps in prop::collection::vec((0_u8..3, 0_u64..2_300), 0..200),
    ) {
        let mut activity = Activity::all_active(start).unwrap();
        let mut model = vec![true; start as usize];
        for (step, position) in steps {
            let old = model.get(position as usize).copied();
            match step {
                0 => prop_assert_eq!(activity.kill(position), old == Some(true)),
                1 => prop_assert_eq!(activity.revive(position), old == Some(false)),
                _ => activity.push().unwrap(),
            }
            match model.get_mut(position as usize) {
                Some(bit) if step < 2 => *bit = step == 1,
                _ if step == 2 => model.push(true),
                _ => {}
            }
        }
        prop_assert_eq!(&activity, &made_of(&model));
        prop_assert_eq!(activity.active(), model.iter().filter(|active| **active).count() as u64);
        for position in 0..model.len() as u64 + 3 {
            let expected = model.get(position as usize).copied();
            prop_assert_eq!(activity.is_active(position), expected.unwrap_or(false));
            let proof = activity.prove(position);
            let proved = proof.map(|proof| proof.verify(&activity.root(), position).unwrap());
            prop_assert_eq!(proved, expected);
        }
        prop_assert_eq!(&Activity::decode(&activity.encode()).unwrap(), &activity);
    }
}

#[test]
fn chunks_are_what_a_store_keeps() {
    let mut activity = Activity::all_active(1_000).unwrap();
    assert!(activity.kill(513) && !activity.kill(513));
    let (at, chunk) = activity.chunk_of(513).unwrap();
    assert_eq!((at, chunk[0]), (1, 0b1111_1101));
    assert_eq!(activity.chunk_of(1_000), None);
    let chunks = vec![*activity.chunk_of(0).unwrap().1, *chunk];
    assert_eq!(Activity::of_chunks(1_000, chunks.clone()).unwrap(), activity);
    for groups in [512, 513, 999, 1_025, u64::MAX] {
        let refused = Activity::of_chunks(groups, chunks.clone());
        assert!(matches!(refused, Err(ColdError::Bits { .. })), "{groups}");
    }
    let too_many = Activity::all_active(1 << 41).unwrap_err().to_string();
    assert!(too_many.ends_with("expected 1099511627776 at most"), "{too_many}");
}

#[test]
fn damaged_bits_are_none() {
    let mut activity = Activity::all_active(700).unwrap();
    activity.kill(3);
    let bytes = activity.encode();
    for bit in 0..8 * bytes.len() {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(matches!(Activity::decode(&damaged), Err(ColdError::Bits { .. })), "bit {bit}");
    }
    for length in 0..bytes.len() {
        assert!(Activity::decode(&bytes[..length]).is_err(), "{length} bytes");
    }
    assert!(Activity::decode(&[&bytes[..], &[0; 64]].concat()).is_err());
}
