use billchain_crypto::sm2::SecretKey;

use super::*;

fn validator(seed: u8, power: u64) -> Validator {
    Validator::new(SecretKey::from_seed(&[seed]).public(), power)
}

#[test]
fn a_set_has_one_order_whatever_it_was_given_in() {
    let list = [validator(1, 1), validator(2, 3), validator(3, 1), validator(4, 2)];
    let set = ValidatorSet::new(list.clone()).expect("a good set");
    let mut reversed = list.to_vec();
    reversed.reverse();
    assert_eq!(ValidatorSet::new(reversed).expect("a good set"), set);
    let powers: Vec<_> = set.as_slice().iter().map(Validator::power).collect();
    assert_eq!(powers, [3, 2, 1, 1]);
    assert!(set.as_slice()[2].address() < set.as_slice()[3].address());
    assert_eq!(set.total_power(), 7);
}

#[test]
fn impossible_sets_are_refused() {
    use ValidatorSetError::{Duplicate, Empty, NoPower, PowerTooLarge, TooMany};

    let new = |list: Vec<Validator>| ValidatorSet::new(list).expect_err("not a set");
    assert_eq!(new(vec![]), Empty);
    let twice = validator(1, 1);
    assert_eq!(new(vec![twice.clone(), validator(1, 2)]), Duplicate(*twice.address()));
    let idle = validator(2, 0);
    assert_eq!(new(vec![twice, idle.clone()]), NoPower(*idle.address()));
    assert_eq!(new(vec![validator(1, u64::MAX), validator(2, 1)]), PowerTooLarge);
    assert_eq!(new(vec![validator(1, u64::MAX / 2)]), PowerTooLarge);
    let many: Vec<_> = (0..=MAX_VALIDATORS as u8).map(|seed| validator(seed, 1)).collect();
    assert_eq!(new(many), TooMany { found: MAX_VALIDATORS + 1, max: MAX_VALIDATORS });
}

#[test]
fn everyone_proposes_in_turn() {
    let set = ValidatorSet::new((0..4).map(|seed| validator(seed, 1))).expect("a good set");
    let at = |height, round| *set.proposer(Height::new(height), Round::new(round)).address();
    for height in 0..8 {
        assert_eq!(at(height, 0), at(height + 4, 0));
        assert_ne!(at(height, 0), at(height + 1, 0));
        assert_ne!(at(height, 0), at(height, 1), "a failed round has another proposer");
    }
    // The ends of the ranges do not overflow.
    at(u64::MAX, u32::MAX);
}

#[test]
fn who_is_left_out_of_turns_votes_and_proposes_nothing() {
    let set = ValidatorSet::new((0..4).map(|seed| validator(seed, 1))).expect("a good set");
    let out = *set.as_slice()[2].address();
    let without = set.clone().without_turns(&[out]);
    assert_eq!(without.as_slice(), set.as_slice());
    assert_eq!(without.total_power(), 4);
    let at = |height, round| *without.proposer(Height::new(height), Round::new(round)).address();
    let turns: Vec<_> = (0..3).map(|height| at(height, 0)).collect();
    assert!(!turns.contains(&out));
    for height in 0..9 {
        assert_eq!(at(height, 0), turns[height as usize % 3]);
        assert_eq!(at(height, 1), at(height + 1, 0));
    }
    let all: Vec<_> = set.as_slice().iter().map(|one| *one.address()).collect();
    assert_eq!(set.clone().without_turns(&all), set, "somebody has to propose");
}

#[test]
fn the_nil_round_is_no_round() {
    use malachitebft_app_channel::app::types::core::Round as EngineRound;

    assert_eq!(Round::try_from(EngineRound::Nil), Err(NilRound));
    for number in [0, 7, u32::MAX] {
        let round = Round::new(number);
        assert_eq!(Round::try_from(EngineRound::new(number)), Ok(round));
        assert_eq!(EngineRound::from(round), EngineRound::new(number));
        assert_eq!(codec::Encode::encode(&round), number.to_le_bytes(), "as a bare number");
    }
}
