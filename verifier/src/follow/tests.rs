//! One block at a time, and one key of the state.

use super::*;
use crate::{
    make::Decided,
    state::tests::{Known, prove, with_states},
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
    let mut certificate = crate::make::Certificate {
        genesis: header(&decided(0, Some(0), &[])),
        start: None,
        changes: vec![change],
        head,
        body: crate::make::Body::Absent {
            key: *b"310601260000000001",
            shown: Shown::Neighbour([[1; 32]; 3]),
            proof: StateProof {
                location: 0,
                leaves: 1,
                inactive_peaks: 0,
                plain: [0; 32],
                bits: [1; 32],
                partial: Some([0; 32]),
                digests: Vec::new(),
            },
        },
    };
    let bytes = certificate.to_bytes();
    let found = head_of(&bytes).unwrap();
    assert_eq!((found.block().number, found.bytes()), (12, &decided(12, None, &[])[..]));
    let mut other = bytes.clone();
    other[4] = 2;
    assert!(matches!(head_of(&other), Err(Refusal::Format { found: 2 })));
    other[4] = 1;
    other[6 + 2 + certificate.genesis.len()] = 2;
    assert!(matches!(head_of(&other), Err(Refusal::Malformed { .. })), "no start");
    // Behind the block at which it starts, as well.
    certificate.start = Some(header(&decided(7, Some(0), &[])));
    assert_eq!(head_of(&certificate.to_bytes()).unwrap().bytes(), found.bytes());
    assert!(head_of(b"BCPG").is_err() && head_of(&bytes[..40]).is_err());
}

#[test]
fn a_key_proof_proves_the_value_or_that_there_is_none() {
    let group = vec![(b'1', sm3(&[b"one"])), (b'3', sm3(&[b""]))];
    let bytes: Vec<u8> =
        group.iter().flat_map(|(last, value)| [&[*last][..], value].concat()).collect();
    let shared = sm3(&[b"key-"]);
    let others = (0..20_u8).map(|n| (sm3(&[&[n]]), Some(sm3(&[&[n, n]]))));
    let writes = others.chain([(shared, Some(sm3(&[&bytes])))]).collect();
    with_states(vec![writes], async |_, root, db| {
        let (Known::Present { next, .. }, proof) = prove(db, shared).await else {
            panic!("it is there")
        };
        let shown = Shown::Group { group: group.clone(), next };
        let one = key_proof(&shown, &proof, Some(b"one"));
        assert_eq!(value_of(&one, b"key-1", &root), Ok(Some(&b"one"[..])));
        let empty = key_proof(&shown, &proof, Some(b""));
        assert_eq!(value_of(&empty, b"key-3", &root), Ok(Some(&b""[..])));
        let none = key_proof(&shown, &proof, None);
        assert_eq!(value_of(&none, b"key-2", &root), Ok(None));
        let (Known::Absent { neighbour }, proof) = prove(db, sm3(&[b"other-"])).await else {
            panic!("it is absent")
        };
        let absent = key_proof(&Shown::Neighbour(neighbour), &proof, None);
        assert_eq!(value_of(&absent, b"other-1", &root), Ok(None));

        // Another value, another key, another root, no value where there is one.
        let two = key_proof(&shown, &prove(db, shared).await.1, Some(b"two"));
        let wrong: [(&[u8], &[u8], Digest); 8] = [
            (&two, b"key-1", root),
            (&one, b"key-3", root),
            (&one, b"kez-1", root),
            (&one, b"", root),
            (&one, b"key-1", [0; 32]),
            (&none, b"key-1", root),
            (&one, b"key-2", root),
            (&absent, b"key-1", root),
        ];
        for (proof, key, root) in wrong {
            assert!(value_of(proof, key, &root).is_err(), "{}", key.escape_ascii());
        }
        for at in 0..one.len() {
            let mut changed = one.clone();
            changed[at] ^= 1;
            assert!(value_of(&changed, b"key-1", &root).is_err(), "byte {at}");
            assert!(value_of(&one[..at], b"key-1", &root).is_err(), "{at} bytes");
        }
    });
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
