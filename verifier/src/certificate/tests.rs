//! Certificates of a small chain whose validators change once.

mod checkpoint;
mod cold;
mod earlier;
mod numbers;
mod vectors;

use super::*;
use crate::{
    bill::tests::chain_bill,
    inclusion::tests::tree,
    make::{self, Body, Certificate, Decided, Place, Source},
    place::tests::{RECORDS, root_of},
    state::tests::{Known, prove, with_states},
};

use billchain_crypto::sm2::{DEFAULT_ID, SecretKey};
use billchain_primitives::{self as chain, ConsensusDomain, Hash, Header as ChainHeader};
use codec::Encode as _;
use pallet_participation::{SET_DIGEST, SetChange as ChainChange};
use sp_runtime::{DigestItem, generic::Digest as Items};
use std::{
    borrow::Cow,
    collections::BTreeMap,
    string::{String, ToString},
    vec,
};

/// Keys of the validators from the genesis on, and after the change.
const FIRST: [u8; 4] = [1, 2, 3, 4];
const SECOND: [u8; 4] = [3, 4, 5, 6];

/// Blocks of the change, of the bill's transaction, and of the state.
const CHANGE: u32 = 10;
const MADE: u32 = 12;
const HEAD: u32 = 20;

/// Place of the bill's transaction.
const INDEX: u32 = 70;

fn secret(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed])
}

fn header(number: u32, change: Option<(u32, &[u8])>) -> ChainHeader {
    let mut logs = vec![DigestItem::Consensus(*b"BCPC", vec![1; 20])];
    if let Some((previous, seeds)) = change {
        let key = |seed: &u8| (secret(*seed).public().to_compressed(), 1);
        let validators = seeds.iter().map(key).collect::<Vec<_>>().try_into().unwrap();
        let change = ChainChange { previous, validators };
        logs.push(DigestItem::Consensus(SET_DIGEST, change.encode()));
    }
    ChainHeader {
        parent_hash: Hash::repeat_byte(number as u8),
        number,
        state_root: Hash::zero(),
        extrinsics_root: Hash::zero(),
        digest: Items { logs },
    }
}

fn genesis() -> ChainHeader {
    header(0, Some((0, &FIRST)))
}

/// A block that validators with these places in a set have decided.
fn decided(header: &ChainHeader, set: &[u8], places: &[u8]) -> Decided {
    let domain = ConsensusDomain::new(genesis().hash());
    let sign = |place: &u8| {
        let secret = secret(set[usize::from(*place)]);
        let context = chain::StatementContext {
            height: header.number.into(),
            round: Some(1),
            signer: crate::sm3(&[&secret.public().to_compressed()]),
        };
        let statement = chain::Statement::Precommit { block: Some(header.hash()) };
        let bytes = domain.statement_bytes(&context, &statement);
        (*place, secret.sign(DEFAULT_ID, &bytes).to_bytes())
    };
    Decided { header: header.encode(), round: 1, signatures: places.iter().map(sign).collect() }
}

/// A bill, and what its version's hash covers.
fn bill(number: &str) -> (chain::Bill, chain::history::VersionHead) {
    let mut bill = chain_bill(number);
    let head = chain::history::VersionHead {
        key: bill.summary.key,
        version: 1,
        at: chain::Stamp { block: MADE, extrinsic: Some(INDEX), moment: 5 },
        content: [7; 32],
        difference: None,
    };
    bill.state.version_hash = head.hash_after(&[0; 32]);
    (bill, head)
}

/// Where the version of a bill was made.
#[derive(Clone, Copy)]
enum Made {
    Before,
    InTheHead,
    ByABlock,
}

/// The certificate of what the chain holds of a number; bills 1 to 300 are there.
fn certificate(number: u32) -> Certificate {
    let asked = bill(&std::format!("{number:010}"));
    if number > 300 {
        build(&[], &asked, Made::Before)
    } else {
        certificate_of(asked, Made::Before)
    }
}

/// The certificate of a bill that the chain holds beside the others.
fn certificate_of(asked: (chain::Bill, chain::history::VersionHead), made: Made) -> Certificate {
    build(core::slice::from_ref(&asked.0), &asked, made)
}

/// SM3 of what the keys of a bill's group share.
fn group_key(key: &Key) -> Digest {
    sm3(&[&bill::shared(key)])
}

/// Groups of bills, by SM3 of what their keys share.
type Groups = BTreeMap<Digest, BTreeMap<u8, Digest>>;

