//! Encoded status, request and response of value sync.

use bytes::Bytes;
use codec::{Decode, Encode};
use malachitebft_app_channel::app::consensus::PeerId;
use malachitebft_app_channel::app::types::core::{
    ExtendedCommitCertificate, ExtendedCommitSignature,
};
use malachitebft_sync::{RawDecidedValue, Request, Response, Status, ValueRequest, ValueResponse};

use super::{MAX_PEER_ID, SigBytes, round, signature, valid_round};
use crate::codec::{Bounded, Wired};
use crate::types::{Address, BillContext, BlockHash, Height, MAX_VALIDATORS, Round};

/// Most blocks in one sync response, whatever was asked for.
pub(crate) const MAX_SYNC_VALUES: usize = 64;

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

    fn to_wire(&self) -> Result<WireStatus, String> {
        Ok(WireStatus {
            peer: Bounded(self.peer_id.to_bytes()),
            tip: self.tip_height,
            earliest: self.history_min_height,
        })
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

    fn to_wire(&self) -> Result<WireRequest, String> {
        let Self::ValueRequest(request) = self;
        Ok(WireRequest { first: *request.range.start(), last: *request.range.end() })
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
    round: Round,
    hash: BlockHash,
    signatures: Bounded<(Address, SigBytes), MAX_VALIDATORS>,
}

impl TryFrom<&RawDecidedValue<BillContext>> for WireDecided {
    type Error = String;

    fn try_from(value: &RawDecidedValue<BillContext>) -> Result<Self, String> {
        Ok(Self {
            block: value.value_bytes.clone(),
            height: value.certificate.height,
            round: round(value.certificate.round)?,
            hash: value.certificate.value_id,
            signatures: Bounded(
                value
                    .certificate
                    .commit_signatures
                    .iter()
                    .map(|entry| (entry.address, entry.signature.to_bytes()))
                    .collect(),
            ),
        })
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

    fn to_wire(&self) -> Result<WireResponse, String> {
        let Self::ValueResponse(response) = self;
        let values =
            response.values.iter().map(TryInto::try_into).collect::<Result<_, String>>()?;
        Ok(WireResponse { first: response.start_height, values: Bounded(values) })
    }

    fn from_wire(wire: WireResponse) -> Result<Self, String> {
        let values =
            wire.values.0.into_iter().map(TryInto::try_into).collect::<Result<_, String>>()?;
        Ok(Self::ValueResponse(ValueResponse::new(wire.first, values)))
    }
}
