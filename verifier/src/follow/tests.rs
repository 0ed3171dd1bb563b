//! One block at a time, and one key of the state.

use super::*;
use crate::{
    make::{Decided, Entry, OperationProof, Place},
    place::tests::{ColdGroup, Hot, Runs, proven, root_of},
};
use billchain_crypto::sm2::{DEFAULT_ID, SecretKey};
use billchain_primitives::{
    ConsensusDomain, Hash, Header as ChainHeader, Statement, StatementContext,
};
use codec::Encode as _;
use pallet_participation::{SET_DIGEST, SetChange as ChainChange};
use sp_runtime::{DigestItem, generic::Digest as Items};
use std::vec;

const GENESIS: Digest = [9; 32];
const SEEDS: [u8; 4] = [1, 2, 3, 4];

fn secret(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed])
}

fn change(previous: u32) -> Vec<u8> {
    let key = |seed: &u8| (secret(*seed).public().to_compressed(), 1);
    let validators = SEEDS.iter().map(key).collect::<Vec<_>>().try_into().unwrap();
    ChainChange { previous, validators }.encode()
}

/// A decided header, signed by those of `SEEDS` at these places.
fn decided(number: u32, named: Option<u32>, places: &[u8]) -> Vec<u8> {
    let items = named.map(|previous| DigestItem::Consensus(SET_DIGEST, change(previous)));
    let header = ChainHeader {
        parent_hash: Hash::repeat_byte(3),
        number,
        state_root: Hash::repeat_byte(4),
        extrinsics_root: Hash::zero(),
        digest: Items { logs: items.into_iter().collect() },
    };
    let sign = |place: &u8| {
        let secret = secret(SEEDS[usize::from(*place)]);
        let signer = sm3(&[&secret.public().to_compressed()]);
        let context = StatementContext { height: number.into(), round: Some(2), signer };
        let statement = Statement::Precommit { block: Some(header.hash()) };
        let bytes = ConsensusDomain::new(GENESIS.into()).statement_bytes(&context, &statement);
        (*place, secret.sign(DEFAULT_ID, &bytes).to_bytes())
    };
    let signatures = places.iter().map(sign).collect();
    Decided { header: header.encode(), round: 2, signatures }.to_bytes()
}

fn deciders() -> Deciders {
    Deciders::read(Block { number: 7, hash: [1; 32] }, &change(0)).unwrap()
}

fn checked(bytes: &[u8]) -> Result<(), Refusal> {
    deciders().check(&GENESIS, &DecidedHeader::read(bytes)?)
}

#[test]
fn a_block_is_decided_by_those_who_were_named_before_it() {
    let good = decided(8, None, &[0, 1, 2]);
    assert_eq!(checked(&good), Ok(()));
    let read = DecidedHeader::read(&good).unwrap();
    assert_eq!((read.block().number, read.parent(), read.state_root()), (8, [3; 32], [4; 32]));
    assert_eq!((read.bytes(), read.names()), (&good[..], Ok(None)));
    assert_eq!(
        checked(&decided(8, None, &[0, 1])),
        Err(Refusal::NotDecided { number: 8, signed: 2, all: 4 })
    );
    assert!(matches!(checked(&decided(7, None, &[0, 1, 2])), Err(Refusal::Contradiction { .. })));
    let other = Deciders::check(&deciders(), &[8; 32], &read);
    assert_eq!(other, Err(Refusal::Signature { number: 8, place: 0 }));
}

#[test]
fn a_change_names_the_one_before_it() {
    let good = decided(9, Some(7), &[0, 1, 2]);
    assert_eq!(checked(&good), Ok(()));
    let named = DecidedHeader::read(&good).unwrap().names().unwrap().unwrap();
    assert_eq!((named.named_in().number, named.previous(), named.count()), (9, 7, 4));
    assert_eq!(Deciders::read(named.named_in(), named.item()), Ok(named));
    assert_eq!(
        checked(&decided(9, Some(6), &[0, 1, 2])),
        Err(Refusal::Gap { number: 9, previous: 6, expected: 7 })
    );
}

#[test]
fn a_decided_header_that_is_cut_or_goes_on_is_refused() {
    let good = decided(8, Some(7), &[0, 1, 2]);
    for end in 0..good.len() {
        assert!(DecidedHeader::read(&good[..end]).is_err(), "{end} bytes");
    }
    assert!(DecidedHeader::read(&[&good[..], &[0]].concat()).is_err());
}