/// Puts bills into their groups; what is written.
fn put<'a>(
    groups: &mut Groups,
    bills: impl Iterator<Item = Cow<'a, chain::Bill>>,
) -> Vec<(Digest, Option<Digest>)> {
    let mut written = BTreeMap::new();
    for bill in bills {
        let key: Key = bill.summary.key.encode().try_into().unwrap();
        let group = groups.entry(group_key(&key)).or_default();
        group.insert(key[17], sm3(&[&bill.encode()]));
        let bytes: Vec<u8> =
            group.iter().flat_map(|(last, value)| [&[*last][..], value].concat()).collect();
        written.insert(group_key(&key), Some(sm3(&[&bytes])));
    }
    written.into_iter().collect()
}

fn build(
    more: &[chain::Bill],
    (asked, version): &(chain::Bill, chain::history::VersionHead),
    made: Made,
) -> Certificate {
    let others = |numbers: core::ops::RangeInclusive<u32>| {
        numbers.map(|number| Cow::Owned(bill(&std::format!("{number:010}")).0))
    };
    let mut groups = Groups::new();
    let states = vec![
        put(&mut groups, others(1..=200)),
        put(&mut groups, others(201..=300).chain(more.iter().map(Cow::Borrowed))),
    ];
    let key: Key = asked.summary.key.encode().try_into().unwrap();
    let mut proved = None;
    with_states(states, async |_, root, db| {
        proved = Some((root, prove(db, group_key(&key)).await));
    });
    let (hot, (known, proof)) = proved.unwrap();
    let group: Vec<(u8, Digest)> =
        groups.get(&group_key(&key)).into_iter().flatten().map(|(k, v)| (*k, *v)).collect();

    let transactions: Vec<Vec<u8>> = (0..100).map(|n| vec![n; 40 + usize::from(n)]).collect();
    let (extrinsics_root, path) = tree(&transactions, INDEX);
    let mut before = header(MADE, None);
    before.extrinsics_root = extrinsics_root.into();
    let mut head = header(HEAD, None);
    head.extrinsics_root = extrinsics_root.into();
    let transaction = match made {
        Made::Before => Source::Earlier { block: decided(&before, &SECOND, &[1, 2, 3]), path },
        Made::InTheHead => Source::SameBlock { path },
        Made::ByABlock => Source::None,
    };
    let is_there = group.iter().any(|(last, _)| *last == key[17]);
    let place = match known {
        Known::Present { next, .. } => Place::Hot { group, next, proof },
        Known::Absent { neighbour } => Place::Nowhere { neighbour, proof, runs: Vec::new() },
    };
    let body = if is_there {
        let (bill, version) = (asked.encode(), version.encode());
        Body::Present { bill, place, previous: [0; 32], version, transaction }
    } else {
        Body::Absent { key, place }
    };
    certified(head, make::Roots { hot, runs: Vec::new(), records: RECORDS }, body)
}

/// The certificate of a state with these roots after this block.
fn certified(mut head: ChainHeader, roots: make::Roots, body: Body) -> Certificate {
    head.state_root = root_of(&roots).into();
    Certificate {
        genesis: genesis().encode(),
        start: None,
        changes: vec![decided(&header(CHANGE, Some((0, &SECOND))), &FIRST, &[0, 2, 3])],
        head: decided(&head, &SECOND, &[0, 1, 2]),
        roots,
        body,
    }
}

fn trusted() -> Digest {
    genesis().hash().into()
}

/// What is refused about a certificate.
fn refusal(certificate: &Certificate) -> Refusal {
    verify(&certificate.to_bytes(), &trusted()).unwrap_err()
}

#[test]
fn a_certificate_says_what_a_bill_was_and_who_made_it_so() {
    let bytes = certificate(7).to_bytes();
    assert!(bytes.len() < 8 << 10, "{} bytes", bytes.len());
    let proved = verify(&bytes, &trusted()).unwrap();
    assert_eq!((proved.genesis, proved.block.number), (trusted(), HEAD));
    let Statement::Present { bill, transaction } = proved.statement else { panic!("it is there") };
    assert_eq!((bill.code, bill.number, bill.version), ("31060126", "0000000007", 1));
    let transaction = transaction.unwrap();
    assert_eq!((transaction.block.number, transaction.index), (MADE, INDEX));
    assert_eq!(transaction.hash, sm3(&[&[70; 110]]));
}

