//! Encoded forms of the engine's types.

use billchain_crypto::sm2::Signature;
use bytes::Bytes;
use codec::{Decode, Encode};
use malachitebft_app_channel::app::consensus::{
    LivenessMsg, PeerId, ProposedValue, SignedConsensusMsg,
};
use malachitebft_app_channel::app::streaming::{StreamContent, StreamId};
use malachitebft_app_channel::app::types::core::{
    ExtendedCommitCertificate, ExtendedCommitSignature, NilOrVal, PolkaCertificate, PolkaSignature,
    Round, RoundCertificate, RoundCertificateType, RoundSignature, SignedProposal, SignedVote,
    ValidatorProof, Validity, VoteType,
};
use malachitebft_sync::{RawDecidedValue, Request, Response, Status, ValueRequest, ValueResponse};

use super::{Bounded, Wired};
use crate::types::{
    Address, Announcement, BillContext, BlockHash, BlockValue, Form, Height, MAX_CHUNK_BYTES,
    MAX_VALIDATORS, Proposal, ProposalPart, SignedAnnouncement, StreamMessage, Vote,
};

/// Most blocks in one sync response, whatever was asked for.
pub(crate) const MAX_SYNC_VALUES: usize = 64;
/// Longest stream id: height, round and a counter.
const MAX_STREAM_ID: usize = 32;
/// Longest peer id: a multihash of an inlined Ed25519 key has 38 bytes.
const MAX_PEER_ID: usize = 64;
/// Validators may sign a pre-vote and a pre-commit each in a round certificate.
const MAX_ROUND_SIGNATURES: usize = 2 * MAX_VALIDATORS;

/// A height that has not been decided after this many rounds never will be.
const MAX_ROUND: u32 = 1 << 24;

type SigBytes = [u8; 64];

fn signature(bytes: &SigBytes) -> Result<Signature, String> {
    Signature::from_bytes(bytes).map_err(|error| error.to_string())
}

/// A round that must not be nil.
fn round(round: &Round) -> u32 {
    // The engine makes no vote, proposal or certificate for the nil round.
    round.as_u32().unwrap_or(0)
}

/// Refuses rounds no run of the protocol reaches, so that arithmetic on rounds
/// that follow a foreign one cannot overflow.
fn valid_round(round: u32) -> Result<Round, String> {
    if round > MAX_ROUND {
        return Err(format!("round {round} is beyond {MAX_ROUND}"));
    }
    Ok(Round::new(round))
}

fn optional_round(round: Option<u32>) -> Result<Round, String> {
    round.map_or(Ok(Round::Nil), valid_round)
}

fn value_of(value: &NilOrVal<BlockHash>) -> Option<BlockHash> {
    match value {
        NilOrVal::Nil => None,
        NilOrVal::Val(hash) => Some(*hash),
    }
}

fn nil_or(value: Option<BlockHash>) -> NilOrVal<BlockHash> {
    value.map_or(NilOrVal::Nil, NilOrVal::Val)
}

/// Pre-vote or pre-commit.
#[derive(Clone, Copy, Encode, Decode)]
pub(crate) enum WireVoteType {
    #[codec(index = 1)]
    Prevote,
    #[codec(index = 2)]
    Precommit,
}

impl From<VoteType> for WireVoteType {
    fn from(kind: VoteType) -> Self {
        match kind {
            VoteType::Prevote => Self::Prevote,
            VoteType::Precommit => Self::Precommit,
        }
    }
}

impl From<WireVoteType> for VoteType {
    fn from(kind: WireVoteType) -> Self {
        match kind {
            WireVoteType::Prevote => Self::Prevote,
            WireVoteType::Precommit => Self::Precommit,
        }
    }
}

/// A signed vote.
#[derive(Encode, Decode)]
pub(crate) struct WireVote {
    kind: WireVoteType,
    height: Height,
    round: u32,
    value: Option<BlockHash>,
    voter: Address,
    signature: SigBytes,
}