#[test]
fn the_head_of_a_certificate_is_found_behind_its_changes() {
    let bare = |bytes: Vec<u8>| Decided { header: bytes, round: 2, signatures: Vec::new() };
    let header = |bytes: &[u8]| {
        let length = usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
        bytes[2..2 + length].to_vec()
    };
    let change = bare(header(&decided(9, Some(7), &[])));
    let head = bare(header(&decided(12, None, &[])));
    let proof = OperationProof {
        location: 0,
        leaves: 1,
        inactive_peaks: 0,
        plain: [0; 32],
        bits: [1; 32],
        partial: Some([0; 32]),
        digests: Vec::new(),
    };
    let place = Place::Nowhere { neighbour: [[1; 32]; 3], proof, runs: Vec::new() };
    let mut certificate = make::Certificate {
        genesis: header(&decided(0, Some(0), &[])),
        start: None,
        changes: vec![change],
        head,
        roots: make::Roots { hot: [3; 32], runs: Vec::new(), records: [4; 32] },
        body: make::Body::Absent { key: *b"310601260000000001", place },
    };
    let bytes = certificate.to_bytes();
    let found = head_of(&bytes).unwrap();
    assert_eq!((found.block().number, found.bytes()), (12, &decided(12, None, &[])[..]));
    let mut other = bytes.clone();
    other[4] = 1;
    assert!(matches!(head_of(&other), Err(Refusal::Format { found: 1 })));
    other[4] = 2;
    other[6 + 2 + certificate.genesis.len()] = 2;
    assert!(matches!(head_of(&other), Err(Refusal::Malformed { .. })), "no start");
    // Behind the block at which it starts, as well.
    certificate.start = Some(header(&decided(7, Some(0), &[])));
    assert_eq!(head_of(&certificate.to_bytes()).unwrap().bytes(), found.bytes());
    assert!(head_of(b"BCPG").is_err() && head_of(&bytes[..40]).is_err());
}

/// A state with three hot keys, a cold group, one that was deleted since it was cold, and others.
fn state() -> (Hot, Runs) {
    let cold = |shared: &[u8], active| ColdGroup {
        shared: shared.to_vec(),
        values: vec![(b'1', b"cold".to_vec()), (b'5', Vec::new())],
        active,
    };
    let run = vec![vec![cold(b"old-", true), cold(b"pld-", false)], vec![cold(b"qld-", true)]];
    let key = |name: &str| name.as_bytes().to_vec();
    let values = [(key("key-1"), key("one")), (key("key-3"), Vec::new())];
    let others = (0..20_u8).map(|n| (vec![n, n], vec![n]));
    (values.into_iter().chain(others).collect(), Runs(vec![Vec::new(), run]))
}

/// Keys of that state, and their values.
const VALUES: [(&[u8], Option<&[u8]>); 8] = [
    (b"key-1", Some(b"one")),
    (b"key-3", Some(b"")),
    (b"key-2", None),
    (b"other-1", None),
    (b"old-1", Some(b"cold")),
    (b"old-5", Some(b"")),
    (b"old-2", None),
    (b"pld-1", None),
];

#[test]
fn a_key_proof_proves_the_value_or_that_there_is_none() {
    let (hot, runs) = state();
    let proved = VALUES.map(|(key, _)| {
        let (roots, mut entries) = proven(&hot, &runs, &[key.to_vec()]);
        let Entry { place, values } = entries.remove(0);
        (
            key_proof(&roots, &place, values.first().map(Vec::as_slice)),
            root_of(&roots),
            roots,
            place,
        )
    });
    for ((key, value), (proof, root, roots, place)) in VALUES.into_iter().zip(&proved) {
        let name = key.escape_ascii();
        assert_eq!(value_of(proof, key, root), Ok(value), "{name}");
        // Another key, another root, another value.
        for (other, _) in VALUES.into_iter().filter(|(other, _)| *other != key) {
            assert!(value_of(proof, other, root).is_err(), "{name} for {}", other.escape_ascii());
        }
        for other in [&b""[..], b"kez-1", b"qld-1"] {
            assert!(value_of(proof, other, root).is_err(), "{name} for {}", other.escape_ascii());
        }
        assert_eq!(value_of(proof, key, &[0; 32]), Err(Refusal::State), "{name}");
        let two = key_proof(roots, place, Some(b"two"));
        assert!(value_of(&two, key, root).is_err(), "{name}");
        if value.is_some() {
            assert!(value_of(&key_proof(roots, place, None), key, root).is_err(), "{name}");
        }
        for at in 0..proof.len() {
            let mut changed = proof.clone();
            changed[at] ^= 1;
            assert!(value_of(&changed, key, root).is_err(), "byte {at} of {name}");
            assert!(value_of(&proof[..at], key, root).is_err(), "{at} bytes of {name}");
        }
    }
}

/// `verifier/vectors/keys`, which `verifier/python/` agrees with. They were put together from
/// `docs/certificates.md` alone.
#[test]
fn key_proofs_of_another_program_prove_what_it_says() {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../../vectors/keys/key-proofs.json")).unwrap();
    let vectors = vectors.as_array().unwrap();
    assert!(vectors.len() > 20, "{}", vectors.len());
    for vector in vectors {
        let bytes = |field: &str| {
            let text = vector[field].as_str().unwrap();
            let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
            (0..text.len()).step_by(2).map(digit).collect::<Vec<u8>>()
        };
        let root: Digest = bytes("state_root").try_into().unwrap();
        let (proof, key) = (bytes("proof"), bytes("key"));
        let found = value_of(&proof, &key, &root);
        let name = &vector["name"];
        match vector["proves"].as_str() {
            None => assert!(found.is_err(), "{name}"),
            Some("absent") => assert_eq!(found, Ok(None), "{name}"),
            Some(_) => assert_eq!(found, Ok(Some(&bytes("proves")[..])), "{name}"),
        }
    }
}
