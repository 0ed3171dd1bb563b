//! Encoded certificates and liveness messages.

use codec::{Decode, Encode};
use malachitebft_app_channel::app::consensus::LivenessMsg;
use malachitebft_app_channel::app::types::core::{
    PolkaCertificate, PolkaSignature, RoundCertificate, RoundCertificateType, RoundSignature,
};

use super::statements::WireVote;
use super::{SigBytes, WireVoteType, nil_or, round, signature, valid_round, value_of};
use crate::codec::{Bounded, Wired};
use crate::types::{Address, BillContext, BlockHash, Height, MAX_VALIDATORS, Round};

/// Validators may sign a pre-vote and a pre-commit each in a round certificate.
const MAX_ROUND_SIGNATURES: usize = 2 * MAX_VALIDATORS;

/// Two thirds pre-voted for a block.
#[derive(Encode, Decode)]
pub(crate) struct WirePolka {
    height: Height,
    round: Round,
    value: BlockHash,
    signatures: Bounded<(Address, SigBytes), MAX_VALIDATORS>,
}

impl Wired for PolkaCertificate<BillContext> {
    const WHAT: &'static str = "polka certificate";
    type Wire = WirePolka;

    fn to_wire(&self) -> Result<WirePolka, String> {
        Ok(WirePolka {
            height: self.height,
            round: round(self.round)?,
            value: self.value_id,
            signatures: Bounded(
                self.polka_signatures
                    .iter()
                    .map(|entry| (entry.address, entry.signature.to_bytes()))
                    .collect(),
            ),
        })
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
    round: Round,
    /// Whether it is a skip (one third of any votes) or a full pre-commit set.
    skip: bool,
    signatures: Bounded<WireRoundSignature, MAX_ROUND_SIGNATURES>,
}

impl TryFrom<&RoundCertificate<BillContext>> for WireRoundCertificate {
    type Error = String;

    fn try_from(certificate: &RoundCertificate<BillContext>) -> Result<Self, String> {
        Ok(Self {
            height: certificate.height,
            round: round(certificate.round)?,
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
        })
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

    fn to_wire(&self) -> Result<WireLiveness, String> {
        Ok(match self {
            Self::Vote(vote) => WireLiveness::Vote(vote.try_into()?),
            Self::PolkaCertificate(polka) => WireLiveness::Polka(polka.to_wire()?),
            Self::SkipRoundCertificate(skip) => WireLiveness::SkipRound(skip.try_into()?),
        })
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