impl From<&SignedVote<BillContext>> for WireVote {
    fn from(vote: &SignedVote<BillContext>) -> Self {
        Self {
            kind: vote.message.kind.into(),
            height: vote.message.height,
            round: round(&vote.message.round),
            value: value_of(&vote.message.value),
            voter: vote.message.voter,
            signature: vote.signature.to_bytes(),
        }
    }
}

impl TryFrom<WireVote> for SignedVote<BillContext> {
    type Error = String;

    fn try_from(wire: WireVote) -> Result<Self, String> {
        let vote = Vote {
            kind: wire.kind.into(),
            height: wire.height,
            round: valid_round(wire.round)?,
            value: nil_or(wire.value),
            voter: wire.voter,
        };
        Ok(Self::new(vote, signature(&wire.signature)?))
    }
}

/// A signed proposal.
#[derive(Encode, Decode)]
pub(crate) struct WireProposal {
    height: Height,
    round: u32,
    value: BlockHash,
    pol_round: Option<u32>,
    proposer: Address,
    signature: SigBytes,
}

impl From<&SignedProposal<BillContext>> for WireProposal {
    fn from(proposal: &SignedProposal<BillContext>) -> Self {
        Self {
            height: proposal.message.height,
            round: round(&proposal.message.round),
            value: proposal.message.value.0,
            pol_round: proposal.message.pol_round.as_u32(),
            proposer: proposal.message.proposer,
            signature: proposal.signature.to_bytes(),
        }
    }
}

impl TryFrom<WireProposal> for SignedProposal<BillContext> {
    type Error = String;

    fn try_from(wire: WireProposal) -> Result<Self, String> {
        let proposal = Proposal {
            height: wire.height,
            round: valid_round(wire.round)?,
            value: BlockValue(wire.value),
            pol_round: optional_round(wire.pol_round)?,
            proposer: wire.proposer,
        };
        Ok(Self::new(proposal, signature(&wire.signature)?))
    }
}

/// A signed vote or proposal.
#[derive(Encode, Decode)]
pub(crate) enum WireConsensus {
    #[codec(index = 1)]
    Vote(WireVote),
    #[codec(index = 2)]
    Proposal(WireProposal),
}

impl Wired for SignedConsensusMsg<BillContext> {
    const WHAT: &'static str = "consensus message";
    type Wire = WireConsensus;

    fn to_wire(&self) -> WireConsensus {
        match self {
            Self::Vote(vote) => WireConsensus::Vote(vote.into()),
            Self::Proposal(proposal) => WireConsensus::Proposal(proposal.into()),
        }
    }

    fn from_wire(wire: WireConsensus) -> Result<Self, String> {
        Ok(match wire {
            WireConsensus::Vote(vote) => Self::Vote(vote.try_into()?),
            WireConsensus::Proposal(proposal) => Self::Proposal(proposal.try_into()?),
        })
    }
}

/// Two thirds pre-voted for a block.
#[derive(Encode, Decode)]
pub(crate) struct WirePolka {
    height: Height,
    round: u32,
    value: BlockHash,
    signatures: Bounded<(Address, SigBytes), MAX_VALIDATORS>,
}

impl Wired for PolkaCertificate<BillContext> {
    const WHAT: &'static str = "polka certificate";
    type Wire = WirePolka;

    fn to_wire(&self) -> WirePolka {
        WirePolka {
            height: self.height,
            round: round(&self.round),
            value: self.value_id,
            signatures: Bounded(
                self.polka_signatures
                    .iter()
                    .map(|entry| (entry.address, entry.signature.to_bytes()))
                    .collect(),
            ),
        }
    }

    fn from_wire(wire: WirePolka) -> Result<Self, String> {
        Ok(Self {
            height: wire.height,
            round: valid_round(wire.round)?,
            value_id: wire.value,
            polka_signatures: wire
                .signatures
                .0
                .iter()
                .map(|(address, bytes)| Ok(PolkaSignature::new(*address, signature(bytes)?)))
                .collect::<Result<_, String>>()?,
        })
    }
}

