//! SM2 signatures on consensus messages.
//!
//! Every message is signed with the default signer id over a byte string that
//! names the protocol, the chain (its genesis hash) and the kind of message
//! before the message itself, so that a signature made for one purpose or one
//! chain verifies for no other. The one exception is the validator proof, whose
//! bytes Malachite fixes and prefixes itself.

use async_trait::async_trait;
use billchain_crypto::sm2::{DEFAULT_ID, PublicKey, SecretKey, Signature};
use billchain_primitives::Hash;
use codec::Encode;
use malachitebft_app_channel::app::types::core::{
    NilOrVal, Round, SignedMessage, SigningScheme, ValidatorProof, VoteExtensionScope, VoteType,
};
use malachitebft_signing::{Error as SigningError, Signer, VerificationResult, Verifier};
use thiserror::Error;

use crate::types::{Address, Announcement, BillContext, BlockHash, Height, Proposal, Vote};

/// First bytes of everything signed here.
const PROTOCOL: &[u8] = b"billchain/consensus/1";

/// The chain a signature is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainDomain {
    genesis: Hash,
}

/// What a signature is about; the byte is part of what is signed.
#[derive(Clone, Copy)]
enum Purpose {
    Prevote = 1,
    Precommit = 2,
    Proposal = 3,
    Announcement = 4,
    Extension = 5,
}

impl ChainDomain {
    /// The chain that begins with this genesis block.
    pub const fn new(genesis: Hash) -> Self {
        Self { genesis }
    }

    /// Hash of the chain's genesis block.
    pub const fn genesis(&self) -> Hash {
        self.genesis
    }

    fn bytes(&self, purpose: Purpose, message: &impl Encode) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(PROTOCOL.len() + 33 + message.size_hint());
        bytes.extend_from_slice(PROTOCOL);
        bytes.extend_from_slice(self.genesis.as_bytes());
        bytes.push(purpose as u8);
        message.encode_to(&mut bytes);
        bytes
    }

    /// What the validator signs when it votes. Public so that a certificate can
    /// be checked without a node.
    pub fn vote_bytes(&self, vote: &Vote) -> Vec<u8> {
        let purpose = match vote.kind {
            VoteType::Prevote => Purpose::Prevote,
            VoteType::Precommit => Purpose::Precommit,
        };
        let value: Option<BlockHash> = match vote.value {
            NilOrVal::Nil => None,
            NilOrVal::Val(hash) => Some(hash),
        };
        self.bytes(purpose, &(vote.height, vote.round.as_u32(), value, vote.voter))
    }

    /// What the proposer of a round signs.
    pub fn proposal_bytes(&self, proposal: &Proposal) -> Vec<u8> {
        self.bytes(
            Purpose::Proposal,
            &(
                proposal.height,
                proposal.round.as_u32(),
                proposal.value,
                proposal.pol_round.as_u32(),
                proposal.proposer,
            ),
        )
    }

    /// What the proposer signs about the block it sends.
    pub fn announcement_bytes(&self, announcement: &Announcement) -> Vec<u8> {
        self.bytes(Purpose::Announcement, announcement)
    }

    /// The pre-commit a certificate's signature stands for.
    pub fn precommit_bytes(
        &self,
        height: Height,
        round: u32,
        block_hash: BlockHash,
        voter: Address,
    ) -> Vec<u8> {
        self.vote_bytes(&Vote {
            kind: VoteType::Precommit,
            height,
            round: Round::new(round),
            value: NilOrVal::Val(block_hash),
            voter,
        })
    }

    fn extension_bytes(&self, scope: &VoteExtensionScope<BillContext>) -> Vec<u8> {
        self.bytes(
            Purpose::Extension,
            &(scope.height, scope.round.as_u32(), scope.value_id, scope.validator_address),
        )
    }
}

/// Why bytes are not an SM2 key or signature.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Sm2DecodingError {
    /// Wrong number of bytes.
    #[error("{what} has {found} bytes, expected {expected}")]
    Length {
        /// "signature" or "public key".
        what: &'static str,
        /// Bytes given.
        found: usize,
        /// Bytes expected.
        expected: usize,
    },
    /// Right length, but no such point or number.
    #[error("not a valid SM2 {what}")]
    Invalid {
        /// "signature" or "public key".
        what: &'static str,
    },
}

/// SM2 (GB/T 32918) as Malachite's signing scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sm2Scheme;

fn fixed<const N: usize>(bytes: &[u8], what: &'static str) -> Result<[u8; N], Sm2DecodingError> {
    bytes.try_into().map_err(|_| Sm2DecodingError::Length { what, found: bytes.len(), expected: N })
}

impl SigningScheme for Sm2Scheme {
    type DecodingError = Sm2DecodingError;
    type Signature = Signature;
    type PublicKey = PublicKey;
    type PrivateKey = SecretKey;

    fn decode_signature(bytes: &[u8]) -> Result<Signature, Sm2DecodingError> {
        let what = "signature";
        Signature::from_bytes(&fixed(bytes, what)?).map_err(|_| Sm2DecodingError::Invalid { what })
    }

