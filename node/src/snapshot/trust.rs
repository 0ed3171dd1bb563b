//! Whether the block of a snapshot is one of the chain: by the signatures under it,
//! or because somebody who is trusted has told its hash.

use super::manifest::Subject;
use anyhow::{Context, Result, ensure};
use billchain_chain_spec::{ChainSpec, Document, SpecError};
use billchain_consensus::{ChainDomain, Validator, ValidatorSet};
use billchain_crypto::sm2;
use billchain_executor::genesis_block;
use billchain_primitives::{Hash, PublicKey};

/// What a block is judged by.
pub(crate) struct Trust<'a> {
    /// The chain's specification, if it is at hand.
    pub(crate) document: Option<&'a Document>,
    /// The block's hash, as told by somebody who is trusted.
    pub(crate) hash: Option<Hash>,
}

impl Trust<'_> {
    /// Judges the block; what it was judged by, in words.
    pub(crate) fn judge(&self, block: &Subject) -> Result<String> {
        block.header()?;
        if let Some(document) = self.document {
            ensure!(
                block.document == document.digest,
                "the snapshot is of a chain made from the specification with SM3 {:?}, the one \
                 at hand has {:?}",
                block.document,
                document.digest
            );
        }
        if let Some(expected) = self.hash {
            ensure!(
                block.hash == expected,
                "block {} of the snapshot is {:?}, --trusted-hash says {expected:?}",
                block.height,
                block.hash
            );
            return Ok("the trusted hash".into());
        }
        let document = self
            .document
            .context("nothing to judge the snapshot by: give --chain-spec or --trusted-hash")?;
        signed(block, &document.spec)
    }
}

/// Checks that validators of the chain's specification signed the block.
fn signed(block: &Subject, spec: &ChainSpec) -> Result<String> {
    let advice = || {
        format!(
            "ask a member for the hash of block {} (chain_getBlockHash) and give it as \
             --trusted-hash",
            block.height
        )
    };
    let state = match spec.genesis_state() {
        Err(error @ SpecError::OtherRules { .. }) => {
            return Err(error).with_context(|| {
                format!("this release cannot tell the chain's first block: {}", advice())
            });
        }
        state => state?,
    };
    let genesis = genesis_block(&state)?.0.hash();
    ensure!(
        block.genesis == genesis,
        "the snapshot is of the chain {:?}, the specification makes {genesis:?}",
        block.genesis
    );
    let certificate = block.certificate()?;
    let validators = validators(spec)?;
    certificate.verify(&ChainDomain::new(genesis), &validators).with_context(|| {
        format!(
            "the first validators of the chain did not sign block {}. If the council has changed \
             them since: {}",
            block.height,
            advice()
        )
    })?;
    Ok(format!("{} signatures of the chain's first validators", certificate.signatures.len()))
}

/// The validators that the chain begins with.
pub(crate) fn validators(spec: &ChainSpec) -> Result<ValidatorSet> {
    let validators = spec.operators.iter().map(|operator| {
        let PublicKey::Sm2(key) = operator.consensus_key else {
            anyhow::bail!("operator {}: the consensus key is none of SM2", operator.name);
        };
        Ok(Validator::new(sm2::PublicKey::from_compressed(&key)?, operator.power))
    });
    Ok(ValidatorSet::new(validators.collect::<Result<Vec<_>>>()?)?)
}
