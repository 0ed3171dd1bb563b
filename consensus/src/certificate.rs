//! Commit certificates: the proof that a block is final.
//!
//! A certificate is stored with its block and checks without a node: whoever
//! knows the chain's genesis hash and the validator set of the height can tell
//! that validators with more than two thirds of the power pre-committed to
//! exactly this block.

use billchain_crypto::sm2::{DEFAULT_ID, Signature};
use billchain_primitives::{AccountId, LatePrecommit, ParentCommit, Precommit};
use codec::{Decode, Encode};
use malachitebft_app_channel::app::types::core;
use thiserror::Error;

use crate::codec::Bounded;
use crate::signing::ChainDomain;
use crate::types::{
    Address, BillContext, BlockHash, Height, MAX_VALIDATORS, NilRound, Round, ValidatorSet,
};

/// One validator's pre-commit in a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitSignature {
    /// Who signed.
    pub address: Address,
    /// SM2 signature over the pre-commit, see [`ChainDomain::precommit_bytes`].
    pub signature: Signature,
}

/// More than two thirds of the voting power agreed on this block.
///
/// SCALE layout: height `u64`, round `u32`, block hash 32 bytes, then a vector
/// of (address 32 bytes, signature r‖s 64 bytes), ascending by address, at most
/// [`MAX_VALIDATORS`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitCertificate {
    /// Height of the block.
    pub height: Height,
    /// Round in which it was decided.
    pub round: Round,
    /// Hash of the block.
    pub block_hash: BlockHash,
    /// The pre-commits.
    pub signatures: Vec<CommitSignature>,
}

/// Why a certificate proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CertificateError {
    /// The bytes are not a certificate.
    #[error("malformed commit certificate: {0}")]
    Malformed(String),
    /// A signer that is not a validator of the height.
    #[error("signer {0} is not in the validator set")]
    UnknownSigner(Address),
    /// The same signer twice.
    #[error("signer {0} appears twice")]
    DuplicateSigner(Address),
    /// A signature that does not verify for this chain, height, round and block.
    #[error("the signature of {0} is not valid for this block")]
    InvalidSignature(Address),
    /// Fewer than needed signed.
    #[error("signed voting power {signed} of {total}: more than two thirds are needed")]
    InsufficientPower {
        /// Power that signed.
        signed: u64,
        /// Power of the whole set.
        total: u64,
    },
}

/// Encoded form: signatures as bytes, the list bounded while it is decoded.
#[derive(Encode, Decode)]
struct Wire {
    height: Height,
    round: Round,
    block_hash: BlockHash,
    signatures: Bounded<(Address, [u8; 64]), MAX_VALIDATORS>,
}

impl CommitCertificate {
    /// SCALE encoding, as stored with the block.
    pub fn to_bytes(&self) -> Vec<u8> {
        let signatures = self
            .signatures
            .iter()
            .map(|entry| (entry.address, entry.signature.to_bytes()))
            .collect::<Vec<_>>();
        Wire {
            height: self.height,
            round: self.round,
            block_hash: self.block_hash,
            signatures: Bounded(signatures),
        }
        .encode()
    }

    /// The certificate as the next block brings it, with the pre-commits that came late.
    pub fn into_parent_commit(self, late: Vec<LatePrecommit>) -> ParentCommit {
        let signed = self.signatures.iter().map(|entry| Precommit {
            signer: AccountId::new(*entry.address.as_bytes()),
            signature: entry.signature.to_bytes(),
        });
        ParentCommit::new(self.height.get(), self.round.get(), signed.collect(), late)
    }

    /// Decodes what [`to_bytes`](Self::to_bytes) wrote; trailing bytes, too many
    /// signatures and impossible ones are errors.
    pub fn from_bytes(mut bytes: &[u8]) -> Result<Self, CertificateError> {
        let malformed = |what: String| CertificateError::Malformed(what);
        let wire = Wire::decode(&mut bytes).map_err(|error| malformed(error.to_string()))?;
        if !bytes.is_empty() {
            return Err(malformed(format!("{} trailing bytes", bytes.len())));
        }
        let signatures = wire
            .signatures
            .0
            .into_iter()
            .map(|(address, signature)| {
                let signature = Signature::from_bytes(&signature)
                    .map_err(|error| malformed(format!("signature of {address}: {error}")))?;
                Ok(CommitSignature { address, signature })
            })
            .collect::<Result<_, CertificateError>>()?;
        Ok(Self { height: wire.height, round: wire.round, block_hash: wire.block_hash, signatures })
    }

    /// Checks that validators of `validators` with more than two thirds of the
    /// power signed this block on the chain `domain`. `validators` must be the
    /// set of the certificate's height; that it is, the caller knows from the
    /// state of the parent.
    pub fn verify(
        &self,
        domain: &ChainDomain,
        validators: &ValidatorSet,
    ) -> Result<(), CertificateError> {
        let mut seen: Vec<Address> = Vec::with_capacity(self.signatures.len());
        let mut signed: u64 = 0;
        for CommitSignature { address, signature } in &self.signatures {
            let validator =
                validators.get(address).ok_or(CertificateError::UnknownSigner(*address))?;
            if seen.contains(address) {
                return Err(CertificateError::DuplicateSigner(*address));
            }
            seen.push(*address);
            let bytes = domain.precommit_bytes(self.height, self.round, self.block_hash, *address);
            if !validator.public_key().verify(DEFAULT_ID, &bytes, signature) {
                return Err(CertificateError::InvalidSignature(*address));
            }
            // Each validator counts once, so the sum stays within the set's total.
            signed = signed.saturating_add(validator.power());
        }
        let total = validators.total_power();
        // The set guarantees that three times its total fits.
        if signed.saturating_mul(3) > total.saturating_mul(2) {
            Ok(())
        } else {
            Err(CertificateError::InsufficientPower { signed, total })
        }
    }

    /// From the engine's certificate; signatures sorted by address, so that the
    /// same set of votes gives the same bytes on every node. Nothing is decided in
    /// the nil round.
    pub(crate) fn from_engine(
        certificate: &core::CommitCertificate<BillContext>,
    ) -> Result<Self, NilRound> {
        let mut signatures: Vec<CommitSignature> = certificate
            .commit_signatures
            .iter()
            .map(|entry| CommitSignature { address: entry.address, signature: entry.signature })
            .collect();
        signatures.sort_by_key(|entry| entry.address);
        Ok(Self {
            height: certificate.height,
            round: certificate.round.try_into()?,
            block_hash: certificate.value_id,
            signatures,
        })
    }

    /// For a peer that catches up.
    pub(crate) fn to_engine(&self) -> core::ExtendedCommitCertificate<BillContext> {
        core::ExtendedCommitCertificate {
            height: self.height,
            round: self.round.into(),
            value_id: self.block_hash,
            commit_signatures: self
                .signatures
                .iter()
                .map(|entry| {
                    core::ExtendedCommitSignature::new(entry.address, entry.signature, None)
                })
                .collect(),
        }
    }
}

impl Encode for CommitCertificate {
    fn encode(&self) -> Vec<u8> {
        self.to_bytes()
    }
}

impl Decode for CommitCertificate {
    fn decode<I: codec::Input>(input: &mut I) -> Result<Self, codec::Error> {
        let wire = Wire::decode(input)?;
        Self::from_bytes(&wire.encode())
            .map_err(|_| codec::Error::from("commit certificate holds an impossible signature"))
    }
}

#[cfg(test)]
mod tests;
