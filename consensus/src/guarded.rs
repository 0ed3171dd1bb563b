//! Signs for a validator that remembers what it has signed.

use std::sync::Arc;

use async_trait::async_trait;
use billchain_crypto::sm2::Signature;
use billchain_primitives::{Statement, StatementContext};
use malachitebft_app_channel::app::types::core::{
    SignedMessage, ValidatorProof, VoteExtensionScope,
};
use malachitebft_signing::{Error as SigningError, Signer};
use parking_lot::Mutex;

use crate::memory::SigningMemory;
use crate::signing::Sm2Signer;
use crate::supervisor::FirstCause;
use crate::types::{BillContext, Proposal, Vote};

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
            let bytes = signer.domain().layout().statement_bytes(&context, &statement);
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
        let signature = self.signer.sign(&self.signer.domain().extension_bytes(&scope));
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
