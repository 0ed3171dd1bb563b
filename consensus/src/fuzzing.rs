//! Entry points for fuzzers: bytes of a peer, or of this node's disk, in; a
//! panic if and only if something is wrong. Each returns whether the bytes are
//! what they should be; those that are must encode to the same bytes again.

use billchain_crypto::sm2::{DEFAULT_ID, SecretKey, Signature};
use billchain_crypto::sm3::sm3;
use billchain_primitives::Hash;
use bytes::Bytes;
use malachitebft_app_channel::app::consensus::{LivenessMsg, ProposedValue, SignedConsensusMsg};
use malachitebft_app_channel::app::streaming::{StreamContent, StreamId};
use malachitebft_app_channel::app::types::Keypair;
use malachitebft_app_channel::app::types::core::{
    ExtendedCommitCertificate, ExtendedCommitSignature, NilOrVal, PolkaCertificate, PolkaSignature,
    Round as EngineRound, RoundCertificate, RoundCertificateType, RoundSignature, SignedProposal,
    SignedVote, ValidatorProof, Validity, VoteType,
};
use malachitebft_sync::{RawDecidedValue, Request, Response, Status, ValueRequest, ValueResponse};

use crate::certificate::{CommitCertificate, CommitSignature};
use crate::codec::{Wired, decode, encode, encoded_len};
use crate::types::{
    Address, Announcement, BillContext, BlockHash, BlockValue, Form, Height, Proposal,
    ProposalPart, Round, SignedAnnouncement, StreamMessage, Vote,
};
use crate::undecided::{self, StoredBlock};