#[derive(Encode, Decode)]
struct WireRoundSignature {
    kind: WireVoteType,
    value: Option<BlockHash>,
    address: Address,
    signature: SigBytes,
}

/// Enough votes to enter a round.
#[derive(Encode, Decode)]
pub(crate) struct WireRoundCertificate {
    height: Height,
    round: u32,
    /// Whether it is a skip (one third of any votes) or a full pre-commit set.
    skip: bool,
    signatures: Bounded<WireRoundSignature, MAX_ROUND_SIGNATURES>,
}

impl From<&RoundCertificate<BillContext>> for WireRoundCertificate {
    fn from(certificate: &RoundCertificate<BillContext>) -> Self {
        Self {
            height: certificate.height,
            round: round(&certificate.round),
            skip: matches!(certificate.cert_type, RoundCertificateType::Skip),
            signatures: Bounded(
                certificate
                    .round_signatures
                    .iter()
                    .map(|entry| WireRoundSignature {
                        kind: entry.vote_type.into(),
                        value: value_of(&entry.value_id),
                        address: entry.address,
                        signature: entry.signature.to_bytes(),
                    })
                    .collect(),
            ),
        }
    }
}

impl TryFrom<WireRoundCertificate> for RoundCertificate<BillContext> {
    type Error = String;

    fn try_from(wire: WireRoundCertificate) -> Result<Self, String> {
        Ok(Self {
            height: wire.height,
            round: valid_round(wire.round)?,
            cert_type: if wire.skip {
                RoundCertificateType::Skip
            } else {
                RoundCertificateType::Precommit
            },
            round_signatures: wire
                .signatures
                .0
                .into_iter()
                .map(|entry| {
                    Ok(RoundSignature::new(
                        entry.kind.into(),
                        nil_or(entry.value),
                        entry.address,
                        signature(&entry.signature)?,
                    ))
                })
                .collect::<Result<_, String>>()?,
        })
    }
}

/// What is repeated so that a slow network makes progress.
#[derive(Encode, Decode)]
pub(crate) enum WireLiveness {
    #[codec(index = 1)]
    Vote(WireVote),
    #[codec(index = 2)]
    Polka(WirePolka),
    #[codec(index = 3)]
    SkipRound(WireRoundCertificate),
}

impl Wired for LivenessMsg<BillContext> {
    const WHAT: &'static str = "liveness message";
    type Wire = WireLiveness;

    fn to_wire(&self) -> WireLiveness {
        match self {
            Self::Vote(vote) => WireLiveness::Vote(vote.into()),
            Self::PolkaCertificate(polka) => WireLiveness::Polka(polka.to_wire()),
            Self::SkipRoundCertificate(skip) => WireLiveness::SkipRound(skip.into()),
        }
    }

    fn from_wire(wire: WireLiveness) -> Result<Self, String> {
        Ok(match wire {
            WireLiveness::Vote(vote) => Self::Vote(vote.try_into()?),
            WireLiveness::Polka(polka) => {
                Self::PolkaCertificate(PolkaCertificate::from_wire(polka)?)
            }
            WireLiveness::SkipRound(skip) => Self::SkipRoundCertificate(skip.try_into()?),
        })
    }
}

impl Wired for BlockValue {
    const WHAT: &'static str = "value";
    type Wire = BlockHash;

    fn to_wire(&self) -> BlockHash {
        self.0
    }

    fn from_wire(wire: BlockHash) -> Result<Self, String> {
        Ok(Self(wire))
    }
}

/// One part of a block.
#[derive(Encode, Decode)]
pub(crate) enum WirePart {
    #[codec(index = 1)]
    Init(Announcement, SigBytes),
    #[codec(index = 2)]
    Data(Bytes),
    /// Announces the compact block, of so many bytes.
    #[codec(index = 3)]
    InitCompact(Announcement, SigBytes, u32),
}

impl Wired for ProposalPart {
    const WHAT: &'static str = "proposal part";
    type Wire = WirePart;

