use billchain_crypto::sm2::{DEFAULT_ID, SecretKey};
use billchain_primitives::Hash;
use malachitebft_app_channel::app::types::core::Round as EngineRound;

use super::*;
use crate::types::Validator;

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed])
}

fn address(seed: u8) -> Address {
    Address::from_public_key(&key(seed).public())
}

fn set() -> ValidatorSet {
    ValidatorSet::new((0..4).map(|seed| Validator::new(key(seed).public(), 1))).expect("a set")
}

fn block(byte: u8) -> BlockHash {
    Hash::repeat_byte(byte).into()
}

fn vote(kind: VoteType, voter: u8, round: u32, value: Option<u8>) -> SignedVote<BillContext> {
    let vote = Vote {
        kind,
        height: Height::new(5),
        round: EngineRound::new(round),
        value: value.map_or(NilOrVal::Nil, |byte| NilOrVal::Val(block(byte))),
        voter: address(voter),
    };
    // Nothing here verifies: the engine has.
    SignedVote::new(vote, key(voter).sign(DEFAULT_ID, b"vote"))
}

fn prevotes(round: u32, value: Option<u8>, voters: &[u8]) -> Vec<SignedVote<BillContext>> {
    voters.iter().map(|voter| vote(VoteType::Prevote, *voter, round, value)).collect()
}

fn weighed(votes: &[SignedVote<BillContext>]) -> (Support, Option<Polka>) {
    weigh(Height::new(5), &address(0), &set(), votes.iter())
}

#[test]
fn more_than_two_thirds_of_the_power_make_a_polka_and_nothing_less() {
    let table: [(&str, Vec<SignedVote<BillContext>>, bool); 6] = [
        ("three of four", prevotes(0, Some(1), &[0, 1, 2]), true),
        ("two of four", prevotes(0, Some(1), &[0, 1]), false),
        ("one three times", prevotes(0, Some(1), &[3, 3, 3]), false),
        ("a stranger's does not count", prevotes(0, Some(1), &[0, 1, 9]), false),
        ("nil is no block", prevotes(0, None, &[0, 1, 2, 3]), false),
        (
            "votes of two rounds are not added up",
            [prevotes(0, Some(1), &[0, 1]), prevotes(1, Some(1), &[2, 3])].concat(),
            false,
        ),
    ];
    for (what, votes, expected) in table {
        let (support, certificate) = weighed(&votes);
        assert_eq!(support.has_polka(&block(1)), expected, "{what}");
        assert_eq!(certificate.is_some(), expected, "{what}");
    }
    let precommits: Vec<_> =
        (0..4).map(|voter| vote(VoteType::Precommit, voter, 0, Some(1))).collect();
    assert!(!weighed(&precommits).0.has_polka(&block(1)), "pre-commits are no pre-votes");
}

#[test]
fn the_certificate_is_that_of_the_highest_round() {
    let votes = [prevotes(3, Some(2), &[1, 2, 3]), prevotes(0, Some(1), &[0, 1, 2, 3])].concat();
    let (support, certificate) = weighed(&votes);
    let Polka { round, certificate } = certificate.expect("two polkas");
    assert_eq!((round, certificate.round), (Round::new(3), EngineRound::new(3)));
    assert_eq!(certificate.value_id, block(2));
    assert_eq!(certificate.polka_signatures.len(), 3);
    assert_eq!(support.leader(), Some(block(2)));
}

#[test]
fn own_votes_and_polkas_order_blocks_by_what_is_lost_with_them() {
    let votes = [
        prevotes(0, Some(1), &[0, 1, 2]),
        prevotes(5, Some(2), &[0, 1]),
        prevotes(7, Some(3), &[1, 2]),
    ]
    .concat();
    let (support, _) = weighed(&votes);
    let (polka, voted, nothing) = (block(1), block(2), block(3));
    assert!(support.worth(&nothing) < support.worth(&voted));
    assert!(support.worth(&voted) < support.worth(&polka), "whatever its round");
}

#[test]
fn what_was_proved_stays_proved_and_the_memory_is_bounded() {
    let mut support = weighed(&prevotes(0, Some(1), &[0, 1, 2])).0;
    support.add(weighed(&prevotes(4, Some(2), &[0, 1, 2])).0);
    assert!(support.has_polka(&block(1)), "the engine has dropped these votes since");
    assert_eq!(support.leader(), Some(block(2)));
    for round in 5..250 {
        support.add(weighed(&prevotes(round, Some(round as u8), &[0, 1, 2])).0);
    }
    assert_eq!(support.polkas.len(), MAX_REMEMBERED);
    assert_eq!(support.voted.len(), MAX_REMEMBERED);
    assert_eq!(support.leader(), Some(block(249)));
}

#[test]
fn a_certificate_of_a_polka_is_believed_only_with_the_signatures_it_needs() {
    let domain = ChainDomain::new(Hash::repeat_byte(7));
    let signed = |voter: u8, round: u32, byte: u8| {
        let mut vote = vote(VoteType::Prevote, voter, round, Some(byte)).message;
        vote.voter = address(voter);
        PolkaSignature::new(vote.voter, key(voter).sign(DEFAULT_ID, &domain.vote_bytes(&vote)))
    };
    let certificate = |signatures: Vec<PolkaSignature<BillContext>>| PolkaCertificate {
        height: Height::new(5),
        round: EngineRound::new(2),
        value_id: block(1),
        polka_signatures: signatures,
    };
    let good = vec![signed(0, 2, 1), signed(1, 2, 1), signed(2, 2, 1)];
    let table = [
        ("three of four", good.clone(), true),
        ("two of four", good[..2].to_vec(), false),
        ("one twice", vec![good[0].clone(), good[1].clone(), good[1].clone()], false),
        ("a stranger", [&good[..2], &[signed(9, 2, 1)]].concat(), false),
        ("another block", [&good[..2], &[signed(2, 2, 3)]].concat(), false),
        ("another round", [&good[..2], &[signed(2, 1, 1)]].concat(), false),
        ("none", vec![], false),
    ];
    for (what, signatures, expected) in table {
        assert_eq!(is_polka(&certificate(signatures), &set(), &domain), expected, "{what}");
    }
}
