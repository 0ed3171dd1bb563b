//! Encoded consensus values and proofs of validators.

use codec::{Decode, Encode};
use malachitebft_app_channel::app::consensus::ProposedValue;
use malachitebft_app_channel::app::types::core::{ValidatorProof, Validity};

use super::{MAX_PEER_ID, SigBytes, optional_round, round, signature, valid_round};
use crate::codec::{Bounded, Wired};
use crate::types::{Address, BillContext, BlockHash, BlockValue, Height};

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
