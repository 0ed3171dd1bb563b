use super::*;
use billchain_consensus::{Address, CommitSignature, Height, Round};
use billchain_crypto::sm2::{DEFAULT_ID, SecretKey};
use codec::Encode;
use pallet_participation::COMMIT_DIGEST;
use sp_runtime::generic::Digest;

const GENESIS: Hash = Hash::repeat_byte(7);

fn secret(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed])
}

fn set(seeds: &[u8]) -> ValidatorSet {
    let validators = seeds.iter().map(|seed| Validator::new(secret(*seed).public(), 1));
    ValidatorSet::new(validators.collect::<Vec<_>>()).unwrap()
}

/// The header of a block, which may name other validators.
fn header(number: u32, change: Option<(u32, &[u8])>) -> Header {
    let mut logs = vec![DigestItem::Consensus(COMMIT_DIGEST, vec![1; 20])];
    if let Some((previous, seeds)) = change {
        let validators: Vec<_> =
            seeds.iter().map(|seed| (secret(*seed).public().to_compressed(), 1)).collect();
        let validators = validators.try_into().unwrap();
        let change = SetChange { previous, validators };
        logs.push(DigestItem::Consensus(SET_DIGEST, change.encode()));
    }
    Header {
        parent_hash: Hash::repeat_byte(1),
        number,
        state_root: Hash::repeat_byte(2),
        extrinsics_root: Hash::repeat_byte(3),
        digest: Digest { logs },
    }
}

fn certificate(header: &Header, seeds: &[u8]) -> Vec<u8> {
    let (domain, round) = (ChainDomain::new(GENESIS), Round::FIRST);
    let (height, hash) = (Height::new(header.number.into()), header.hash());
    let signature = |seed: &u8| {
        let address = Address::from_public_key(&secret(*seed).public());
        let bytes = domain.precommit_bytes(height, round, hash.into(), address);
        CommitSignature { address, signature: secret(*seed).sign(DEFAULT_ID, &bytes) }
    };
    let mut signatures: Vec<_> = seeds.iter().map(signature).collect();
    signatures.sort_by_key(|entry| entry.address);
    CommitCertificate { height, round, block_hash: hash.into(), signatures }.to_bytes()
}

fn certified(header: &Header, seeds: &[u8]) -> Certified {
    Certified { bytes: header.encode(), certificate: certificate(header, seeds) }
}

fn sets() -> ValidatorSets {
    ValidatorSets::new(GENESIS, set(&[1, 2, 3, 4]))
}

#[test]
fn validators_are_followed_from_header_to_header() {
    let mut sets = sets();
    let first = header(10, Some((0, &[1, 2, 3, 5])));
    assert_eq!(sets.follow(&certified(&first, &[1, 2, 4])).unwrap(), (10, first.hash()));
    let second = header(20, Some((10, &[5, 6, 7, 8])));
    sets.follow(&certified(&second, &[1, 3, 5])).unwrap();
    assert_eq!(sets.last_change(), 20);
    // Each block is judged by its own.
    for (number, seeds) in
        [(1, [1, 2, 3]), (10, [2, 3, 4]), (11, [1, 2, 5]), (20, [2, 3, 5]), (21, [6, 7, 8])]
    {
        let header = header(number, None);
        sets.judge(&header, &certificate(&header, &seeds)).unwrap();
    }
    for (number, seeds) in [(11, [1, 2, 4]), (10, [1, 2, 5]), (21, [1, 3, 5]), (500, [1, 2, 3])] {
        let header = header(number, None);
        let judged = sets.judge(&header, &certificate(&header, &seeds));
        assert!(matches!(judged, Err(SetError::NotDecided { .. })), "{number}: {judged:?}");
    }
}

#[test]
fn a_change_that_is_left_out_repeated_or_not_decided_is_refused() {
    let first = header(10, Some((0, &[1, 2, 3, 5])));
    let second = header(20, Some((10, &[5, 6, 7, 8])));
    let known = || {
        let mut sets = sets();
        sets.follow(&certified(&first, &[1, 2, 4])).unwrap();
        sets
    };
    let gap =
        |result: Result<(BlockNumber, Hash), SetError>| matches!(result, Err(SetError::Gap { .. }));
    assert!(gap(sets().follow(&certified(&second, &[1, 3, 5]))), "the first was left out");
    assert!(gap(known().follow(&certified(&first, &[1, 2, 4]))), "repeated");
    let backwards = header(9, Some((10, &[1, 2])));
    assert!(gap(known().follow(&certified(&backwards, &[1, 2, 3]))));
    let undecided = known().follow(&certified(&second, &[1, 2]));
    assert!(matches!(undecided, Err(SetError::NotDecided { number: 20, .. })));
    let by_the_next = known().follow(&certified(&second, &[5, 6, 7, 8]));
    assert!(matches!(by_the_next, Err(SetError::NotDecided { .. })), "the old ones decide it");
    let silent = known().follow(&certified(&header(20, None), &[1, 2, 3]));
    assert!(matches!(silent, Err(SetError::NoChange { number: 20 })));
    let nobody = known().follow(&certified(&header(20, Some((10, &[]))), &[1, 2, 3]));
    assert!(matches!(nobody, Err(SetError::NoChange { number: 20 })));
    let mut other = certified(&second, &[1, 3, 5]);
    other.certificate = certificate(&first, &[1, 2, 4]);
    assert!(matches!(known().follow(&other), Err(SetError::OtherBlock { number: 20, .. })));
    let bytes = Certified { bytes: vec![1; 40], certificate: Vec::new() };
    assert!(matches!(known().follow(&bytes), Err(SetError::Unreadable { .. })));
}
