use std::ops::RangeInclusive;

use billchain_crypto::sm2::{DEFAULT_ID, SecretKey, Signature};
use billchain_primitives::Hash;
use malachitebft_app_channel::app::streaming::{StreamContent, StreamId};
use malachitebft_app_channel::app::types::core::{
    ExtendedCommitCertificate, ExtendedCommitSignature, NilOrVal, PolkaSignature, Round,
    RoundCertificate, RoundCertificateType, RoundSignature, SignedProposal, SignedVote, Validity,
    VoteType,
};
use malachitebft_sync::{RawDecidedValue, ValueRequest, ValueResponse};
use proptest::prelude::*;

use super::*;
use crate::testing::peer;
use crate::types::{
    Address, Announcement, BlockHash, Form, Height, MAX_CHUNK_BYTES, MAX_VALIDATORS, Proposal,
    SignedAnnouncement, Vote,
};

fn signature() -> Signature {
    SecretKey::from_seed(b"codec").sign(DEFAULT_ID, b"message")
}

fn address(byte: u8) -> Address {
    [byte; 32].into()
}

fn hash(byte: u8) -> BlockHash {
    Hash::repeat_byte(byte).into()
}

fn vote(value: NilOrVal<BlockHash>) -> SignedVote<BillContext> {
    let vote = Vote {
        kind: VoteType::Precommit,
        height: Height::new(9),
        round: Round::new(3),
        value,
        voter: address(1),
    };
    SignedVote::new(vote, signature())
}

fn proposal() -> SignedProposal<BillContext> {
    let proposal = Proposal {
        height: Height::new(9),
        round: Round::new(3),
        value: BlockValue(hash(2)),
        pol_round: Round::new(1),
        proposer: address(1),
    };
    SignedProposal::new(proposal, signature())
}

fn polka(count: usize) -> PolkaCertificate<BillContext> {
    PolkaCertificate {
        height: Height::new(9),
        round: Round::new(3),
        value_id: hash(2),
        polka_signatures: (0..count)
            .map(|index| PolkaSignature::new(address(index as u8), signature()))
            .collect(),
    }
}

fn round_certificate() -> RoundCertificate<BillContext> {
    RoundCertificate {
        height: Height::new(9),
        round: Round::new(3),
        cert_type: RoundCertificateType::Skip,
        round_signatures: vec![
            RoundSignature::new(VoteType::Prevote, NilOrVal::Nil, address(1), signature()),
            RoundSignature::new(
                VoteType::Precommit,
                NilOrVal::Val(hash(1)),
                address(2),
                signature(),
            ),
        ],
    }
}

fn init(form: Form) -> ProposalPart {
    let init = Announcement {
        height: Height::new(9),
        round: crate::types::Round::new(3),
        proposer: address(1),
        block_hash: hash(2),
        size: 77,
        content: [3; 32],
    };
    ProposalPart::Init(
        Box::new(SignedAnnouncement { announcement: init, signature: signature() }),
        form,
    )
}

fn stream(content: StreamContent<ProposalPart>) -> StreamMessage {
    StreamMessage::new(StreamId::new(vec![1, 2, 3].into()), 4, content)
}

fn request(range: RangeInclusive<u64>) -> Request<BillContext> {
    let range = Height::new(*range.start())..=Height::new(*range.end());
    Request::ValueRequest(ValueRequest::new(range))
}

fn response(blocks: usize) -> Response<BillContext> {
    let certificate = ExtendedCommitCertificate {
        height: Height::new(9),
        round: Round::new(0),
        value_id: hash(2),
        commit_signatures: vec![ExtendedCommitSignature::new(address(1), signature(), None)],
    };
    let value = RawDecidedValue::new(vec![7; 1000].into(), certificate);
    Response::ValueResponse(ValueResponse::new(Height::new(9), vec![value; blocks]))
}

/// The encoding of a value that has one.
fn encoded<T: Wired>(value: &T) -> Bytes {
    encode(value).expect("it has an encoding")
}