macro_rules! messages {
    ($($(#[$doc:meta])* $name:ident: $type:ty;)*) => {$(
        $(#[$doc])*
        pub fn $name(data: &[u8]) -> bool {
            canonical::<$type>(data)
        }
    )*};
}

messages! {
    /// Votes and proposals, from peers and from the write-ahead log.
    consensus_message: SignedConsensusMsg<BillContext>;
    /// What peers repeat.
    liveness_message: LivenessMsg<BillContext>;
    /// Parts of blocks in their streams.
    stream_message: StreamMessage;
    /// Parts of blocks alone.
    proposal_part: ProposalPart;
    /// Checked blocks, from the write-ahead log.
    proposed_value: ProposedValue<BillContext>;
    /// Certificates of a polka, from the write-ahead log.
    polka_certificate: PolkaCertificate<BillContext>;
    /// Proofs of identities.
    validator_proof: ValidatorProof<BillContext>;
    /// What peers have.
    sync_status: Status<BillContext>;
    /// What peers ask for.
    sync_request: Request<BillContext>;
    /// Decided blocks.
    sync_response: Response<BillContext>;
}

fn canonical<T: Wired>(data: &[u8]) -> bool {
    let Ok(value) = decode::<T>(Bytes::copy_from_slice(data)) else { return false };
    assert_eq!(encode(&value).as_deref(), Ok(data), "{} has two forms", T::WHAT);
    assert_eq!(encoded_len(&value), Ok(data.len()));
    true
}

/// Commit certificates, from peers and from disk.
pub fn commit_certificate(data: &[u8]) -> bool {
    let Ok(certificate) = CommitCertificate::from_bytes(data) else { return false };
    assert_eq!(certificate.to_bytes(), data);
    let decoded = <CommitCertificate as codec::DecodeAll>::decode_all(&mut &data[..]);
    assert_eq!(decoded.as_ref(), Ok(&certificate));
    // As it goes to a peer that catches up.
    assert_eq!(certificate.to_engine().commit_signatures.len(), certificate.signatures.len());
    true
}

/// Files of undecided blocks: `data` as a file, and as the header of one, which
/// the checksum would keep most damage from.
pub fn undecided_record(data: &[u8]) -> bool {
    let as_file = undecided::parse(Bytes::copy_from_slice(data));
    if let Some(stored) = &as_file {
        assert_eq!(undecided_file(&undecided::header(stored), &stored.bytes), data);
    }
    let as_header = undecided::parse(undecided_file(data, &block()));
    if let Some(stored) = &as_header {
        assert_eq!(undecided::header(stored), data);
    }
    as_file.is_some() || as_header.is_some()
}

fn undecided_file(header: &[u8], block: &[u8]) -> Bytes {
    [&undecided::sealed(header)[..], block].concat().into()
}

/// Encodings by the names of functions.
type Samples = Vec<(&'static str, Vec<u8>)>;

/// One or more real encodings for each function above, by its name.
pub fn samples() -> Samples {
    let mut samples = statements();
    samples.extend(parts());
    samples.extend(logged());
    samples.extend(synced());
    samples.extend(kept());
    samples
}

/// Of what validators say, and repeat.
fn statements() -> Samples {
    let proposal = Proposal {
        height: Height::new(9),
        round: EngineRound::new(3),
        value: BlockValue(hash()),
        pol_round: EngineRound::new(1),
        proposer: address(1),
    };
    let proposal = SignedProposal::new(proposal, signature());
    vec![
        ("consensus_message", bytes(SignedConsensusMsg::Vote(vote(NilOrVal::Nil)))),
        ("consensus_message", bytes(SignedConsensusMsg::Vote(vote(NilOrVal::Val(hash()))))),
        ("consensus_message", bytes(SignedConsensusMsg::Proposal(proposal))),
        ("liveness_message", bytes(LivenessMsg::Vote(vote(NilOrVal::Val(hash()))))),
        ("liveness_message", bytes(LivenessMsg::PolkaCertificate(polka()))),
        ("liveness_message", bytes(LivenessMsg::SkipRoundCertificate(skip()))),
    ]
}

/// Of blocks on their way.
fn parts() -> Samples {
    let announce = |form| ProposalPart::Init(Box::new(announced()), form);
    let (part, compact) = (announce(Form::Whole), announce(Form::Compact(40)));
    let data = ProposalPart::Data(block());
    let stream = |content| bytes(StreamMessage::new(StreamId::new(vec![9; 20].into()), 1, content));
    vec![
        ("stream_message", stream(StreamContent::Data(part.clone()))),
        ("stream_message", stream(StreamContent::Data(compact.clone()))),
        ("stream_message", stream(StreamContent::Data(data.clone()))),
        ("stream_message", stream(StreamContent::Fin)),
        ("proposal_part", bytes(part)),
        ("proposal_part", bytes(compact)),
        ("proposal_part", bytes(data)),
    ]
}

/// Of what only the write-ahead log has by itself.
fn logged() -> Samples {
    let value = ProposedValue::<BillContext> {
        height: Height::new(9),
        round: EngineRound::new(3),
        valid_round: EngineRound::new(1),
        proposer: address(1),
        value: BlockValue(hash()),
        validity: Validity::Valid,
    };
    vec![("proposed_value", bytes(value)), ("polka_certificate", bytes(polka()))]
}

/// Of who peers are, and what they have and ask for.
fn synced() -> Samples {
    let peer = Keypair::ed25519_from_bytes([5; 32]).expect("32 bytes").public().to_peer_id();
    let key = key().public().to_compressed().to_vec();
    let proof = ValidatorProof::<BillContext>::new(key, peer.to_bytes(), signature());
    let status = Status::<BillContext> {
        peer_id: malachitebft_app_channel::app::types::PeerId::from_bytes(&peer.to_bytes())
            .expect("the bytes of an identity"),
        tip_height: Height::new(9),
        history_min_height: Height::new(1),
    };
    let range = Height::new(4)..=Height::new(8);
    vec![
        ("validator_proof", bytes(proof)),
        ("sync_status", bytes(status)),
        ("sync_request", bytes(Request::<BillContext>::ValueRequest(ValueRequest::new(range)))),
        ("sync_response", bytes(response(&block(), 2))),
        ("sync_response", bytes(response(&block(), 0))),
    ]
}

/// Of what nodes keep.
fn kept() -> Samples {
    let certificate = CommitCertificate {
        height: Height::new(9),
        round: Round::FIRST,
        block_hash: hash(),
        signatures: (1..4)
            .map(|n| CommitSignature { address: address(n), signature: signature() })
            .collect(),
    };
    let undecided = |announced| {
        undecided::header(&StoredBlock {
            height: Height::new(9),
            round: Round::new(3),
            hash: hash(),
            announced,
            bytes: block(),
        })
    };
    let (proposed, synced) = (undecided(Some(announced())), undecided(None));
    vec![
        ("commit_certificate", certificate.to_bytes()),
        ("undecided_record", undecided_file(&proposed, &block()).to_vec()),
        ("undecided_record", undecided_file(&synced, &block()).to_vec()),
        ("undecided_record", proposed),
        ("undecided_record", synced),
    ]
}

fn bytes<T: Wired>(value: T) -> Vec<u8> {
    encode(&value).expect("the samples are of rounds").to_vec()
}

fn key() -> SecretKey {
    SecretKey::from_seed(b"fuzzing")
}

fn signature() -> Signature {
    key().sign(DEFAULT_ID, b"message")
}

fn address(byte: u8) -> Address {
    [byte; 32].into()
}

fn hash() -> BlockHash {
    Hash::repeat_byte(2).into()
}

fn block() -> Bytes {
    Bytes::from(vec![7; 300])
}

fn vote(value: NilOrVal<BlockHash>) -> SignedVote<BillContext> {
    let vote = Vote {
        kind: VoteType::Precommit,
        height: Height::new(9),
        round: EngineRound::new(3),
        value,
        voter: address(1),
    };
    SignedVote::new(vote, signature())
}

fn announced() -> SignedAnnouncement {
    let announcement = Announcement {
        height: Height::new(9),
        round: Round::new(3),
        proposer: address(1),
        block_hash: hash(),
        size: block().len() as u32,
        content: sm3(&block()),
    };
    SignedAnnouncement { announcement, signature: signature() }
}

fn polka() -> PolkaCertificate<BillContext> {
    PolkaCertificate {
        height: Height::new(9),
        round: EngineRound::new(3),
        value_id: hash(),
        polka_signatures: (1..4).map(|n| PolkaSignature::new(address(n), signature())).collect(),
    }
}

fn skip() -> RoundCertificate<BillContext> {
    RoundCertificate {
        height: Height::new(9),
        round: EngineRound::new(3),
        cert_type: RoundCertificateType::Skip,
        round_signatures: vec![
            RoundSignature::new(VoteType::Prevote, NilOrVal::Nil, address(1), signature()),
            RoundSignature::new(
                VoteType::Precommit,
                NilOrVal::Val(hash()),
                address(2),
                signature(),
            ),
        ],
    }
}

fn response(block: &Bytes, count: usize) -> Response<BillContext> {
    let certificate = ExtendedCommitCertificate {
        height: Height::new(9),
        round: EngineRound::new(0),
        value_id: hash(),
        commit_signatures: (1..4)
            .map(|n| ExtendedCommitSignature::new(address(n), signature(), None))
            .collect(),
    };
    let value = RawDecidedValue::new(block.clone(), certificate);
    Response::ValueResponse(ValueResponse::new(Height::new(9), vec![value; count]))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;

    /// What other nodes send, and what lies on their disks and on this one's, was
    /// encoded by the versions before. Whoever changes an encoding on purpose
    /// writes the corpus again.
    #[test]
    fn every_encoding_is_as_the_corpus_has_it() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
        let mut numbers = BTreeMap::<_, u32>::new();
        for (name, sample) in samples() {
            let number = numbers.entry(name).or_default();
            let file = corpus.join(name).join(format!("seed-{number:02}"));
            *number += 1;
            let stored = std::fs::read(&file).expect("the corpus has every sample");
            assert_eq!(hex::encode(sample), hex::encode(stored), "{}", file.display());
        }
    }
}
