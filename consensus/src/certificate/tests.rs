use billchain_crypto::sm2::SecretKey;
use billchain_primitives::Hash;
use proptest::prelude::*;

use super::*;
use crate::types::Validator;

fn domain() -> ChainDomain {
    ChainDomain::new(Hash::repeat_byte(1))
}

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed])
}

fn validators(powers: &[u64]) -> ValidatorSet {
    let list =
        powers.iter().zip(0u8..).map(|(power, seed)| Validator::new(key(seed).public(), *power));
    ValidatorSet::new(list).expect("distinct keys")
}

fn hash() -> BlockHash {
    Hash::repeat_byte(9).into()
}

fn signed(seed: u8, height: u64, round: u32, block: BlockHash) -> CommitSignature {
    let address = Address::from_public_key(&key(seed).public());
    let bytes = domain().precommit_bytes(Height::new(height), Round::new(round), block, address);
    CommitSignature { address, signature: key(seed).sign(DEFAULT_ID, &bytes) }
}

fn certificate(signers: &[u8]) -> CommitCertificate {
    let signatures = signers.iter().map(|seed| signed(*seed, 5, 1, hash())).collect();
    CommitCertificate {
        height: Height::new(5),
        round: Round::new(1),
        block_hash: hash(),
        signatures,
    }
}

#[test]
fn more_than_two_thirds_of_the_power_decide() {
    let table: &[(&[u64], &[u8], bool)] = &[
        (&[1, 1, 1, 1], &[0, 1, 2], true),
        (&[1, 1, 1, 1], &[0, 1, 2, 3], true),
        (&[1, 1, 1, 1], &[0, 1], false),
        (&[1, 1, 1], &[0, 1], false),
        (&[1, 1, 1], &[0, 1, 2], true),
        (&[1], &[0], true),
        (&[1], &[], false),
        (&[5, 1, 1, 1], &[0], false),
        (&[6, 1, 1], &[0], true),
        (&[4, 1, 1], &[0], false),
    ];
    for (powers, signers, enough) in table {
        let result = certificate(signers).verify(&domain(), &validators(powers));
        assert_eq!(result.is_ok(), *enough, "powers {powers:?}, signers {signers:?}: {result:?}");
    }
}

#[test]
fn forgeries_are_told_apart() {
    let set = validators(&[1, 1, 1, 1]);
    let verify = |certificate: &CommitCertificate| certificate.verify(&domain(), &set);
    let good = certificate(&[0, 1, 2]);
    assert_eq!(verify(&good), Ok(()));
    let of = |index: usize| good.signatures[index].address;

    let mut twice = good.clone();
    twice.signatures[1] = twice.signatures[0].clone();
    assert_eq!(verify(&twice), Err(CertificateError::DuplicateSigner(of(0))));

    let stranger = signed(9, 5, 1, hash());
    let mut unknown = good.clone();
    unknown.signatures.push(stranger.clone());
    assert_eq!(verify(&unknown), Err(CertificateError::UnknownSigner(stranger.address)));

    let mut swapped = good.clone();
    swapped.signatures[0].signature = swapped.signatures[1].signature;
    assert_eq!(verify(&swapped), Err(CertificateError::InvalidSignature(of(0))));

    for (what, change) in [
        ("height", CommitCertificate { height: Height::new(6), ..good.clone() }),
        ("round", CommitCertificate { round: Round::FIRST, ..good.clone() }),
        ("block", CommitCertificate { block_hash: Hash::zero().into(), ..good.clone() }),
    ] {
        let expected = Err(CertificateError::InvalidSignature(of(0)));
        assert_eq!(verify(&change), expected, "signed another {what}");
    }
    let elsewhere = ChainDomain::new(Hash::repeat_byte(2));
    assert!(good.verify(&elsewhere, &set).is_err(), "signed for another chain");
}

#[test]
fn a_prevote_is_not_a_precommit() {
    use malachitebft_app_channel::app::types::core::{NilOrVal, VoteType};

    let mut fake = certificate(&[0, 1, 2]);
    for (entry, seed) in fake.signatures.iter_mut().zip(0u8..) {
        let bytes = domain().vote_bytes(&crate::types::Vote {
            kind: VoteType::Prevote,
            height: Height::new(5),
            round: Round::new(1).into(),
            value: NilOrVal::Val(hash()),
            voter: entry.address,
        });
        entry.signature = key(seed).sign(DEFAULT_ID, &bytes);
    }
    assert!(matches!(
        fake.verify(&domain(), &validators(&[1, 1, 1, 1])),
        Err(CertificateError::InvalidSignature(_))
    ));
}

/// A decision of no round is none of the first.
#[test]
fn the_nil_round_has_no_certificate() {
    let engine = core::CommitCertificate::<BillContext> {
        height: Height::new(5),
        round: core::Round::Nil,
        value_id: hash(),
        commit_signatures: Vec::new(),
    };
    assert_eq!(CommitCertificate::from_engine(&engine), Err(NilRound));
    let first = core::CommitCertificate { round: core::Round::ZERO, ..engine };
    let certificate = CommitCertificate::from_engine(&first).expect("of a round");
    assert_eq!((certificate.height, certificate.round), (Height::new(5), Round::FIRST));
}

/// Height and round lie in the bytes as bare numbers, as every block's certificate
/// on disk has them.
#[test]
fn a_certificate_is_laid_out_as_documented() {
    let bytes = certificate(&[0]).to_bytes();
    let head = [&5u64.to_le_bytes()[..], &1u32.to_le_bytes(), &[9; 32], &[1 << 2]].concat();
    let signed = signed(0, 5, 1, hash());
    let tail = [&signed.address.as_bytes()[..], &signed.signature.to_bytes()].concat();
    assert_eq!(bytes, [head, tail].concat());
}

#[test]
fn bytes_round_trip_and_nothing_else_decodes() {
    let good = certificate(&[0, 1, 2]);
    let bytes = good.to_bytes();
    assert_eq!(CommitCertificate::from_bytes(&bytes).as_ref(), Ok(&good));
    assert_eq!(CommitCertificate::decode(&mut &bytes[..]).as_ref(), Ok(&good));
    for length in 0..bytes.len() {
        assert!(CommitCertificate::from_bytes(&bytes[..length]).is_err(), "cut at {length}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(CommitCertificate::from_bytes(&longer).is_err());
    let mut many = good;
    many.signatures = vec![many.signatures[0].clone(); MAX_VALIDATORS + 1];
    assert!(CommitCertificate::from_bytes(&many.to_bytes()).is_err());
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..1024)) {
        let _ = CommitCertificate::from_bytes(&bytes);
    }
}
