//! SM2 signatures on consensus messages.
//!
//! The bytes that are signed are laid out by [`ConsensusDomain`], which the chain
//! also uses when it judges evidence. The one exception is the validator proof,
//! whose bytes Malachite fixes and prefixes itself.

use async_trait::async_trait;
use billchain_crypto::sm2::{DEFAULT_ID, PublicKey, SecretKey, Signature};
use billchain_primitives::{ConsensusDomain, Hash, Purpose};
use malachitebft_app_channel::app::types::core::{
    NilOrVal, SigningScheme, ValidatorProof, VoteExtensionScope, VoteType,
};
use malachitebft_signing::{Error as SigningError, VerificationResult, Verifier};

use crate::types::{
    Address, Announcement, BillContext, BlockHash, Height, Proposal, Round, Sm2Scheme, Vote,
};

/// The chain a signature is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainDomain(ConsensusDomain);

impl ChainDomain {
    /// The chain that begins with this genesis block.
    pub const fn new(genesis: Hash) -> Self {
        Self(ConsensusDomain::new(genesis))
    }

    /// Hash of the chain's genesis block.
    pub const fn genesis(&self) -> Hash {
        self.0.genesis()
    }

    /// The layout of what is signed.
    pub const fn layout(&self) -> &ConsensusDomain {
        &self.0
    }

    /// What the validator signs when it votes. Public so that a certificate can
    /// be checked without a node.
    pub fn vote_bytes(&self, vote: &Vote) -> Vec<u8> {
        self.0.statement_bytes(&vote.context(), &vote.statement())
    }

    /// What the proposer of a round signs.
    pub fn proposal_bytes(&self, proposal: &Proposal) -> Vec<u8> {
        self.0.statement_bytes(&proposal.context(), &proposal.statement())
    }

    /// What the proposer signs about the block it sends.
    pub fn announcement_bytes(&self, announcement: &Announcement) -> Vec<u8> {
        self.0.message_bytes(Purpose::Announcement, announcement)
    }

    /// The pre-commit a certificate's signature stands for.
    pub fn precommit_bytes(
        &self,
        height: Height,
        round: Round,
        block_hash: BlockHash,
        voter: Address,
    ) -> Vec<u8> {
        self.vote_bytes(&Vote {
            kind: VoteType::Precommit,
            height,
            round: round.into(),
            value: NilOrVal::Val(block_hash),
            voter,
        })
    }

    pub(crate) fn extension_bytes(&self, scope: &VoteExtensionScope<BillContext>) -> Vec<u8> {
        let VoteExtensionScope { height, round, value_id, validator_address } = scope;
        let message = (height, round.as_u32(), value_id, validator_address);
        self.0.message_bytes(Purpose::Extension, &message)
    }
}

/// A validator's key, for what excludes nothing else: announcements of blocks
/// and the proof of who it is.
#[derive(Clone)]
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

    /// Proves to peers that this validator runs at `peer_id`.
    pub fn prove_validator(&self, peer_id: Vec<u8>) -> ValidatorProof<BillContext> {
        let public_key = self.public_key().to_compressed().to_vec();
        let bytes = ValidatorProof::<BillContext>::signing_bytes(&public_key, &peer_id);
        ValidatorProof::new(public_key, peer_id, self.sign(&bytes))
    }

    /// The chain it signs for.
    pub(crate) fn domain(&self) -> &ChainDomain {
        &self.domain
    }

    pub(crate) fn sign(&self, bytes: &[u8]) -> Signature {
        self.key.sign(DEFAULT_ID, bytes)
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
