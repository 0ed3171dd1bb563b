//! SM2 signatures on consensus messages.
//!
//! The bytes that are signed are laid out by [`ConsensusDomain`], which the chain
//! also uses when it judges evidence. The one exception is the validator proof,
//! whose bytes Malachite fixes and prefixes itself.

use std::sync::Arc;

use async_trait::async_trait;
use billchain_crypto::sm2::{DEFAULT_ID, PublicKey, SecretKey, Signature};
use billchain_primitives::{ConsensusDomain, Hash, Purpose, Statement, StatementContext};
use malachitebft_app_channel::app::types::core::{
    NilOrVal, Round, SignedMessage, SigningScheme, ValidatorProof, VoteExtensionScope, VoteType,
};
use malachitebft_signing::{Error as SigningError, Signer, VerificationResult, Verifier};
use parking_lot::Mutex;
use thiserror::Error;

use crate::memory::SigningMemory;
use crate::supervisor::FirstCause;
use crate::types::{Address, BillContext, BlockHash, Height, Proposal, UnsignedInit, Vote};

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
    pub fn init_bytes(&self, init: &UnsignedInit) -> Vec<u8> {
        self.0.message_bytes(Purpose::PartInit, init)
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
        let VoteExtensionScope { height, round, value_id, validator_address } = scope;
        let message = (height, round.as_u32(), value_id, validator_address);
        self.0.message_bytes(Purpose::Extension, &message)
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
    pub fn sign_init(&self, init: &UnsignedInit) -> Signature {
        self.sign(&self.domain.init_bytes(init))
    }

    /// Proves to peers that this validator runs at `peer_id`.
    pub fn prove_validator(&self, peer_id: Vec<u8>) -> ValidatorProof<BillContext> {
        let public_key = self.public_key().to_compressed().to_vec();
        let bytes = ValidatorProof::<BillContext>::signing_bytes(&public_key, &peer_id);
        ValidatorProof::new(public_key, peer_id, self.sign(&bytes))
    }

    fn sign(&self, bytes: &[u8]) -> Signature {
        self.key.sign(DEFAULT_ID, bytes)
    }
}

/// Signs votes and proposals, each only after the [`SigningMemory`] has agreed.
pub(crate) struct GuardedSigner {
    signer: Sm2Signer,
    memory: Arc<Mutex<SigningMemory>>,
    /// Told of the first refusal: the engine ends with it, and says less.
    cause: FirstCause,
}

impl GuardedSigner {
    pub(crate) fn new(signer: Sm2Signer, memory: SigningMemory, cause: FirstCause) -> Self {
        Self { signer, memory: Arc::new(Mutex::new(memory)), cause }
    }

    /// Signs on a thread that may wait for the disk.
    async fn sign(
        &self,
        context: StatementContext,
        statement: Statement,
    ) -> Result<Signature, SigningError> {
        let (signer, memory) = (self.signer.clone(), self.memory.clone());
        let work = move || {
            let bytes = signer.domain.0.statement_bytes(&context, &statement);
            let sign = || signer.sign(&bytes).to_bytes();
            memory.lock().sign(&context, &statement, sign)
        };
        let refused = match tokio::task::spawn_blocking(work).await {
            Ok(Ok(bytes)) => {
                return Signature::from_bytes(&bytes).map_err(|error| failed(&error));
            }
            Ok(Err(refused)) => refused,
            Err(error) => return Err(failed(&error)),
        };
        let error = failed(&refused);
        self.cause.set(refused.into());
        Err(error)
    }
}

fn failed(error: &dyn std::fmt::Display) -> SigningError {
    SigningError::from_source(std::io::Error::other(error.to_string()))
}

#[async_trait]
impl Signer<BillContext> for GuardedSigner {
    async fn sign_vote(
        &self,
        vote: Vote,
    ) -> Result<SignedMessage<BillContext, Vote>, SigningError> {
        let signature = self.sign(vote.context(), vote.statement()).await?;
        Ok(SignedMessage::new(vote, signature))
    }

    async fn sign_proposal(
        &self,
        proposal: Proposal,
    ) -> Result<SignedMessage<BillContext, Proposal>, SigningError> {
        let signature = self.sign(proposal.context(), proposal.statement()).await?;
        Ok(SignedMessage::new(proposal, signature))
    }

    async fn sign_vote_extension(
        &self,
        scope: VoteExtensionScope<BillContext>,
        extension: (),
    ) -> Result<SignedMessage<BillContext, ()>, SigningError> {
        let signature = self.signer.sign(&self.signer.domain.extension_bytes(&scope));
        Ok(SignedMessage::new(extension, signature))
    }

    async fn sign_validator_proof(
        &self,
        public_key: Vec<u8>,
        peer_id: Vec<u8>,
    ) -> Result<ValidatorProof<BillContext>, SigningError> {
        let bytes = ValidatorProof::<BillContext>::signing_bytes(&public_key, &peer_id);
        Ok(ValidatorProof::new(public_key, peer_id, self.signer.sign(&bytes)))
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
    pub fn verify_init(&self, init: &UnsignedInit, signature: &Signature, key: &PublicKey) -> bool {
        key.verify(DEFAULT_ID, &self.domain.init_bytes(init), signature)
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