/// Encodes and decodes; then no prefix and no extension of the bytes decodes.
fn survives<T: Wired + PartialEq + std::fmt::Debug>(value: T) {
    let bytes = encoded(&value);
    assert_eq!(encoded_len(&value), Ok(bytes.len()));
    assert_eq!(decode::<T>(bytes.clone()).as_ref(), Ok(&value));
    let step = (bytes.len() / 300).max(1);
    for length in (0..bytes.len()).step_by(step) {
        assert!(decode::<T>(bytes.slice(..length)).is_err(), "{} cut at {length}", T::WHAT);
    }
    let mut longer = bytes.to_vec();
    longer.push(0);
    assert!(
        matches!(decode::<T>(longer.into()), Err(CodecError::Trailing { count: 1, .. })),
        "{} takes trailing bytes",
        T::WHAT
    );
    let mut other = bytes.to_vec();
    other[0] = VERSION + 1;
    assert!(matches!(decode::<T>(other.into()), Err(CodecError::Version { .. })));
}

#[test]
fn every_message_survives_and_nothing_else_decodes() {
    survives(SignedConsensusMsg::Vote(vote(NilOrVal::Nil)));
    survives(SignedConsensusMsg::Vote(vote(NilOrVal::Val(hash(4)))));
    survives(SignedConsensusMsg::Proposal(proposal()));
    survives(LivenessMsg::Vote(vote(NilOrVal::Val(hash(4)))));
    survives(LivenessMsg::PolkaCertificate(polka(4)));
    survives(LivenessMsg::SkipRoundCertificate(round_certificate()));
    survives(polka(MAX_VALIDATORS));
    for form in [Form::Whole, Form::Compact(40)] {
        survives(init(form));
        survives(stream(StreamContent::Data(init(form))));
    }
    survives(ProposalPart::Data(vec![1; MAX_CHUNK_BYTES].into()));
    survives(stream(StreamContent::Fin));
    survives(BlockValue(hash(1)));
    survives(ProposedValue::<BillContext> {
        height: Height::new(9),
        round: Round::new(3),
        valid_round: Round::Nil,
        proposer: address(1),
        value: BlockValue(hash(2)),
        validity: Validity::Invalid,
    });
    survives(ValidatorProof::<BillContext>::new(vec![2; 33], vec![1; 38], signature()));
    survives(Status::<BillContext> {
        peer_id: peer(5),
        tip_height: Height::new(9),
        history_min_height: Height::new(1),
    });
    survives(request(4..=8));
    survives(response(0));
    survives(response(MAX_SYNC_VALUES));
}

#[test]
fn lists_longer_than_the_protocol_are_refused() {
    let bytes = encoded(&polka(MAX_VALIDATORS + 1));
    assert!(matches!(
        decode::<PolkaCertificate<BillContext>>(bytes),
        Err(CodecError::Malformed { .. })
    ));
    let bytes = encoded(&response(MAX_SYNC_VALUES + 1));
    assert!(matches!(decode::<Response<BillContext>>(bytes), Err(CodecError::Malformed { .. })));
}

#[test]
fn a_length_without_bytes_behind_it_costs_nothing() {
    // A response that claims the most blocks, each of four gigabytes.
    let mut bytes = vec![VERSION];
    bytes.extend(Height::new(1).encode());
    bytes.extend(codec::Compact(MAX_SYNC_VALUES as u32).encode());
    bytes.extend(codec::Compact(u32::MAX).encode());
    assert!(decode::<Response<BillContext>>(bytes.into()).is_err());
}

#[test]
#[expect(clippy::reversed_empty_ranges, reason = "that such a range is refused is tested")]
fn impossible_values_are_refused() {
    let table: [(&str, CodecError); 3] = [
        (
            "an oversized chunk",
            decode::<ProposalPart>(encoded(&ProposalPart::Data(
                vec![0; MAX_CHUNK_BYTES + 1].into(),
            )))
            .expect_err("too large"),
        ),
        (
            "an empty chunk",
            decode::<ProposalPart>(encoded(&ProposalPart::Data(Bytes::new()))).expect_err("empty"),
        ),
        (
            "a range that ends before it begins",
            decode::<Request<BillContext>>(encoded(&request(8..=4))).expect_err("backwards"),
        ),
    ];
    for (what, error) in table {
        assert!(matches!(error, CodecError::Invalid { .. }), "{what}: {error}");
    }
    let mut far = vote(NilOrVal::Nil);
    far.message.round = Round::new(u32::MAX);
    let bytes = encoded(&SignedConsensusMsg::Vote(far));
    assert!(decode::<SignedConsensusMsg<BillContext>>(bytes).is_err(), "a round without end");
}

