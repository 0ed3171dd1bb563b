//! Keys of several operators, new shares, and rotation.

use super::{ask, li, person, zhang};
use crate::{
    Element, Error, Evaluation, Identity, KeyShare, PublicKeys, Purpose, Reference,
    evaluation::{elements_of, rotated},
    keys::{generate, reshare, rotate},
};

fn answers(keys: &PublicKeys, shares: &[KeyShare], old: &[Reference]) -> Vec<Evaluation> {
    let asked = elements_of(old).unwrap();
    shares.iter().map(|share| Evaluation::answer(keys, share, &asked).unwrap()).collect()
}

#[test]
fn any_three_of_four_operators_make_the_same_reference() {
    let (keys, shares) = generate(3, 4).unwrap();
    let expected = ask(&keys, &[&shares[0], &shares[1], &shares[2]], &[zhang(), li()]).unwrap();
    for left_out in 0..4 {
        for order in [false, true] {
            let mut some: Vec<&KeyShare> =
                (0..4).filter(|at| *at != left_out).map(|at| &shares[at]).collect();
            if order {
                some.reverse();
            }
            assert_eq!(ask(&keys, &some, &[zhang(), li()]).unwrap(), expected);
        }
    }
    assert_eq!(ask(&keys, &shares.iter().collect::<Vec<_>>(), &[zhang(), li()]).unwrap(), expected);
}

#[test]
fn two_of_four_operators_make_nothing_even_if_one_answers_twice() {
    let (keys, shares) = generate(3, 4).unwrap();
    let refused = Err(Error::TooFewShares { expected: 3, found: 2 });
    assert_eq!(ask(&keys, &[&shares[0], &shares[3]], &[zhang()]), refused);
    assert_eq!(ask(&keys, &[&shares[0], &shares[3], &shares[0]], &[zhang()]), refused);
}

#[test]
fn an_operator_that_answers_with_anothers_share_is_named() {
    let (keys, shares) = generate(2, 3).unwrap();
    let liar = KeyShare { index: 3, secret: shares[0].secret.clone() };
    assert_eq!(ask(&keys, &[&shares[0], &liar], &[zhang()]), Err(Error::Proof { index: 3 }));
    assert_eq!(keys.check(&liar), Err(Error::ForeignShare { index: 3 }));
    assert_eq!(keys.check(&shares[2]), Ok(()));
}

#[test]
fn keys_that_no_secret_has_are_refused() {
    let (keys, _) = generate(2, 3).unwrap();
    let (other, _) = generate(2, 3).unwrap();
    let bytes = keys.to_bytes();
    assert_eq!(PublicKeys::from_bytes(&bytes), Ok(keys.clone()));
    // The common key and each operator's, exchanged for one of another secret.
    for at in 0..4 {
        let mut mixed = bytes.clone();
        let range = 4 + 33 * at..4 + 33 * (at + 1);
        mixed[range.clone()].copy_from_slice(&other.to_bytes()[range]);
        assert_eq!(PublicKeys::from_bytes(&mixed), Err(Error::InconsistentKeys), "{at}");
    }
    for length in 0..bytes.len() {
        assert!(PublicKeys::from_bytes(&bytes[..length]).is_err(), "{length} bytes");
    }
    let mut lower = bytes.clone();
    lower[2] = 1;
    assert_eq!(PublicKeys::from_bytes(&lower), Err(Error::InconsistentKeys));
    for (threshold, operators) in [(0, 1), (3, 2), (1, 17)] {
        let refused = generate(threshold, operators).unwrap_err();
        let operators = usize::from(operators);
        assert_eq!(refused, Error::Threshold { threshold, operators });
    }
}