    fn encode_signature(signature: &Signature) -> Vec<u8> {
        signature.to_bytes().to_vec()
    }

    fn decode_public_key(bytes: &[u8]) -> Result<PublicKey, Sm2DecodingError> {
        let what = "public key";
        PublicKey::from_compressed(&fixed(bytes, what)?)
            .map_err(|_| Sm2DecodingError::Invalid { what })
    }

    fn encode_public_key(key: &PublicKey) -> Vec<u8> {
        key.to_compressed().to_vec()
    }
}

/// Signs a validator's own messages.
pub struct Sm2Signer {
    domain: ChainDomain,
    key: SecretKey,
}

impl Sm2Signer {
    /// A signer for this chain with this key.
    pub fn new(domain: ChainDomain, key: SecretKey) -> Self {
        Self { domain, key }
    }

    /// Key that checks what this signer signs.
    pub fn public_key(&self) -> PublicKey {
        self.key.public()
    }

    /// Signs the announcement of a block.
    pub fn sign_announcement(&self, announcement: &Announcement) -> Signature {
        self.sign(&self.domain.announcement_bytes(announcement))
    }

    fn sign(&self, bytes: &[u8]) -> Signature {
        self.key.sign(DEFAULT_ID, bytes)
    }
}

#[async_trait]
impl Signer<BillContext> for Sm2Signer {
    async fn sign_vote(
        &self,
        vote: Vote,
    ) -> Result<SignedMessage<BillContext, Vote>, SigningError> {
        let signature = self.sign(&self.domain.vote_bytes(&vote));
        Ok(SignedMessage::new(vote, signature))
    }

    async fn sign_proposal(
        &self,
        proposal: Proposal,
    ) -> Result<SignedMessage<BillContext, Proposal>, SigningError> {
        let signature = self.sign(&self.domain.proposal_bytes(&proposal));
        Ok(SignedMessage::new(proposal, signature))
    }

    async fn sign_vote_extension(
        &self,
        scope: VoteExtensionScope<BillContext>,
        extension: (),
    ) -> Result<SignedMessage<BillContext, ()>, SigningError> {
        let signature = self.sign(&self.domain.extension_bytes(&scope));
        Ok(SignedMessage::new(extension, signature))
    }

    async fn sign_validator_proof(
        &self,
        public_key: Vec<u8>,
        peer_id: Vec<u8>,
    ) -> Result<ValidatorProof<BillContext>, SigningError> {
        let bytes = ValidatorProof::<BillContext>::signing_bytes(&public_key, &peer_id);
        Ok(ValidatorProof::new(public_key, peer_id, self.sign(&bytes)))
    }
}

/// Checks the messages of others.
#[derive(Clone, Copy, Debug)]
pub struct Sm2Verifier {
    domain: ChainDomain,
}

impl Sm2Verifier {
    /// A verifier for this chain.
    pub const fn new(domain: ChainDomain) -> Self {
        Self { domain }
    }

    /// The chain it verifies for.
    pub const fn domain(&self) -> &ChainDomain {
        &self.domain
    }

    /// Whether the announcement of a block was signed with `key`.
    pub fn verify_announcement(
        &self,
        announcement: &Announcement,
        signature: &Signature,
        key: &PublicKey,
    ) -> bool {
        key.verify(DEFAULT_ID, &self.domain.announcement_bytes(announcement), signature)
    }
}

#[async_trait]
impl Verifier<BillContext> for Sm2Verifier {
    async fn verify_signed_vote(
        &self,
        vote: &Vote,
        signature: &Signature,
        key: &PublicKey,
    ) -> Result<VerificationResult, SigningError> {
        let bytes = self.domain.vote_bytes(vote);
        Ok(VerificationResult::from_bool(key.verify(DEFAULT_ID, &bytes, signature)))
    }

    async fn verify_signed_proposal(
        &self,
        proposal: &Proposal,
        signature: &Signature,
        key: &PublicKey,
    ) -> Result<VerificationResult, SigningError> {
        let bytes = self.domain.proposal_bytes(proposal);
        Ok(VerificationResult::from_bool(key.verify(DEFAULT_ID, &bytes, signature)))
    }

    async fn verify_signed_vote_extension(
        &self,
        scope: &VoteExtensionScope<BillContext>,
        _extension: &(),
        signature: &Signature,
        key: &PublicKey,
    ) -> Result<VerificationResult, SigningError> {
        let bytes = self.domain.extension_bytes(scope);
        Ok(VerificationResult::from_bool(key.verify(DEFAULT_ID, &bytes, signature)))
    }

    async fn verify_validator_proof(
        &self,
        proof: &ValidatorProof<BillContext>,
    ) -> Result<VerificationResult, SigningError> {
        let valid = Sm2Scheme::decode_public_key(&proof.public_key)
            .is_ok_and(|key| key.verify(DEFAULT_ID, &proof.preimage(), &proof.signature));
        Ok(VerificationResult::from_bool(valid))
    }
}
