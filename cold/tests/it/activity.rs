//! Activity bits, against a list of them.

use billchain_cold::{Activity, ColdError};
use proptest::prelude::*;
use std::collections::BTreeMap;

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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn bits_that_are_turned_together_are_those_turned_one_by_one(
        start in 0_u64..2_100,
        more in 0_u64..1_100,
        turned in prop::collection::btree_map(0_u64..3_200, any::<bool>(), 0..60),
    ) {
        let mut activity = Activity::all_active(start).unwrap();
        let before = activity.clone();
        let groups = start + more;
        let mut model: Vec<bool> = (0..groups).map(|at| at < start).collect();
        let turned: BTreeMap<u64, bool> = turned.into_iter().filter(|(at, _)| *at < groups).collect();
        for (at, bit) in &turned {
            model[*at as usize] = *bit;
        }
        let change = activity.turn(groups, &turned).unwrap();
        prop_assert_eq!(&activity, &before, "nothing is changed yet");
        let expected = made_of(&model);
        prop_assert_eq!(*change.root(), expected.root());
        activity.apply(&change);
        prop_assert_eq!(&activity, &expected);
        // A store that keeps the chunks that are given comes to the same.
        let mut chunks: Vec<[u8; 64]> =
            (0..start).step_by(512).map(|at| *before.chunk_of(at).unwrap().1).collect();
        for (at, chunk) in change.chunks() {
            match chunks.get_mut(at as usize) {
                Some(known) => *known = *chunk,
                None => chunks.push(*chunk),
            }
        }
        prop_assert_eq!(&Activity::of_chunks(groups, chunks).unwrap(), &expected);
        for from in (0..groups + 600).step_by(97) {
            let next = (from..groups).find(|at| model[*at as usize]);
            prop_assert_eq!(activity.next_active(from), next);
        }
    }
}

#[test]
fn bits_of_groups_that_are_none_are_not_turned() {
    let activity = Activity::all_active(600).unwrap();
    for (groups, bits) in [(599, None), (600, Some(600)), (1 << 41, None)] {
        let bits = bits.map(|at: u64| (at, true)).into_iter().collect();
        assert!(matches!(activity.turn(groups, &bits), Err(ColdError::Bits { .. })), "{groups}");
    }
    assert_eq!(activity.next_active(u64::MAX), None);
    assert_eq!(Activity::default(), Activity::all_active(0).unwrap());
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
