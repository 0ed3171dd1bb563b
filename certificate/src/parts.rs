//! What certificates are made of, alone: for whoever follows the chain.

use crate::{
    CertificateError, Maker,
    place::{place, roots},
};
use billchain_primitives::BlockNumber;
use billchain_storage::{GroupProof, Head};
use billchain_verifier::{
    key_proof,
    make::{Decided, Roots},
};

/// Key proofs of one state.
pub struct KeyProofs {
    /// The block after which the state was so.
    pub head: Head,
    /// One of each key, in their order.
    pub proofs: Vec<Vec<u8>>,
}

impl Maker {
    /// The header of a block, and who decided it; nobody decides the genesis. Blocks on the
    /// disk.
    pub fn decided(&self, number: BlockNumber) -> Result<Decided, CertificateError> {
        if number == 0 {
            let span = self.headers.lock().span(&self.chain, number, None)?;
            let header = span.genesis().to_vec();
            return Ok(Decided { header, round: 0, signatures: Vec::new() });
        }
        self.block(number)
    }

    /// Proofs of what the head's state holds of keys, none of which is empty. Blocks on the disk.
    pub fn prove(&self, keys: &[Vec<u8>]) -> Result<KeyProofs, CertificateError> {
        let proof = self.prove_all(keys)?;
        let (head, roots) = (proof.head, roots(&proof));
        let groups = proof.groups.into_iter();
        Ok(KeyProofs { head, proofs: groups.flat_map(|group| proofs(&roots, group)).collect() })
    }
}

/// A proof of each of the keys that a group shows.
fn proofs(roots: &Roots, proof: GroupProof) -> Vec<Vec<u8>> {
    let place = place(proof.place);
    proof.values.iter().map(|value| key_proof(roots, &place, value.as_deref())).collect()
}