/// Nothing is said or logged of the nil round as if it were of round 0.
#[test]
fn what_is_of_the_nil_round_has_no_encoding() {
    fn refused<T: Wired>(value: T) {
        let expected =
            CodecError::Invalid { what: T::WHAT, reason: crate::types::NilRound.to_string() };
        assert_eq!(encode(&value), Err(expected.clone()));
        assert_eq!(encoded_len(&value), Err(expected));
    }
    let mut nil_vote = vote(NilOrVal::Val(hash(4)));
    nil_vote.message.round = Round::Nil;
    refused(SignedConsensusMsg::Vote(nil_vote.clone()));
    refused(LivenessMsg::Vote(nil_vote));
    let mut nil_proposal = proposal();
    nil_proposal.message.round = Round::Nil;
    refused(SignedConsensusMsg::Proposal(nil_proposal));
    let nil_polka = PolkaCertificate { round: Round::Nil, ..polka(3) };
    refused(nil_polka.clone());
    refused(LivenessMsg::PolkaCertificate(nil_polka));
    let nil_skip = RoundCertificate { round: Round::Nil, ..round_certificate() };
    refused(LivenessMsg::SkipRoundCertificate(nil_skip));
    let Response::ValueResponse(mut answer) = response(2);
    answer.values[1].certificate.round = Round::Nil;
    refused(Response::ValueResponse(answer));
    // A proposal that repeats none of an earlier round says so with nil.
    let mut fresh = proposal();
    fresh.message.pol_round = Round::Nil;
    survives(SignedConsensusMsg::Proposal(fresh));
}

#[test]
fn signatures_that_cannot_be_are_refused() {
    let mut bytes = encoded(&SignedConsensusMsg::Vote(vote(NilOrVal::Nil))).to_vec();
    let length = bytes.len();
    bytes[length - 64..].fill(0xff);
    assert!(decode::<SignedConsensusMsg<BillContext>>(bytes.into()).is_err());
}

proptest! {
    #[test]
    fn random_bytes_never_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..2048)) {
        for first in [None, Some(VERSION)] {
            if let (Some(version), Some(byte)) = (first, bytes.first_mut()) {
                *byte = version;
            }
            let bytes = Bytes::from(bytes.clone());
            let _ = decode::<SignedConsensusMsg<BillContext>>(bytes.clone());
            let _ = decode::<LivenessMsg<BillContext>>(bytes.clone());
            let _ = decode::<StreamMessage>(bytes.clone());
            let _ = decode::<ProposalPart>(bytes.clone());
            let _ = decode::<ProposedValue<BillContext>>(bytes.clone());
            let _ = decode::<PolkaCertificate<BillContext>>(bytes.clone());
            let _ = decode::<ValidatorProof<BillContext>>(bytes.clone());
            let _ = decode::<Status<BillContext>>(bytes.clone());
            let _ = decode::<Request<BillContext>>(bytes.clone());
            let _ = decode::<Response<BillContext>>(bytes);
        }
    }

    #[test]
    fn damaged_messages_never_panic(at in 1usize..4000, byte in any::<u8>()) {
        for bytes in [
            encoded(&response(3)),
            encoded(&LivenessMsg::SkipRoundCertificate(round_certificate())),
            encoded(&stream(StreamContent::Data(init(Form::Whole)))),
            encoded(&stream(StreamContent::Data(init(Form::Compact(40))))),
        ] {
            let mut bytes = bytes.to_vec();
            let at = at % bytes.len();
            bytes[at] = byte;
            let bytes = Bytes::from(bytes);
            let _ = decode::<Response<BillContext>>(bytes.clone());
            let _ = decode::<LivenessMsg<BillContext>>(bytes.clone());
            let _ = decode::<StreamMessage>(bytes);
        }
    }
}
