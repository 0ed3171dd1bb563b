//! What certificates are made of, alone: for whoever follows the chain.

use crate::{CertificateError, Maker, state_proof};
use billchain_primitives::BlockNumber;
use billchain_storage::{Head, KeyProof, Shown, StorageError};
use billchain_verifier::{
    key_proof,
    make::{Absence, Decided},
};

/// How often keys are proved again because a block came in between.
const TRIES: usize = 8;

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
        self.headers.lock().at(&self.chain, number)
    }

    /// Proofs of what the head's state holds of keys, none of which is empty; `None` if
    /// blocks come faster than the keys are proved. Blocks on the disk.
    pub fn prove(&self, keys: &[Vec<u8>]) -> Result<Option<KeyProofs>, CertificateError> {
        for _ in 0..TRIES {
            // Each is of the head at its moment.
            let storage = self.chain.storage();
            let proofs = keys.iter().map(|key| storage.prove(key));
            let proofs = proofs.collect::<Result<Vec<KeyProof>, StorageError>>()?;
            let head = proofs.first().map_or_else(|| storage.head(), |proof| proof.head);
            if proofs.iter().all(|proof| proof.head == head) {
                return Ok(Some(KeyProofs {
                    head,
                    proofs: proofs.into_iter().map(bytes).collect(),
                }));
            }
        }
        Ok(None)
    }
}

fn bytes(proof: KeyProof) -> Vec<u8> {
    let shown = match proof.shown {
        Shown::Group { group, next } => Absence::Group { group, next: next.0 },
        Shown::Neighbour(neighbour) => Absence::Neighbour(neighbour.map(|digest| digest.0)),
    };
    key_proof(&shown, &state_proof(&proof.operation), proof.value.as_deref())
}
