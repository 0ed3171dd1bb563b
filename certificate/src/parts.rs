//! What certificates are made of, alone: for whoever follows the chain.

use crate::{CertificateError, Maker, shown, state_proof};
use billchain_primitives::BlockNumber;
use billchain_storage::{GroupProof, Head, StateProof};
use billchain_verifier::{key_proof, make::Decided};

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
        let StateProof { head, groups } = self.prove_all(keys)?;
        Ok(KeyProofs { head, proofs: groups.into_iter().flat_map(proofs).collect() })
    }
}

/// A proof of each of the keys that a group shows.
fn proofs(proof: GroupProof) -> Vec<Vec<u8>> {
    let shown = shown(proof.shown);
    let operation = state_proof(&proof.operation);
    proof.values.iter().map(|value| key_proof(&shown, &operation, value.as_deref())).collect()
}
