//! Makes certificates of bills (链上凭证) from one node's chain: what the head's state holds of
//! a bill, and all that proves it. `docs/certificates.md` has the format, `verifier/` checks it.
//!
//! What a certificate says is of the head, and carries the commit certificate of the head's
//! block; whoever has it needs no node. A maker keeps the headers that changed the validators
//! in memory: a few a year.

#![forbid(unsafe_code)]

mod decided;
mod parts;
mod tree;

use billchain_executor::{Chain, ChainError};
use billchain_primitives::{
    Bill, BillKey, BlockNumber,
    history::{VersionHead, VersionRecord},
    index,
};
use billchain_storage::{KeyProof, OperationProof, Shown, StorageError};
use billchain_verifier::make::{Absence, Body, Certificate, Source, StateProof};
use codec::{DecodeAll, Encode};
use decided::Headers;
use frame_support::storage::storage_prefix;
use parking_lot::Mutex;

pub use parts::KeyProofs;

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The chain has the genesis only, which nobody decides.
    #[error("the chain has no block yet")]
    NoBlock,
    /// A block that is needed is not kept.
    #[error(
        "block {number} is not kept here: it changed the validators, or made the bill's version"
    )]
    NotKept {
        /// The block.
        number: BlockNumber,
    },
    /// The index lacks the bill's version.
    #[error("version {version} of bill {key} is not in the index yet")]
    NotIndexed {
        /// The bill.
        key: BillKey,
        /// The version.
        version: u32,
    },
    /// What is stored contradicts itself.
    #[error("{what} of block {number} is unreadable, or does not fit the block")]
    Odd {
        /// What.
        what: &'static str,
        /// The block.
        number: BlockNumber,
    },
    /// The chain cannot be read.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

impl From<StorageError> for CertificateError {
    fn from(error: StorageError) -> Self {
        Self::Chain(error.into())
    }
}

/// Makes certificates from one chain.
pub struct Maker {
    chain: Chain,
    headers: Mutex<Headers>,
}

impl Maker {
    /// Makes them from this chain.
    pub fn new(chain: Chain) -> Self {
        Self { chain, headers: Mutex::default() }
    }

    /// The certificate of a bill, or that there is no such bill, as of the head. Blocks on
    /// the disk.
    pub fn certificate(&self, key: &BillKey) -> Result<Vec<u8>, CertificateError> {
        let proof = self.chain.storage().prove(&state_key(key))?;
        let number = proof.head.number;
        if number == 0 {
            return Err(CertificateError::NoBlock);
        }
        let body = match &proof.value {
            None => absent(key, proof),
            Some(value) => self.present(key, value, &proof)?,
        };
        let headers = self.headers.lock().before(&self.chain, number)?;
        let certificate = Certificate {
            genesis: headers.genesis(&self.chain)?,
            changes: headers.changes(),
            head: headers.decided(&self.chain, number)?,
            body,
        };
        Ok(certificate.to_bytes())
    }

    fn present(
        &self,
        key: &BillKey,
        value: &[u8],
        proof: &KeyProof,
    ) -> Result<Body, CertificateError> {
        let number = proof.head.number;
        let odd = |what| CertificateError::Odd { what, number };
        let bill = Bill::decode_all(&mut &value[..]).map_err(|_| odd("a bill"))?;
        let Shown::Group { group, next } = &proof.shown else { return Err(odd("a group")) };
        let version = bill.state.version;
        let record = self.chain.storage().offchain_get(&index::history_key(key, version))?;
        let record = record.ok_or(CertificateError::NotIndexed { key: *key, version })?;
        let record =
            VersionRecord::decode_all(&mut &record[..]).map_err(|_| odd("a bill's version"))?;
        let head = record.head();
        Ok(Body::Present {
            bill: value.to_vec(),
            group: group.clone(),
            next: next.0,
            proof: state_proof(&proof.operation),
            previous: record.previous,
            version: head.encode(),
            transaction: self.source(number, &head)?,
        })
    }

    /// Where the transaction that made a version is.
    fn source(&self, head: BlockNumber, version: &VersionHead) -> Result<Source, CertificateError> {
        let number = version.at.block;
        let Some(index) = version.at.extrinsic.filter(|_| number > 0) else {
            return Ok(Source::None);
        };
        let block = self.chain.storage().block(number)?;
        let block = block.ok_or(CertificateError::NotKept { number })?;
        let path = tree::path(&block, index);
        let path = path.ok_or(CertificateError::Odd { what: "a transaction", number })?;
        if number == head {
            return Ok(Source::SameBlock { path });
        }
        let headers = self.headers.lock().before(&self.chain, number)?;
        Ok(Source::Earlier { block: headers.decided(&self.chain, number)?, path })
    }
}

/// The key of a bill in the state.
pub fn state_key(key: &BillKey) -> Vec<u8> {
    let mut raw = storage_prefix(b"BillRegister", b"Bills").to_vec();
    // The map's hasher is the identity.
    key.encode_to(&mut raw);
    raw
}

fn absent(key: &BillKey, proof: KeyProof) -> Body {
    let mut digits = [0; 18];
    digits.iter_mut().zip(key.encode()).for_each(|(to, from)| *to = from);
    let shown = match proof.shown {
        Shown::Group { group, next } => Absence::Group { group, next: next.0 },
        Shown::Neighbour(neighbour) => Absence::Neighbour(neighbour.map(|digest| digest.0)),
    };
    Body::Absent { key: digits, shown, proof: state_proof(&proof.operation) }
}

fn state_proof(proof: &OperationProof) -> StateProof {
    StateProof {
        location: proof.location,
        leaves: proof.leaves,
        inactive_peaks: proof.inactive_peaks,
        plain: proof.plain.0,
        bits: proof.bits,
        partial: proof.partial.map(|digest| digest.0),
        digests: proof.digests.iter().map(|digest| digest.0).collect(),
    }
}
