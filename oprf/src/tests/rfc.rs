//! Against the vectors of RFC 9497.

use super::vectors::{PUBLIC, SECRET, VECTORS, Vector};
use crate::{
    Blinding, Element, Evaluation, Proof, Secret,
    group::hash_to_scalar,
    keys::{KeyShare, PublicKeys, Purpose},
};
use sha2::{Digest, Sha256};

fn list(text: &str) -> Vec<Vec<u8>> {
    text.split(',').map(|part| hex::decode(part).unwrap()).collect()
}

fn elements(text: &str) -> Vec<Element> {
    list(text).iter().map(|bytes| Element::from_bytes(bytes).unwrap()).collect()
}

fn key() -> (PublicKeys, KeyShare) {
    let secret = Secret::from_bytes(&hex::decode(SECRET).unwrap()).unwrap();
    let public = Element::from_bytes(&hex::decode(PUBLIC).unwrap()).unwrap();
    assert_eq!(secret.times(&Element::GENERATOR), public);
    let keys = PublicKeys::new(Purpose::Evaluate, 1, public, vec![public]).unwrap();
    (keys, KeyShare { index: 1, secret })
}

/// RFC 9497's output, which ends in a hash that references leave out.
fn output(input: &[u8], element: &Element) -> Vec<u8> {
    let mut hash = Sha256::new();
    for part in [input, &element.to_bytes()] {
        hash.update(u16::try_from(part.len()).unwrap().to_be_bytes());
        hash.update(part);
    }
    hash.update(b"Finalize");
    hash.finalize().to_vec()
}

#[test]
fn hashes_to_scalars_depend_on_context_and_content_alone() {
    let a = hash_to_scalar(b"a", &[b"x"]);
    assert_eq!(a, hash_to_scalar(b"a", &[b"", b"x"]));
    assert_ne!(a, hash_to_scalar(b"b", &[b"x"]));
    assert_ne!(a, hash_to_scalar(b"a", &[b"y"]));
}

#[test]
fn blinding_evaluation_proof_and_output_are_those_of_rfc_9497() {
    let (keys, share) = key();
    for (row, vector) in VECTORS.iter().enumerate() {
        let Vector { input, blind, blinded, evaluated, proof, nonce, output: expected } = vector;
        let inputs = list(input);
        let blinds = list(blind).iter().map(|b| Secret::from_bytes(b).unwrap()).collect();
        let blinding = Blinding::with(blinds, &inputs).unwrap();
        assert_eq!(blinding.elements(), elements(blinded), "blinded elements of vector {row}");

        let answer = Evaluation::answer(&keys, &share, blinding.elements()).unwrap();
        assert_eq!(answer.elements, elements(evaluated), "evaluation of vector {row}");

        let nonce = Secret::from_bytes(&hex::decode(nonce).unwrap()).unwrap();
        let statement = keys.statement(1).unwrap();
        let made = statement
            .prove_with(&share.secret, blinding.elements(), &answer.elements, &nonce)
            .unwrap();
        assert_eq!(hex::encode(made.to_bytes()), *proof, "proof of vector {row}");

        let proof = Proof::from_bytes(&hex::decode(proof).unwrap()).unwrap();
        let theirs = Evaluation { proof, ..answer };
        let unblinded = blinding.unblinded(&keys, &[theirs]).unwrap();
        let outputs: Vec<_> =
            inputs.iter().zip(&unblinded).map(|(input, element)| output(input, element)).collect();
        assert_eq!(outputs, list(expected), "outputs of vector {row}");
    }
}