#[test]
fn new_shares_keep_references_and_make_old_shares_worthless() {
    let (keys, shares) = generate(2, 3).unwrap();
    let expected = ask(&keys, &[&shares[0], &shares[1]], &[zhang()]).unwrap();
    let (new_keys, new_shares) = reshare(&keys, &shares[1..], 3, 4).unwrap();
    assert_eq!(new_keys.group(), keys.group());
    assert_eq!(new_keys.id(), keys.id(), "the key's name stays");
    let some: Vec<&KeyShare> = new_shares[..3].iter().collect();
    assert_eq!(ask(&new_keys, &some, &[zhang()]).unwrap(), expected);
    let mixed = [&new_shares[0], &new_shares[1], &shares[2]];
    assert_eq!(ask(&new_keys, &mixed, &[zhang()]), Err(Error::Proof { index: 3 }));
    let too_few = Error::TooFewShares { expected: 2, found: 1 };
    assert_eq!(reshare(&keys, &shares[..1], 1, 1).unwrap_err(), too_few);
    let foreign = Error::ForeignShare { index: 1 };
    assert_eq!(reshare(&keys, &new_shares, 1, 1).unwrap_err(), foreign);
}

#[test]
fn a_new_keys_references_follow_from_the_old_ones_without_identities() {
    let (keys, shares) = generate(2, 3).unwrap();
    let people: Vec<Identity> = vec![zhang(), li(), person("00000019620718014X")];
    let old = ask(&keys, &[&shares[0], &shares[1]], &people).unwrap();
    let rotation = rotate(&keys, &shares[..2], 3, 4).unwrap();
    assert_ne!(rotation.keys.group(), keys.group());
    assert_eq!(rotation.ratio.group(), rotation.keys.group(), "the ratio leads to the new key");
    assert_eq!(rotation.ratio.purpose(), Purpose::Rotate { from: keys.group() });

    let new: Vec<&KeyShare> = rotation.shares[..3].iter().collect();
    let expected = ask(&rotation.keys, &new, &people).unwrap();
    assert_ne!(expected, old);
    let answers = answers(&rotation.ratio, &rotation.ratio_shares[..3], &old);
    assert_eq!(rotated(&rotation.ratio, &old, &answers), Ok(expected));
}

#[test]
fn a_rotation_with_another_ratio_is_found_out() {
    let (keys, shares) = generate(1, 1).unwrap();
    let old = ask(&keys, &[&shares[0]], &[zhang(), li()]).unwrap();
    let (real, other) =
        (rotate(&keys, &shares, 1, 1).unwrap(), rotate(&keys, &shares, 1, 1).unwrap());
    let wrong = answers(&other.ratio, &other.ratio_shares, &old);
    assert_eq!(rotated(&real.ratio, &old, &wrong), Err(Error::Proof { index: 1 }));
    let swapped = [old[1], old[0]];
    let right = answers(&real.ratio, &real.ratio_shares, &old);
    assert_eq!(rotated(&real.ratio, &swapped, &right), Err(Error::Proof { index: 1 }));
}

#[test]
fn keys_of_one_purpose_do_not_serve_the_other() {
    let (keys, shares) = generate(1, 1).unwrap();
    let rotation = rotate(&keys, &shares, 1, 1).unwrap();
    let refused = Error::Purpose { expected: "evaluation", found: "rotation" };
    assert_eq!(ask(&rotation.ratio, &[&rotation.ratio_shares[0]], &[zhang()]), Err(refused));
    assert_eq!(rotate(&rotation.ratio, &rotation.ratio_shares, 1, 1).unwrap_err(), refused);
    let old = ask(&keys, &[&shares[0]], &[zhang()]).unwrap();
    let answers = answers(&keys, &shares, &old);
    let refused = Error::Purpose { expected: "rotation", found: "evaluation" };
    assert_eq!(rotated(&keys, &old, &answers), Err(refused));
    // One secret under both purposes: a proof of one is none of the other.
    let base = Element::GENERATOR;
    let as_rotation =
        PublicKeys::new(Purpose::Rotate { from: base }, 1, keys.group(), vec![keys.group()])
            .unwrap();
    let refused = rotated(&as_rotation, &old, &answers);
    assert_eq!(refused, Err(Error::Proof { index: 1 }));
    assert_eq!(PublicKeys::from_bytes(&as_rotation.to_bytes()), Ok(as_rotation));
}
