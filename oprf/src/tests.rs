//! Tests across modules; those of identities and of RFC 9497's vectors have files of their own.

mod identities;
mod rfc;
mod sharing;
mod vectors;

use crate::{
    Blinding, Error, Evaluation, IdType, Identity, KeyShare, Opening, PublicKeys, Reference, keys,
};
use proptest::prelude::*;

fn person(number: &str) -> Identity {
    Identity::new(IdType::RESIDENT_CARD, number).unwrap()
}

fn zhang() -> Identity {
    person("000000198803120011")
}

fn li() -> Identity {
    person("00000019620718006X")
}

fn ask(
    keys: &PublicKeys,
    shares: &[&KeyShare],
    identities: &[Identity],
) -> Result<Vec<Reference>, Error> {
    let blinding = Blinding::new(identities).unwrap();
    let answers: Vec<_> = shares
        .iter()
        .map(|share| Evaluation::answer(keys, share, blinding.elements()).unwrap())
        .collect();
    blinding.references(keys, &answers)
}

#[test]
fn one_person_has_one_reference_whoever_asks_and_in_whatever_batch() {
    let (keys, shares) = keys::generate(1, 1).unwrap();
    let alone = ask(&keys, &[&shares[0]], &[zhang()]).unwrap();
    let together = ask(&keys, &[&shares[0]], &[li(), zhang()]).unwrap();
    assert_eq!(alone[0], together[1]);
    assert_ne!(together[0], together[1]);
    let (other, other_shares) = keys::generate(1, 1).unwrap();
    assert_ne!(ask(&other, &[&other_shares[0]], &[zhang()]).unwrap(), alone);
}

#[test]
fn the_type_of_the_document_is_part_of_the_identity() {
    let (keys, shares) = keys::generate(1, 1).unwrap();
    let number = "000000198803120011";
    let passport = Identity::new(IdType::new("02").unwrap(), number).unwrap();
    let found = ask(&keys, &[&shares[0]], &[zhang(), passport]).unwrap();
    assert_ne!(found[0], found[1]);
}

#[test]
fn a_blinded_element_is_another_each_time() {
    let (a, b) = (Blinding::new(&[zhang()]).unwrap(), Blinding::new(&[zhang()]).unwrap());
    assert_ne!(a.elements(), b.elements());
}

#[test]
fn what_another_key_or_a_liar_answers_is_refused() {
    let (keys, shares) = keys::generate(1, 1).unwrap();
    let (_, foreign) = keys::generate(1, 1).unwrap();
    let blinding = Blinding::new(&[zhang(), li()]).unwrap();
    let proof = Err(Error::Proof { index: 1 });
    let good = Evaluation::answer(&keys, &shares[0], blinding.elements()).unwrap();
    assert!(blinding.references(&keys, std::slice::from_ref(&good)).is_ok());

    let other = Evaluation::answer(&keys, &foreign[0], blinding.elements()).unwrap();
    assert_eq!(blinding.references(&keys, std::slice::from_ref(&other)), proof);
    let mut swapped = good.clone();
    swapped.elements.swap(0, 1);
    assert_eq!(blinding.references(&keys, &[swapped]), proof);
    let mut one_wrong = good.clone();
    one_wrong.elements[1] = other.elements[1];
    assert_eq!(blinding.references(&keys, &[one_wrong]), proof);
    let other_batch = Blinding::new(&[zhang(), li()]).unwrap();
    assert_eq!(other_batch.references(&keys, std::slice::from_ref(&good)), proof);
    let mut short = good.clone();
    short.elements.pop();
    let size = Error::AnswerSize { expected: 2, found: 1 };
    assert_eq!(blinding.references(&keys, &[short]), Err(size));
    let mut unknown = good;
    unknown.index = 2;
    let operator = Error::Operator { index: 2, operators: 1 };
    assert_eq!(blinding.references(&keys, &[unknown]), Err(operator));
    assert_eq!(blinding.references(&keys, &[]), Err(Error::TooFewShares { expected: 1, found: 0 }));
}

