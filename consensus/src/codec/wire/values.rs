//! Encoded consensus values and proofs of validators.

use codec::{Decode, Encode};
use malachitebft_app_channel::app::consensus::ProposedValue;
use malachitebft_app_channel::app::types::core::{ValidatorProof, Validity};

use super::{
    MAX_PEER_ID, SigBytes, round, round_or_nil, signature, valid_round, valid_round_or_nil,
};
use crate::codec::{Bounded, Wired};
use crate::types::{Address, BillContext, BlockHash, BlockValue, Height, Round};

impl Wired for BlockValue {
    const WHAT: &'static str = "value";
    type Wire = BlockHash;

    fn to_wire(&self) -> Result<BlockHash, String> {
        Ok(self.0)
    }

    fn from_wire(wire: BlockHash) -> Result<Self, String> {
        Ok(Self(wire))
    }
}

/// A block this node has checked, in the write-ahead log.
#[derive(Encode, Decode)]
pub(crate) struct WireProposedValue {
    height: Height,
    round: Round,
    valid_round: Option<Round>,
    proposer: Address,
    value: BlockHash,
    valid: bool,
}

impl Wired for ProposedValue<BillContext> {
    const WHAT: &'static str = "proposed value";
    type Wire = WireProposedValue;

    fn to_wire(&self) -> Result<WireProposedValue, String> {
        Ok(WireProposedValue {
            height: self.height,
            round: round(self.round)?,
            valid_round: round_or_nil(self.valid_round),
            proposer: self.proposer,
            value: self.value.0,
            valid: self.validity.is_valid(),
        })
    }

    fn from_wire(wire: WireProposedValue) -> Result<Self, String> {
        Ok(Self {
            height: wire.height,
            round: valid_round(wire.round)?,
            valid_round: valid_round_or_nil(wire.valid_round)?,
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

    fn to_wire(&self) -> Result<WireProof, String> {
        let public_key = self.public_key.as_slice().try_into();
        let length = self.public_key.len();
        Ok(WireProof {
            public_key: public_key.map_err(|_| format!("a key of {length} bytes, expected 33"))?,
            peer_id: Bounded(self.peer_id.clone()),
            signature: self.signature.to_bytes(),
        })
    }

    fn from_wire(wire: WireProof) -> Result<Self, String> {
        let signature = signature(&wire.signature)?;
        Ok(Self::new(wire.public_key.to_vec(), wire.peer_id.0, signature))
    }
}