    fn to_wire(&self) -> WirePart {
        match self {
            Self::Init(part, form) => {
                let (init, signature) = (part.announcement.clone(), part.signature.to_bytes());
                match form {
                    Form::Whole => WirePart::Init(init, signature),
                    Form::Compact(size) => WirePart::InitCompact(init, signature, *size),
                }
            }
            Self::Data(data) => WirePart::Data(data.clone()),
        }
    }

    fn from_wire(wire: WirePart) -> Result<Self, String> {
        let announce = |init, bytes, form| {
            Ok(Self::Init(
                Box::new(SignedAnnouncement { announcement: init, signature: signature(bytes)? }),
                form,
            ))
        };
        match wire {
            WirePart::Init(init, bytes) => announce(init, &bytes, Form::Whole),
            WirePart::InitCompact(init, bytes, size) => announce(init, &bytes, Form::Compact(size)),
            WirePart::Data(data) if data.is_empty() || data.len() > MAX_CHUNK_BYTES => {
                Err(format!("{} data bytes, expected 1 to {MAX_CHUNK_BYTES}", data.len()))
            }
            WirePart::Data(data) => Ok(Self::Data(data)),
        }
    }
}

/// A part in its stream; `None` ends the stream for the transport.
#[derive(Encode, Decode)]
pub(crate) struct WireStream {
    id: Bounded<u8, MAX_STREAM_ID>,
    sequence: u64,
    part: Option<WirePart>,
}

impl Wired for StreamMessage {
    const WHAT: &'static str = "stream message";
    type Wire = WireStream;

    fn to_wire(&self) -> WireStream {
        WireStream {
            id: Bounded(self.stream_id.to_bytes().to_vec()),
            sequence: self.sequence,
            part: match &self.content {
                StreamContent::Data(part) => Some(part.to_wire()),
                StreamContent::Fin => None,
            },
        }
    }

    fn from_wire(wire: WireStream) -> Result<Self, String> {
        Ok(Self {
            stream_id: StreamId::new(wire.id.0.into()),
            sequence: wire.sequence,
            content: match wire.part {
                Some(part) => StreamContent::Data(ProposalPart::from_wire(part)?),
                None => StreamContent::Fin,
            },
        })
    }
}

/// A block this node has checked, in the write-ahead log.
#[derive(Encode, Decode)]
pub(crate) struct WireProposedValue {
    height: Height,
    round: u32,
    valid_round: Option<u32>,
    proposer: Address,
    value: BlockHash,
    valid: bool,
}

impl Wired for ProposedValue<BillContext> {
    const WHAT: &'static str = "proposed value";
    type Wire = WireProposedValue;

    fn to_wire(&self) -> WireProposedValue {
        WireProposedValue {
            height: self.height,
            round: round(&self.round),
            valid_round: self.valid_round.as_u32(),
            proposer: self.proposer,
            value: self.value.0,
            valid: self.validity.is_valid(),
        }
    }

    fn from_wire(wire: WireProposedValue) -> Result<Self, String> {
        Ok(Self {
            height: wire.height,
            round: valid_round(wire.round)?,
            valid_round: optional_round(wire.valid_round)?,
            proposer: wire.proposer,
            value: BlockValue(wire.value),
            validity: Validity::from_bool(wire.valid),
        })
    }
}

/// Proof that a network identity belongs to a validator.
#[derive(Encode, Decode)]
pub(crate) struct WireProof {
    public_key: [u8; 33],
    peer_id: Bounded<u8, MAX_PEER_ID>,
    signature: SigBytes,
}

impl Wired for ValidatorProof<BillContext> {
    const WHAT: &'static str = "validator proof";
    type Wire = WireProof;

    fn to_wire(&self) -> WireProof {
        // Always 33 bytes: proofs come from `Sm2Signer` or from the decoder below.
        let mut public_key = [0; 33];
        let length = self.public_key.len().min(33);
        public_key[..length].copy_from_slice(&self.public_key[..length]);
        WireProof {
            public_key,
            peer_id: Bounded(self.peer_id.clone()),
            signature: self.signature.to_bytes(),
        }
    }