#[test]
fn a_certificate_says_that_there_is_no_such_bill() {
    for (number, text) in [(301, "0000000301"), (311, "0000000311")] {
        let proved = certificate(number).to_bytes();
        let statement = verify(&proved, &trusted()).unwrap().statement;
        assert_eq!(statement, Statement::Absent { code: "31060126", number: text });
    }
    // The group of 300 and 301 proves nothing of 300, which is there.
    let mut hidden = certificate(301);
    key_of(&mut hidden).copy_from_slice(b"310601260000000300");
    assert!(matches!(refusal(&hidden), Refusal::Contradiction { .. }));
    // Nor does one that leaves it out, or the group of others.
    let Body::Absent { place: Place::Hot { group, .. }, .. } = &mut hidden.body else {
        panic!("its group is there")
    };
    group.clear();
    assert!(matches!(refusal(&hidden), Refusal::Malformed { .. }));
    let mut hidden = certificate(301);
    key_of(&mut hidden).copy_from_slice(b"310601260000000291");
    assert_eq!(refusal(&hidden), Refusal::State);
    // Where there is no group, its neighbours prove nothing of one that is there.
    let mut hidden = certificate(311);
    key_of(&mut hidden).copy_from_slice(b"310601260000000300");
    assert!(matches!(refusal(&hidden), Refusal::Contradiction { .. }));
    key_of(&mut hidden).copy_from_slice(&"31060126000000030一".as_bytes()[..18]);
    assert!(matches!(refusal(&hidden), Refusal::Malformed { .. }));
}

fn key_of(certificate: &mut Certificate) -> &mut Key {
    match &mut certificate.body {
        Body::Absent { key, .. } => key,
        _ => panic!("it is absent"),
    }
}

#[test]
fn no_bit_of_a_certificate_may_be_another_unless_that_is_as_true() {
    for number in [7, 301, 311] {
        let bytes = certificate(number).to_bytes();
        // Signatures cost most of the time; one bit of each of their bytes is turned.
        for at in 0..bytes.len() {
            for bit in if at % 8 == 0 { 0..8 } else { at % 8..at % 8 + 1 } {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                if let Ok(proved) = verify(&changed, &trusted()) {
                    // It says as truly that a neighbour is not there.
                    let Statement::Absent { number: other, .. } = proved.statement else {
                        panic!("bit {bit} of byte {at}")
                    };
                    let other = other.parse::<u32>().unwrap();
                    assert!(number > 300 && other > 300 && other != number, "bit {bit} of {at}");
                }
            }
        }
        for end in 0..bytes.len() {
            assert!(verify(&bytes[..end], &trusted()).is_err(), "{end} bytes");
        }
        assert!(verify(&[&bytes[..], &[0]].concat(), &trusted()).is_err(), "it goes on");
    }
}

#[test]
fn no_part_may_be_that_of_another_bill() {
    let (one, other) = (certificate(7), certificate(250));
    for part in ["group", "next", "proof", "place", "bill", "version"] {
        let mut mixed = one.clone();
        let (
            Body::Present { bill, place, version, .. },
            Body::Present { bill: other_bill, place: other_place, version: other_version, .. },
        ) = (&mut mixed.body, other.body.clone())
        else {
            panic!("both are there")
        };
        match (part, &mut *place, other_place) {
            ("bill", ..) => *bill = other_bill,
            ("version", ..) => *version = other_version,
            ("place", place, other) => *place = other,
            ("group", Place::Hot { group, .. }, Place::Hot { group: other, .. }) => *group = other,
            ("next", Place::Hot { next, .. }, Place::Hot { next: other, .. }) => *next = other,
            ("proof", Place::Hot { proof, .. }, Place::Hot { proof: other, .. }) => *proof = other,
            _ => panic!("both are hot"),
        }
        assert_ne!(mixed, one, "{part}");
        refusal(&mixed);
    }
}

#[test]
fn only_the_validators_of_a_height_decide_its_block() {
    let head = |certificate: &Certificate| {
        codec::Decode::decode(&mut &certificate.head.header[..]).unwrap()
    };
    let mut certificate = certificate(301);
    let header: ChainHeader = head(&certificate);
    certificate.head = decided(&header, &SECOND, &[0, 1]);
    assert_eq!(refusal(&certificate), Refusal::NotDecided { number: HEAD, signed: 2, all: 4 });
    certificate.head = decided(&header, &FIRST, &[0, 1, 2]);
    assert_eq!(refusal(&certificate), Refusal::Signature { number: HEAD, place: 0 });
    // One validator's key is not enough, however often it signs.
    certificate.head = decided(&header, &SECOND, &[0]);
    let again = certificate.head.signatures[0];
    certificate.head.signatures = vec![again; 3];
    assert!(matches!(refusal(&certificate), Refusal::Malformed { .. }));
    certificate.head.signatures = vec![again, (1, again.1), (2, again.1)];
    assert_eq!(refusal(&certificate), Refusal::Signature { number: HEAD, place: 1 });
    certificate.head = decided(&header, &SECOND, &[0, 1, 2]);
    certificate.head.round = 2;
    assert!(matches!(refusal(&certificate), Refusal::Signature { .. }), "another round");
}