#[test]
fn a_batch_has_a_bound_on_both_sides() {
    let (keys, shares) = keys::generate(1, 1).unwrap();
    assert_eq!(Blinding::new(&[]).unwrap_err(), Error::BatchSize { found: 0 });
    let many = vec![zhang(); crate::MAX_BATCH + 1];
    assert_eq!(Blinding::new(&many).unwrap_err(), Error::BatchSize { found: 1001 });
    let one = Blinding::new(&[zhang()]).unwrap().elements()[0];
    let asked = vec![one; crate::MAX_BATCH + 1];
    for (asked, found) in [(&asked[..], 1001), (&[], 0)] {
        let refused = Evaluation::answer(&keys, &shares[0], asked).unwrap_err();
        assert_eq!(refused, Error::BatchSize { found });
    }
}

#[test]
fn an_opening_shows_whose_a_reference_is_and_nobody_elses() {
    let (keys, shares) = keys::generate(2, 3).unwrap();
    let blinding = Blinding::new(&[zhang()]).unwrap();
    let answers: Vec<_> = shares
        .iter()
        .map(|share| Evaluation::answer(&keys, share, blinding.elements()).unwrap())
        .collect();
    let reference = blinding.references(&keys, &answers).unwrap()[0];
    let opening = blinding.opening(&keys, &answers).unwrap();
    let bytes = opening.to_bytes();
    assert_eq!(bytes.len(), 34 + 2 * 98, "two operators are enough");
    let read = Opening::from_bytes(&bytes).unwrap();
    assert_eq!(read.reference(&keys, &zhang()), Ok(reference));
    assert_eq!(read.reference(&keys, &li()), Err(Error::Proof { index: 1 }));
    let (other, _) = keys::generate(2, 3).unwrap();
    assert_eq!(read.reference(&other, &zhang()), Err(Error::Proof { index: 1 }));
    let two = Blinding::new(&[zhang(), li()]).unwrap();
    assert_eq!(two.opening(&keys, &[]).unwrap_err(), Error::BatchSize { found: 2 });
}

#[test]
fn every_changed_or_cut_opening_is_refused() {
    let (keys, shares) = keys::generate(1, 1).unwrap();
    let blinding = Blinding::new(&[zhang()]).unwrap();
    let answer = Evaluation::answer(&keys, &shares[0], blinding.elements()).unwrap();
    let bytes = blinding.opening(&keys, &[answer]).unwrap().to_bytes();
    assert!(Opening::from_bytes(&bytes).unwrap().reference(&keys, &zhang()).is_ok());
    for length in 0..bytes.len() {
        assert!(Opening::from_bytes(&bytes[..length]).is_err(), "{length} bytes");
    }
    assert!(Opening::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let refused = Opening::from_bytes(&changed)
            .and_then(|opening| opening.reference(&keys, &zhang()))
            .is_err();
        assert!(refused, "byte {at}");
    }
}

#[test]
fn about_half_of_all_bytes_are_no_reference() {
    let mut found = 0;
    for n in 0..200u8 {
        found += u32::from(Reference::from_bytes([n; 32]).is_ok());
    }
    assert!((60..140).contains(&found), "{found}");
    assert_eq!(Reference::from_bytes([255; 32]), Err(Error::Reference));
}

#[test]
fn what_is_secret_is_not_shown() {
    let (keys, shares) = keys::generate(1, 1).unwrap();
    let secret = hex::encode(&shares[0].secret.to_bytes()[..]);
    let blinding = Blinding::new(&[zhang()]).unwrap();
    let answer = Evaluation::answer(&keys, &shares[0], blinding.elements()).unwrap();
    let shown = format!("{:?} {blinding:?} {:?}", shares[0], zhang());
    assert!(!shown.contains(&secret) && !shown.contains("198803"), "{shown}");
    let opening = blinding.opening(&keys, &[answer]).unwrap();
    let blind = hex::encode(&opening.to_bytes()[2..34]);
    assert!(!format!("{opening:?}").contains(&blind));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in proptest::collection::vec(0u8.., 0..300)) {
        let _ = Opening::from_bytes(&bytes);
        let _ = PublicKeys::from_bytes(&bytes);
        let _ = crate::Element::from_bytes(&bytes);
        let _ = crate::Proof::from_bytes(&bytes);
        let _ = crate::Secret::from_bytes(&bytes);
    }
}
