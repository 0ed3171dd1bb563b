//! The validators of each block, from those of the genesis on, by headers alone.
//!
//! A header that names other validators for the next block
//! ([`SetChange`]) is decided by those before. Each names the last header before it that
//! did: none can be left out.

use crate::wire::Certified;
use billchain_consensus::{
    CertificateError, ChainDomain, CommitCertificate, Validator, ValidatorSet,
};
use billchain_crypto::sm2;
use billchain_primitives::{BlockNumber, Hash, Header};
use codec::{Decode, DecodeAll};
use pallet_participation::{SET_DIGEST, SetChange};
use sp_runtime::DigestItem;

/// Why a block, or a change of the validators, is not one of the chain.
#[derive(Debug, thiserror::Error)]
pub enum SetError {
    /// It cannot be decoded.
    #[error("the header of block {number} is unreadable")]
    Unreadable {
        /// The block that it should be of, or 0.
        number: BlockNumber,
    },
    /// The certificate is of another block.
    #[error("the certificate of block {number} is of block {found_number}, {found}")]
    OtherBlock {
        /// The block.
        number: BlockNumber,
        /// The certificate's height.
        found_number: u64,
        /// The certificate's hash.
        found: Hash,
    },
    /// The validators of the block did not decide it.
    #[error("block {number}: {source}")]
    NotDecided {
        /// The block.
        number: BlockNumber,
        /// What is wrong with the certificate.
        source: CertificateError,
    },
    /// It names no validators, or impossible ones.
    #[error("the header of block {number} names no validators for the next block")]
    NoChange {
        /// The block.
        number: BlockNumber,
    },
    /// A header between was left out, or repeated.
    #[error("the change at block {number} follows one at {previous}, expected {expected}")]
    Gap {
        /// The block.
        number: BlockNumber,
        /// What it names as the last change before.
        previous: BlockNumber,
        /// The last change that is known.
        expected: BlockNumber,
    },
}

/// The validators of each block up to the last change that is known, and from there on.
#[derive(Clone, Debug)]
pub struct ValidatorSets {
    domain: ChainDomain,
    /// From which block on which set decides, ascending.
    sets: Vec<(BlockNumber, ValidatorSet)>,
    /// The last header that named others; 0 before there is one.
    last_change: BlockNumber,
}

impl ValidatorSets {
    /// Of the chain with this genesis, whose first block these validators decide.
    pub fn new(genesis: Hash, first: ValidatorSet) -> Self {
        Self { domain: ChainDomain::new(genesis), sets: vec![(1, first)], last_change: 0 }
    }

    /// The last header that named other validators; 0 if none is known.
    pub fn last_change(&self) -> BlockNumber {
        self.last_change
    }

    /// Follows the next header that names other validators; its number and hash.
    pub fn follow(&mut self, change: &Certified) -> Result<(BlockNumber, Hash), SetError> {
        let header = Header::decode_all(&mut &change.bytes[..])
            .map_err(|_| SetError::Unreadable { number: 0 })?;
        let number = header.number;
        let expected = self.last_change;
        let named = named(&header).ok_or(SetError::NoChange { number })?;
        if named.previous != expected || number <= expected {
            return Err(SetError::Gap { number, previous: named.previous, expected });
        }
        self.judge(&header, &change.certificate)?;
        let set = set_of(&named).ok_or(SetError::NoChange { number })?;
        self.sets.push((number.saturating_add(1), set));
        self.last_change = number;
        Ok((number, header.hash()))
    }

    /// Judges the certificate of a block.
    pub fn judge(&self, header: &Header, certificate: &[u8]) -> Result<(), SetError> {
        let number = header.number;
        let certificate = CommitCertificate::from_bytes(certificate)
            .map_err(|source| SetError::NotDecided { number, source })?;
        let found: Hash = certificate.block_hash.into();
        let found_number = certificate.height.get();
        if (found_number, found) != (u64::from(number), header.hash()) {
            return Err(SetError::OtherBlock { number, found_number, found });
        }
        let at = self.sets.partition_point(|(from, _)| *from <= number);
        let Some((_, set)) = at.checked_sub(1).and_then(|at| self.sets.get(at)) else {
            // Nobody decides the genesis.
            return Err(SetError::Unreadable { number });
        };
        certificate
            .verify(&self.domain, set)
            .map_err(|source| SetError::NotDecided { number, source })
    }
}

/// The validators that a header names for the next block, if it does.
pub(crate) fn named(header: &Header) -> Option<SetChange> {
    header.digest.logs.iter().find_map(|item| match item {
        DigestItem::Consensus(SET_DIGEST, bytes) => SetChange::decode_all(&mut &bytes[..]).ok(),
        _ => None,
    })
}

fn set_of(change: &SetChange) -> Option<ValidatorSet> {
    let validator = |(key, power): &([u8; 33], u64)| {
        Some(Validator::new(sm2::PublicKey::from_compressed(key).ok()?, *power))
    };
    let validators: Option<Vec<Validator>> = change.validators.iter().map(validator).collect();
    ValidatorSet::new(validators?).ok()
}

/// The header at the front of a block.
pub(crate) fn header_of(block: &[u8]) -> Option<Header> {
    Header::decode(&mut &block[..]).ok()
}

#[cfg(test)]
mod tests;