    fn from_wire(wire: WireProof) -> Result<Self, String> {
        let signature = signature(&wire.signature)?;
        Ok(Self::new(wire.public_key.to_vec(), wire.peer_id.0, signature))
    }
}

/// What a peer has.
#[derive(Encode, Decode)]
pub(crate) struct WireStatus {
    peer: Bounded<u8, MAX_PEER_ID>,
    tip: Height,
    earliest: Height,
}

impl Wired for Status<BillContext> {
    const WHAT: &'static str = "sync status";
    type Wire = WireStatus;

    fn to_wire(&self) -> WireStatus {
        WireStatus {
            peer: Bounded(self.peer_id.to_bytes()),
            tip: self.tip_height,
            earliest: self.history_min_height,
        }
    }

    fn from_wire(wire: WireStatus) -> Result<Self, String> {
        Ok(Self {
            peer_id: PeerId::from_bytes(&wire.peer.0).map_err(|error| error.to_string())?,
            tip_height: wire.tip,
            history_min_height: wire.earliest,
        })
    }
}

/// The heights a peer asks for, both ends included.
#[derive(Encode, Decode)]
pub(crate) struct WireRequest {
    first: Height,
    last: Height,
}

impl Wired for Request<BillContext> {
    const WHAT: &'static str = "sync request";
    type Wire = WireRequest;

    fn to_wire(&self) -> WireRequest {
        let Self::ValueRequest(request) = self;
        WireRequest { first: *request.range.start(), last: *request.range.end() }
    }

    fn from_wire(wire: WireRequest) -> Result<Self, String> {
        if wire.last < wire.first {
            return Err(format!("range ends at {} before it begins at {}", wire.last, wire.first));
        }
        Ok(Self::ValueRequest(ValueRequest::new(wire.first..=wire.last)))
    }
}

#[derive(Encode, Decode)]
struct WireDecided {
    block: Bytes,
    height: Height,
    round: u32,
    hash: BlockHash,
    signatures: Bounded<(Address, SigBytes), MAX_VALIDATORS>,
}

impl From<&RawDecidedValue<BillContext>> for WireDecided {
    fn from(value: &RawDecidedValue<BillContext>) -> Self {
        Self {
            block: value.value_bytes.clone(),
            height: value.certificate.height,
            round: round(&value.certificate.round),
            hash: value.certificate.value_id,
            signatures: Bounded(
                value
                    .certificate
                    .commit_signatures
                    .iter()
                    .map(|entry| (entry.address, entry.signature.to_bytes()))
                    .collect(),
            ),
        }
    }
}

impl TryFrom<WireDecided> for RawDecidedValue<BillContext> {
    type Error = String;

    fn try_from(wire: WireDecided) -> Result<Self, String> {
        let commit_signatures = wire
            .signatures
            .0
            .iter()
            .map(|(address, bytes)| {
                Ok(ExtendedCommitSignature::new(*address, signature(bytes)?, None))
            })
            .collect::<Result<_, String>>()?;
        let certificate = ExtendedCommitCertificate {
            height: wire.height,
            round: valid_round(wire.round)?,
            value_id: wire.hash,
            commit_signatures,
        };
        Ok(Self::new(wire.block, certificate))
    }
}

/// Blocks with their certificates, ascending from `first`.
#[derive(Encode, Decode)]
pub(crate) struct WireResponse {
    first: Height,
    values: Bounded<WireDecided, MAX_SYNC_VALUES>,
}

impl Wired for Response<BillContext> {
    const WHAT: &'static str = "sync response";
    type Wire = WireResponse;

    fn to_wire(&self) -> WireResponse {
        let Self::ValueResponse(response) = self;
        WireResponse {
            first: response.start_height,
            values: Bounded(response.values.iter().map(WireDecided::from).collect()),
        }
    }

    fn from_wire(wire: WireResponse) -> Result<Self, String> {
        let values =
            wire.values.0.into_iter().map(TryInto::try_into).collect::<Result<_, String>>()?;
        Ok(Self::ValueResponse(ValueResponse::new(wire.first, values)))
    }
}