#[test]
fn no_change_of_the_validators_may_be_left_out() {
    let whole = certificate(301);
    let mut without = whole.clone();
    without.changes.clear();
    assert!(matches!(refusal(&without), Refusal::Signature { number: HEAD, .. }));
    let mut gap = whole.clone();
    gap.changes = vec![decided(&header(15, Some((CHANGE, &SECOND))), &FIRST, &[0, 1, 2])];
    assert_eq!(refusal(&gap), Refusal::Gap { number: 15, previous: CHANGE, expected: 0 });
    let mut twice = whole.clone();
    twice.changes.push(decided(&header(CHANGE, Some((0, &SECOND))), &FIRST, &[0, 2, 3]));
    assert_eq!(refusal(&twice), Refusal::Gap { number: CHANGE, previous: 0, expected: CHANGE });
    let mut silent = whole.clone();
    silent.changes.push(decided(&header(15, None), &SECOND, &[0, 1, 2]));
    assert!(matches!(refusal(&silent), Refusal::Malformed { .. }));
    // The set that a header names decides from the next block on, and not that block.
    let mut early = whole;
    early.changes = vec![decided(&header(CHANGE, Some((0, &SECOND))), &SECOND, &[0, 1, 2])];
    assert!(matches!(refusal(&early), Refusal::Signature { number: CHANGE, .. }));
}

#[test]
fn a_certificate_is_of_one_chain() {
    let bytes = certificate(301).to_bytes();
    let error = verify(&bytes, &[1; 32]).unwrap_err();
    assert_eq!(error, Refusal::OtherChain { found: trusted(), expected: [1; 32] });
    assert!(error.to_string().contains("expected 0x0101"), "{error}");
}

/// The certificate of a bill with another transaction.
fn with_source(number: u32, source: Source) -> Certificate {
    let mut changed = certificate(number);
    if let Body::Present { transaction, .. } = &mut changed.body {
        *transaction = source;
    }
    changed
}

#[test]
fn the_transaction_belongs_to_the_version() {
    let whole = certificate(7);
    let with = |source: Source| refusal(&with_source(7, source));
    let Body::Present { transaction: Source::Earlier { block, path }, .. } = whole.body else {
        panic!("it was made before")
    };
    assert!(matches!(with(Source::None), Refusal::Contradiction { .. }));
    assert!(matches!(
        with(Source::SameBlock { path: path.clone() }),
        Refusal::Contradiction { .. }
    ));
    // A block before the head that names validators is one of the changes.
    let made: ChainHeader = codec::Decode::decode(&mut &block.header[..]).unwrap();
    let mut change = header(MADE, Some((CHANGE, &FIRST)));
    change.extrinsics_root = made.extrinsics_root;
    let change = decided(&change, &SECOND, &[0, 1, 2]);
    let what = "the transaction's block changes the validators, and is not listed";
    let found = with(Source::Earlier { block: change, path: path.clone() });
    assert_eq!(found, Refusal::Contradiction { what });
    let later = decided(&header(13, None), &SECOND, &[0, 1, 2]);
    let found = with(Source::Earlier { block: later, path: path.clone() });
    assert!(matches!(found, Refusal::Contradiction { .. }));
    let ahead = decided(&header(30, None), &SECOND, &[0, 1, 2]);
    assert!(matches!(with(Source::Earlier { block: ahead, path }), Refusal::Contradiction { .. }));
    let empty = with(Source::Earlier { block, path: Vec::new() });
    assert_eq!(empty, Refusal::Transaction);
}

#[test]
fn two_certificates_tell_which_is_newer() {
    let newer = certificate(301);
    let mut older = newer.clone();
    let mut header: ChainHeader = codec::Decode::decode(&mut &older.head.header[..]).unwrap();
    header.number = HEAD - 1;
    older.head = decided(&header, &SECOND, &[0, 1, 2]);
    let block = |certificate: &Certificate| {
        verify(&certificate.to_bytes(), &trusted()).unwrap().block.number
    };
    assert!(block(&older) < block(&newer));
}

#[test]
fn other_formats_are_named() {
    let mut bytes = certificate(301).to_bytes();
    bytes[4] = 1;
    let error = verify(&bytes, &trusted()).unwrap_err();
    assert_eq!(error.to_string(), "it has format 1, expected 2");
    bytes[..4].copy_from_slice(b"BCPX");
    assert!(matches!(verify(&bytes, &trusted()), Err(Refusal::Malformed { .. })));
    let long = vec![0; MAX_BYTES + 1];
    let error = verify(&long, &trusted()).unwrap_err();
    assert!(error.to_string().contains("longer than 1 MiB"), "{error}");
}
